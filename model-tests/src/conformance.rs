//! The suite as one line in a user's own tests.

use std::{env, fs::OpenOptions, io::Write as _, process::exit, sync::Arc, time::Duration};

use crate::{
    check::Court,
    law::Law,
    outcome::{Outcome, Ruling},
    process::serve,
    subject::{adapter::Subject, capability::Capability},
    trial::Budget,
};

/// Makes one `#[test]` per law, named after it, in a module of the given name.
///
/// The first form judges a log of your own. By default everything is required; what the log does
/// not have is listed under `lacks` (see [`Capability`](crate::Capability)), and the laws that
/// need it are shown as ignored, with the reason.
///
/// ```ignore
/// model_tests::conformance!(my_log => MySubject, lacks: [Subscribe, Cursor, Close]);
/// ```
///
/// The second form needs only an event type, and a function that makes an event of a version and
/// of a number (which may choose the variant). It runs everything on `eventlog` itself, in memory
/// and on disk, so the event is one that `serde` can write and read; with `lacks: [Durable]` it
/// need not be.
///
/// ```ignore
/// model_tests::conformance!(my_events => event MyEvent, |version, pick| match pick % 2 {
///     0 => MyEvent::Started { version, pid: pick },
///     _ => MyEvent::Exited { version, code: 0 },
/// });
/// ```
///
/// How long a call may take can be given where that is more than some seconds:
///
/// ```ignore
/// model_tests::conformance!(
///     far_away => MySubject, lacks: [Durable], patience: Duration::from_secs(30)
/// );
/// ```
///
/// So can how many histories each law is judged on, where a log takes milliseconds for what takes
/// others microseconds ([`Budget::of`](crate::Budget::of)):
///
/// ```ignore
/// model_tests::conformance!(far_away => MySubject, lacks: [Durable], cases: 16);
/// ```
///
/// What stands around each test is a macro too, which gets an ignored test as well and may be one of
/// your own; [`plain_test!`](crate::plain_test) is the one that is used where none is named. This one
/// starts a runtime of tokio, in which `Handle::current()` is one for
/// [`Awaited::in_runtime`](crate::Awaited::in_runtime):
///
/// ```
/// macro_rules! in_tokio {
///     ($(#[$attribute:meta])* fn $test:ident() $body:block) => {
///         $(#[$attribute])*
///         #[tokio::test(flavor = "multi_thread")]
///         async fn $test() {
///             tokio::task::spawn_blocking(move || $body).await.unwrap();
///         }
///     };
/// }
/// # use model_tests::{Ours, Tick};
/// # fn main() {}
///
/// model_tests::conformance!(my_log => Ours(Tick::new), lacks: [Durable], wrap: in_tokio);
/// ```
///
/// Where `MODEL_TESTS_JSON` names a file, each test adds its [`Outcome`](crate::Outcome) to it, one
/// JSON object per line.
///
/// A failure prints a test that can be pasted beside the macro. The random engine's seeds of
/// failures are kept under `proptest-regressions/` in your crate and tried first the next time.
#[macro_export]
macro_rules! conformance {
    (
        $name:ident => event $event:ty, $make:expr
        $(, patience: $patience:expr)? $(, cases: $cases:expr)? $(, wrap: $($wrap:ident)::+)? $(,)?
    ) => {
        $crate::conformance!(
            @ $name ($crate::Ours($make as fn(u64, u32) -> $event))
            ($crate::OnDisk($make as fn(u64, u32) -> $event)) [] [$($patience)?]
            [$($cases)?] [$($($wrap)::+)?]
        );
    };
    (
        $name:ident => event $event:ty, $make:expr,
        lacks: [$($lack:ident),* $(,)?]
        $(, patience: $patience:expr)? $(, cases: $cases:expr)? $(, wrap: $($wrap:ident)::+)? $(,)?
    ) => {
        $crate::conformance!(
            $name => $crate::Ours($make as fn(u64, u32) -> $event), lacks: [$($lack),*]
            $(, patience: $patience)? $(, cases: $cases)? $(, wrap: $($wrap)::+)?
        );
    };
    (
        $name:ident => $subject:expr
        $(, patience: $patience:expr)? $(, cases: $cases:expr)? $(, wrap: $($wrap:ident)::+)? $(,)?
    ) => {
        $crate::conformance!(
            $name => $subject, lacks: []
            $(, patience: $patience)? $(, cases: $cases)? $(, wrap: $($wrap)::+)?
        );
    };
    (
        $name:ident => $subject:expr,
        lacks: [$($lack:ident),* $(,)?]
        $(, patience: $patience:expr)? $(, cases: $cases:expr)? $(, wrap: $($wrap:ident)::+)? $(,)?
    ) => {
        $crate::conformance!(
            @ $name ($subject) ($subject) [$($lack)*] [$($patience)?] [$($cases)?]
            [$($($wrap)::+)?]
        );
    };
    (@ $name:ident $memory:tt $disk:tt $lacks:tt $patience:tt $cases:tt []) => {
        $crate::conformance!(
            @ $name $memory $disk $lacks $patience $cases [$crate::plain_test]
        );
    };
    (
        @ $name:ident $memory:tt $disk:tt [$($lack:ident)*] [$($patience:expr)?]
        [$($cases:expr)?] [$($wrap:tt)+]
    ) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            const LACKS: &[$crate::Capability] = &[$($crate::Capability::$lack),*];
            // At most one of each.
            const PATIENCE: &[::std::time::Duration] = &[$($patience)?];
            const CASES: &[u32] = &[$($cases)?];

            $crate::__all_laws! { [$name $($wrap)+] $memory $disk [$($lack)*] }
        }
    };
}

/// What stands around a test of [`conformance!`] where nothing else is named.
#[macro_export]
macro_rules! plain_test {
    ($(#[$attribute:meta])* fn $test:ident() $body:block) => {
        #[test]
        $(#[$attribute])*
        fn $test() $body
    };
}

/// One test per row: the name of the test, its law, and what the law needs. A law that no running
/// log can be asked about has its reason there.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_tests {
    (
        $head:tt $memory:tt $disk:tt $lacks:tt
        $([$test:ident $($why:literal)?] $law:ident $needs:tt)*
    ) => {
        $($crate::__law_test! {
            $needs $memory $disk { $head $lacks [$test $($why)?] $law $needs }
        })*
    };
}

/// Chooses the subject: a law that needs `Durable` is judged on the one with files.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_test {
    ([Durable $($needs:ident)*] $memory:tt $disk:tt $row:tt) => {
        $crate::__law_test! { $disk $row }
    };
    ([$other:ident $($needs:ident)*] $memory:tt $disk:tt $row:tt) => {
        $crate::__law_test! { [$($needs)*] $memory $disk $row }
    };
    ([] $memory:tt $disk:tt $row:tt) => {
        $crate::__law_test! { $memory $row }
    };
    (
        $subject:tt
        { [$name:ident $($wrap:tt)+] $lacks:tt [$test:ident $why:literal] $law:ident $needs:tt }
    ) => {
        $($wrap)+! {
            #[ignore = $why]
            fn $test() {}
        }
    };
    (
        $subject:tt
        { [$name:ident $($wrap:tt)+] $lacks:tt [$test:ident] $law:ident $needs:tt }
    ) => {
        $crate::__unless_lacking! { $needs $lacks {
            [$($wrap)+]
            fn $test() {
                $crate::__run(
                    $subject,
                    stringify!($subject),
                    &$crate::laws::$law,
                    LACKS,
                    (PATIENCE, CASES),
                    concat!(
                        env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/", stringify!($name),
                        "-", stringify!($test), ".txt",
                    ),
                    concat!(module_path!(), "::", stringify!($test)),
                );
            }
        } }
    };
}

/// The test as it is, or ignored for the first thing it needs that is lacking.
#[doc(hidden)]
#[macro_export]
macro_rules! __unless_lacking {
    ([] $lacks:tt { [$($wrap:tt)+] $($test:tt)* }) => { $($wrap)+! { $($test)* } };
    ([$need:ident $($needs:ident)*] $lacks:tt $test:tt) => {
        $crate::__if_lacking! { $need $lacks $test { [$($needs)*] $lacks } }
    };
}

/// Judges one law for the macro, and panics with the violation.
#[doc(hidden)]
pub fn __run<S: Subject>(
    subject: S,
    source: &'static str,
    law: &'static Law,
    lacks: &'static [Capability],
    (patience, cases): (&[Duration], &[u32]),
    regressions: &'static str,
    test: &'static str,
) {
    if serve(&subject) {
        return;
    }
    let bare = source
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let mut budget = Budget {
        lacks,
        subject: bare.unwrap_or(source),
        regressions: Some(regressions),
        // A test's name begins after that of its crate.
        again: test.split_once("::").map(|(_, name)| name),
        ..cases
            .first()
            .map_or_else(Budget::default, |cases| Budget::of(*cases))
    };
    budget.patience = patience.first().copied().unwrap_or(budget.patience);
    let ruling = Ruling::of(Court::new(Arc::new(subject), budget).verdict(law));
    let outcome = Outcome { law, ruling };
    if let Some(path) = env::var_os("MODEL_TESTS_JSON") {
        let line = outcome.to_json() + "\n";
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(
            written.is_ok(),
            "cannot write to {}: {written:?}",
            path.display()
        );
    }
    match outcome.ruling {
        Ruling::Broken(broken) if broken.takes_all_memory => {
            // The thread that takes it cannot be ended, and would take the other tests with it.
            eprintln!("{broken}\nthe tests end here, before the memory does");
            exit(101);
        }
        Ruling::Broken(broken) => panic!("{broken}"),
        Ruling::Kept(report) | Ruling::NotJudged(report) => {
            println!("{} {}\n{report}", law.id, law.name);
        }
        Ruling::Lacking(_) => {}
    }
}
