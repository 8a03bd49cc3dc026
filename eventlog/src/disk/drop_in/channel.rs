//! A broadcast channel as the source of a writer.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

use serde::Serialize;
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

use super::heal::{Missed, heal};
use crate::{
    log::EventLog,
    versioned::Versioned,
    waiters::thread_waker,
    writer::{follower::park_until, pending::Pending, source::Source},
};

/// The events of a channel. What the channel dropped is taken from the log.
pub(super) struct Channel<E> {
    log: Arc<EventLog<E>>,
    events: broadcast::Receiver<E>,
    missed: Missed,
    /// What came while waiting.
    next: Option<Result<E, RecvError>>,
    is_closed: bool,
    /// How many events were accounted for.
    seq: u64,
    waker: Option<Waker>,
}

impl<E: Versioned + Clone> Channel<E> {
    pub(super) fn new(log: Arc<EventLog<E>>, events: broadcast::Receiver<E>) -> Self {
        Self {
            log,
            events,
            missed: Missed::default(),
            next: None,
            is_closed: false,
            seq: 0,
            waker: None,
        }
    }

    /// What the channel has now; `None` if that is nothing yet.
    fn try_next(&mut self) -> Option<Result<E, RecvError>> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        match self.events.try_recv() {
            Ok(event) => Some(Ok(event)),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Lagged(count)) => Some(Err(RecvError::Lagged(count))),
            Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        }
    }
}

impl<E: Versioned + Clone + Serialize> Channel<E> {
    /// Adds an event, and before it what the channel dropped.
    fn push(&mut self, event: &E, pending: &mut Pending) {
        let version = event.version();
        if self.missed.count > 0 {
            let (gap, healed) = heal(&self.log, &self.missed, version);
            if let Some(gap) = gap {
                self.seq += gap.count;
                pending.push_lost(self.seq, gap);
            }
            for event in healed {
                self.seq += 1;
                pending.push_event(self.seq, event.version(), &event);
            }
        }
        self.missed = Missed {
            after: Some(version),
            count: 0,
        };
        self.seq += 1;
        pending.push_event(self.seq, version, event);
    }
}

impl<E: Versioned + Clone + Serialize + Send + Sync> Source for Channel<E> {
    const NUMBERED: bool = false;

    fn fill(&mut self, pending: &mut Pending) -> bool {
        let mut took = false;
        while !pending.is_full() && !self.is_closed {
            match self.try_next() {
                None => break,
                Some(Ok(event)) => {
                    self.push(&event, pending);
                    took = true;
                }
                Some(Err(RecvError::Lagged(count))) => self.missed.count += count,
                Some(Err(RecvError::Closed)) => self.is_closed = true,
            }
        }
        pending.close_gap();
        took
    }

    fn wait(&mut self, until: Option<Instant>) {
        let waker = self.waker.get_or_insert_with(thread_waker).clone();
        let mut next = pin!(self.events.recv());
        match next.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(next) => self.next = Some(next),
            Poll::Pending => park_until(until),
        }
    }

    fn has_ended(&self) -> bool {
        self.is_closed
    }

    fn is_closed(&self) -> bool {
        self.is_closed || self.events.is_closed()
    }

    fn leave_off(&mut self, _settled: u64) {}
}
