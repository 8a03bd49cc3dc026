//! How the stream is, and what others have done to it.

use std::time::Instant;

use super::Session;
use crate::{
    nats::{
        error::{NatsError, Trouble},
        link::{Link, Seen},
    },
    writer::Notice,
};

const TRIMMED: &str = "somebody purged the stream, or its limits let go of the oldest; readers that \
                       were not there yet are told that events are missing";

impl<L: Link> Session<L> {
    /// Asks the stream how it is. Tells the user what is gone from it.
    pub(in crate::nats) async fn look(&mut self) -> Result<(), Trouble> {
        self.looked_at = Instant::now();
        self.in_doubt = true;
        let seen = self.find().await?;
        self.limit = self.limit_of(&seen);
        let last_sequence = seen.last_sequence;
        let is_remade = seen.made != self.created;
        match seen.last {
            Some((sequence, None)) => return Err(self.fenced(sequence, None)),
            Some((sequence, Some(frame))) if !self.knows(frame.life) => {
                return Err(self.fenced(sequence, Some(frame)));
            }
            Some((_, Some(frame)))
                if frame.life != self.life || frame.next() < self.next || self.must_claim =>
            {
                self.reclaim(&seen, Some(frame)).await?;
            }
            Some((_, Some(frame))) => {
                self.next = frame.next();
                self.through = frame.through.or(self.through);
                self.max_version = self.max_version.max(frame.versions.1);
                self.tail = self.end_of(&seen);
            }
            None if is_remade || last_sequence < self.tail.sequence || self.must_claim => {
                self.reclaim(&seen, None).await?;
            }
            None => self.tail = self.end_of(&seen),
        }
        self.watch_oldest(&seen).await?;
        self.in_doubt = false;
        Ok(())
    }

    /// The stream as it is. Made, if it is not there.
    pub(super) async fn find(&mut self) -> Result<Seen, NatsError> {
        if let Some(seen) = self.link.look().await? {
            return Ok(seen);
        }
        let stream = &self.config.at.stream;
        let Some(config) = &self.config.create else {
            return Err(NatsError::new(format!(
                "there is no stream {stream}: make it, or let this writer do so"
            )));
        };
        self.link.create(config).await?;
        let seen = self.link.look().await?;
        seen.ok_or_else(|| {
            NatsError::new(format!("the stream {stream} was removed as it was made"))
        })
    }

    /// Notices what a limit or a purge took from the beginning of the stream.
    pub(super) async fn watch_oldest(&mut self, seen: &Seen) -> Result<(), NatsError> {
        if seen.first_sequence == self.first_sequence {
            return Ok(());
        }
        let oldest = if seen.messages == 0 {
            self.next
        } else {
            match self.link.frame_at(seen.first_sequence).await? {
                Some((frame, _)) => frame.first,
                None => return Ok(()),
            }
        };
        self.first_sequence = seen.first_sequence;
        let gone = oldest.saturating_sub(self.oldest);
        self.oldest = oldest;
        if gone > 0 {
            self.tell_forgotten(gone, TRIMMED);
        }
        Ok(())
    }

    pub(super) fn tell_forgotten(&self, events: u64, reason: &str) {
        self.config.writer.notices.tell(&Notice::Forgotten {
            name: self.config.writer.name.to_string(),
            events,
            reason: reason.to_owned(),
        });
    }
}
