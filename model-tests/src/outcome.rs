//! What became of a law, for a person and for a machine.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    law::Law,
    report::Report,
    subject::capability::Capability,
    trial::{Verdict, Violation},
};

/// A law, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The law.
    pub law: &'static Law,
    /// What became of it.
    pub ruling: Ruling,
}

/// What became of a law.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Ruling {
    /// It is kept, as far as the run has seen.
    Kept(Report),
    /// It is broken, or one is that it takes for granted.
    Broken(Box<Violation>),
    /// The log lacks what the law is about.
    Lacking(Capability),
    /// What it needs is lacking here: the report says what.
    NotJudged(Report),
}

impl Ruling {
    pub(crate) fn of(verdict: Verdict) -> Self {
        match verdict {
            Ok(report) if report.is_empty_handed() => Self::NotJudged(report),
            Ok(report) => Self::Kept(report),
            Err(broken) => Self::Broken(broken),
        }
    }
}

impl Outcome {
    /// The outcome as one JSON object: the suite's version, the law, and what became of it.
    ///
    /// ```
    /// # use model_tests::{Budget, Capability::*, Ours, Tick, check_all};
    /// # let mut budget = Budget::default();
    /// # budget.lacks = &[Durable, Subscribe, Probe, Replay];
    /// # budget.cases = 8;
    /// # budget.small_histories = 100;
    /// let outcomes = check_all(&Ours(Tick::new), &budget);
    /// let json = outcomes[0].to_json();
    /// assert!(json.contains(r#""law":"R01","name":"insertion order","#), "{json}");
    /// assert!(json.contains(r#""outcome":"kept""#), "{json}");
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut told = match &self.ruling {
            Ruling::Kept(report) => {
                let met = report
                    .met()
                    .map(|(class, count)| (format!("{class:?}"), count.into()));
                json!({
                    "outcome": "kept",
                    "visits": Value::Object(met.collect()),
                    "judged_on": texts(report.evidence()),
                    "not_judged": texts(report.not_judged()),
                })
            }
            Ruling::Broken(broken) => json!({
                "outcome": "broken",
                "broken": broken.law.id,
                "statement": broken.law.statement,
                "found_by": broken.found_by,
                "at": broken.step,
                "expected": broken.expected,
                "actual": broken.actual,
                "script": broken.script,
            }),
            Ruling::Lacking(need) => json!({ "outcome": "ignored", "lacks": format!("{need:?}") }),
            Ruling::NotJudged(report) => {
                json!({ "outcome": "not judged", "not_judged": texts(report.not_judged()) })
            }
        };
        told["suite"] = env!("CARGO_PKG_VERSION").into();
        told["law"] = self.law.id.into();
        told["name"] = self.law.name.into();
        told.to_string()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.law.id, self.law.name)?;
        match &self.ruling {
            Ruling::Kept(report) => {
                write!(f, "kept")?;
                let evidence = texts(report.evidence());
                if !evidence.is_empty() {
                    write!(f, ", judged on: {}", evidence.join(", "))?;
                }
                not_judged(report, f)
            }
            Ruling::Broken(broken) => write!(f, "broken\n\n{broken}"),
            Ruling::Lacking(need) => write!(f, "ignored, lacks {need:?}"),
            Ruling::NotJudged(report) => {
                write!(f, "not judged")?;
                not_judged(report, f)
            }
        }
    }
}

fn texts(things: impl Iterator<Item = impl fmt::Display>) -> Vec<String> {
    things.map(|thing| thing.to_string()).collect()
}

fn not_judged(report: &Report, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for part in report.not_judged() {
        write!(f, "\n    not judged here: {part}")?;
    }
    Ok(())
}
