//! Wakers for readers that wait without a runtime.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// Wakes the calling thread from `park`.
pub(crate) fn thread_waker() -> Waker {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    Waker::from(Arc::new(Unpark(thread::current())))
}

/// Runs a closure when it is woken.
pub(crate) fn waker_fn(on_wake: impl Fn() + Send + Sync + 'static) -> Waker {
    struct OnWake<F>(F);
    impl<F: Fn() + Send + Sync + 'static> Wake for OnWake<F> {
        fn wake(self: Arc<Self>) {
            (self.0)();
        }
    }
    Waker::from(Arc::new(OnWake(on_wake)))
}

/// How often a poll is asked again that has woken itself.
const YIELDS: usize = 8;

/// What a poll has now. One that only lets others go first, as readers with a backlog and the
/// channels of `tokio` do now and then, is pending and has woken itself: it is asked again. One
/// that does nothing else has nothing.
pub(super) fn ready_now<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
    let woken = Arc::new(AtomicBool::new(true));
    let waking = woken.clone();
    let waker = waker_fn(move || waking.store(true, Ordering::SeqCst));
    for _ in 0..YIELDS {
        if !woken.swap(false, Ordering::SeqCst) {
            break;
        }
        if let Poll::Ready(output) = poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
    }
    None
}
