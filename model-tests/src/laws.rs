//! The laws: what each says, why, and which bug of the past it would have stopped.
//!
//! `LAWS.md` in this crate is printed from these items; `tests/laws_md.rs` keeps the two equal.

use std::fmt::Write as _;

use crate::{Capability, Class, Report, Subject, Violation, check::Trial};

mod damage;
mod derive;
mod files;
mod intrusion;
mod memory;
mod race;
mod ring;
mod rotation;
mod subscription;
mod waiting;
mod writer;

pub use derive::{D01, D02, D03};
pub use ring::{R01, R02, R03, R04, R05, R06, R07, R08, R09, R10, R11, R12};
pub use subscription::{S01, S02, S03, S04, S05, S06};
pub use writer::{W01, W02, W03, W04, W05, W06, W07, W08, W09, W10, W11, W12, W13, W14};

/// A law that every log must keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Law {
    /// Such as `R04`. Ids are never given twice.
    pub id: &'static str,
    /// The law in three or four words, as in the name of its test.
    pub name: &'static str,
    /// What must hold.
    pub statement: &'static str,
    /// What its users lose where it does not.
    pub why: &'static str,
    /// A bug on record that it would have stopped.
    pub bug: &'static str,
    /// What a log must have for the law to mean anything.
    pub needs: &'static [Capability],
    /// What a run must have met before it counts.
    pub visits: &'static [Class],
}

/// Declares laws as documented items.
macro_rules! laws {
    ($($id:ident $name:literal {
        statement: $statement:literal,
        why: $why:literal,
        bug: $bug:literal,
        needs: [$($need:ident),* $(,)?],
        visits: [$($visit:ident),* $(,)?],
    })*) => {$(
        #[doc = concat!("**", $name, ".** ", $statement)]
        #[doc = ""]
        #[doc = concat!("Why: ", $why)]
        #[doc = ""]
        #[doc = concat!("On record: ", $bug)]
        pub static $id: $crate::Law = $crate::Law {
            id: stringify!($id),
            name: $name,
            statement: $statement,
            why: $why,
            bug: $bug,
            needs: &[$($crate::Capability::$need),*],
            visits: &[$($crate::Class::$visit),*],
        };
    )*};
}
use laws;

/// All laws, in the order of their ids.
#[must_use]
pub fn all() -> Vec<&'static Law> {
    vec![
        &R01, &R02, &R03, &R04, &R05, &R06, &R07, &R08, &R09, &R10, &R11, &R12, &S01, &S02, &S03,
        &S04, &S05, &S06, &W01, &W02, &W03, &W04, &W05, &W06, &W07, &W08, &W09, &W10, &W11, &W12,
        &W13, &W14, &D01, &D02, &D03,
    ]
}

/// Runs the engine or the scenarios of the trial's law.
pub(crate) fn judge<S: Subject>(trial: &Trial<'_, S>) -> Result<Report, Box<Violation>> {
    match &trial.law.id[..1] {
        "R" => ring::judge(trial),
        "S" => subscription::judge(trial),
        "D" => derive::judge(trial),
        _ => writer::judge(trial),
    }
}

/// The laws as a Markdown page.
#[must_use]
pub fn to_markdown() -> String {
    let mut page = String::from(
        "# The laws\n\nPrinted from the items in `src/laws/`; do not edit. To print it anew: \
         `cargo run -p versioned-eventlog-tests --example laws > model-tests/LAWS.md`\n",
    );
    let mut section = "";
    for law in all() {
        let next = match &law.id[..1] {
            "R" => "Ring",
            "S" => "Subscription",
            "W" => "Writer",
            _ => "Derive",
        };
        if next != section {
            let _ = write!(page, "\n## {next}\n");
            section = next;
        }
        let _ = write!(
            page,
            "\n### {} {}\n\n{}\n\n*Why.* {}\n\n*On record.* {}\n",
            law.id, law.name, law.statement, law.why, law.bug
        );
        if !law.needs.is_empty() {
            let needs: Vec<_> = law.needs.iter().map(|need| format!("`{need:?}`")).collect();
            let _ = write!(page, "\n*Needs.* {}\n", needs.join(", "));
        }
    }
    page
}
