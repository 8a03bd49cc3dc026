//! A stream that says when the replay is over, as the model does.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use eventlog::{RecvError, Told};
use futures_core::Stream;

use super::subscription::Subscription;
use crate::subject::adapter::Event;

/// [`eventlog::WithLive`], where what it is told is compared.
#[must_use = "streams do nothing unless they are polled"]
pub struct WithLive<E> {
    subscription: Subscription<E>,
    has_told: bool,
}

impl<E: Event> WithLive<E> {
    pub(super) fn new(subscription: Subscription<E>) -> Self {
        Self {
            subscription,
            has_told: false,
        }
    }

    /// As [`eventlog::WithLive::subscription`].
    ///
    /// ```
    /// # use model_tests::{Tick, drop_in::EventLog};
    /// let log = EventLog::<Tick>::new(None);
    /// let told = log.subscribe(0).with_live();
    /// assert_eq!(told.subscription().cursor(), log.cursor());
    /// ```
    #[must_use]
    pub fn subscription(&self) -> &Subscription<E> {
        &self.subscription
    }
}

impl<E: Event> Stream for WithLive<E> {
    type Item = Told<E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Told<E>>> {
        if !self.has_told && self.subscription.is_live() {
            self.has_told = true;
            return Poll::Ready(Some(Told::Live));
        }
        Poll::Ready(match ready!(self.subscription.poll_recv(context)) {
            Ok(event) => Some(Told::Event(event)),
            Err(RecvError::Lagged(events)) => Some(Told::Lagged(events)),
            Err(RecvError::Closed) => None,
        })
    }
}

impl<E> fmt::Debug for WithLive<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.subscription.fmt(f)
    }
}
