//! The event of these tests, and the account that lines must give of a history.

use std::{
    collections::BTreeMap,
    ops::RangeInclusive,
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use eventlog::{
    EventLog, Seq, SeqRange, Versioned,
    disk::{DiskConfig, DiskWriter, Gap, GapReason, Level, NotStored, Notice},
};
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};

use crate::script::{Remote, Script};

/// More than any correct run takes; only a hang gets there.
pub const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Versioned)]
pub enum Event {
    Started {
        version: u64,
        name: String,
    },
    Exited {
        version: u64,
        #[serde(serialize_with = "exit_code")]
        code: i32,
    },
}

/// An exit code that has no serialised form.
pub const REFUSES: i32 = -1;
/// An exit code whose serialisation panics.
pub const PANICS: i32 = -2;

/// An event with this exit code, or one below, is not serialised before the test opens that code's
/// gate. Each test has a code of its own.
pub const HELD: i32 = -100;
pub static GATES: Gates = Gates {
    states: Mutex::new(BTreeMap::new()),
    changed: Condvar::new(),
};

/// Collects what a writer tells.
pub fn listening(config: DiskConfig) -> (DiskConfig, Arc<Mutex<Vec<Notice>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ears = told.clone();
    let config = config.on_notice(move |notice| ears.lock().unwrap().push(notice.clone()));
    (config, told)
}

pub struct Gates {
    /// Whether the gate is open, of each code that was met.
    states: Mutex<BTreeMap<i32, bool>>,
    changed: Condvar,
}

impl Gates {
    fn hold(&self, code: i32) {
        self.states.lock().unwrap().entry(code).or_default();
        self.changed.notify_all();
        self.wait(|states| states[&code]);
    }

    /// Returns once an event is held by this gate.
    pub fn wait_held(&self, code: i32) {
        self.wait(|states| states.contains_key(&code));
    }

    pub fn open(&self, code: i32) {
        self.states.lock().unwrap().insert(code, true);
        self.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&BTreeMap<i32, bool>) -> bool) {
        let states = self.states.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(states, PATIENCE, |states| !until(states));
        assert!(!waited.unwrap().1.timed_out(), "waited in vain at a gate");
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's call shape")]
fn exit_code<S: Serializer>(code: &i32, serializer: S) -> Result<S::Ok, S::Error> {
    match *code {
        REFUSES => Err(S::Error::custom("no such code")),
        PANICS => panic!("a bug in the user's Serialize"),
        code if code <= HELD => {
            GATES.hold(code);
            serializer.serialize_i32(code)
        }
        code => serializer.serialize_i32(code),
    }
}

pub fn event(version: u64) -> Event {
    Event::Started {
        version,
        name: format!("{version:08}"),
    }
}

pub fn exited(version: u64, code: i32) -> Event {
    Event::Exited { version, code }
}

pub fn append_all(log: &EventLog<Event>, events: impl IntoIterator<Item = Event>) {
    for event in events {
        log.append(event);
    }
}

pub fn line(event: &Event) -> String {
    serde_json::to_string(event).unwrap() + "\n"
}

/// A small ring and a writer to a scripted destination.
pub fn scripted(
    capacity: usize,
    config: &DiskConfig,
) -> (Arc<EventLog<Event>>, DiskWriter<Event>, Remote) {
    let log = EventLog::builder().capacity(capacity).build().unwrap();
    let log = Arc::new(log);
    let (script, remote) = Script::new();
    let writer = DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
    (log, writer, remote)
}

/// Appends one event and waits until it is stuck in the destination.
pub fn stick(log: &EventLog<Event>, remote: &Remote, first: Event) -> Seq {
    remote.stall();
    let seq = log.append(first);
    remote.wait_stalled();
    seq
}

/// Settings with a path of the test's own, by which its warnings are told from others'.
pub fn config(test: &str) -> DiskConfig {
    DiskConfig::new(format!("/nowhere/{test}.log"))
        .retry_min(Duration::from_millis(1))
        .retry_max(Duration::from_millis(2))
}

/// Law W03: the lines are the history in order, each event once, and what has no line of its own
/// is counted, with its exact versions, by the gap line that stands in its place. Returns what the
/// gap lines stand for, by position from 1.
pub fn account(lines: &[String], history: &[Event]) -> Vec<(RangeInclusive<u64>, GapReason)> {
    let mut holes = Vec::new();
    let mut next = 0;
    for text in lines {
        if let Some(gap) = Gap::parse(text.trim_end().as_bytes()) {
            let count = usize::try_from(gap.count).unwrap();
            let lost = history[next..next + count].iter().map(Versioned::version);
            assert_eq!(lost.clone().min(), Some(gap.min_version), "{text}");
            assert_eq!(lost.max(), Some(gap.max_version), "{text}");
            holes.push((next as u64 + 1..=(next + count) as u64, gap.reason));
            next += count;
        } else {
            assert_eq!(
                *text,
                line(&history[next]),
                "the line of event {}",
                next + 1
            );
            next += 1;
        }
    }
    assert_eq!(
        next,
        history.len(),
        "every event has a line or is counted by one"
    );
    holes
}

/// The gap lines among these.
pub fn gaps(lines: &[String]) -> Vec<Gap> {
    let gap = |line: &String| Gap::parse(line.trim_end().as_bytes());
    lines.iter().filter_map(gap).collect()
}

pub fn range(start: u64, end: u64) -> SeqRange {
    SeqRange::new(Seq::new(start), Seq::new(end)).unwrap()
}

/// What an acknowledgement of these writers is worth.
pub const SYNCED: Level = Level::new(1, true);

/// The events that a flush or a shutdown says are not stored.
pub fn missing_of(answer: Result<Seq, NotStored>) -> Vec<SeqRange> {
    match answer {
        Err(NotStored::Incomplete { missing, .. }) => missing,
        other => panic!("expected events to be missing, not {other:?}"),
    }
}
