//! The wakers of those that wait, and ways to wait.

#[cfg(feature = "disk")]
use std::time::{Duration, Instant};
use std::{
    collections::BTreeMap,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

#[cfg(feature = "disk")]
use crate::sync::park_timeout;
use crate::sync::{Thread, current_thread, park};

/// One waker per waiting reader, by the reader's id.
#[derive(Default)]
pub(crate) struct Waiters(BTreeMap<u64, Waker>);

impl Waiters {
    /// Registers a waker, and gives back what it replaces, to be dropped outside the lock.
    #[must_use = "a waker's drop is user code and runs outside the lock"]
    pub(crate) fn insert(&mut self, id: u64, waker: Waker) -> Option<Waker> {
        self.0.insert(id, waker)
    }

    /// Forgets a reader, and gives its waker back, to be dropped outside the lock.
    #[must_use = "a waker's drop is user code and runs outside the lock"]
    pub(crate) fn remove(&mut self, id: u64) -> Option<Waker> {
        self.0.remove(&id)
    }

    /// All wakers, to be woken outside the lock; `None` if there is none.
    pub(crate) fn take_all(&mut self) -> Option<Self> {
        (!self.0.is_empty()).then(|| mem::take(self))
    }

    /// Wakes all that wait.
    pub(crate) fn wake(self) {
        wake_all(self.0.into_values());
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
    waker_of(current_thread())
}

/// A waker for a thread that parks.
pub(crate) fn waker_of(thread: Thread) -> Waker {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    Waker::from(Arc::new(Unpark(thread)))
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
