//! A subject before a law: how much is tried, where it parts from what is demanded, and how that is
//! told.

use std::{
    any::{Any, type_name},
    env, fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use crate::{
    law::Law,
    report::Report,
    subject::{adapter::Subject, capability::Capability},
};

/// How much is tried, and how long a log may take.
///
/// The defaults come from the environment, so that a test needs no change to be run for longer:
///
/// | variable | meaning | default |
/// | --- | --- | --- |
/// | `MODEL_TESTS_CASES` | random histories per law | 256 |
/// | `MODEL_TESTS_LONG=1` | 40 times the random histories, 20 times the small ones | off |
/// | `MODEL_TESTS_SEED` | the random engine's seed, as a failure printed it | fixed |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Budget {
    /// Random histories per law.
    pub cases: u32,
    /// Operations in the longest history that the exhaustive engine tries, its questions aside.
    pub depth: usize,
    /// Histories of the longest length that it tries at one capacity: where a law has many
    /// operations, the longest length is less than `depth`.
    pub small_histories: usize,
    /// Where the random engine starts.
    pub seed: u64,
    /// How long an operation may take that a law says must not wait. It costs time only where a
    /// law is broken, so it can be generous.
    pub patience: Duration,
    /// What the subject lacks: it is not used where a law would only like to have it.
    pub lacks: &'static [Capability],
    /// The expression that makes the subject, for counterexamples; empty if unknown.
    pub subject: &'static str,
    /// The file that keeps the seeds of failures, to be tried first the next time.
    pub regressions: Option<&'static str>,
    /// The test that comes to this judgement again when this program is started with its name:
    /// what a process of its own is for (killed, limited, traced) is judged there. `None` leaves
    /// that out.
    pub again: Option<&'static str>,
}

impl Default for Budget {
    fn default() -> Self {
        let number = |name| {
            env::var(name)
                .ok()
                .and_then(|text| text.parse::<u64>().ok())
        };
        let cases = number("MODEL_TESTS_CASES").map_or(256, |cases| cases as u32);
        let long = number("MODEL_TESTS_LONG").is_some_and(|long| long > 0);
        Self {
            cases: if long {
                cases.saturating_mul(40)
            } else {
                cases
            },
            depth: 6,
            small_histories: if long { 200_000 } else { 10_000 },
            seed: number("MODEL_TESTS_SEED").unwrap_or(0x6576_656e_746c_6f67),
            patience: Duration::from_secs(4),
            lacks: &[],
            subject: "",
            regressions: None,
            again: None,
        }
    }
}

impl Budget {
    /// Whether the subject has this.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        !self.lacks.contains(&capability)
    }
}

/// A broken law, with what is needed to see it again.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The law.
    pub law: &'static Law,
    /// What was done when it broke.
    pub step: String,
    /// What the law demands.
    pub expected: String,
    /// What the log did.
    pub actual: String,
    /// A test that can be pasted and run.
    pub script: String,
    /// How it was found.
    pub found_by: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            law,
            step,
            expected,
            actual,
            ..
        } = self;
        writeln!(
            f,
            "{} {} is broken, found by {}",
            law.id, law.name, self.found_by
        )?;
        writeln!(f, "  the law:  {}", law.statement)?;
        writeln!(f, "  at:       {step}")?;
        writeln!(f, "  expected: {expected}")?;
        writeln!(f, "  actual:   {actual}")?;
        write!(f, "  to see it again:\n\n{}", self.script)
    }
}

impl std::error::Error for Violation {}

/// What a run has met, or how the law was broken.
pub(crate) type Verdict = Result<Report, Box<Violation>>;

/// A subject before a law.
pub(crate) struct Trial<'a, S> {
    pub(crate) subject: &'a S,
    pub(crate) law: &'static Law,
    pub(crate) budget: &'a Budget,
}

/// Where a log parted from what is demanded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Parted {
    pub(crate) step: String,
    pub(crate) expected: String,
    pub(crate) actual: String,
}

impl Parted {
    pub(crate) fn new(
        step: impl Into<String>,
        expected: impl fmt::Debug,
        actual: impl fmt::Debug,
    ) -> Self {
        Self {
            step: step.into(),
            expected: format!("{expected:?}"),
            actual: format!("{actual:?}"),
        }
    }

    /// With words in place of values.
    pub(crate) fn said(
        step: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        Self {
            step: step.into(),
            expected: expected.into(),
            actual: actual.into(),
        }
    }
}

impl<S: Subject> Trial<'_, S> {
    /// The verdict of a scene.
    pub(crate) fn scene(
        &self,
        scene: impl FnOnce(&Self, &mut Report) -> Result<(), Parted>,
    ) -> Verdict {
        let mut report = Report::default();
        // Where nothing closer guards a call of the subject's.
        guarded("a call of the scenario", || scene(self, &mut report))
            .and_then(|verdict| verdict)
            .map_err(|parted| self.violation(parted))?;
        Ok(report)
    }

    /// The verdict on a law that no running log can be asked about: it has another judge.
    pub(crate) fn elsewhere(&self, judge: &str) -> Verdict {
        let here = "a question that no running log can answer";
        Err(self.violation(Parted::said("judging", judge, here)))
    }

    /// The expression that makes the subject.
    pub(crate) fn subject_source(&self) -> String {
        if self.budget.subject.is_empty() {
            type_name::<S>().into()
        } else {
            self.budget.subject.replace("$crate", "model_tests")
        }
    }

    /// A violation that is seen again by running the law again.
    pub(crate) fn violation(&self, parted: Parted) -> Box<Violation> {
        let id = self.law.id;
        let lacks = match self.budget.lacks {
            [] => String::new(),
            lacks => format!("\n    budget.lacks = &{lacks:?};"),
        };
        let again = match self.budget.again {
            None => String::new(),
            Some(_) => format!(
                "\n    budget.again = Some(\"{}_again\");",
                id.to_lowercase()
            ),
        };
        let script = format!(
            "#[test]\nfn {}_again() {{\n    use model_tests::{{Capability::*, *}};\n    \
             let subject = {};\n    let mut budget = Budget::default();{lacks}{again}\n    \
             check(&subject, &laws::{id}, &budget).unwrap();\n}}\n",
            id.to_lowercase(),
            self.subject_source(),
        );
        self.violation_with(parted, script, "a scenario".into())
    }

    pub(crate) fn violation_with(
        &self,
        parted: Parted,
        script: String,
        found_by: String,
    ) -> Box<Violation> {
        Box::new(Violation {
            law: self.law,
            step: parted.step,
            expected: parted.expected,
            actual: parted.actual,
            script,
            found_by,
        })
    }
}

/// Runs the subject's code; a panic in it is where it parts.
pub(crate) fn guarded<T>(call: &str, run: impl FnOnce() -> T) -> Result<T, Parted> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|panic| Parted::said(call, "no panic", panic_text(panic.as_ref())))
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a panic: {}", text.unwrap_or("of a value that is no text"))
}
