//! The protocol of a writer: claim, expect, look after any failure.
//!
//! Each message says which stream sequence must be the last before it, so that of two writers one is
//! refused, and of messages on their way none can pass another or arrive twice. It names that message
//! too: of several on their way, or after a power cut, another writer's could have its number. What
//! has arrived is learnt from the stream's last message, never guessed. A writer claims the stream
//! with an empty message when it opens, which fences the writer before it.
//!
//! Here is how it opens and sends; whose the stream is, is in `claim`, how it is in `watch`, and why it
//! takes a message or does not in `refusal`.

mod claim;
mod refusal;
mod watch;

use std::{collections::VecDeque, time::Instant};

use super::{
    config::JetStreamConfig,
    error::{NatsError, Trouble},
    frame::{Frame, Lives, first_frame, numbers},
    level,
    link::{Answer, End, Id, Link, Seen},
};
use crate::{
    cursor::{Cursor, Epoch},
    writer::{DestinationError, Level, Notice, Records, Standing},
};

/// Messages on their way at a time.
const WINDOW: usize = 64;

/// Room for the headers of a message, of what a server takes.
pub(super) const HEADERS: usize = 1024;

/// How often one call looks and goes on before it reports a failure.
const ROUNDS: usize = 8;

/// A writer's side of a stream.
pub(super) struct Session<L> {
    config: JetStreamConfig,
    link: L,
    /// The life of the log, whose numbers the records have.
    epoch: Epoch,
    /// This opening of the stream.
    life: Epoch,
    /// The stream sequence of its claim.
    claim: u64,
    lives: Lives,
    /// When the stream was made, as the server prints it.
    created: String,
    /// The end of the stream.
    tail: End,
    /// The name of the message there, if the server has forgotten it.
    unknown_id: Option<Id>,
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

impl<L: Link> Session<L> {
    /// Makes the stream if that is wanted, and claims it. Says where the stream stands.
    pub(super) async fn open(
        link: L,
        config: JetStreamConfig,
        epoch: Epoch,
    ) -> Result<(Self, Standing), NatsError> {
        let mut session = Self {
            epoch,
            life: Epoch::of_log(None),
            claim: 0,
            lives: Lives::default(),
            created: String::new(),
            tail: End::default(),
            unknown_id: None,
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
            link,
            config,
        };
        for _ in 0..ROUNDS {
            let seen = session.find().await?;
            let claimed = if session.own_claim(&seen) {
                Ok(())
            } else {
                session.stand_at(&seen).await?;
                session.claim(session.next, session.through).await
            };
            match claimed {
                Ok(()) => {
                    session.level = level::ask(&session.config, &seen.keeping).await;
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
                self.link.publish(&frame, token, tail, payload).await?;
                tail = self.end_at(tail.sequence + 1, token);
                next = next.saturating_add(numbers);
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
                    let tail = self.tail.sequence;
                    if sequence != tail {
                        return Err(Trouble::Doubt(format!("{sequence} is not {tail}")));
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

    /// The end of a stream that is a message of ours.
    fn end_at(&self, sequence: u64, token: u64) -> End {
        let life = self.life;
        let id = Some(Id { life, token });
        End { sequence, id }
    }

    /// A message is stored.
    fn settle(&mut self, sent: &Sent<'_>) {
        self.stored += sent.records.len() as u64;
        self.tail = self.end_at(self.tail.sequence + 1, sent.token);
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
        self.stored += arrived as u64;
        *rest = rest.skip(arrived);
    }

    fn limit_of(&self, seen: &Seen) -> usize {
        let of_server = self.link.max_payload();
        let limit = seen.max_message.unwrap_or(of_server).min(of_server);
        limit.saturating_sub(HEADERS)
    }

    pub(super) fn warn_of_level(&self) {
        if !self.level.synced {
            self.config.writer.notices.tell(&Notice::NotSynced {
                name: self.config.writer.name.to_string(),
                level: self.level,
            });
        }
    }
}

/// The largest version among these.
fn highest(records: &Records<'_>) -> u64 {
    let versions = records.metas().iter().map(|meta| meta.version);
    versions.max().unwrap_or(0)
}
