//! The suite as one line in a user's own tests.

use crate::{Budget, Capability, Law, Subject, check};

/// Makes one `#[test]` of each law, named by it, in a module of the given name.
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

            $crate::__law_tests! {
                $name $memory [$($lack)*]
                r01_insertion_order R01 []
                r02_events_since R02 []
                r03_retains_exactly_the_newest R03 []
                r04_truncation_is_exact R04 []
                r05_dense_versions_need_no_care R05 []
                r06_one_replay_is_one_instant R06 [Replay]
                r07_nothing_wraps_at_the_top R07 []
                r08_the_future_is_ahead R08 [Replay]
                r09_another_life_is_foreign R09 [Replay Cursor]
                r10_capacity_one_works_none_is_refused R10 []
                r11_no_user_code_under_the_lock R11 [Probe]
                r12_memory_is_bounded R12 [Probe]
                s01_replay_then_live_without_a_seam S01 [Subscribe]
                s02_lag_is_told_once_and_exactly S02 [Subscribe]
                s03_nobody_waits_in_vain S03 [Subscribe Wait]
                s04_no_reader_delays_an_append S04 [Subscribe]
                s05_cut_and_resumed_the_same S05 [Subscribe Cursor]
                s06_closed_after_the_last_event S06 [Subscribe Close]
                d01_version_is_the_field D01 []
            }
            $crate::__law_tests! {
                $name $disk [$($lack)*]
                w01_acknowledged_is_durable W01 [Durable]
                w03_holes_are_declared W03 [Durable]
                w04_lines_are_whole W04 [Durable]
                w05_damage_is_reported_not_removed W05 [Durable]
                w08_rotation_is_atomic_and_bounded W08 [Durable]
                w09_no_disk_delays_an_append W09 [Durable]
                w10_one_writer_a_path W10 [Durable]
                w11_shutdown_drains_or_says_what_it_left W11 [Durable]
                w12_followers_survive_rotations W12 [Durable Follow]
                w13_the_bytes_are_the_baselines W13 [Durable JsonLines]
                w14_no_file_before_the_first_event W14 [Durable]
            }
        }
    };
}

/// One test a row.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_tests {
    ($name:ident $subject:tt $lacks:tt $($test:ident $law:ident $needs:tt)*) => {
        $($crate::__law_test! { $needs $lacks {
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
                );
            }
        } })*
    };
}

/// The test as it is, or ignored for the first thing it needs that is lacking.
#[doc(hidden)]
#[macro_export]
macro_rules! __law_test {
    ([] $lacks:tt { $($test:tt)* }) => { $($test)* };
    ([$need:ident $($needs:ident)*] $lacks:tt $test:tt) => {
        $crate::__lacking! { $need $lacks $test { [$($needs)*] $lacks } }
    };
}

/// Looks for a capability in the list of what is lacking. Macros cannot compare two names, so each
/// has a line here.
#[doc(hidden)]
#[macro_export]
macro_rules! __lacking {
    (Base [Base $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Base"]
        $($test)*
    };
    (Probe [Probe $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Probe"]
        $($test)*
    };
    (Replay [Replay $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Replay"]
        $($test)*
    };
    (Batch [Batch $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Batch"]
        $($test)*
    };
    (AppendWith [AppendWith $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks AppendWith"]
        $($test)*
    };
    (Cursor [Cursor $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Cursor"]
        $($test)*
    };
    (Subscribe [Subscribe $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Subscribe"]
        $($test)*
    };
    (Wait [Wait $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Wait"]
        $($test)*
    };
    (Skip [Skip $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Skip"]
        $($test)*
    };
    (Close [Close $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Close"]
        $($test)*
    };
    (Durable [Durable $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Durable"]
        $($test)*
    };
    (Follow [Follow $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks Follow"]
        $($test)*
    };
    (JsonLines [JsonLines $($rest:ident)*] { $($test:tt)* } $needed:tt) => {
        #[ignore = "lacks JsonLines"]
        $($test)*
    };
    ($need:ident [$other:ident $($rest:ident)*] $test:tt $more:tt) => {
        $crate::__lacking! { $need [$($rest)*] $test $more }
    };
    ($need:ident [] $test:tt { $needs:tt $lacks:tt }) => {
        $crate::__law_test! { $needs $lacks $test }
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
) {
    let budget = Budget {
        lacks,
        subject: source,
        regressions: Some(regressions),
        ..Budget::default()
    };
    match check(subject, law, &budget) {
        Ok(report) => println!("{} {}\n{report}", law.id, law.name),
        Err(broken) => panic!("{broken}"),
    }
}
