//! A process that writes to the stream.

use std::collections::VecDeque;

use super::{
    ATTEMPTS, Event, MESSAGE, now,
    server::{SimLink, SimServer},
};
use crate::{
    cursor::Epoch,
    nats::{config::JetStreamConfig, session::Session},
    seq::Seq,
    writer::{DestinationError, Gap, GapReason, Meta, Records, Standing},
};

/// More than half of what a message takes, and less than a gap: each record makes a message.
const LINE: usize = MESSAGE / 2 + 1;

/// A process that writes.
pub(super) struct Writer {
    pub(super) client: u64,
    session: Session<SimLink>,
    seq: u64,
    version: u64,
    /// What is not acknowledged yet: ids, lines and what they are.
    waiting: VecDeque<(u64, Vec<u8>, Meta)>,
    pub(super) is_fenced: bool,
}

impl Writer {
    pub(super) fn open(server: &SimServer) -> Self {
        let epoch = Epoch::of_log(None);
        let opened = (0..ATTEMPTS).find_map(|_| {
            let config = JetStreamConfig::new("simulated", "orders");
            let link = server.link();
            let client = link.id;
            let (session, standing) = now(Session::open(link, config, epoch))?.ok()?;
            Some((client, session, standing))
        });
        let (client, session, standing) = opened.expect("a stream can be claimed");
        let version = match standing {
            Standing::At(cursor) => cursor.version(),
            Standing::Unknown => 0,
        };
        Self {
            client,
            session,
            seq: 0,
            version,
            waiting: VecDeque::new(),
            is_fenced: false,
        }
    }

    pub(super) fn append(&mut self, id: u64) {
        self.seq += 1;
        self.version += 1;
        let event = Event {
            version: self.version,
            id,
        };
        let json = serde_json::to_string(&event).unwrap();
        let line = format!("{json:LINE$}\n").into_bytes();
        let meta = Meta::new(Seq::new(self.seq), self.version, false);
        self.waiting.push_back((id, line, meta));
    }

    /// Loses two events, as a backlog does; what counts them has an id too.
    pub(super) fn lose(&mut self, id: u64) {
        let (first, version) = (Seq::new(self.seq + 1), self.version + 1);
        self.seq += 2;
        self.version += 2;
        let gap = Gap::new(2, version, self.version, GapReason::Backlog).starting_at(first);
        let meta = Meta::new(Seq::new(self.seq), self.version, true);
        let line = gap.to_line().into_bytes();
        self.waiting.push_back((id, line, meta));
    }

    /// Hands over what waits, so often, and says what is acknowledged.
    pub(super) fn write(&mut self, attempts: usize) -> Vec<u64> {
        let mut acknowledged = Vec::new();
        for _ in 0..attempts {
            if self.is_fenced || self.waiting.is_empty() {
                break;
            }
            let before = self.session.stored;
            let result = self.attempt();
            let stored = usize::try_from(self.session.stored - before).unwrap();
            acknowledged.extend(self.waiting.drain(..stored).map(|(id, ..)| id));
            match result {
                Ok(()) => assert!(self.waiting.is_empty()),
                Err(DestinationError::Fenced(_)) => self.is_fenced = true,
                Err(DestinationError::Retry(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        let is_done = self.is_fenced || self.waiting.is_empty() || attempts == 1;
        assert!(is_done, "events cannot be written");
        acknowledged
    }

    fn attempt(&mut self) -> Result<(), DestinationError> {
        let (mut bytes, mut ends, mut metas) = (Vec::new(), Vec::new(), Vec::new());
        for (_, line, meta) in &self.waiting {
            bytes.extend_from_slice(line);
            ends.push(bytes.len());
            metas.push(*meta);
        }
        let records = Records::new(&bytes, &ends).with_metas(&metas);
        let written = now(self.session.write(records, &mut |_| {}));
        written.expect("the server is never silent")
    }
}
