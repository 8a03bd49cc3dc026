//! The one place where a law is declared.

use crate::law::Law;

/// Laws that are about the same part of a log, in the order of their ids.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) laws: &'static [&'static Law],
}

/// Declares a family of laws. Each law is one block, and all else follows from it: its documented
/// item, its entry in [`all`](super::all), its page in `LAWS.md`, the verdict of
/// [`check`](crate::check()) and its test in [`conformance!`](crate::conformance).
///
/// To add a law, add a block to the file of its family, and print `LAWS.md` anew:
///
/// ```ignore
/// R13 "retention in bytes is exact" {
///     statement: "What must hold.",
///     why: "What its users lose where it does not.",
///     bug: "A bug on record that it would have stopped.",
///     needs: [Replay],                  // capabilities; without them its test is ignored
///     assumes: [R03],                   // if one of these is broken, that is what is told
///     visits: [Truncated],              // what a run must have met before it counts
///     judge: |trial| trial.scene(bytes::retained),
///     test: r13_retention_in_bytes_is_exact,
/// }
/// ```
///
/// `judge` gives a [`Verdict`](crate::trial::Verdict): of a scene, or of a
/// [`search`](crate::histories::search::search) through histories. A law that needs `Durable` is
/// tested on the subject that has files. A law that no running log can be asked about has, in place
/// of `judge`, the words that say why: `elsewhere: "not judged here: …"`. Its test is ignored with
/// these words.
///
/// What is left to do, a test asks for: a broken log in the zoo that the law kills.
///
/// The first line names the family and the macro that hands its tests to `conformance!`. The `$` in
/// it is what that macro's own patterns are written with.
macro_rules! laws {
    (
        $d:tt $family:ident $tests:ident;
        $($id:ident $name:literal {
            statement: $statement:literal,
            why: $why:literal,
            bug: $bug:literal,
            needs: [$($need:ident),* $(,)?],
            $(assumes: [$($assumed:ident),* $(,)?],)?
            visits: [$($visit:ident),* $(,)?],
            $(judge: |$trial:ident| $verdict:expr,)?
            $(elsewhere: $elsewhere:literal,)?
            test: $test:ident,
        })*
    ) => {
        $(
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
                assumes: &[$($(&$crate::laws::$assumed),*)?],
                visits: &[$($crate::Class::$visit),*],
            };
        )*

        pub(super) const FAMILY: $crate::laws::declare::Family = $crate::laws::declare::Family {
            name: stringify!($family),
            laws: &[$(&$id),*],
        };

        /// The verdict, if the trial's law is of this family.
        pub(super) fn judge<S: $crate::Subject>(
            asked: &$crate::trial::Trial<'_, S>,
        ) -> Option<$crate::trial::Verdict> {
            match asked.law.id {
                $(stringify!($id) => Some({
                    $(let $trial = asked; $verdict)?
                    $(Ok($crate::Report::elsewhere($elsewhere)))?
                }),)*
                _ => None,
            }
        }

        /// Hands one row per law of this family to `__law_tests!`, after what it was given.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! $tests {
            ($d($d given:tt)*) => {
                $crate::__law_tests! {
                    $d($d given)*
                    $([$test $($elsewhere)?] $id [$($need)*])*
                }
            };
        }
    };
}
pub(super) use laws;
