//! The suite as one line in a user's own tests.

use crate::{
    check::check,
    law::Law,
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
/// A failure prints a test that can be pasted beside the macro. The random engine's seeds of
/// failures are kept under `proptest-regressions/` in your crate and tried first the next time.
#[macro_export]
macro_rules! conformance {
    ($name:ident => event $event:ty, $make:expr $(,)?) => {
        $crate::conformance!(
            @ $name ($crate::Ours($make as fn(u64, u32) -> $event))
            ($crate::OnDisk($make as fn(u64, u32) -> $event)) []
        );
    };
    ($name:ident => event $event:ty, $make:expr, lacks: [$($lack:ident),* $(,)?] $(,)?) => {
        $crate::conformance!(
            $name => $crate::Ours($make as fn(u64, u32) -> $event), lacks: [$($lack),*]
        );
    };
    ($name:ident => $subject:expr $(,)?) => {
        $crate::conformance!($name => $subject, lacks: []);
    };
    ($name:ident => $subject:expr, lacks: [$($lack:ident),* $(,)?] $(,)?) => {
        $crate::conformance!(@ $name ($subject) ($subject) [$($lack)*]);
    };
    (@ $name:ident $memory:tt $disk:tt [$($lack:ident)*]) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            const LACKS: &[$crate::Capability] = &[$($crate::Capability::$lack),*];

            $crate::__all_laws! { $name $memory $disk [$($lack)*] }
        }
    };
}

/// One test per row: the name of the test, its law, and what the law needs. A law that is judged
/// elsewhere has no name there, and no test.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_tests {
    ($name:ident $memory:tt $disk:tt $lacks:tt $([$($test:ident)?] $law:ident $needs:tt)*) => {
        $($crate::__law_test! { $needs $memory $disk { $name $lacks [$($test)?] $law $needs } })*
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
    ($subject:tt { $name:ident $lacks:tt [] $law:ident $needs:tt }) => {};
    ($subject:tt { $name:ident $lacks:tt [$test:ident] $law:ident $needs:tt }) => {
        $crate::__unless_lacking! { $needs $lacks {
            #[test]
            fn $test() {
                $crate::__run(
                    &$subject,
                    stringify!($subject),
                    &$crate::laws::$law,
                    LACKS,
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
    ([] $lacks:tt { $($test:tt)* }) => { $($test)* };
    ([$need:ident $($needs:ident)*] $lacks:tt $test:tt) => {
        $crate::__if_lacking! { $need $lacks $test { [$($needs)*] $lacks } }
    };
}

/// Judges one law for the macro, and panics with the violation.
#[doc(hidden)]
pub fn __run<S: Subject>(
    subject: &S,
    source: &'static str,
    law: &'static Law,
    lacks: &'static [Capability],
    regressions: &'static str,
    test: &'static str,
) {
    let budget = Budget {
        lacks,
        subject: source,
        regressions: Some(regressions),
        // A test's name begins after that of its crate.
        again: test.split_once("::").map(|(_, name)| name),
        ..Budget::default()
    };
    match check(subject, law, &budget) {
        Ok(report) => println!("{} {}\n{report}", law.id, law.name),
        Err(broken) => panic!("{broken}"),
    }
}
