//! Those who keep cursors, and what they are told.

use std::collections::HashMap;

use eventlog::{Coverage, Cursor, EventLog};
use model_tests::disk_model::Numbered;

/// Which event came before each when it was appended; 0 for none.
#[derive(Default)]
pub struct Truth {
    before: HashMap<u64, u64>,
}

impl Truth {
    pub fn append(&mut self, event: u64, before: u64) {
        self.before.insert(event, before);
    }

    pub fn append_if_new(&mut self, event: u64, before: u64) {
        self.before.entry(event).or_insert(before);
    }

    /// How many events lie between what somebody stands on and `event`; `None` if that is not
    /// where it comes from.
    fn between(&self, stands_on: u64, event: u64) -> Option<u64> {
        let mut event = event;
        for count in 0.. {
            event = *self.before.get(&event)?;
            if event == stands_on {
                return Some(count);
            }
        }
        None
    }
}

/// Somebody with a cursor.
#[derive(Clone, Debug)]
pub struct Holder {
    pub cursor: Cursor,
    /// The last event that it was handed; 0 for none.
    pub stands_on: u64,
    /// The life that it is from.
    pub life: usize,
}

/// How often what was answered.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    pub complete: u64,
    pub truncated: u64,
    pub foreign_live: u64,
    pub foreign_durable: u64,
    /// `Foreign` for one of the life before, which ended when all that it showed had a mark.
    pub foreign_after_quiet: u64,
    pub disturbed: u64,
    pub lives: u64,
    /// Lives that went on without marks, because they could not be written.
    pub without_marks: u64,
    /// Whether nobody who saw only what is durable may be told that a cursor is foreign, nor
    /// anybody after a quiet end.
    pub is_strict: bool,
}

impl Answers {
    pub fn add(&mut self, other: &Self) {
        self.complete += other.complete;
        self.truncated += other.truncated;
        self.foreign_live += other.foreign_live;
        self.foreign_durable += other.foreign_durable;
        self.foreign_after_quiet += other.foreign_after_quiet;
        self.disturbed += other.disturbed;
        self.lives += other.lives;
        self.without_marks += other.without_marks;
    }

    /// Shows the cursor to a log whose newest event, lost ones included, is `newest`.
    pub fn ask(
        &mut self,
        log: &EventLog<Numbered>,
        holder: &Holder,
        truth: &Truth,
        newest: Option<u64>,
        after_quiet: bool,
        story: &str,
    ) {
        let replay = log.replay(holder.cursor);
        let first = replay.iter().next().map(|event| event.version);
        match replay.coverage() {
            Coverage::Complete => {
                self.complete += 1;
                let follows = match first {
                    Some(first) => truth.between(holder.stands_on, first) == Some(0),
                    None => newest == Some(holder.stands_on),
                };
                assert!(
                    follows,
                    "wrong: {holder:?} goes on with {first:?}, newest {newest:?}\n{story}"
                );
            }
            Coverage::Truncated { missed, .. } => {
                self.truncated += 1;
                if let (Some(missed), Some(first)) = (missed, first)
                    && let Some(between) = truth.between(holder.stands_on, first)
                {
                    assert_eq!(missed, between, "{holder:?} goes on with {first}\n{story}");
                }
            }
            _ if holder.cursor.is_durable() => {
                assert!(!self.is_strict, "foreign: {holder:?}\n{story}");
                self.foreign_durable += 1;
            }
            _ => {
                assert!(
                    !(self.is_strict && after_quiet),
                    "foreign: {holder:?}\n{story}"
                );
                self.foreign_live += 1;
                self.foreign_after_quiet += u64::from(after_quiet);
            }
        }
    }
}
