//! `eventlog`'s own writer, with clients of a broker that have a bug.

use eventlog::writer::Level;

use super::bugs::BrokerBug;
use crate::subject::{
    adapter::{Line, Subject},
    case::Case,
    in_memory::Tick,
    log::OpenError,
    on_disk::{DiskLog, read_broker},
};

/// Opens logs at a case's broker.
#[derive(Clone, Copy, Debug)]
pub struct BrokerSubject {
    /// What is wrong with their writers.
    pub bug: BrokerBug,
}

impl Subject for BrokerSubject {
    type Event = Tick;
    type Log = DiskLog<Tick>;

    fn open(&self, case: &Case) -> Result<DiskLog<Tick>, OpenError> {
        let broker = case.broker().ok_or("these logs have no files")?;
        match self.bug {
            BrokerBug::SendsAgain => DiskLog::at_broker(case, broker.naive_destination()),
            BrokerBug::ClaimsNothing => {
                DiskLog::at_broker(case, broker.unclaimed_destination(broker.level()))
            }
            BrokerBug::CallsAllDurable => {
                DiskLog::at_broker(case, broker.destination(Level::new(1, true)))
            }
            BrokerBug::CallsNothingDurable => {
                DiskLog::at_broker(case, broker.destination(Level::new(1, false)))
            }
        }
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Tick>>, OpenError> {
        let broker = case.broker().ok_or("these logs have no files")?;
        Ok(read_broker(broker))
    }
}
