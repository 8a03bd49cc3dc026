//! The primitives that threads meet at, in one place and one shape, so that a checker of
//! interleavings can replace them.

#[cfg(not(shuttle))]
use spin::once::Once as Cell;
#[cfg(all(feature = "disk", not(shuttle)))]
pub(crate) use std::thread::park_timeout;
#[cfg(not(shuttle))]
pub(crate) use {
    parking_lot::Mutex,
    std::{
        sync::atomic::{AtomicU64, Ordering},
        thread::{Thread, current as current_thread, park},
    },
};

#[cfg(shuttle)]
pub(crate) use checked::Mutex;
#[cfg(all(feature = "disk", shuttle))]
pub(crate) use shuttle::thread::park_timeout;
#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::atomic::{AtomicU64, Ordering},
    thread::{Thread, current as current_thread, park},
};
#[cfg(shuttle)]
use std::sync::OnceLock as Cell;

/// The checker's lock in the shape of `parking_lot`'s, which knows no poison.
#[cfg(shuttle)]
mod checked {
    use std::sync::PoisonError;

    use shuttle::sync::MutexGuard;

    #[derive(Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

/// A place that is filled once, and read without a lock while others are filled.
///
/// `spin::Once` would have a thread spin only where two fill one slot at the same time, or where
/// one waits for it to be filled. Neither can be: a slot is filled only by whoever has the ring to
/// itself (`&mut Ring`, which the log's lock gives out), and readers only [`get`](Self::get), which
/// looks once and says so if there is nothing yet.
pub(crate) struct Slot<T>(Cell<T>);

impl<T> Slot<T> {
    pub(crate) const fn new() -> Self {
        Self(Cell::new())
    }

    /// What it was filled with, if it was.
    #[inline]
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// Fills it. Must be called once only, and by one thread at a time.
    #[inline]
    pub(crate) fn fill(&self, value: T) {
        debug_assert!(self.get().is_none(), "a slot is filled once");
        #[cfg(not(shuttle))]
        self.0.call_once(|| value);
        #[cfg(shuttle)]
        self.0.get_or_init(|| value);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// A reader that comes while the slot is being filled is told that there is nothing yet. Were
    /// it to wait, this thread would wait for itself.
    #[test]
    fn a_reader_never_waits_for_a_slot_that_is_being_filled() {
        let slot = Slot::new();
        slot.0.call_once(|| {
            assert_eq!(slot.get(), None);
            7
        });
        assert_eq!(slot.get(), Some(&7));
    }
}
