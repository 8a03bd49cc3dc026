//! Whose the stream is: where the writer before left off, and the claim that fences it.

use super::Session;
use crate::{
    cursor::{Cursor, Epoch},
    nats::{
        error::{NatsError, Trouble},
        frame::Frame,
        link::{Answer, End, Link, Seen},
    },
    seq::Seq,
    writer::{Gap, GapReason},
};

const REMADE: &str = "the stream was made anew, or its server lost them with its power; a gap \
                      counts them. Have the servers sync before they acknowledge";

impl<L: Link> Session<L> {
    /// Takes over where the last writer left off.
    pub(super) async fn stand_at(&mut self, seen: &Seen) -> Result<(), NatsError> {
        self.created.clone_from(&seen.made);
        self.first_sequence = seen.first_sequence;
        self.limit = self.limit_of(seen);
        self.tail = self.end_of(seen);
        let Some((sequence, frame)) = seen.last else {
            return Ok(());
        };
        let Some(frame) = frame else {
            let stream = &self.config.at.stream;
            return Err(NatsError::new(format!(
                "message {sequence} of the stream {stream} is no event log's: a stream holds one \
                 log and nothing else"
            )));
        };
        self.next = frame.next();
        self.through = frame.through;
        self.max_version = frame.versions.1;
        self.lives = self.link.lives(sequence, &frame).await?;
        self.lives.end(frame.life, frame.next() - 1);
        let oldest = self.link.frame_at(self.first_sequence).await?;
        self.oldest = oldest.map_or(self.next, |(frame, _)| frame.first);
        Ok(())
    }

    /// Whether our claim is there already, and its answer was lost.
    pub(super) fn own_claim(&mut self, seen: &Seen) -> bool {
        match seen.last {
            Some((sequence, Some(frame))) if frame.life == self.life => {
                (self.claim, self.tail) = (sequence, self.end_of(seen));
                true
            }
            _ => false,
        }
    }

    /// Claims the stream, which goes on with this number after that event: whoever wrote before is
    /// refused from now on.
    pub(super) async fn claim(
        &mut self,
        first: u64,
        through: Option<Cursor>,
    ) -> Result<(), Trouble> {
        let frame = Frame {
            life: self.life,
            claim: 0,
            first,
            count: 0,
            through,
            versions: (self.max_version, self.max_version),
            is_gap: false,
        };
        let payload = self.lives.to_payload();
        self.send_alone(&frame, payload).await?;
        self.claim = self.tail.sequence;
        Ok(())
    }

    /// The stream has lost what we stored, and perhaps our claim. Claims it again, counts what is
    /// gone, and has a gap in its place.
    pub(super) async fn reclaim(
        &mut self,
        seen: &Seen,
        left: Option<Frame>,
    ) -> Result<(), Trouble> {
        self.must_claim = true;
        self.created.clone_from(&seen.made);
        self.tail = self.end_of(seen);
        let (first, forgotten) = self.fall_back(left);
        self.next = first + forgotten;
        let left_through = left.and_then(|frame| frame.through);
        self.claim(first, left_through).await?;
        // Only now it is sure: a new leader may have told of less than there is.
        self.untold = self.untold.max(forgotten);
        if forgotten > 0 {
            self.send_gap(first, forgotten, left_through).await?;
        }
        self.must_claim = false;
        match std::mem::take(&mut self.untold) {
            0 => {}
            untold => self.tell_forgotten(untold, REMADE),
        }
        Ok(())
    }

    /// Ends our life where the stream has fallen back to. Says the number that comes next there, and
    /// how many events it has forgotten.
    fn fall_back(&mut self, left: Option<Frame>) -> (u64, u64) {
        let ended = std::mem::replace(&mut self.life, Epoch::of_log(None));
        let Some(frame) = left else {
            self.lives.end(ended, self.next - 1);
            let first = self.oldest.min(self.next);
            return (first, self.next - first);
        };
        let shared = self.shared_with(&frame, ended);
        if frame.next() - 1 > shared {
            // Numbers that we have given are another's now.
            self.lives.end(ended, shared);
            self.lives.extend(frame.life, frame.next() - 1);
        } else {
            self.lives.end(ended, self.next - 1);
        }
        self.max_version = self.max_version.max(frame.versions.1);
        (frame.next(), self.next - 1 - shared)
    }

    /// The number up to which the stream's events are those that we know, if this is its last message.
    fn shared_with(&self, left: &Frame, own: Epoch) -> u64 {
        let last = (left.next() - 1).min(self.next - 1);
        if left.life == own {
            return last;
        }
        // A writer that we had fenced may have gone on where our claim was lost.
        let known = self.lives.through(left.life);
        known.map_or(last, |known| last.min(known))
    }

    /// A gap in the place of events that the stream has forgotten.
    pub(super) async fn send_gap(
        &mut self,
        first: u64,
        count: u64,
        after: Option<Cursor>,
    ) -> Result<(), Trouble> {
        let min_version = after.map_or(0, |cursor| cursor.version());
        let gap = Gap::new(count, min_version, self.max_version, GapReason::Forgotten);
        let seq = after.filter(|cursor| cursor.epoch() == self.epoch);
        let gap = match seq {
            Some(cursor) => gap.starting_at(Seq::new(cursor.seq().get() + 1)),
            None => gap,
        };
        let frame = Frame {
            life: self.life,
            claim: self.claim,
            first,
            count,
            through: self.through,
            versions: (min_version, self.max_version),
            is_gap: true,
        };
        self.send_alone(&frame, gap.to_line().into_bytes()).await
    }

    /// What the next message has to come after.
    pub(super) fn end_of(&self, seen: &Seen) -> End {
        let mut end = seen.end();
        end.id = end.id.filter(|id| Some(*id) != self.unknown_id);
        end
    }

    /// Sends one message of ours and waits for its answer. It is stored, and the end of the stream, or
    /// in doubt.
    async fn send_alone(&mut self, frame: &Frame, payload: Vec<u8>) -> Result<(), Trouble> {
        let losses = self.link.losses();
        self.token += 1;
        let token = self.token;
        let sent = self.link.publish(frame, token, self.tail, payload).await;
        sent.map_err(|error| Trouble::Doubt(error.to_string()))?;
        loop {
            let answer = self.link.answer(losses).await;
            match answer.map_err(|error| Trouble::Doubt(error.to_string()))? {
                (answered, Answer::Stored(sequence)) if answered == token => {
                    self.tail = self.end_at(sequence, token);
                    return Ok(());
                }
                (answered, Answer::Refused(code, text)) if answered == token => {
                    return Err(self.refused(code, &text));
                }
                _ => {} // of a message before
            }
        }
    }

    /// Whether this is our life, or one before it.
    pub(super) fn knows(&self, life: Epoch) -> bool {
        life == self.life || self.lives.through(life).is_some()
    }
}
