//! Clients of the broker: one that keeps its protocol, and one that does not.

use eventlog::{
    Epoch,
    writer::{Destination, DestinationError, Level, Records, Standing},
};

use super::server::SimBroker;

/// A destination that loses nothing and doubles nothing: it claims the broker on opening, says with
/// each record how many must be there before it, and asks after every failure what has arrived.
#[derive(Debug)]
pub struct BrokerDestination {
    broker: SimBroker,
    level: Level,
    /// Whether it claims the broker on opening.
    claims: bool,
    claim: u64,
    epoch: Option<Epoch>,
    /// How many records the broker had on opening.
    before: usize,
    /// How many it has of those handed over since, as far as is known.
    stored: usize,
}

impl SimBroker {
    /// A destination at this broker, whose acknowledgements are worth that much.
    ///
    /// ```
    /// use eventlog::{EventLog, writer::{Level, Writer, WriterConfig}};
    /// use model_tests::{Tick, sim_broker::SimBroker};
    ///
    /// let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// let destination = broker.destination(Level::new(3, true));
    /// let writer = Writer::spawn_to(&log, WriterConfig::new("broker"), destination).unwrap();
    /// writer.blocking_durable(log.append(Tick::new(7, 0))).unwrap();
    /// assert_eq!(broker.records().len(), 1);
    /// ```
    #[must_use]
    pub fn destination(&self, level: Level) -> BrokerDestination {
        BrokerDestination {
            broker: self.clone(),
            level,
            claims: true,
            claim: 0,
            epoch: None,
            before: 0,
            stored: 0,
        }
    }

    /// A destination that does not claim the broker: who wrote before it is not refused.
    #[must_use]
    pub fn unclaimed_destination(&self, level: Level) -> BrokerDestination {
        BrokerDestination {
            claims: false,
            ..self.destination(level)
        }
    }

    /// A destination that sends and hopes.
    ///
    /// ```
    /// # use eventlog::{EventLog, writer::{Writer, WriterConfig}};
    /// # use model_tests::{Tick, sim_broker::{Fault, SimBroker}};
    /// # use std::time::Duration;
    /// let (broker, log) = (SimBroker::new(), EventLog::new(None));
    /// broker.then([Fault::LoseAnswer]);
    /// let config = WriterConfig::new("broker").retry_min(Duration::from_millis(1));
    /// let writer = Writer::spawn_to(&log, config, broker.naive_destination()).unwrap();
    /// writer.blocking_stored(log.append(Tick::new(7, 0))).unwrap();
    /// assert_eq!(broker.records().len(), 2); // it sent it again
    /// ```
    #[must_use]
    pub fn naive_destination(&self) -> NaiveDestination {
        NaiveDestination(self.destination(self.level()))
    }
}

fn lost() -> DestinationError {
    DestinationError::Retry("the broker does not answer".into())
}

fn fenced() -> DestinationError {
    DestinationError::Fenced("another client has claimed the broker".into())
}

impl BrokerDestination {
    /// Asks how many of our records are there.
    fn look(&mut self) -> Result<usize, DestinationError> {
        let (claim, len) = self
            .broker
            .request(|server| (server.claim, server.records.len()))
            .ok_or_else(lost)?;
        if self.claims && claim != self.claim {
            return Err(fenced());
        }
        let known = self.before + self.stored;
        if len < known {
            let text = format!("the broker has forgotten {} stored records", known - len);
            return Err(DestinationError::Fenced(text.into()));
        }
        Ok(len - self.before)
    }

    fn send(
        &mut self,
        records: Records<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        let Some(epoch) = self.epoch else {
            return Err(lost());
        };
        // What has arrived although its answer was lost.
        let arrived = self.look()?;
        let handed = self.stored;
        self.stored = arrived;
        let rest = records.iter().zip(records.metas()).skip(arrived - handed);
        for (line, meta) in rest {
            let expected = self.before + self.stored;
            let claim = self.claims.then_some(self.claim);
            let answer = self.broker.request(|server| {
                if claim.is_some_and(|claim| server.claim != claim)
                    || server.records.len() != expected
                {
                    return Err(fenced());
                }
                if server.limit.is_some_and(|limit| line.len() > limit) {
                    let text = format!("{} bytes are too many", line.len());
                    return Err(DestinationError::Refused(text.into()));
                }
                server.store(epoch, *meta, line);
                Ok(())
            });
            answer.ok_or_else(lost)??;
            self.stored += 1;
            progress(self.stored as u64);
        }
        Ok(())
    }
}

impl Destination for BrokerDestination {
    fn level(&self) -> Level {
        self.level
    }

    fn open(&mut self, epoch: Epoch) -> Result<Standing, DestinationError> {
        self.epoch = Some(epoch);
        if self.claims {
            self.claim = self.broker.claim();
        }
        let server = self.broker.lock();
        self.before = server.records.len();
        let last = server.records.last();
        Ok(last.map_or(Standing::Unknown, |last| Standing::At(last.cursor)))
    }

    fn write(
        &mut self,
        records: Records<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        self.send(records, progress)
    }

    fn sync(&mut self) -> Result<(), DestinationError> {
        Ok(())
    }

    fn stored(&self) -> u64 {
        self.stored as u64
    }
}

/// A destination that claims the broker, counts what was acknowledged, and sends the rest again: what
/// arrived without an answer is there twice.
#[derive(Debug)]
pub struct NaiveDestination(BrokerDestination);

impl Destination for NaiveDestination {
    fn level(&self) -> Level {
        self.0.level
    }

    fn open(&mut self, epoch: Epoch) -> Result<Standing, DestinationError> {
        self.0.open(epoch)
    }

    fn write(
        &mut self,
        records: Records<'_>,
        _progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        for (line, meta) in records.iter().zip(records.metas()) {
            let epoch = self.0.epoch.ok_or_else(lost)?;
            let claim = self.0.claim;
            let answer = self.0.broker.request(|server| {
                if server.claim != claim {
                    return Err(fenced());
                }
                server.store(epoch, *meta, line);
                Ok(())
            });
            answer.ok_or_else(lost)??;
            self.0.stored += 1;
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DestinationError> {
        Ok(())
    }

    fn stored(&self) -> u64 {
        self.0.stored as u64
    }
}
