//! The judge of recorded histories: for a log behind a network, which nobody can open ten thousand
//! times.
//!
//! The clients write down what they did and what they saw, one JSON object per line, each when the
//! call has come back. Afterwards [`judge`] says whether the [laws](RecordedLaw) held, and if not,
//! with which few lines they cannot have held. Nothing is assumed of clocks: the order of lines
//! counts within one client, and between clients the files may be joined in any order.
//!
//! ```
//! let history = r#"
//! {"did":"append","client":"w1","event":"a","outcome":"done"}
//! {"did":"append","client":"w1","event":"b","outcome":"done"}
//! {"did":"start","client":"r1","from":"oldest","coverage":"complete"}
//! {"did":"read","client":"r1","event":"b"}
//! {"did":"end","client":"r1"}
//! "#;
//! let judgement = model_tests::recorded::judge(history.trim().as_bytes())?;
//! assert_eq!(judgement.broken[0].to_string(), "\
//! coverage true is broken: r1 never got \"a\", which nothing told as lost
//!   line 3: r1 started at the oldest event, and was told that nothing is missing
//!   line 1: w1 had appended \"a\" …
//!   line 2: … before it appended \"b\"
//!   line 4: r1 read \"b\"
//! ");
//! # Ok::<(), model_tests::recorded::Unreadable>(())
//! ```
//!
//! The program `judge-history` does the same with a file, or with what comes through a pipe.
//!
//! # The lines
//!
//! Each has `did`, which says what it is, and `client`, a name: one thread of control, which does
//! one thing after the other. `event` is a text that no other event has (a UUID, or client and
//! counter). A field that is not named here is an error.
//!
//! | `did` | further fields | meaning |
//! | --- | --- | --- |
//! | `append` | `event`, `outcome`, maybe `number`, `version` | the client appended the event |
//! | `start` | `from`, maybe `coverage`, `missed` | it began to read |
//! | `read` | `event`, maybe `number` | it was given the event |
//! | `lost` | `count` | it was told that so many events are lost to it |
//! | `end` | | it has read all there is, after the last append of all clients |
//!
//! - `outcome` is `"done"` (acknowledged), `"refused"` (certainly not appended), or `"unknown"` (a
//!   timeout, a lost connection): then the event may be there or not. A client may append an event
//!   again after `unknown`, under the same name.
//! - `from` is `"oldest"`, `"now"`, `{"after":"a"}` (where an earlier reading stood after it got
//!   event `a`: by a cursor, an offset, a group) or `{"since":7}` (a version).
//! - `coverage` is what the log answered: `"complete"`, `"truncated"` (`missed` says how many
//!   events, where the log counts them), or `"foreign"` (it does not know the place, and nothing is
//!   promised of what came before).
//! - `number` is the log's own (an offset, a sequence number), where it tells.
//! - `version` is needed where a reading starts `since` one.
//!
//! All writers must be recorded, or events come out of nowhere. Readers need not be.

mod chains;
mod contradiction;
mod judge;
mod line;
mod loss;
mod order;
mod read;

pub use self::{
    contradiction::{Contradiction, RecordedLaw, Witness},
    judge::{Judgement, judge},
    line::{Answered, From, Line, Outcome},
    read::Unreadable,
};
