//! What a server of one stream knows, and what it makes of requests.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use async_nats::HeaderMap;

use super::Event;
use crate::nats::{
    config::StreamAt,
    error::NatsError,
    frame::Frame,
    link::{Answer, End, Id, Keeping, Message, Seen},
};

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    None,
    LoseRequest,
    LoseAnswer,
    /// It arrives before this many'th of the messages that are sent after it, when a look has said
    /// that it has not: its connection was slow to break.
    Late(u32),
    /// It arrives when all that is held does.
    Held,
}

/// Which event has which number; `None` if nobody can know.
pub(super) type History = BTreeMap<u64, Option<u64>>;

#[derive(Default)]
pub(super) struct State {
    /// How often the stream was made; it is there if this is odd.
    pub(super) made: u64,
    /// Stream sequences that are gone from its beginning.
    pub(super) trimmed: u64,
    pub(super) messages: Vec<Stored>,
    /// The stream sequence up to which messages outlive a power cut, and the history there.
    pub(super) synced: (u64, History),
    pub(super) history: History,
    /// Histories of which power cuts have taken the end.
    pub(super) lost: Vec<History>,
    /// The events that each client has been told of.
    pub(super) known: HashMap<u64, History>,
    /// The version of each event that was ever there, by its id.
    pub(super) versions: HashMap<u64, u64>,
    pub(super) clients: u64,
    pub(super) faults: VecDeque<Fault>,
    /// Messages that are still on their way.
    pub(super) late: Vec<(u32, Request)>,
    pub(super) held: Vec<Request>,
    /// How many messages are lost on their way to those who read.
    pub(super) undelivered: u32,
    /// How often it has forgotten to deliver to all who read then.
    pub(super) forgotten: u64,
    /// Whether it has forgotten the name of the last message, as after a while and a restart.
    pub(super) forgot_id: bool,
    /// How often all connections were lost.
    pub(super) losses: u64,
}

#[derive(Clone)]
pub(super) struct Stored {
    pub(super) from: u64,
    pub(super) id: Id,
    pub(super) headers: HeaderMap,
    pub(super) payload: Vec<u8>,
}

pub(super) struct Request {
    pub(super) from: u64,
    pub(super) frame: Frame,
    pub(super) token: u64,
    pub(super) after: End,
    pub(super) payload: Vec<u8>,
}

impl Stored {
    pub(super) fn frame(&self) -> Frame {
        Frame::parse(&self.headers).expect("only frames are published")
    }
}

impl State {
    pub(super) fn is_there(&self) -> bool {
        self.made % 2 == 1
    }

    pub(super) fn last(&self) -> u64 {
        self.trimmed + self.messages.len() as u64
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Stored> {
        let index = sequence.checked_sub(self.trimmed + 1)?;
        self.messages.get(usize::try_from(index).unwrap())
    }

    pub(super) fn fall_back(&mut self, history: History) {
        self.losses += 1;
        let lost = std::mem::replace(&mut self.history, history);
        self.lost.push(lost);
    }

    pub(super) fn handle(&mut self, request: Request) -> Answer {
        let last = self.last();
        if request.after.sequence != last {
            let text = format!("wrong last sequence: {last}");
            return Answer::Refused(10_071, text);
        }
        let known = self.messages.last().filter(|_| !self.forgot_id);
        if request.after.id.is_some() && request.after.id != known.map(|last| last.id) {
            return Answer::Refused(10_070, "wrong last msg ID".to_owned());
        }
        self.forgot_id = false;
        self.note(&request);
        self.messages.push(Stored {
            from: request.from,
            id: Id {
                life: request.frame.life,
                token: request.token,
            },
            headers: request.frame.headers(),
            payload: request.payload,
        });
        Answer::Stored(last + 1)
    }

    /// Notes which events have these numbers from now on. What a writer says is missing, or leaves
    /// out, is what it knew there.
    fn note(&mut self, request: &Request) {
        let frame = &request.frame;
        if self.history.range(frame.first..).next().is_some() {
            self.lost.push(self.history.clone());
            self.history.split_off(&frame.first);
        }
        let known = self.known.entry(request.from).or_default();
        let next = self.history.keys().next_back().map_or(1, |last| last + 1);
        for number in next..frame.next() {
            let id = known.get(&number).copied().flatten();
            self.history.insert(number, id);
        }
        if !frame.is_gap {
            let lines = request.payload.split_inclusive(|byte| *byte == b'\n');
            for (number, line) in (frame.first..frame.next()).zip(lines) {
                let event: Event = serde_json::from_slice(line).unwrap();
                self.history.insert(number, Some(event.id));
                self.versions.insert(event.id, event.version);
            }
        }
        known.extend(&self.history);
    }

    /// Another message is sent: some of those that are late arrive before it.
    fn arrive(&mut self) {
        for (mut after, request) in std::mem::take(&mut self.late) {
            after -= 1;
            if after == 0 {
                self.handle(request);
            } else {
                self.late.push((after, request));
            }
        }
    }

    fn next_fault(&mut self) -> Fault {
        self.faults.pop_front().unwrap_or(Fault::None)
    }

    /// A question and its answer, one of which may be lost.
    pub(super) fn ask<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Result<T, NatsError> {
        match self.next_fault() {
            Fault::None => Ok(act(self)),
            Fault::LoseRequest => Err(lost()),
            Fault::LoseAnswer | Fault::Late(_) | Fault::Held => {
                act(self);
                Err(lost())
            }
        }
    }

    pub(super) fn look(&mut self) -> Option<Seen> {
        let last = self.messages.last();
        let last = last.map(|last| (self.last(), Some(last.frame())));
        self.is_there().then(|| Seen {
            made: self.made.to_string(),
            first_sequence: self.trimmed + 1,
            last_sequence: self.last(),
            messages: self.messages.len() as u64,
            max_message: None,
            keeping: Keeping {
                replicas: 1,
                on_disk: true,
                servers: BTreeSet::new(),
            },
            last,
            last_id: self.messages.last().map(|last| last.id),
        })
    }

    /// A message is sent. Says what its sender hears.
    pub(super) fn publish(&mut self, request: Request) -> Option<Answer> {
        self.arrive();
        if !self.is_there() {
            return None;
        }
        match self.next_fault() {
            Fault::None => return Some(self.handle(request)),
            Fault::LoseAnswer => drop(self.handle(request)),
            Fault::LoseRequest => {}
            Fault::Held => self.held.push(request),
            Fault::Late(after) => self.late.push((after, request)),
        }
        None
    }

    /// The first message from this stream sequence on that is not lost on its way.
    pub(super) fn deliver(&mut self, from: u64) -> Option<Message> {
        let mut sequence = from.max(self.trimmed + 1);
        while self.undelivered > 0 && sequence <= self.last() {
            self.undelivered -= 1;
            sequence += 1;
        }
        let stored = self.get(sequence)?;
        Some(Message {
            sequence,
            frame: Some(stored.frame()),
            payload: stored.payload.clone(),
        })
    }
}

pub(super) fn lost() -> NatsError {
    NatsError::lost(&StreamAt::new("simulated", "orders".to_owned()))
}
