//! Judges law S09 with a reader that has much to read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use super::polling::MOST_RESTS;
use crate::{
    report::{Class, Report},
    subject::{
        adapter::Subject,
        case::Case,
        log::{Log, Received},
        waker::waker_fn,
    },
    trial::{Parted, Trial, guarded},
};

/// The most deliveries in a row.
const TURN: u32 = 128;
const BACKLOG: u32 = 5 * TURN;

/// Polls through a backlog, with a look by `try_recv` now and then.
pub(crate) fn left_to_others<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(BACKLOG as usize);
    let open = format!("open with a capacity of {BACKLOG}");
    let log = guarded(&open, || trial.subject.open(&case))?
        .map_err(|error| Parted::said(open, "an open log", error.to_string()))?;
    let event = |pick: u32| trial.subject.event(u64::from(pick), pick);
    for pick in 1..=BACKLOG {
        guarded("append", || log.append(event(pick)))?;
    }
    let mut reader = guarded("subscribe", || log.subscribe(0))?;
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = woken.clone();
    let waker = waker_fn(move || {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    let (mut in_a_row, mut rests) = (0, 0);
    let mut next = 1;
    while next <= BACKLOG {
        let step = format!("poll_recv of event {next} of a backlog of {BACKLOG}");
        let before = woken.load(Ordering::SeqCst);
        match guarded(&step, || reader.poll_recv(&mut Context::from_waker(&waker)))? {
            Poll::Ready(received) => {
                let expected = Received::Event(event(next));
                if received != expected {
                    return Err(Parted::new(step, expected, received));
                }
                (in_a_row, rests) = (in_a_row + 1, 0);
                next += 1;
                if in_a_row > TURN {
                    let expected = format!("Pending after at most {TURN} events in a row");
                    return Err(Parted::said(step, expected, format!("{in_a_row} events")));
                }
            }
            Poll::Pending if woken.load(Ordering::SeqCst) == before => {
                let actual = "Pending, and nobody was woken";
                return Err(Parted::said(step, "an event, or a wake-up at once", actual));
            }
            Poll::Pending if rests == MOST_RESTS => {
                let actual = format!("Pending more than {MOST_RESTS} times in a row");
                return Err(Parted::said(step, "an event", actual));
            }
            Poll::Pending => {
                report.visit(Class::Yielded);
                (in_a_row, rests) = (0, rests + 1);
                // It waits for nothing, and says so to whoever asks.
                if next <= BACKLOG && next % 2 == 0 {
                    let step = format!("try_recv of event {next} of a backlog of {BACKLOG}");
                    let received = guarded(&step, || reader.try_recv())?;
                    let expected = Received::Event(event(next));
                    if received != expected {
                        return Err(Parted::new(step, expected, received));
                    }
                    (next, rests) = (next + 1, 0);
                }
            }
        }
    }
    Ok(())
}
