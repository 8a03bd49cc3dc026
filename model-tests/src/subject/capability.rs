//! What a log may lack.

/// Declares the capabilities, each once: its variant, the reason why a test without it is ignored,
/// and the arm by which `conformance!` finds it among those that a log lacks. (Macros cannot compare
/// two names, so each needs an arm of its own. The `$` is what these arms are written with.)
macro_rules! capabilities {
    ($d:tt $($(#[doc = $doc:literal])* $name:ident $lacks:literal,)*) => {
        /// Something that a log may lack. The laws that need it are then shown as ignored.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Capability {
            $($(#[doc = $doc])* $name,)*
        }

        /// Ignores a test that needs a capability, if that is among those that are lacking.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __if_lacking {
            $(($name [$name $d($d rest:ident)*] { [$d($d wrap:tt)+] $d($d test:tt)* } $d unless:tt) => {
                $d($d wrap)+! {
                    #[ignore = $lacks]
                    $d($d test)*
                }
            };)*
            ($d need:ident [$d other:ident $d($d rest:ident)*] $d test:tt $d unless:tt) => {
                $crate::__if_lacking! { $d need [$d($d rest)*] $d test $d unless }
            };
            ($d need:ident [] $d test:tt { $d needs:tt $d lacks:tt }) => {
                $crate::__unless_lacking! { $d needs $d lacks $d test }
            };
        }
    };
}

capabilities! { $
    /// Events have versions of their user's choice, which may skip, repeat and fall. A log that is
    /// addressed by dense offsets lacks it: then the version of the event at offset `n` is `n + 1`,
    /// and `since` is the offset from which on it is read. [`ByOffset`](crate::ByOffset) is such a
    /// log.
    Versions "lacks Versions",
    /// The base version can be set: [`Case::base_version`](crate::Case::base_version).
    Base "lacks Base",
    /// Events can carry a [`Probe`](crate::Probe):
    /// [`Subject::probed_event`](crate::Subject::probed_event).
    Probe "lacks Probe",
    /// [`Log::replay`](crate::Log::replay).
    Replay "lacks Replay",
    /// [`Log::replay_truncated`](crate::Log::replay_truncated): the log can be asked whether
    /// something is missing by a version. A log that only knows offsets lacks it.
    Truncation "lacks Truncation",
    /// [`Log::append_batch`](crate::Log::append_batch), of which no part is ever seen.
    Batch "lacks Batch",
    /// [`Log::append_with`](crate::Log::append_with).
    AppendWith "lacks AppendWith",
    /// [`Log::cursor`](crate::Log::cursor), [`Log::replay_after`](crate::Log::replay_after),
    /// [`Log::resume`](crate::Log::resume), [`Subscription::cursor`](crate::Subscription::cursor).
    Cursor "lacks Cursor",
    /// [`Log::subscribe`](crate::Log::subscribe).
    Subscribe "lacks Subscribe",
    /// [`Subscription::poll_recv`](crate::Subscription::poll_recv) and
    /// [`Subscription::blocking_recv`](crate::Subscription::blocking_recv).
    Wait "lacks Wait",
    /// A reader that an eviction overtakes is told at once, by one
    /// [`Received::Lagged`](crate::Received::Lagged), of all that is evicted by then. Next comes the
    /// event that was the oldest retained one at that moment, however fast the log goes on. No other
    /// evicted event is delivered: a reader that keeps a snapshot gives up what is evicted of it.
    /// Without this capability a reader may deliver what it keeps although the log has let it go, and
    /// may be told of one loss after the other.
    LagOnce "lacks LagOnce",
    /// [`Subscription::is_live`](crate::Subscription::is_live).
    Live "lacks Live",
    /// A reader that is polled leaves its thread to others although more is there to read.
    Yields "lacks Yields",
    /// A panic in a waker stays there. Without it the panic may come out of the append that wakes.
    CatchesWakers "lacks CatchesWakers",
    /// [`Subscription::skip_to_newest`](crate::Subscription::skip_to_newest).
    Skip "lacks Skip",
    /// [`Log::close`](crate::Log::close).
    Close "lacks Close",
    /// A durable writer: [`Log::flush`](crate::Log::flush), [`Log::shutdown`](crate::Log::shutdown),
    /// [`Subject::read_back`](crate::Subject::read_back),
    /// [`Subject::files`](crate::Subject::files).
    Durable "lacks Durable",
    /// Dropping the log stores what was appended to it, as far as the disk lets it.
    StoresOnDrop "lacks StoresOnDrop",
    /// The log can be opened at a simulated broker, in place of files:
    /// [`Case::broker`](crate::Case::broker).
    Broker "lacks Broker",
    /// The log can be opened on a simulated disk: [`Case::disk`](crate::Case::disk). Its faults
    /// and power cuts are the strongest evidence there is; without it, system calls are traced
    /// where the machine can do that.
    Storage "lacks Storage",
    /// A shutdown that does not come to its end says which events are not durable:
    /// [`Log::shutdown_within`](crate::Log::shutdown_within).
    Missing "lacks Missing",
    /// The log limits what its events weigh together:
    /// [`Case::max_bytes`](crate::Case::max_bytes).
    Weight "lacks Weight",
    /// The log limits how old its events may be: [`Case::max_age`](crate::Case::max_age).
    Age "lacks Age",
    /// The log gives the numbers: [`Subject::numbering`](crate::Subject::numbering).
    Numbers "lacks Numbers",
    /// [`Log::lease`](crate::Log::lease).
    Lease "lacks Lease",
    /// [`Log::page`](crate::Log::page) and [`Log::page_after`](crate::Log::page_after).
    Pages "lacks Pages",
    /// [`Log::subscribe_if`](crate::Log::subscribe_if).
    Filter "lacks Filter",
    /// Events that a format may be unable to carry:
    /// [`Subject::extreme_event`](crate::Subject::extreme_event).
    Extremes "lacks Extremes",
    /// [`Log::subscribe_stored`](crate::Log::subscribe_stored).
    Stored "lacks Stored",
    /// The files can be read along while they are written:
    /// [`Subject::follow`](crate::Subject::follow).
    Follow "lacks Follow",
    /// The files are JSON lines: [`Subject::line`](crate::Subject::line).
    JsonLines "lacks JsonLines",
    /// No file is longer than [`Case::max_file_bytes`](crate::Case::max_file_bytes): a full one is
    /// put aside. A log of one file that only grows lacks it.
    Rotation "lacks Rotation",
}

/// The answer of an operation that the adapter does not have: the law fails, and says what to do.
pub(super) fn lacking(what: Capability) -> ! {
    panic!("this subject has no {what:?}: implement it, or add `lacks: [{what:?}]`")
}
