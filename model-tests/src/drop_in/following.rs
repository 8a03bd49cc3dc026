//! What the model knows of a subscription, and whether it was given what it must be.

use eventlog::TryRecvError;

use super::beside::{Beside, Shared};
use crate::{
    model::reader::{Lags, Reader},
    subject::{adapter::Event, log::Received},
};

/// The model's side of a subscription.
pub(super) struct Following<E> {
    pub(super) reader: Reader,
    pub(super) beside: Shared<E>,
    /// It may have less than the log, because it follows a writer.
    pub(super) is_behind: bool,
    /// What it keeps until it has read everything.
    pub(super) lease: Option<usize>,
}

impl<E: Event> Following<E> {
    /// Compares what was received.
    #[track_caller]
    pub(super) fn compare(
        &mut self,
        beside: &mut Beside<E>,
        call: &str,
        given: Result<&E, TryRecvError>,
    ) {
        let given = match given {
            Ok(event) => Received::Event(event),
            Err(TryRecvError::Lagged(lost)) => Received::Lagged(lost),
            // A writer has less than its log, and may end before it.
            Err(_) if self.is_behind => return,
            Err(TryRecvError::Empty) => Received::Empty,
            Err(TryRecvError::Closed) => Received::Closed,
        };
        let expected = beside.model.next(&self.reader);
        let same = |ours: &E, theirs: &&E| ours == *theirs;
        let model = &beside.model;
        if !model.accept(&mut self.reader, &given, Lags::Any, same) {
            let given = match given {
                Received::Event(event) => Received::Event(event.clone()),
                Received::Lagged(lost) => Received::Lagged(lost),
                Received::Empty => Received::Empty,
                Received::Closed => Received::Closed,
            };
            beside.compare(call, &expected, &given);
        }
        if matches!(given, Received::Empty) {
            self.end_lease(beside);
        }
    }

    #[track_caller]
    pub(super) fn compare_live(&self, beside: &Beside<E>, live: bool) {
        if !self.is_behind
            && let Some(expected) = beside.model.is_live(&self.reader)
        {
            beside.compare("is_live", &expected, &live);
        }
    }

    /// Whether it has a lease, and nothing to read. Where the real one is pending then, it may only
    /// have left its thread to others; polled again, it gives up its lease.
    pub(super) fn keeps_nothing(&self, beside: &Beside<E>) -> bool {
        self.lease.is_some() && matches!(beside.model.next(&self.reader), Received::Empty)
    }
}

impl<E> Following<E> {
    pub(super) fn end_lease(&mut self, beside: &mut Beside<E>) {
        if let Some(lease) = self.lease.take() {
            beside.model.end_lease(lease);
        }
    }
}
