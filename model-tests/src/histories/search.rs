//! The engines: every small history, and many random ones that shrink.

use std::sync::Arc;

use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
};

use crate::{
    histories::{
        ops::{History, Op},
        play::run::{Judge, Run},
        strategies::{EDGES, Kind, Steps, histories},
    },
    report::Report,
    subject::{adapter::Subject, capability::Capability},
    trial::{Budget, Parted, Trial, Violation},
    watch::note_history,
};

/// What the histories of a law are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) kinds: &'static [Kind],
    pub(crate) steps: Steps,
    pub(crate) judge: Judge,
    pub(crate) capacities: &'static [usize],
    pub(crate) set_base: bool,
    /// What goes wrong near `u64::MAX`, and right in the same history far from it, is law R07: it
    /// counts there, and nowhere else.
    pub(crate) at_the_top: bool,
}

/// What stands for `u64::MAX` in a history far from it.
const LOW_TOP: u64 = 1_000_000;

impl Plan {
    /// Any versions, the usual capacities, judged exactly.
    pub(crate) const fn of(kinds: &'static [Kind]) -> Self {
        Self {
            kinds,
            steps: Steps::Any,
            judge: Judge::Exact,
            capacities: EDGES,
            set_base: true,
            at_the_top: false,
        }
    }

    /// The kinds that the subject has.
    fn kinds<S>(&self, trial: &Trial<'_, S>) -> Vec<Kind> {
        let has = |kind: &&Kind| kind.needs().iter().all(|need| trial.budget.has(*need));
        self.kinds.iter().filter(has).copied().collect()
    }
}

/// Judges by both engines.
pub(crate) fn search<S: Subject>(
    trial: &Trial<'_, S>,
    plan: &Plan,
) -> Result<Report, Box<Violation>> {
    let has_versions = trial.budget.has(Capability::Versions);
    let plan = &Plan {
        set_base: plan.set_base && trial.budget.has(Capability::Base) && has_versions,
        steps: if has_versions {
            plan.steps
        } else {
            Steps::Dense
        },
        ..*plan
    };
    if let Some(history) = &trial.only {
        let mut report = Report::default();
        return match play(trial, plan, history, &mut report) {
            Ok(()) => Ok(report),
            Err(parted) => Err(trial.violation(parted)),
        };
    }
    let mut report = exhaust(trial, plan)?;
    report.add(&randomise(trial, plan)?);
    Ok(report)
}

/// Every history of up to `depth` operations (as far as their number stays affordable), at small
/// capacities, with every question at its end.
fn exhaust<S: Subject>(trial: &Trial<'_, S>, plan: &Plan) -> Result<Report, Box<Violation>> {
    let kinds = plan.kinds(trial);
    let alphabet: Vec<Op> = kinds
        .iter()
        .flat_map(|kind| kind.small(plan.steps))
        .collect();
    let questions: Vec<Op> = kinds.iter().flat_map(|kind| kind.questions()).collect();
    let bases: &[Option<u64>] = if plan.set_base {
        &[None, Some(2)]
    } else {
        &[None]
    };
    let Budget {
        depth,
        small_histories,
        ..
    } = *trial.budget;
    let affordable = |len: &usize| alphabet.len().pow(*len as u32) <= small_histories;
    let max_len = (0..=depth).take_while(affordable).last().unwrap_or(0);
    let mut report = Report::default();
    let is_small = |at: usize| at == 0 || plan.capacities[at] <= 4;
    for at in (0..plan.capacities.len()).filter(|at| is_small(*at)) {
        let capacity = plan.capacities[at];
        for &base in bases {
            for word in words(alphabet.len(), max_len) {
                let ops = word.iter().map(|letter| &alphabet[*letter]);
                let ops = ops.chain(&questions).cloned().collect();
                let history = Arc::new(History {
                    capacity,
                    base,
                    ops,
                });
                if let Err(parted) = play(trial, plan, &history, &mut report) {
                    let found_by = format!("trying all histories of {} operations", word.len());
                    return Err(explain(trial, plan, &history, parted, found_by));
                }
            }
        }
    }
    Ok(report)
}

/// All words of up to `max_len` letters, the shortest first.
fn words(letters: usize, max_len: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..=max_len).flat_map(move |len| {
        let count = letters.pow(len as u32);
        (0..count).map(move |mut number| {
            let letter = |_| {
                let letter = number % letters;
                number /= letters;
                letter
            };
            (0..len).map(letter).collect()
        })
    })
}

/// Random histories; the shortest that fails is told.
fn randomise<S: Subject>(trial: &Trial<'_, S>, plan: &Plan) -> Result<Report, Box<Violation>> {
    let budget = trial.budget;
    let config = Config {
        cases: budget.cases,
        max_shrink_iters: 20_000,
        failure_persistence: budget
            .regressions
            .map(|path| Box::new(FileFailurePersistence::Direct(path)) as _),
        ..Config::default()
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&budget.seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let kinds = plan.kinds(trial);
    let strategy = histories(&kinds, plan.steps, plan.capacities, plan.set_base);
    let report = std::cell::RefCell::new(Report::default());
    let result = runner.run(&strategy, |history| {
        play(trial, plan, &Arc::new(history), &mut report.borrow_mut())
            .map_err(|parted| TestCaseError::fail(parted.step))
    });
    match result {
        Ok(()) => Ok(report.into_inner()),
        Err(TestError::Fail(reason, history)) => {
            let found_by = format!("random histories, MODEL_TESTS_SEED={}", budget.seed);
            let history = Arc::new(history);
            let parted = play(trial, plan, &history, &mut Report::default())
                .err()
                .unwrap_or_else(|| {
                    let step = reason.to_string();
                    Parted::said(
                        step,
                        "the same answer each time",
                        "it changed when repeated",
                    )
                });
            Err(explain(trial, plan, &history, parted, found_by))
        }
        Err(TestError::Abort(reason)) => Err(trial.violation(Parted::said(
            "making random histories",
            "histories",
            reason.to_string(),
        ))),
    }
}

/// Plays one history to its end, or to where the log parts from the model.
fn play<S: Subject>(
    trial: &Trial<'_, S>,
    plan: &Plan,
    history: &Arc<History>,
    report: &mut Report,
) -> Result<(), Parted> {
    note_history(history);
    let result = play_below(trial, plan, history, u64::MAX, report);
    if result.is_ok() {
        return result;
    }
    let below = play_below(trial, plan, history, LOW_TOP, &mut Report::default());
    if below.is_ok() == plan.at_the_top {
        result
    } else {
        Ok(())
    }
}

fn play_below<S: Subject>(
    trial: &Trial<'_, S>,
    plan: &Plan,
    history: &History,
    top: u64,
    report: &mut Report,
) -> Result<(), Parted> {
    let mut run = Run::open(
        (trial.subject, trial.budget),
        (plan.judge, top),
        history,
        false,
    )?;
    let result = history.ops.iter().try_for_each(|op| run.step(op));
    report.add(&run.report);
    result
}

/// Plays a history that failed once more, and writes it down.
fn explain<S: Subject>(
    trial: &Trial<'_, S>,
    plan: &Plan,
    history: &Arc<History>,
    parted: Parted,
    found_by: String,
) -> Box<Violation> {
    let history = &without_idle_questions(trial, plan, history);
    let Ok(mut run) = Run::open(
        (trial.subject, trial.budget),
        (plan.judge, u64::MAX),
        history,
        true,
    ) else {
        return trial.violation(parted);
    };
    let again = history.ops.iter().try_for_each(|op| run.step(op));
    let script = format!(
        "#[test]\nfn {}_again() {{\n    use model_tests::*;\n    let subject = {};\n{}}}\n",
        trial.law.id.to_lowercase(),
        trial.subject_source(),
        run.code()
    );
    trial.violation_with(again.err().unwrap_or(parted), script, found_by)
}

/// The history without the operations that the failure does not need.
fn without_idle_questions<S: Subject>(
    trial: &Trial<'_, S>,
    plan: &Plan,
    history: &Arc<History>,
) -> Arc<History> {
    let fails =
        |history: &Arc<History>| play(trial, plan, history, &mut Report::default()).is_err();
    let mut shortest = history.clone();
    for index in (0..history.ops.len()).rev() {
        let mut shorter = History::clone(&shortest);
        shorter.ops.remove(index);
        let shorter = Arc::new(shorter);
        if fails(&shorter) {
            shortest = shorter;
        }
    }
    shortest
}
