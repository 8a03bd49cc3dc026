//! The wakers of those that wait, and ways to wait.

#[cfg(feature = "disk")]
use std::time::{Duration, Instant};
use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

#[cfg(feature = "disk")]
use crate::sync::park_timeout;
use crate::{
    seldom::Seldom,
    sync::{Thread, current_thread, park},
};

/// The wakers of those that wait, at most one each. Only who waits is in here, and waking takes the
/// whole list, so a wake-up costs what the waiting readers cost, however many others there are.
#[derive(Default)]
pub(crate) struct Waiters {
    /// How often all were woken.
    round: u64,
    list: Vec<Option<Waker>>,
    /// Places in the list that were left.
    free: Seldom<Vec<usize>>,
}

/// Where the waker of one reader is, until all are woken.
#[derive(Default)]
pub(crate) struct Ticket(Option<(u64, usize)>);

impl Waiters {
    /// Registers a waker, and gives back what it replaces, to be dropped outside the lock.
    #[must_use = "a waker's drop is user code and runs outside the lock"]
    pub(crate) fn insert(&mut self, ticket: &mut Ticket, waker: Waker) -> Option<Waker> {
        if let Some(place) = self.place(ticket) {
            return place.replace(waker);
        }
        let free = self.free.get_mut().and_then(Vec::pop);
        let at = free.unwrap_or(self.list.len());
        match self.list.get_mut(at) {
            Some(place) => *place = Some(waker), // which is empty
            None => self.list.push(Some(waker)),
        }
        ticket.0 = Some((self.round, at));
        None
    }

    /// Forgets a reader, and gives its waker back, to be dropped outside the lock.
    #[must_use = "a waker's drop is user code and runs outside the lock"]
    pub(crate) fn remove(&mut self, ticket: &mut Ticket) -> Option<Waker> {
        let waker = self.place(ticket)?.take();
        let (_, at) = ticket.0.take()?;
        self.free.made().push(at);
        waker
    }

    /// All wakers, to be woken outside the lock; `None` if there is none.
    #[inline]
    pub(crate) fn take_all(&mut self) -> Option<Vec<Option<Waker>>> {
        (!self.list.is_empty()).then(|| {
            self.round += 1;
            if let Some(free) = self.free.get_mut() {
                free.clear();
            }
            mem::take(&mut self.list)
        })
    }

    /// The place of a ticket, if it was not woken since.
    fn place(&mut self, ticket: &Ticket) -> Option<&mut Option<Waker>> {
        let (round, at) = ticket.0?;
        self.list.get_mut(at).filter(|_| round == self.round)
    }
}

/// Wakes all. A waker that panics is a bug of its executor, but must cost neither the others nor
/// the thread that wakes them.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            // The payload may panic in its own drop.
            mem::forget(payload);
            #[cfg(feature = "tracing")]
            tracing::error!("the waker of a task that waits panicked; others were woken");
        }
    }
}

/// A waker for the calling thread, for use with `park`.
pub(crate) fn thread_waker() -> Waker {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    Waker::from(Arc::new(Unpark(current_thread())))
}

/// Panics where blocking the thread would stop the tasks of a `tokio` runtime, as `tokio`'s own
/// blocking calls do: on a thread that drives a runtime, and not on one for blocking tasks.
pub(crate) fn may_block() {
    // `Handle::try_current` cannot tell these two threads apart, but this can.
    #[cfg(feature = "tokio")]
    {
        let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
        drop(sender); // so that it never waits
        receiver.blocking_recv().ok();
    }
}

/// Polls a future on the calling thread until it is ready.
///
/// Panics where [`may_block`] does.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    may_block();
    let mut future = pin!(future);
    let waker = thread_waker();
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => park(),
        }
    }
}

/// As [`block_on`], and `None` once `timeout` has passed. Does not ask whether it may block.
#[cfg(feature = "disk")]
pub(crate) fn block_on_for<F: Future>(future: F, timeout: Duration) -> Option<F::Output> {
    let began = Instant::now();
    let mut future = pin!(future);
    let waker = thread_waker();
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = timeout.saturating_sub(began.elapsed());
        if left.is_zero() {
            return None;
        }
        park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_was_left_is_used_again() {
        let mut waiters = Waiters::default();
        let mut stays = Ticket::default();
        assert!(waiters.insert(&mut stays, Waker::noop().clone()).is_none());
        for _ in 0..100 {
            let mut goes = Ticket::default();
            assert!(waiters.insert(&mut goes, Waker::noop().clone()).is_none());
            assert!(waiters.insert(&mut goes, Waker::noop().clone()).is_some());
            assert!(waiters.remove(&mut goes).is_some());
            assert!(waiters.remove(&mut goes).is_none());
        }
        assert_eq!(waiters.list.len(), 2);
        assert!(waiters.remove(&mut stays).is_some());
    }

    /// Its place is another reader's by then.
    #[test]
    fn a_ticket_from_before_a_waking_is_for_nothing() {
        let mut waiters = Waiters::default();
        let (mut old, mut new) = (Ticket::default(), Ticket::default());
        assert!(waiters.insert(&mut old, Waker::noop().clone()).is_none());
        assert_eq!(waiters.take_all().map(|woken| woken.len()), Some(1));
        assert!(waiters.take_all().is_none());
        assert!(waiters.insert(&mut new, Waker::noop().clone()).is_none());
        assert!(waiters.remove(&mut old).is_none());
        assert!(waiters.insert(&mut old, Waker::noop().clone()).is_none());
        assert_eq!(
            waiters.take_all().into_iter().flatten().flatten().count(),
            2
        );
    }
}
