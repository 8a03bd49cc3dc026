//! The log as a writer sees it.

use std::time::Instant;

use super::FileLog;
use crate::cursor::Epoch;
use crate::disk::storage::Storage;
use crate::seq::Seq;
use crate::writer::{
    destination::{Destination, DestinationError, Level, Standing},
    records::Records,
};

impl<S: Storage> Destination for FileLog<S> {
    fn level(&self) -> Level {
        Level::new(1, !self.site.trusts_system)
    }

    fn open(&mut self, epoch: Epoch) -> Result<Standing, DestinationError> {
        self.marks.begin(epoch);
        Ok(Standing::Unknown)
    }

    fn begin(&mut self, first: Seq) -> bool {
        self.begin(first.get())
    }

    fn idle(&mut self) -> Option<Instant> {
        let sum = self.state.durable_sum()?;
        self.marks.idle(&self.site, sum, self.durable.seq)
    }

    fn write(
        &mut self,
        records: Records<'_>,
        _progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        Ok(self.append_records(records)?)
    }

    fn sync(&mut self) -> Result<(), DestinationError> {
        Ok(self.make_durable()?)
    }

    fn stored(&self) -> u64 {
        self.durable.records
    }
}
