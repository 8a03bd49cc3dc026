//! One subject, one law or all of them, and the verdicts.

use std::{
    any::type_name,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use crate::{
    histories::ops::History,
    law::Law,
    laws::all::{all, judge},
    outcome::{Outcome, Ruling},
    process::serve,
    report::{Class, Report},
    subject::{adapter::Subject, capability::Capability, watched::Watched},
    transcript::Transcript,
    trial::{Budget, Parted, Trial, Verdict, Violation, panic_text},
    watch::{Trouble, Watch, Watcher},
};

/// How often the watcher looks.
const TICK: Duration = Duration::from_millis(20);

/// Judges one subject by one law.
///
/// ```
/// # use model_tests::{Budget, Class, Ours, Tick, check, laws};
/// let report = check(&Ours(Tick::new), &laws::R04, &Budget::default()).unwrap();
/// assert!(report.count(Class::Wrapped) > 0);
/// ```
///
/// Where what a law needs is lacking here, the report says what was
/// [not judged](Report::not_judged), and why.
///
/// The verdict comes in bounded time whatever the subject does: a call that does not come back is a
/// violation, and its thread is left to itself.
///
/// # Errors
///
/// The violation: a call that answered otherwise than the law demands, panicked, or never came back;
/// or a run that never met what the law is about. Where a law that this one takes for granted is
/// broken, the violation is of that law.
pub fn check<S: Subject + Clone>(
    subject: &S,
    law: &'static Law,
    budget: &Budget,
) -> Result<Report, Box<Violation>> {
    if serve(subject) {
        return Ok(Report::default());
    }
    Court::new(Arc::new(subject.clone()), *budget).verdict(law)
}

/// Judges one subject by every law, in the order of their ids.
///
/// ```
/// # use model_tests::{Budget, Capability::*, Ours, Ruling, Tick, check_all};
/// let mut budget = Budget::default();
/// budget.lacks = &[Durable, Subscribe, Probe];
/// # budget.cases = 8;
/// # budget.small_histories = 100;
/// for outcome in check_all(&Ours(Tick::new), &budget) {
///     println!("{outcome}"); // R01 insertion order: kept
/// }
/// ```
pub fn check_all<S: Subject + Clone>(subject: &S, budget: &Budget) -> Vec<Outcome> {
    check_laws(subject, &all(), budget)
}

/// Judges one subject by these laws, in this order.
///
/// ```
/// # use model_tests::{Budget, Ours, Ruling, Tick, check_laws, laws};
/// # let mut budget = Budget::default();
/// # (budget.cases, budget.small_histories) = (8, 100);
/// // Only what this program relies on.
/// let outcomes = check_laws(&Ours(Tick::new), &[&laws::R01, &laws::R04], &budget);
/// assert!(outcomes.iter().all(|outcome| matches!(outcome.ruling, Ruling::Kept(_))));
/// ```
pub fn check_laws<S: Subject + Clone>(
    subject: &S,
    laws: &[&'static Law],
    budget: &Budget,
) -> Vec<Outcome> {
    if serve(subject) {
        return Vec::new();
    }
    let mut court = Court::new(Arc::new(subject.clone()), *budget);
    let judged = |law: &'static Law| {
        let lacking = law.needs.iter().find(|need| !budget.has(**need));
        let ruling = match lacking {
            Some(need) => Ruling::Lacking(*need),
            None => Ruling::of(court.verdict(law)),
        };
        Outcome { law, ruling }
    };
    laws.iter().copied().map(judged).collect()
}

/// Judges a subject, each law at most once.
pub(crate) struct Court<S> {
    subject: Arc<S>,
    budget: Budget,
    verdicts: BTreeMap<&'static str, Verdict>,
}

impl<S: Subject> Court<S> {
    pub(crate) fn new(subject: Arc<S>, budget: Budget) -> Self {
        Self {
            subject,
            budget,
            verdicts: BTreeMap::new(),
        }
    }

    /// The verdict on a law, or on the first of those that it takes for granted if it fails because
    /// one of them is broken.
    pub(crate) fn verdict(&mut self, law: &'static Law) -> Verdict {
        if let Some(verdict) = self.verdicts.get(law.id) {
            return verdict.clone();
        }
        let mut verdict = self.hear(law);
        if matches!(&verdict, Err(broken) if !broken.is_its_own) {
            // What failed then keeps its own counterexamples.
            let regressions = self.budget.regressions.take();
            let root = law.assumes.iter().copied().find_map(|assumed| {
                let judged = assumed.needs.iter().all(|need| self.budget.has(*need));
                judged.then(|| self.verdict(assumed).err()).flatten()
            });
            self.budget.regressions = regressions;
            if let Some(root) = root {
                verdict = Err(Box::new(Violation {
                    asked: law,
                    found_itself: verdict.err(),
                    ..*root
                }));
            }
        }
        self.verdicts.insert(law.id, verdict.clone());
        verdict
    }

    /// The verdict of the law's own engine or scenes, and the script of what they did.
    fn hear(&self, law: &'static Law) -> Verdict {
        let watch = Arc::new(Watch::new(None));
        let broken = match self.watched(&watch, law, None) {
            Ended::Verdict(Ok(report)) => return Self::met(law, report, self),
            Ended::Verdict(Err(broken)) if broken.found_by != SCENARIO => return Err(broken),
            Ended::Verdict(Err(broken)) => broken,
            Ended::Stuck {
                parted,
                history,
                grown,
            } => {
                let mut broken = self.violation(law, parted);
                if grown {
                    // Another run would take as much again.
                    broken.takes_all_memory = true;
                    return Err(broken);
                }
                if let Some(history) = &history {
                    broken.found_by = format!("a history of {} operations", history.ops.len());
                }
                let told = self.tell(law, history, &watch);
                broken.script = self.script(law, &told);
                return Err(broken);
            }
        };
        let told = self.tell(law, None, &watch);
        Err(Box::new(Violation {
            script: self.script(law, &told),
            ..*broken
        }))
    }

    /// The calls before the law broke, from another run that writes them down. A race may end
    /// otherwise the second time: then there are the last calls of the first run.
    fn tell(&self, law: &'static Law, history: Option<Arc<History>>, first: &Watch) -> Vec<String> {
        let last_calls = first.last_calls();
        let watch = Arc::new(Watch::new(Some(Transcript::default())));
        let ended = self.watched(&watch, law, history);
        match (ended, &watch.transcript) {
            (Ended::Verdict(Ok(_)), _) | (_, None) => {
                let head = "(the last calls: run again, it did not break)";
                [head.into()].into_iter().chain(last_calls).collect()
            }
            (_, Some(transcript)) => transcript.lines(),
        }
    }

    fn met(law: &'static Law, report: Report, court: &Self) -> Verdict {
        if report.is_empty_handed() {
            return Ok(report);
        }
        let is_asked = |class: &&Class| match class {
            Class::Rotated => court.budget.has(Capability::Rotation),
            class => court.budget.has(Capability::Versions) || !class.is_of_versions(),
        };
        let mut asked = law.visits.iter().filter(is_asked);
        match asked.find(|class| report.count(**class) == 0) {
            None => Ok(report),
            Some(class) => Err(court.violation(
                law,
                Parted::said(
                    "the whole run",
                    format!("{class:?} is met at least once"),
                    "it never was, so the run proves nothing",
                ),
            )),
        }
    }

    /// Judges in a thread of its own, and watches it.
    fn watched(&self, watch: &Arc<Watch>, law: &'static Law, only: Option<Arc<History>>) -> Ended {
        let budget = self.budget;
        let (done, wait) = mpsc::channel();
        let (subject, judging) = (self.subject.clone(), watch.clone());
        let judge_it = move || {
            judging.begin();
            let subject = Watched::new(subject, judging);
            let trial = Trial {
                subject: &subject,
                law,
                budget: &budget,
                only,
                type_name: type_name::<S>(),
            };
            let judged = catch_unwind(AssertUnwindSafe(|| judge(&trial)));
            judged.unwrap_or_else(|panic| {
                let panic = panic_text(panic.as_ref());
                Err(trial.violation(Parted::said("a call into the log", "no panic", panic)))
            })
        };
        let judge = thread::Builder::new().name(law.id.into()).spawn(move || {
            // The receiver is gone if patience has ended.
            let _ = done.send(judge_it());
        });
        if let Err(error) = judge {
            let step = "starting a thread to judge in";
            let parted = Parted::said(step, "a thread", error.to_string());
            return Ended::Verdict(Err(self.violation(law, parted)));
        }
        let mut watcher = Watcher::new(watch, budget.patience, budget.memory);
        loop {
            match wait.recv_timeout(TICK) {
                Ok(verdict) => return Ended::Verdict(verdict),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let step = "the thread that judges";
                    let parted = Parted::said(step, "a verdict", "it ended without one");
                    return Ended::Verdict(Err(self.violation(law, parted)));
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if let Some(trouble) = watcher.look() {
                watch.call_off();
                if let Some(transcript) = &watch.transcript {
                    transcript.freeze();
                }
                return Ended::Stuck {
                    grown: matches!(trouble, Trouble::Grown(..)),
                    parted: watch.parted().unwrap_or_else(|| trouble.parted()),
                    history: watch.history(),
                };
            }
        }
    }

    fn violation(&self, law: &'static Law, parted: Parted) -> Box<Violation> {
        self.outside(law, |trial| trial.violation(parted))
    }

    fn script(&self, law: &'static Law, told: &[String]) -> String {
        self.outside(law, |trial| trial.script(told))
    }

    /// A trial that only names things.
    fn outside<T>(&self, law: &'static Law, act: impl FnOnce(Trial<'_, S>) -> T) -> T {
        act(Trial {
            subject: &self.subject,
            law,
            budget: &self.budget,
            only: None,
            type_name: type_name::<S>(),
        })
    }
}

/// How violations are found that have no history.
pub(crate) const SCENARIO: &str = "a scenario";

/// How a trial ended.
enum Ended {
    Verdict(Verdict),
    /// A call does not come back, or takes all memory.
    Stuck {
        parted: Parted,
        history: Option<Arc<History>>,
        grown: bool,
    },
}

impl Trouble {
    fn parted(&self) -> Parted {
        match self {
            Self::Stuck(call, lasts) => Parted::said(
                call.name(),
                "the call comes back",
                format!("it has not after {:.1} seconds", lasts.as_secs_f32()),
            ),
            Self::Grown(call, bytes) => Parted::said(
                call.name(),
                "the process keeps its size",
                format!(
                    "it has grown by {} MiB during the call, which goes on",
                    bytes >> 20
                ),
            ),
        }
    }
}
