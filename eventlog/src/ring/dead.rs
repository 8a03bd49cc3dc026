//! Dropping what users made, one by one, whatever their `Drop` does.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// Drops all of them, one by one: two panics at once would abort the process. The first panic of a
/// user's `Drop` reaches the caller after that.
pub(super) fn bury_all<T>(all: impl IntoIterator<Item = T>) {
    let mut panicked = None;
    for one in all {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(one))) {
            // The panic before can reach no caller any more, and may panic in its own drop.
            mem::forget(panicked.replace(payload));
        }
    }
    if let Some(payload) = panicked {
        resume_unwind(payload);
    }
}

/// As [`bury_all`], and a panic goes no further.
pub(crate) fn caught_all<T>(all: impl IntoIterator<Item = T>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| bury_all(all))) {
        mem::forget(payload);
    }
}
