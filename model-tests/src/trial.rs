//! A subject before a law: how much is tried, where it parts from what is demanded, and how that is
//! told.

use std::{
    any::Any,
    env, fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use crate::{
    histories::ops::History,
    law::Law,
    report::Report,
    subject::{adapter::Subject, capability::Capability},
    text::{difference, shortened, wrapped},
    watch::note_parted,
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
/// | `MODEL_TESTS_PATIENCE` | seconds that a call may take which must not wait | 4 |
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
    ///
    /// No call may take longer than twice this, whatever the law is, nor eight times this where it
    /// opens a log or waits for a disk; then the verdict is that it never came back.
    pub patience: Duration,
    /// By how many bytes the process may grow while a call is under way. (Looked at on Linux.)
    pub memory: u64,
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
        Self::with(256, 10_000)
    }
}

impl Budget {
    /// `cases` random histories per law in place of 256, and no more small ones of the longest
    /// length: for a log that takes milliseconds for what takes others microseconds. The
    /// environment still has the last word.
    ///
    /// ```
    /// # use model_tests::Budget;
    /// let of_a_slow_log = Budget::of(16);
    /// assert!(of_a_slow_log.patience >= Budget::default().patience);
    /// ```
    #[must_use]
    pub fn of(cases: u32) -> Self {
        Self::with(cases, cases as usize)
    }

    fn with(cases: u32, small_histories: usize) -> Self {
        let number = |name| {
            env::var(name)
                .ok()
                .and_then(|text| text.parse::<u64>().ok())
        };
        let cases = number("MODEL_TESTS_CASES").map_or(cases, |cases| cases as u32);
        let long = number("MODEL_TESTS_LONG").is_some_and(|long| long > 0);
        Self {
            cases: if long {
                cases.saturating_mul(40)
            } else {
                cases
            },
            depth: 6,
            small_histories: small_histories * if long { 20 } else { 1 },
            seed: number("MODEL_TESTS_SEED").unwrap_or(0x6576_656e_746c_6f67),
            patience: Duration::from_secs(number("MODEL_TESTS_PATIENCE").unwrap_or(4)),
            memory: 1 << 30,
            lacks: &[],
            subject: "",
            regressions: None,
            again: None,
        }
    }

    /// Whether the subject has this.
    ///
    /// ```
    /// # use model_tests::{Budget, Capability};
    /// let mut budget = Budget::default();
    /// budget.lacks = &[Capability::Durable];
    /// assert!(budget.has(Capability::Replay) && !budget.has(Capability::Durable));
    /// ```
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        !self.lacks.contains(&capability)
    }
}

/// A broken law, with what is needed to see it again.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The law whose statement is broken.
    pub law: &'static Law,
    /// The law that was asked about. It differs from `law` where that one is taken for granted by
    /// it: what rests on a broken law says nothing of its own.
    pub asked: &'static Law,
    /// What that law found itself, where it differs.
    pub found_itself: Option<Box<Violation>>,
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
    /// What was found rests on no other law.
    pub(crate) is_its_own: bool,
    /// The log was taking memory without end when it was judged, and still does: only the end of
    /// the process stops it.
    pub takes_all_memory: bool,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { law, asked, .. } = self;
        let head = format!(
            "{} {} is broken, found by {}",
            law.id, law.name, self.found_by
        );
        writeln!(f, "{}", wrapped(&head, 4))?;
        if law.id != asked.id {
            let asked = format!("{} {}, which takes it for granted", asked.id, asked.name);
            writeln!(f, "  asked:    {}", wrapped(&asked, 12))?;
            if let Some(itself) = &self.found_itself {
                writeln!(
                    f,
                    "            (it broke at: {})",
                    wrapped(&itself.step, 12)
                )?;
            }
        }
        let (expected, actual) = difference(&self.expected, &self.actual);
        writeln!(f, "  the law:  {}", wrapped(law.statement, 12))?;
        writeln!(f, "  at:       {}", wrapped(&self.step, 12))?;
        writeln!(f, "  expected: {}", wrapped(&expected, 12))?;
        writeln!(f, "  actual:   {}", wrapped(&actual, 12))?;
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
    /// Where set, this history is played again and nothing else.
    pub(crate) only: Option<Arc<History>>,
    /// The type of the subject, as the user knows it.
    pub(crate) type_name: &'static str,
}

/// Where a log parted from what is demanded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Parted {
    pub(crate) step: String,
    pub(crate) expected: String,
    pub(crate) actual: String,
    /// It rests on no other law.
    pub(crate) is_its_own: bool,
}

impl Parted {
    pub(crate) fn new(
        step: impl Into<String>,
        expected: impl fmt::Debug,
        actual: impl fmt::Debug,
    ) -> Self {
        Self::said(step, format!("{expected:?}"), format!("{actual:?}"))
    }

    /// With words in place of values.
    pub(crate) fn said(
        step: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Self {
        let parted = Self {
            step: step.into(),
            expected: expected.into(),
            actual: actual.into(),
            is_its_own: false,
        };
        note_parted(&parted);
        parted
    }

    /// The same, found without leaning on what the law takes for granted.
    pub(crate) fn its_own(self) -> Self {
        Self {
            is_its_own: true,
            ..self
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
        if self.only.is_some() {
            return Ok(report);
        }
        // Where nothing closer guards a call of the subject's.
        guarded("a call of the scenario", || scene(self, &mut report))
            .and_then(|verdict| verdict)
            .map_err(|parted| self.violation(parted))?;
        Ok(report)
    }

    /// The expression that makes the subject.
    pub(crate) fn subject_source(&self) -> String {
        if self.budget.subject.is_empty() {
            self.type_name.into()
        } else {
            self.budget.subject.replace("$crate", "model_tests")
        }
    }

    /// A violation that is seen again by running the law again.
    pub(crate) fn violation(&self, parted: Parted) -> Box<Violation> {
        let script = self.script(&[]);
        self.violation_with(parted, script, "a scenario".into())
    }

    /// A test that judges the law again, and says what was done when it broke.
    pub(crate) fn script(&self, done: &[String]) -> String {
        let id = self.law.id;
        let mut lines = vec![
            "use model_tests::{Capability::*, *};".into(),
            format!("let subject = {};", self.subject_source()),
        ];
        if !done.is_empty() {
            lines.push("// What was done when it broke:".into());
            lines.extend(
                done.iter()
                    .map(|line| shortened(&format!("//   {line}"), 76)),
            );
        }
        lines.push("let mut budget = Budget::default();".into());
        if !self.budget.lacks.is_empty() {
            let lacks: Vec<_> = self
                .budget
                .lacks
                .iter()
                .map(|lack| format!("{lack:?}"))
                .collect();
            lines.push("budget.lacks = &[".into());
            let names = wrapped(&(lacks.join(", ") + ","), 8);
            lines.extend(names.lines().map(|line| format!("    {}", line.trim())));
            lines.push("];".into());
        }
        let name = format!("{}_again", id.to_lowercase());
        if self.budget.again.is_some() {
            lines.push(format!("budget.again = Some({name:?});"));
        }
        lines.push(format!("check(&subject, &laws::{id}, &budget).unwrap();"));
        format!(
            "#[test]\nfn {name}() {{\n    {}\n}}\n",
            lines.join("\n    ")
        )
    }

    pub(crate) fn violation_with(
        &self,
        parted: Parted,
        script: String,
        found_by: String,
    ) -> Box<Violation> {
        Box::new(Violation {
            law: self.law,
            asked: self.law,
            found_itself: None,
            step: parted.step,
            expected: parted.expected,
            actual: parted.actual,
            script,
            found_by,
            is_its_own: parted.is_its_own,
            takes_all_memory: false,
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
