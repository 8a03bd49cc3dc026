//! What scenes with readers have in common: a log, a waker that tells, and a poll.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    task::{Context, Poll, Waker},
};

use super::logs;
use crate::{
    subject::{
        adapter::Subject,
        case::Case,
        log::{Received, Subscription},
        waker::waker_fn,
    },
    trial::{Parted, Trial, guarded},
};

/// How many events the logs of these scenes retain.
pub(super) const CAPACITY: usize = 8;

pub(super) fn open<S: Subject>(trial: &Trial<'_, S>) -> Result<(Case, Arc<S::Log>), Parted> {
    let (case, log) = logs::open(trial, CAPACITY)?;
    Ok((case, Arc::new(log)))
}

/// A waker that tells through a channel.
pub(super) fn bell() -> (Waker, Receiver<()>) {
    let (tell, rung) = mpsc::channel();
    // The receiver is gone once nobody waits for it.
    (waker_fn(move || tell.send(()).unwrap_or(())), rung)
}

pub(super) fn poll<E>(
    reader: &mut dyn Subscription<E>,
    waker: &Waker,
) -> Result<Poll<Received<E>>, Parted> {
    guarded("poll_recv", || {
        reader.poll_recv(&mut Context::from_waker(waker))
    })
}
