//! One server of one stream, in memory: what is done to it, and how its clients reach it.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn, ready},
    sync::{Arc, Mutex, MutexGuard},
    task::Poll,
};

use async_nats::jetstream::stream::Config as StreamConfig;

use super::{
    Event, MESSAGE,
    state::{Fault, History, Request, State, Stored, lost},
};
use crate::nats::{
    error::NatsError,
    follow::events_of,
    frame::Frame,
    link::{Answer, End, Link, Message, Seen},
    session::HEADERS,
};

#[derive(Clone, Default)]
pub(super) struct SimServer(Arc<Mutex<State>>);

impl SimServer {
    pub(super) fn link(&self) -> SimLink {
        let mut state = self.lock();
        state.clients += 1;
        SimLink {
            id: state.clients,
            server: self.clone(),
            answers: Mutex::default(),
        }
    }

    /// What becomes of the next requests.
    pub(super) fn then(&self, faults: Vec<Fault>) {
        self.lock().faults = faults.into();
    }

    /// All is well for as long as they are not put back.
    pub(super) fn take_faults(&self) -> Vec<Fault> {
        std::mem::take(&mut self.lock().faults).into()
    }

    /// What is held arrives.
    pub(super) fn arrive(&self) {
        let mut state = self.lock();
        for request in std::mem::take(&mut state.held) {
            state.handle(request);
        }
    }

    /// Loses this many messages, the next ones, on their way to whoever reads.
    pub(super) fn lose_deliveries(&self, messages: u32) {
        self.lock().undelivered = messages;
    }

    /// Forgets to deliver to all who read now.
    pub(super) fn forget_readers(&self) {
        self.lock().forgotten += 1;
    }

    pub(super) fn sync(&self) {
        let mut state = self.lock();
        state.synced = (state.last(), state.history.clone());
    }

    /// Loses what was not synced.
    pub(super) fn cut_power(&self) {
        let mut state = self.lock();
        let (last, history) = state.synced.clone();
        let left = last.saturating_sub(state.trimmed);
        state.messages.truncate(usize::try_from(left).unwrap());
        state.trimmed = state.trimmed.min(last);
        state.fall_back(history);
    }

    /// Is started anew, so late that it does not know any more what its last message is called.
    pub(super) fn restart(&self) {
        let mut state = self.lock();
        state.losses += 1;
        state.forgot_id = true;
    }

    /// Loses the stream.
    pub(super) fn lose_all(&self) {
        let mut state = self.lock();
        state.made += 1;
        state.trimmed = 0;
        state.messages.clear();
        state.synced = (0, History::new());
        state.fall_back(History::new());
    }

    /// Lets go of the oldest message, as a limit does.
    pub(super) fn trim(&self) {
        let mut state = self.lock();
        if !state.messages.is_empty() {
            state.messages.remove(0);
            state.trimmed += 1;
        }
    }

    /// Somebody publishes the message of this stream sequence once more.
    pub(super) fn publish_again(&self, sequence: u64) {
        let mut state = self.lock();
        let again = state.get(sequence).expect("it is there").clone();
        state.messages.push(again);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().messages.is_empty()
    }

    /// The client that was the last to claim the stream, as far as its messages tell.
    pub(super) fn owner(&self) -> Option<u64> {
        let state = self.lock();
        let is_claim = |stored: &&Stored| stored.frame().count == 0;
        let claim = state.messages.iter().rev().find(is_claim);
        claim.map(|claim| claim.from)
    }

    /// The ids and versions of the events that the stream has had, and not lost; of what a gap
    /// counts, the highest version and no id.
    pub(super) fn versions(&self) -> Vec<(Option<u64>, u64)> {
        let state = self.lock();
        let ids = state.history.values().flatten();
        let events = ids.map(|id| (Some(*id), state.versions[id]));
        let frames = state.messages.iter().map(Stored::frame);
        let gaps = frames.filter(|frame| frame.is_gap);
        events
            .chain(gaps.map(|gap| (None, gap.versions.1)))
            .collect()
    }

    /// The events that the stream still has, from its last gap on.
    pub(super) fn kept(&self) -> Vec<u64> {
        let state = self.lock();
        let mut kept = Vec::new();
        for stored in &state.messages {
            let frame = stored.frame();
            if frame.is_gap {
                kept.clear();
            } else {
                kept.extend(events_of::<Event>(&frame, &stored.payload).unwrap());
            }
        }
        kept.into_iter().map(|event| event.id).collect()
    }

    /// Whether the event of this number is the one of this id, and all that came after it are there.
    pub(super) fn goes_on_after(&self, number: u64, id: u64) -> bool {
        let (history, kept) = (self.history(), self.kept());
        let is_kept = |id: &Option<u64>| id.is_some_and(|id| kept.contains(&id));
        let mut after = history.range(number + 1..).map(|(_, id)| id);
        history.get(&number) == Some(&Some(id)) && after.all(is_kept)
    }

    /// All that was and is: a reader has to have a part of one of them.
    pub(super) fn histories(&self) -> Vec<History> {
        let state = self.lock();
        let mut histories = state.lost.clone();
        histories.push(state.history.clone());
        histories
    }

    pub(super) fn history(&self) -> History {
        self.lock().history.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// A client's connection.
pub(super) struct SimLink {
    pub(super) id: u64,
    server: SimServer,
    answers: Mutex<VecDeque<(u64, Answer)>>,
}

/// A client's place among the messages.
pub(super) struct SimMessages {
    next: u64,
    losses: u64,
    forgotten: u64,
    was_quiet: bool,
}

impl Link for SimLink {
    type Messages = SimMessages;

    fn look(&self) -> impl Future<Output = Result<Option<Seen>, NatsError>> + Send {
        ready(self.server.lock().ask(State::look))
    }

    fn create(&self, _: &StreamConfig) -> impl Future<Output = Result<(), NatsError>> + Send {
        ready(self.server.lock().ask(|state| {
            state.made += u64::from(!state.is_there());
        }))
    }

    fn frame_at(
        &self,
        sequence: u64,
    ) -> impl Future<Output = Result<Option<(Frame, Vec<u8>)>, NatsError>> + Send {
        ready(self.server.lock().ask(|state| {
            let stored = state.get(sequence)?;
            Some((stored.frame(), stored.payload.clone()))
        }))
    }

    fn publish(
        &self,
        frame: &Frame,
        token: u64,
        after: End,
        payload: Vec<u8>,
    ) -> impl Future<Output = Result<(), NatsError>> + Send {
        let request = Request {
            from: self.id,
            frame: *frame,
            token,
            after,
            payload,
        };
        if let Some(answer) = self.server.lock().publish(request) {
            self.answers.lock().unwrap().push_back((token, answer));
        }
        ready(Ok(()))
    }

    fn answer(&mut self, _: u64) -> impl Future<Output = Result<(u64, Answer), NatsError>> + Send {
        let answer = self.answers.lock().unwrap().pop_front();
        ready(answer.ok_or_else(lost))
    }

    fn losses(&self) -> u64 {
        self.server.lock().losses
    }

    fn max_payload(&self) -> usize {
        HEADERS + MESSAGE
    }

    fn messages(&self, after: u64) -> impl Future<Output = Result<SimMessages, NatsError>> + Send {
        ready(self.server.lock().ask(|state| SimMessages {
            next: after + 1,
            losses: state.losses,
            forgotten: state.forgotten,
            was_quiet: false,
        }))
    }

    fn next(
        &self,
        messages: &mut SimMessages,
        _: u64,
    ) -> impl Future<Output = Result<Option<Message>, NatsError>> + Send {
        poll_fn(move |_| {
            let mut state = self.server.lock();
            if state.losses != messages.losses || !state.is_there() {
                return Poll::Ready(Err(lost()));
            }
            if state.forgotten != messages.forgotten && messages.next <= state.last() {
                // A while passes each time that somebody waits.
                messages.was_quiet = !messages.was_quiet;
                let quiet = messages.was_quiet.then_some(Ok(None));
                return quiet.map_or(Poll::Pending, Poll::Ready);
            }
            match state.deliver(messages.next) {
                Some(message) => {
                    messages.next = message.sequence + 1;
                    Poll::Ready(Ok(Some(message)))
                }
                None => Poll::Pending,
            }
        })
    }
}
