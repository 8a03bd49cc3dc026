//! Every broken log is found by the law that is meant for it, and the sound one by none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::unnecessary_box_returns
)]

use std::{collections::BTreeSet, fmt::Debug, sync::Mutex, thread, time::Duration};

use model_tests::{
    Budget, Capability, Case, Checked, Law, Log, Probed, Ruling, Subject, Tick, Violation, check,
    check_all, check_laws,
    laws::{self, R04, R06, R08, R11, W03, W04},
    serve,
    zoo::{
        Baseline, BaselineSubject, BaselineWriterSubject, BrokerSubject, Bug, FileBug, FileSubject,
        NaiveSubject, Row, StoredSubject, broker_rows, far_rows, file_rows, rows, stored_rows,
    },
};

/// A broken log costs the whole patience where it blocks, so there is less of it.
fn hasty() -> Budget {
    let mut budget = Budget::default();
    budget.patience = Duration::from_millis(500);
    budget
}

/// Whether the laws of a row find its bug. One that accuses a log of what another law is about would
/// send its author the wrong way, so that is wrong at once.
fn judge<S: Subject + Clone, B: Debug>(
    subject: &S,
    row: &Row<B>,
    laws: &[&'static Law],
    budget: &Budget,
) -> Result<(), String> {
    let bug = &row.bug;
    let named: BTreeSet<_> = [row.law].iter().chain(row.also).map(|law| law.id).collect();
    let (mut broken, mut accusers) = (BTreeSet::new(), Vec::new());
    let mut is_told = false;
    for outcome in check_laws(subject, laws, budget) {
        let Ruling::Broken(violation) = outcome.ruling else {
            continue;
        };
        if !named.contains(violation.law.id) {
            accusers.push(outcome.law);
            continue;
        }
        broken.insert(violation.law.id);
        if outcome.law.id == row.law.id {
            assert!(violation.script.contains("#[test]"), "{violation}");
            tells_the_calls(&violation);
            is_told = violation.to_string().contains(row.part);
        }
    }
    accuses_no_other(subject, bug, &named, &accusers, budget);
    if broken != named {
        return Err(format!("{bug:?}: {broken:?} broken, {named:?} named"));
    }
    println!("{} kills {bug:?}: {}", row.law.id, row.story);
    is_told
        .then_some(())
        .ok_or_else(|| format!("{bug:?}: {} does not tell {:?}", row.law.id, row.part))
}

/// On a busy machine a sound call can outlast little patience, so those laws are asked again with all
/// of it. They may find then what the row is about.
fn accuses_no_other<S: Subject + Clone, B: Debug>(
    subject: &S,
    bug: &B,
    named: &BTreeSet<&'static str>,
    laws: &[&'static Law],
    budget: &Budget,
) {
    let mut patient = *budget;
    patient.patience = Budget::default().patience;
    for outcome in check_laws(subject, laws, &patient) {
        if let Ruling::Broken(violation) = outcome.ruling {
            let id = violation.law.id;
            assert!(
                named.contains(id),
                "{bug:?} is not about {id}:\n{violation}"
            );
        }
    }
}

/// The laws whose ids begin with this letter.
fn laws_of(letter: char) -> Vec<&'static Law> {
    let mut laws = laws::all();
    laws.retain(|law| law.id.starts_with(letter));
    laws
}

/// Judges all rows, some at a time, because most wait for what does not come. Says how many of the
/// bugs were killed, to whoever asks for figures; all have to be.
fn all_are_killed<B: Send>(
    which: &str,
    rows: Vec<Row<B>>,
    verdict: impl Fn(&Row<B>) -> Result<(), String> + Sync,
) {
    let bugs = rows.len();
    let rows = Mutex::new(rows.into_iter());
    let survivors = Mutex::new(Vec::new());
    let next = || rows.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = next() {
                    if let Err(survivor) = verdict(&row) {
                        survivors.lock().unwrap().push(survivor);
                    }
                }
            });
        }
    });
    let survivors = survivors.into_inner().unwrap();
    let figure = format!("zoo, {which}: killed {} of {bugs}", bugs - survivors.len());
    println!("{figure}");
    let file = format!(
        concat!(env!("CARGO_TARGET_TMPDIR"), "/figure-zoo-{}"),
        which.replace(' ', "-")
    );
    std::fs::write(file, figure + "\n").unwrap();
    assert!(survivors.is_empty(), "{}", survivors.join("\n"));
}

/// Whoever reads of a scene that failed sees what was done, in lines that fit.
fn tells_the_calls(broken: &Violation) {
    // A history is code, and how an event is made is no call on a log.
    if broken.found_by != "a scenario" || broken.law.id == "D01" {
        return;
    }
    let text = broken.to_string();
    let fits = |line: &str| line.chars().count() <= 80;
    assert!(text.lines().all(fits), "{broken}");
    assert!(broken.script.contains("\n    //   "), "{broken}");
}

/// Lets the log have processes of its own, which come to [`child`].
fn with_processes(mut budget: Budget, bug: Option<FileBug>) -> Budget {
    budget.again = Some("child");
    budget.subject = format!("FileSubject {{ bug: {bug:?} }}").leak();
    budget
}

/// What a process of its own comes to: it is told whom it has to serve. Otherwise there is nothing
/// to do.
#[test]
fn child() {
    let Ok(subject) = std::env::var("MODEL_TESTS_SUBJECT") else {
        return;
    };
    let bugs = file_rows().into_iter().map(|row| Some(row.bug));
    let named = |bug: &Option<FileBug>| with_processes(hasty(), *bug).subject == subject;
    let bug = bugs
        .chain([None])
        .find(named)
        .expect("a subject of this file");
    assert!(serve(&FileSubject { bug }));
}

#[test]
fn every_bug_breaks_the_laws_of_its_row_and_no_other() {
    let mut budget = hasty();
    budget.lacks = &[Capability::Durable];
    let mut brief = budget;
    brief.cases = 48;
    brief.small_histories = 1000;
    all_are_killed("in memory", rows(), |row| {
        let bug = Some(row.bug);
        let with = |budget| judge(&NaiveSubject { bug }, row, &laws::all(), budget);
        // Some need luck to be found in few histories, and two threads that have to meet inside of
        // a log may miss each other.
        with(&brief)
            .or_else(|_| with(&budget))
            .or_else(|_| with(&budget))
    });
}

/// The same of the logs with files, by the laws about files: on all evidence that there is.
#[test]
fn every_bug_in_files_breaks_the_laws_of_its_row_and_no_other() {
    let about_files = laws_of('W');
    all_are_killed("with files", file_rows(), |row| {
        let bug = Some(row.bug);
        let budget = with_processes(hasty(), bug);
        judge(&FileSubject { bug }, row, &about_files, &budget)
    });
}

/// And of the writers to a broker.
#[test]
fn every_bug_at_a_broker_breaks_the_laws_of_its_row_and_no_other() {
    let about_brokers = laws_of('N');
    all_are_killed("at a broker", broker_rows(), |row| {
        let subject = BrokerSubject { bug: row.bug };
        judge(&subject, row, &about_brokers, &hasty())
    });
}

#[test]
fn every_bug_in_stored_offsets_breaks_the_laws_of_its_row_and_no_other() {
    let about_offsets: [&'static Law; 2] = [&laws::S07, &laws::M02];
    all_are_killed("with stored offsets", stored_rows(), |row| {
        let subject = StoredSubject { bug: Some(row.bug) };
        judge(&subject, row, &about_offsets, &hasty())
    });
}

/// What a law finds of its own is not put down to another, though that one is broken as well.
#[test]
fn a_law_that_it_breaks_by_itself_is_told() {
    let mut budget = hasty();
    budget.lacks = &[
        Capability::Base,
        Capability::Batch,
        Capability::AppendWith,
        Capability::Replay,
    ];
    let broken = check(&Careless, &laws::R10, &budget).expect_err("two bugs");
    assert_eq!(broken.law.id, "R10", "{broken}");
    let broken = check(&Careless, &R04, &budget).expect_err("two bugs");
    assert_eq!(broken.law.id, "R04", "{broken}");
}

/// A log that opens with a capacity of 0, and never says that something is missing.
#[derive(Clone)]
struct Careless;

impl Subject for Careless {
    type Event = Probed<Tick>;
    type Log = model_tests::zoo::Naive<Probed<Tick>>;

    fn open(&self, case: &Case) -> Result<Self::Log, model_tests::OpenError> {
        let bug = if case.capacity == 0 {
            Bug::AcceptsCapacityZero
        } else {
            Bug::NeverTruncated
        };
        NaiveSubject { bug: Some(bug) }.open(case)
    }

    fn event(&self, version: u64, pick: u32) -> Self::Event {
        Probed::new(Tick::new(version, pick), None)
    }
}

/// One outcome per law, whatever became of it, for a person and for a machine.
#[test]
fn every_law_has_an_outcome() {
    let mut budget = hasty();
    budget.cases = 32;
    budget.small_histories = 100;
    budget.lacks = &[Capability::Durable, Capability::Probe];
    let bug = Some(Bug::NeverTruncated);
    let outcomes = check_all(&NaiveSubject { bug }, &budget);
    let ids: Vec<_> = outcomes.iter().map(|outcome| outcome.law.id).collect();
    let all: Vec<_> = laws::all().iter().map(|law| law.id).collect();
    assert_eq!(ids, all);
    let of = |id: &str| {
        let outcome = outcomes.iter().find(|outcome| outcome.law.id == id);
        let outcome = outcome.expect("an outcome");
        let json: serde_json::Value = outcome.to_json().parse().expect("JSON");
        assert!(json["suite"].is_string() && json["law"] == id, "{json}");
        json
    };
    assert_eq!(of("R01")["outcome"], "kept");
    assert!(of("R01")["visits"]["Wrapped"].as_u64() > Some(0));
    assert_eq!(of("R04")["broken"], "R04");
    assert_eq!(of("R11")["lacks"], "Probe");
    assert_eq!(of("D02")["outcome"], "not judged");
    assert_eq!(of("W06")["outcome"], "ignored");
}

/// Laws of the compiler's output, and of what only `eventlog` has, have their own tests.
#[test]
fn every_law_that_a_subject_can_break_kills_a_bug() {
    let bite: BTreeSet<_> = rows().iter().map(|row| row.law.id).collect();
    let bite: BTreeSet<_> = bite
        .into_iter()
        .chain(file_rows().iter().map(|row| row.law.id))
        .chain(stored_rows().iter().map(|row| row.law.id))
        .chain(broker_rows().iter().map(|row| row.law.id))
        .chain(far_rows().iter().map(|row| row.law.id))
        .collect();
    let elsewhere = ["D02", "D03", "M01", "M03", "N03"];
    let all = laws::all();
    let ids = all.iter().map(|law| law.id);
    let toothless: Vec<_> = ids
        .filter(|id| !bite.contains(id) && !elsewhere.contains(id))
        .collect();
    assert!(toothless.is_empty(), "{toothless:?}");
}

fn baseline_writer_breaks(law: &'static Law) -> Box<Violation> {
    check(&BaselineWriterSubject, law, &hasty()).expect_err("the baseline breaks this law")
}

#[test]
fn the_baseline_breaks_w03() {
    let broken = baseline_writer_breaks(&W03);
    assert!(broken.expected.contains("a gap line"), "{broken}");
}

#[test]
fn the_baseline_breaks_w04() {
    let broken = baseline_writer_breaks(&W04);
    let broken = broken.found_itself.expect("W03 is broken as well");
    assert!(broken.step.contains("after a cut"), "{broken}");
}

fn baseline_breaks(law: &'static Law) -> Box<Violation> {
    let mut budget = hasty();
    budget.lacks = &[
        Capability::Base,
        Capability::Batch,
        Capability::AppendWith,
        Capability::Subscribe,
    ];
    // Between two locks there is room for an append. Whether one comes is up to the machine, so it
    // is tried until one does.
    let broken = (0..1000).find_map(|_| check(&BaselineSubject, law, &budget).err());
    broken.expect("the baseline breaks this law")
}

#[test]
fn the_baseline_breaks_r04() {
    baseline_breaks(&R04);
}

fn checked_baseline() -> Checked<Probed<Tick>, Baseline<Probed<Tick>>> {
    Checked::new(BaselineSubject.open(&Case::new(1)).unwrap(), 1, None)
}

/// One of two events of version 5 is gone, and a subscriber at 4 is told that nothing is.
#[test]
#[should_panic(expected = "expected: true\n  actual:   false")]
fn the_baseline_loses_repeats_silently() {
    let log = checked_baseline();
    log.append(BaselineSubject.event(5, 1));
    log.append(BaselineSubject.event(5, 2));
    log.replay_truncated(4);
}

/// Version 6 never was, and a subscriber at 5 is told that it missed something.
#[test]
#[should_panic(expected = "expected: false\n  actual:   true")]
fn the_baseline_raises_false_alarms_at_gaps() {
    let log = checked_baseline();
    log.append(BaselineSubject.event(5, 1));
    log.append(BaselineSubject.event(7, 2));
    log.replay_truncated(5);
}

#[test]
fn the_baseline_breaks_r06() {
    let broken = baseline_breaks(&R06);
    let broken = broken.found_itself.expect("R08 is broken as well");
    assert!(
        broken.step.contains("while another thread appends"),
        "{broken}"
    );
}

#[test]
fn the_baseline_breaks_r08() {
    let broken = baseline_breaks(&R08);
    assert!(broken.expected.contains("Ahead"), "{broken}");
    assert!(broken.actual.contains("Complete"), "{broken}");
}

#[test]
fn the_baseline_breaks_r11() {
    let broken = baseline_breaks(&R11);
    assert!(broken.actual.contains("under the lock"), "{broken}");
}

mod sound {
    use super::{Budget, NaiveSubject, check};

    #[test]
    fn stored_log() {
        let subject = super::StoredSubject { bug: None };
        for law in [&super::laws::S07, &super::laws::M02] {
            let verdict = check(&subject, law, &Budget::default());
            verdict.unwrap_or_else(|broken| panic!("{broken}"));
        }
    }

    model_tests::conformance!(
        naive => NaiveSubject { bug: None }, lacks: [Durable]
    );
}

/// What a violation prints can be pasted: `tests/pasted.rs` is such a test, word for word.
#[test]
fn the_printed_test_is_the_one_that_was_pasted() {
    let subject = NaiveSubject {
        bug: Some(Bug::SinceInclusive),
    };
    let mut budget = hasty();
    budget.subject = "BROKEN";
    let broken = check(&subject, &laws::R02, &budget).expect_err("a bug of the zoo");
    let body = broken.script.strip_prefix("#[test]\n").expect("a test");
    assert!(include_str!("pasted.rs").contains(body), "{broken}");
}
