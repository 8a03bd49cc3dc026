//! Where a writer's events come from.

use std::time::Instant;

use super::pending::Pending;

/// Where a writer's events come from: the ring of a log, or a channel.
pub(crate) trait Source: Send {
    /// Whether its sequence numbers are those of the log, so that gap lines may name them.
    const NUMBERED: bool;

    /// Moves what there is into `pending`, until that is full. Says whether there was anything.
    fn fill(&mut self, pending: &mut Pending) -> bool;

    /// The destination is busy from now on; what comes can be prepared meanwhile.
    fn destination_is_busy(&mut self) {}

    /// The destination is not busy any more.
    fn destination_is_free(&mut self) {}

    /// Sleeps until there may be more, the thread is unparked, or the instant comes.
    fn wait(&mut self, until: Option<Instant>);

    /// Whether nothing will ever come any more.
    fn has_ended(&self) -> bool;

    /// Whether nothing will ever come after what is there now, so that the writer is to end as
    /// soon as that is written.
    fn is_closed(&self) -> bool;

    /// The writer ends, and everything up to `settled` is stored or lost.
    fn leave_off(&mut self, settled: u64);
}
