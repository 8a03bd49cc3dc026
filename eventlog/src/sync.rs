//! The primitives that threads meet at, in one place, so that a checker can replace them.

#[cfg(all(feature = "disk", not(shuttle)))]
pub(crate) use std::thread::park_timeout;
#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread::{Thread, current as current_thread, park},
};

#[cfg(all(feature = "disk", shuttle))]
pub(crate) use shuttle::thread::park_timeout;
#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread::{Thread, current as current_thread, park},
};
