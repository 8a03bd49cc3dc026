//! The protocol of a writer: claim, expect, look after any failure.
//!
//! Each message says which stream sequence must be the last before it, so that of two writers one is
//! refused, and of messages on their way none can pass another or arrive twice. What has arrived is
//! learnt from the stream's last message, never guessed. A writer claims the stream with an empty
//! message when it opens, which fences the writer before it.

use std::{collections::VecDeque, time::Instant};

use super::{
    config::JetStreamConfig,
    error::{NatsError, Trouble},
    frame::{Frame, Lives, first_frame, numbers},
    level,
    link::{Answer, Link, Seen},
};
use crate::{
    cursor::{Cursor, Epoch},
    seq::Seq,
    writer::{DestinationError, Gap, GapReason, Level, Notice, Records, Standing},
};

/// Messages on their way at a time.
const WINDOW: usize = 64;

/// Room for the headers of a message, of what a server takes.
const HEADERS: usize = 1024;

/// How often one call looks and goes on before it reports a failure.
const ROUNDS: usize = 8;

const REMADE: &str = "the stream was made anew, or its server lost them with its power; a gap \
                      counts them. Have the servers sync before they acknowledge";

const TRIMMED: &str = "somebody purged the stream, or its limits let go of the oldest; readers that \
                       were not there yet are told that events are missing";

/// Another message came first.
const WRONG_LAST_SEQUENCE: u64 = 10_071;
/// The message is longer than the stream's limit.
const TOO_LONG: u64 = 10_054;
/// The stream, the account or the disk is full.
const FULL: [u64; 3] = [10_077, 10_047, 10_023];

/// A writer's side of a stream.
pub(super) struct Session {
    config: JetStreamConfig,
    link: Link,
    /// The life of the log, whose numbers the records have.
    epoch: Epoch,
    /// This opening of the stream.
    life: Epoch,
    /// The stream sequence of its claim.
    claim: u64,
    lives: Lives,
    /// When the stream was made, as the server prints it.
    created: String,
    /// The last stream sequence.
    tail: u64,
    /// The number of the next event.
    next: u64,
    /// The number of the oldest event that the stream is known to have had when it was last asked.
    oldest: u64,
    /// The first stream sequence then.
    first_sequence: u64,
    /// The last event that is stored, and the largest version of all.
    through: Option<Cursor>,
    max_version: u64,
    /// How many records of this opening are stored.
    pub(super) stored: u64,
    /// Bytes of a message.
    limit: usize,
    in_doubt: bool,
    /// Whether the stream has lost something of ours, and has still to be claimed anew.
    must_claim: bool,
    /// Events that were lost, which the user has still to be told.
    untold: u64,
    token: u64,
    pub(super) level: Level,
    pub(super) looked_at: Instant,
}

/// A message on its way.
struct Sent<'a> {
    token: u64,
    records: Records<'a>,
    numbers: u64,
}

impl Session {
    /// Connects, makes the stream if that is wanted, and claims it. Says where the stream stands.
    pub(super) async fn open(
        config: JetStreamConfig,
        epoch: Epoch,
    ) -> Result<(Self, Standing), NatsError> {
        let link = Link::connect(&config.at, config.ack_timeout).await?;
        let mut session = Self {
            link,
            epoch,
            life: Epoch::of_log(None),
            claim: 0,
            lives: Lives::default(),
            created: String::new(),
            tail: 0,
            next: 1,
            oldest: 1,
            first_sequence: 0,
            through: None,
            max_version: 0,
            stored: 0,
            limit: 0,
            in_doubt: false,
            must_claim: false,
            untold: 0,
            token: 0,
            level: Level::new(1, false),
            looked_at: Instant::now(),
            config,
        };
        for _ in 0..ROUNDS {
            let seen = session.find().await?;
            let claimed = if session.own_claim(&seen) {
                Ok(())
            } else {
                session.stand_at(&seen).await?;
                session.claim().await
            };
            match claimed {
                Ok(()) => {
                    session.level = level::ask(&session.config, &session.link, &seen.info).await;
                    let standing = session.through.map_or(Standing::Unknown, Standing::At);
                    return Ok((session, standing));
                }
                Err(Trouble::Doubt(_)) => {}
                Err(Trouble::Tell(error)) => return Err(NatsError::new(error.to_string())),
            }
        }
        let stream = &session.config.at.stream;
        Err(NatsError::new(format!(
            "the stream {stream} was written by somebody else at each of {ROUNDS} attempts to \
             claim it: let one writer have it"
        )))
    }

    /// Hands over records and waits until all are acknowledged.
    pub(super) async fn write(
        &mut self,
        records: Records<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        let mut rest = records;
        let mut why = String::new();
        for _ in 0..ROUNDS {
            if self.in_doubt {
                self.look().await.map_err(Trouble::told)?;
                self.skip_stored(&mut rest);
                progress(self.stored);
            }
            match self.send(&mut rest, progress).await {
                Ok(()) => return Ok(()),
                Err(trouble) => {
                    self.in_doubt = true;
                    match trouble {
                        Trouble::Doubt(text) => why = text,
                        Trouble::Tell(error) => return Err(error),
                    }
                }
            }
        }
        Err(Trouble::Doubt(why).told())
    }

    /// Asks the stream how it is. Tells the user what is gone from it.
    pub(super) async fn look(&mut self) -> Result<(), Trouble> {
        self.looked_at = Instant::now();
        self.in_doubt = true;
        let seen = self.find().await?;
        self.limit = self.limit_of(&seen);
        let last_sequence = seen.info.state.last_sequence;
        let is_remade = made(&seen) != self.created;
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
                self.tail = seen.last_sequence();
            }
            None if is_remade || last_sequence < self.tail || self.must_claim => {
                self.reclaim(&seen, None).await?;
            }
            None => self.tail = last_sequence,
        }
        self.watch_oldest(&seen).await?;
        self.in_doubt = false;
        Ok(())
    }

    /// The stream as it is. Made, if it is not there.
    async fn find(&mut self) -> Result<Seen, NatsError> {
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

    /// Takes over where the last writer left off.
    async fn stand_at(&mut self, seen: &Seen) -> Result<(), NatsError> {
        self.created = made(seen);
        self.first_sequence = seen.info.state.first_sequence;
        self.limit = self.limit_of(seen);
        self.tail = seen.last_sequence();
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
    fn own_claim(&mut self, seen: &Seen) -> bool {
        match seen.last {
            Some((sequence, Some(frame))) if frame.life == self.life => {
                (self.claim, self.tail) = (sequence, seen.last_sequence());
                true
            }
            _ => false,
        }
    }

    /// Claims the stream: whoever wrote before is refused from now on.
    async fn claim(&mut self) -> Result<(), Trouble> {
        let frame = Frame {
            life: self.life,
            claim: 0,
            first: self.next,
            count: 0,
            through: self.through,
            versions: (self.max_version, self.max_version),
            is_gap: false,
        };
        let payload = self.lives.to_payload();
        self.tail = self.send_alone(&frame, payload).await?;
        self.claim = self.tail;
        Ok(())
    }

    /// Sends one message and waits for its answer. It is stored, or in doubt.
    async fn send_alone(&mut self, frame: &Frame, payload: Vec<u8>) -> Result<u64, Trouble> {
        let losses = self.link.losses();
        self.token += 1;
        let token = self.token;
        let sent = self.link.publish(frame, self.tail, payload, token).await;
        sent.map_err(|error| Trouble::Doubt(error.to_string()))?;
        loop {
            let answer = self.link.answer(losses).await;
            match answer.map_err(|error| Trouble::Doubt(error.to_string()))? {
                (answered, Answer::Stored(sequence)) if answered == token => return Ok(sequence),
                (answered, Answer::Refused(code, text)) if answered == token => {
                    return Err(self.refused(code, &text));
                }
                _ => {} // of a message before
            }
        }
    }

    /// The stream has lost what we stored, and perhaps our claim. Claims it again, counts what is
    /// gone, and has a gap in its place.
    async fn reclaim(&mut self, seen: &Seen, left: Option<Frame>) -> Result<(), Trouble> {
        let (next, through) = (self.next, self.through);
        let first = left.map_or(self.oldest, |frame| frame.next()).min(next);
        let forgotten = next - first;
        self.must_claim = true;
        self.lives.end(self.life, next - 1);
        self.life = Epoch::of_log(None);
        self.created = made(seen);
        self.tail = seen.last_sequence();
        let left_through = left.and_then(|frame| frame.through);
        (self.next, self.through) = (first, left_through);
        let claimed = self.claim().await;
        (self.next, self.through) = (next, through);
        // Only now it is sure: a new leader may have told of less than there is.
        claimed?;
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

    /// A gap in the place of events that the stream has forgotten.
    async fn send_gap(
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
        let line = gap.to_line().into_bytes();
        self.tail = self.send_alone(&frame, line).await?;
        Ok(())
    }

    /// Sends what is left of the records. Those that are acknowledged are taken from them.
    async fn send(
        &mut self,
        rest: &mut Records<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Trouble> {
        let losses = self.link.losses();
        let mut unsent = *rest;
        let (mut tail, mut next, mut max_version) = (self.tail, self.next, self.max_version);
        let mut sent: VecDeque<Sent<'_>> = VecDeque::new();
        loop {
            while sent.len() < WINDOW && !unsent.is_empty() {
                let (records, more) = first_frame(&unsent, self.limit);
                if records.bytes().len() > self.limit {
                    if sent.is_empty() {
                        return Err(self.too_long(records.bytes().len()));
                    }
                    break;
                }
                let numbers = numbers(&records);
                let mut frame = self.frame_of(&records, next, numbers);
                frame.versions.0 = max_version;
                max_version = frame.versions.1.max(max_version);
                frame.versions.1 = max_version;
                self.token += 1;
                let token = self.token;
                let payload = records.bytes().to_vec();
                self.link.publish(&frame, tail, payload, token).await?;
                (tail, next) = (tail + 1, next.saturating_add(numbers));
                unsent = more;
                sent.push_back(Sent {
                    token,
                    records,
                    numbers,
                });
            }
            if sent.is_empty() {
                return Ok(());
            }
            let (token, answer) = self.link.answer(losses).await?;
            let first = sent.front().map_or(0, |first| first.token);
            if token < first {
                continue; // of an attempt before this one
            }
            match answer {
                // Each message expects the one before it: what came before this is stored too.
                Answer::Stored(sequence) => {
                    let arrived = sent.partition_point(|sent| sent.token <= token);
                    for sent in sent.drain(..arrived) {
                        self.settle(&sent);
                        *rest = rest.skip(sent.records.len());
                    }
                    if sequence != self.tail {
                        return Err(Trouble::Doubt(format!("{sequence} is not {}", self.tail)));
                    }
                    progress(self.stored);
                }
                Answer::Refused(code, text) => return Err(self.refused(code, &text)),
            }
        }
    }

    fn frame_of(&self, records: &Records<'_>, first: u64, count: u64) -> Frame {
        let last = records.metas().last();
        let cursor = last.map(|last| Cursor::from_parts(self.epoch, last.seq, last.version));
        Frame {
            life: self.life,
            claim: self.claim,
            first,
            count,
            through: cursor.or(self.through),
            versions: (0, highest(records)),
            is_gap: last.is_some_and(|last| last.is_gap),
        }
    }

    /// A message is stored.
    fn settle(&mut self, sent: &Sent<'_>) {
        self.stored += sent.records.len() as u64;
        self.tail += 1;
        self.next = self.next.saturating_add(sent.numbers);
        let frame = self.frame_of(&sent.records, 0, 0);
        self.max_version = self.max_version.max(frame.versions.1);
        self.through = frame.through;
    }

    /// Leaves out what has arrived although its answer was lost.
    fn skip_stored(&mut self, rest: &mut Records<'_>) {
        let own = self.through.filter(|cursor| cursor.epoch() == self.epoch);
        let Some(through) = own.map(|cursor| cursor.seq()) else {
            return;
        };
        let arrived = rest.metas().partition_point(|meta| meta.seq <= through);
        let (stored, left) = rest.split_at(arrived);
        self.max_version = self.max_version.max(highest(&stored));
        self.stored += arrived as u64;
        *rest = left;
    }

    fn limit_of(&self, seen: &Seen) -> usize {
        let of_stream = usize::try_from(seen.info.config.max_message_size).ok();
        let of_stream = of_stream.filter(|limit| *limit > 0);
        let of_server = self.link.client.max_payload();
        let limit = of_stream.unwrap_or(of_server).min(of_server);
        limit.saturating_sub(HEADERS)
    }

    /// Notices what a limit or a purge took from the beginning of the stream.
    async fn watch_oldest(&mut self, seen: &Seen) -> Result<(), NatsError> {
        let state = &seen.info.state;
        if state.first_sequence == self.first_sequence {
            return Ok(());
        }
        let oldest = if state.messages == 0 {
            self.next
        } else {
            match self.link.frame_at(state.first_sequence).await? {
                Some((frame, _)) => frame.first,
                None => return Ok(()),
            }
        };
        self.first_sequence = state.first_sequence;
        let gone = oldest.saturating_sub(self.oldest);
        self.oldest = oldest;
        if gone > 0 {
            self.tell_forgotten(gone, TRIMMED);
        }
        Ok(())
    }

    fn refused(&self, code: u64, text: &str) -> Trouble {
        let stream = &self.config.at.stream;
        if code == WRONG_LAST_SEQUENCE || code == TOO_LONG {
            Trouble::Doubt(format!(
                "the stream {stream} has refused a message ({text})"
            ))
        } else if FULL.contains(&code) {
            Trouble::retry(format!(
                "the stream {stream} is full ({text}): raise its limits, or let it discard old \
                 messages"
            ))
        } else {
            Trouble::retry(format!(
                "the stream {stream} has refused a message ({text})"
            ))
        }
    }

    fn too_long(&self, len: usize) -> Trouble {
        let (stream, limit) = (&self.config.at.stream, self.limit);
        Trouble::refused(format!(
            "a record of {len} bytes is too long for the stream {stream}, which takes {limit}: \
             raise `max_payload` of the server and the stream's message size, or make events \
             smaller"
        ))
    }

    fn fenced(&self, sequence: u64, frame: Option<Frame>) -> Trouble {
        let stream = &self.config.at.stream;
        Trouble::fenced(match frame {
            Some(frame) => format!(
                "message {sequence} of the stream {stream} is of the writer {}, which has claimed \
                 it",
                frame.life
            ),
            None => format!(
                "message {sequence} of the stream {stream} is no event log's: a stream holds one \
                 log and nothing else"
            ),
        })
    }

    /// Whether this is our life, or one before it.
    fn knows(&self, life: Epoch) -> bool {
        life == self.life || self.lives.has(life)
    }

    pub(super) fn warn_of_level(&self) {
        if !self.level.synced {
            self.config.writer.notices.tell(&Notice::NotSynced {
                name: self.config.writer.name.to_string(),
                level: self.level,
            });
        }
    }

    fn tell_forgotten(&self, events: u64, reason: &str) {
        self.config.writer.notices.tell(&Notice::Forgotten {
            name: self.config.writer.name.to_string(),
            events,
            reason: reason.to_owned(),
        });
    }
}

/// The largest version among these.
fn highest(records: &Records<'_>) -> u64 {
    let versions = records.metas().iter().map(|meta| meta.version);
    versions.max().unwrap_or(0)
}

/// When a stream was made, as its server says.
fn made(seen: &Seen) -> String {
    format!("{:?}", seen.info.created)
}

impl Seen {
    /// The stream sequence that the next message has to expect: a message of ours may have come
    /// after the stream was asked.
    fn last_sequence(&self) -> u64 {
        let last = self.last.map_or(0, |(sequence, _)| sequence);
        self.info.state.last_sequence.max(last)
    }
}
