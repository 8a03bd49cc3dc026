//! Who is to be woken by the next append.

use std::{
    collections::BTreeMap,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use crate::sync::{Thread, current_thread, park};

/// One waker a waiting reader, by the reader's id.
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

    /// Everyone who waits, to be woken outside the lock; `None` if nobody does.
    pub(crate) fn take_all(&mut self) -> Option<Self> {
        (!self.0.is_empty()).then(|| mem::take(self))
    }

    /// Wakes everyone.
    pub(crate) fn wake(self) {
        wake_all(self.0.into_values());
    }
}

/// Wakes everyone. A waker that panics is somebody's bug, but neither the loss of the others nor
/// of who wakes them.
pub(crate) fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        if catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err() {
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

/// Polls a future on the calling thread until it is ready.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
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
