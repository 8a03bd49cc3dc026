//! What scenes with readers have in common: a log, a waker that tells, and a poll.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
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

/// What a waker does that tells through a channel.
pub(super) fn ring() -> (impl Fn() + Send + Sync + 'static, Receiver<()>) {
    let (tell, rung) = mpsc::channel();
    // The receiver is gone once nobody waits for it.
    (move || tell.send(()).unwrap_or(()), rung)
}

/// A waker that tells through a channel.
pub(super) fn bell() -> (Waker, Receiver<()>) {
    let (tell, rung) = ring();
    (waker_fn(tell), rung)
}

/// So often in a row may a reader be pending that only lets others go first.
pub(super) const MOST_RESTS: u32 = 8;

/// Polls a reader until it waits, with a waker that acts from then on; `false` if it has something to
/// read.
///
/// Some readers let others go first: they are pending, and wake at once the waker that they were given.
pub(super) fn waits_with<E>(
    reader: &mut dyn Subscription<E>,
    act: impl Fn() + Send + Sync + 'static,
) -> Result<bool, Parted> {
    let (waiting, waker) = waker_of_waiting(act);
    for rests in 1..=MOST_RESTS {
        if poll(reader, &waker)?.is_ready() {
            return Ok(false);
        }
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // One that wakes again and again for nothing may do so.
        waiting.has_begun = !std::mem::take(&mut waiting.was_woken) || rests == MOST_RESTS;
        if waiting.has_begun {
            break;
        }
    }
    Ok(true)
}

/// Whether a reader waits, and whether it was woken, behind one lock: no wake-up comes between.
#[derive(Default)]
struct Waiting {
    has_begun: bool,
    was_woken: bool,
}

fn waker_of_waiting(act: impl Fn() + Send + Sync + 'static) -> (Arc<Mutex<Waiting>>, Waker) {
    let waiting = Arc::<Mutex<Waiting>>::default();
    let woken = waiting.clone();
    let waker = waker_fn(move || {
        let mut woken = woken.lock().unwrap_or_else(PoisonError::into_inner);
        woken.was_woken = true;
        let acts = woken.has_begun;
        drop(woken);
        if acts {
            act();
        }
    });
    (waiting, waker)
}

pub(super) fn poll<E>(
    reader: &mut dyn Subscription<E>,
    waker: &Waker,
) -> Result<Poll<Received<E>>, Parted> {
    guarded("poll_recv", || {
        reader.poll_recv(&mut Context::from_waker(waker))
    })
}
