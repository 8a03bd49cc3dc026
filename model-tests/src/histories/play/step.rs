//! One operation after the other.

use super::run::Run;
use crate::{histories::ops::Op, subject::adapter::Subject, trial::Parted};

impl<S: Subject> Run<'_, S> {
    /// Does one operation and compares what is said.
    pub(crate) fn step(&mut self, op: &Op) -> Result<(), Parted> {
        match op {
            Op::Append(step) => self.append(*step),
            Op::AppendBatch(steps) => self.append_batch(steps),
            Op::AppendWith(step) => self.append_with(*step),
            Op::Fill(more) => self.fill(*more),
            Op::EventsSince(at) => self.events_since(at.below(&self.model, self.top)),
            Op::ReplayTruncated(at) => self.replay_truncated(at.below(&self.model, self.top)),
            Op::Replay(at) => self.replay(at.below(&self.model, self.top)),
            Op::SaveCursor => self.save_cursor(),
            Op::SaveReaderCursor(pick) => self.save_reader_cursor(*pick),
            Op::ReplayAfter(pick) => self.replay_after(*pick),
            Op::Subscribe(at) => self.subscribe(*at),
            Op::Resume(pick) => self.resume(*pick),
            Op::Recv(pick) => self.with_reader(*pick, Self::recv).map(drop),
            Op::IsLive(pick) => self.with_reader(*pick, Self::is_live).map(drop),
            Op::SkipToNewest(pick) => self.with_reader(*pick, Self::skip_to_newest).map(drop),
            Op::Unsubscribe(pick) => self.unsubscribe(*pick),
            Op::Close => self.close(),
            Op::Drain => (0..self.readers.len()).try_for_each(|index| self.drain(index)),
        }
    }
}
