//! Batches on their way to a destination: hand over, make durable, hand over again after a failure.
//!
//! Knows neither where events come from nor where they go.

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use super::{Destination, DiskConfig, DiskError, Gap, GapReason, batch::Batch, retry::Retry};

/// A batch is closed when it holds this many bytes, so that one commit stays short.
const MAX_BATCH_BYTES: usize = 4 << 20;

/// Lines not yet durable, and the destination that they go to.
pub(super) struct Committer<D> {
    destination: D,
    path: PathBuf,
    batch: Batch,
    /// How many lines of the batch the destination has.
    written: usize,
    /// How many records the destination had made durable when we last looked.
    durable: u64,
    /// Events that have no line yet, up to this sequence number, to be counted by one gap line.
    gap: Option<(u64, Gap)>,
    retry: Retry,
    pub(super) totals: Totals,
}

/// Counters of one writer.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) commits: u64,
    pub(super) failures: u64,
    pub(super) gap_lines: u64,
    pub(super) lost: u64,
}

impl<D: Destination> Committer<D> {
    pub(super) fn new(destination: D, config: &DiskConfig) -> Self {
        Self {
            durable: destination.durable(),
            destination,
            path: config.path.clone(),
            batch: Batch::default(),
            written: 0,
            gap: None,
            retry: Retry::new(config.retry_min, config.retry_max),
            totals: Totals::default(),
        }
    }

    /// Whether nothing waits to be made durable.
    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Lines that wait to be made durable.
    pub(super) fn len(&self) -> usize {
        self.batch.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.batch.bytes() >= MAX_BATCH_BYTES
    }

    pub(super) fn is_failing(&self) -> bool {
        self.retry.is_failing()
    }

    /// Adds an event, and before it the line for what was lost before it. Says `false` if the event
    /// cannot be serialised: then it is lost too.
    pub(super) fn push_event(&mut self, seq: u64, version: u64, event: &impl Serialize) -> bool {
        let (lines, bytes) = (self.batch.lines(), self.batch.bytes());
        if let Some((through, gap)) = &self.gap {
            self.batch.push_gap(*through, gap);
        }
        let gap_bytes = self.batch.bytes() - bytes;
        match self.batch.push_event(seq, event) {
            Ok(()) => {
                self.gap_has_line();
                self.totals.events += 1;
                self.totals.bytes += (self.batch.bytes() - bytes - gap_bytes) as u64;
                true
            }
            Err(error) => {
                self.batch.truncate(lines);
                self.lose_unserializable(seq, version, &error);
                false
            }
        }
    }

    fn lose_unserializable(&mut self, seq: u64, version: u64, error: &str) {
        let reason = GapReason::Unserializable;
        if self.gap.is_none_or(|(_, gap)| gap.reason != reason) {
            tracing::warn!(
                path = %self.path.display(), seq, version, error,
                "cannot serialise an event; a gap line will stand for it and those that follow it"
            );
        }
        self.push_lost(
            seq,
            Gap {
                count: 1,
                min_version: version,
                max_version: version,
                reason,
            },
        );
    }

    /// Notes events that will have no line of their own: one gap line will count them, together
    /// with those lost for the same reason right before.
    pub(super) fn push_lost(&mut self, through: u64, lost: Gap) {
        self.totals.lost += lost.count;
        match &mut self.gap {
            Some((end, gap)) if gap.reason == lost.reason => {
                *end = through;
                gap.count += lost.count;
                gap.min_version = gap.min_version.min(lost.min_version);
                gap.max_version = gap.max_version.max(lost.max_version);
            }
            _ => {
                self.close_gap();
                self.gap = Some((through, lost));
            }
        }
    }

    /// Gives whatever was lost so far its line.
    pub(super) fn close_gap(&mut self) {
        if let Some((through, gap)) = &self.gap {
            self.batch.push_gap(*through, gap);
        }
        self.gap_has_line();
    }

    fn gap_has_line(&mut self) {
        if let Some((_, gap)) = self.gap.take() {
            self.totals.gap_lines += 1;
            tracing::warn!(
                path = %self.path.display(), events = gap.count, reason = ?gap.reason,
                "events never reached the event log; a gap line counts them"
            );
        }
    }

    /// Tries once to hand everything over, and with `sync` to make it durable. In any case says
    /// which sequence number is settled by now, if that has changed.
    ///
    /// # Errors
    ///
    /// How long to wait before trying again.
    pub(super) fn attempt(&mut self, sync: bool) -> (Option<u64>, Result<(), Duration>) {
        let result = self.hand_over(sync);
        let settled = self.settle();
        (settled, result.map_err(|error| self.failed(&error)))
    }

    fn hand_over(&mut self, sync: bool) -> Result<(), DiskError> {
        if self.written < self.batch.len() {
            self.destination.write(self.batch.records(self.written))?;
            self.written = self.batch.len();
        }
        if sync {
            self.destination.sync()?;
            self.totals.commits += 1;
        }
        self.retry.succeeded(&self.path);
        Ok(())
    }

    fn settle(&mut self) -> Option<u64> {
        let durable = self.destination.durable();
        // A batch never has more lines than fit into memory.
        let lines = usize::try_from(durable - self.durable).unwrap_or(usize::MAX);
        self.durable = durable;
        self.written = self.written.saturating_sub(lines);
        self.batch.settle(lines)
    }

    /// The destination has forgotten what was not durable: all of it is handed over again.
    fn failed(&mut self, error: &DiskError) -> Duration {
        self.written = 0;
        self.totals.failures += 1;
        self.retry.failed(&self.path, error)
    }
}
