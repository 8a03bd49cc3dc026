//! Judges law S03 with readers that wait: woken whatever comes, and by the waker of their last poll.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll},
    thread,
    time::Duration,
};

use crate::{
    report::{Class, Report},
    scenes::{
        crossing,
        polling::{bell, open, poll},
    },
    subject::{
        adapter::Subject,
        capability::Capability,
        log::{Log, Received, Subscription},
    },
    trial::{Parted, Trial, guarded},
};

/// So often may a reader be woken before what it waits for is there.
const MOST_WAKES: u32 = 1_000;

/// What wakes a reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trigger {
    Append,
    Batch,
    Close,
}

impl Trigger {
    fn pull<S: Subject>(self, trial: &Trial<'_, S>, log: &S::Log) {
        let event = |pick| trial.subject.event(u64::from(pick), pick);
        match self {
            Self::Append => {
                log.append(event(1));
            }
            Self::Batch => log.append_batch(vec![event(1), event(2)]),
            Self::Close => log.close(),
        }
    }

    /// What a reader that waited from the start gets.
    fn brings<S: Subject>(self, trial: &Trial<'_, S>) -> Received<S::Event> {
        match self {
            Self::Append | Self::Batch => Received::Event(trial.subject.event(1, 1)),
            Self::Close => Received::Closed,
        }
    }
}

pub(crate) fn wakes_everyone<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    crossing::never_stop_each_other(trial, report)?;
    let triggers = [
        (Trigger::Append, Capability::Subscribe),
        (Trigger::Batch, Capability::Batch),
        (Trigger::Close, Capability::Close),
    ];
    for (trigger, needs) in triggers {
        if !trial.budget.has(needs) {
            continue;
        }
        for polls in 1..=3 {
            wakes_wakers(trial, trigger, polls, report)?;
        }
        for way in [Way::Blocks, Way::Polls] {
            wakes_threads(trial, trigger, way, report)?;
        }
    }
    Ok(())
}

/// Three readers are polled, each time with another waker, and the last one must be woken.
fn wakes_wakers<S: Subject>(
    trial: &Trial<'_, S>,
    trigger: Trigger,
    polls: u32,
    report: &mut Report,
) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let mut reader = guarded("subscribe", || log.subscribe(0))?;
        let mut last = None;
        for _ in 0..polls {
            let (waker, rung) = bell();
            let polled = poll(reader.as_mut(), &waker)?;
            if polled.is_ready() {
                return Err(Parted::new("poll_recv on an empty log", "Pending", polled));
            }
            last = Some(rung);
        }
        waiting.extend(last.map(|rung| (reader, rung)));
    }
    guarded(&format!("{trigger:?}"), || trigger.pull(trial, &log))?;
    let expected = trigger.brings(trial);
    let readers = waiting.len();
    for (already, (mut reader, mut rung)) in waiting.into_iter().enumerate() {
        // A log may wake for nothing; it may not stay silent, nor do only that.
        let mut times = 0;
        let received = loop {
            times += 1;
            if times > MOST_WAKES {
                let actual = format!("Pending after {MOST_WAKES} wake-ups");
                let step = format!("poll_recv after {trigger:?}");
                return Err(Parted::said(step, format!("{expected:?}"), actual));
            }
            rung.recv_timeout(trial.budget.patience).map_err(|_| {
                let often = if polls > 1 { "several times" } else { "once" };
                let step = format!("{trigger:?} while readers wait that were polled {often}");
                let which = if polls > 1 {
                    ", the last waker of each"
                } else {
                    ""
                };
                let expected = format!("{readers} readers are woken{which}");
                let actual = format!("only {already} were within {:?}", trial.budget.patience);
                Parted::said(step, expected, actual)
            })?;
            let (waker, again) = bell();
            match poll(reader.as_mut(), &waker)? {
                Poll::Ready(received) => break received,
                Poll::Pending => rung = again,
            }
        };
        if received != expected {
            return Err(Parted::new(
                "poll_recv after the wake-up",
                expected,
                received,
            ));
        }
        report.visit(Class::Woken);
        if polls > 1 {
            report.visit(Class::WakerChanged);
        }
    }
    Ok(())
}

/// How a thread waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// By `blocking_recv`.
    Blocks,
    /// By `poll_recv`, with a new waker each time, as `select!` and tasks that move do.
    Polls,
}

impl Way {
    /// The next event, or `None` if no wake-up came.
    fn wait<E>(
        self,
        reader: &mut dyn Subscription<E>,
        polls: u32,
        patience: Duration,
    ) -> Option<Received<E>> {
        if self == Self::Blocks {
            return Some(reader.blocking_recv());
        }
        for _ in 0..MOST_WAKES {
            // Polled some times for nothing, as by a `select!` whose other branches were ready.
            for _ in 0..polls {
                let polled = reader.poll_recv(&mut Context::from_waker(&bell().0));
                if let Poll::Ready(received) = polled {
                    return Some(received);
                }
            }
            let (waker, rung) = bell();
            match reader.poll_recv(&mut Context::from_waker(&waker)) {
                Poll::Ready(received) => return Some(received),
                Poll::Pending => rung.recv_timeout(patience).ok()?,
            }
        }
        None
    }
}

/// Threads wait, or are about to: the trigger comes at any moment of that, many times over.
fn wakes_threads<S: Subject>(
    trial: &Trial<'_, S>,
    trigger: Trigger,
    way: Way,
    report: &mut Report,
) -> Result<(), Parted> {
    let patience = trial.budget.patience;
    for round in 0..trial.budget.cases.div_ceil(4) {
        let (_case, log) = open(trial)?;
        let (done, wait) = mpsc::channel();
        let started = Arc::new(AtomicUsize::new(0));
        for _ in 0..2 {
            let mut reader = guarded("subscribe", || log.subscribe(0))?;
            let (done, started) = (done.clone(), started.clone());
            thread::spawn(move || {
                started.fetch_add(1, Ordering::SeqCst);
                let wait = || way.wait(reader.as_mut(), round % 3, patience);
                let received = catch_unwind(AssertUnwindSafe(wait));
                // The receiver is gone once the verdict is there.
                let _ = done.send(received.ok().flatten());
            });
        }
        drop(done);
        while started.load(Ordering::SeqCst) < 2 {
            thread::yield_now();
        }
        // Each round lets the readers come a little further before the trigger.
        for _ in 0..round % 32 {
            thread::yield_now();
        }
        guarded(&format!("{trigger:?}"), || trigger.pull(trial, &log))?;
        for _ in 0..2 {
            let step = match way {
                Way::Blocks => format!("{trigger:?} while readers block, round {round}"),
                Way::Polls => format!("{trigger:?} while readers are polled, round {round}"),
            };
            let expected = trigger.brings(trial);
            match wait.recv_timeout(patience + patience / 2) {
                Ok(Some(received)) if received == expected => report.visit(Class::Woken),
                Ok(Some(received)) => return Err(Parted::new(step, expected, received)),
                Ok(None) | Err(_) => {
                    let actual = format!("a reader still sleeps after {patience:?}");
                    return Err(Parted::said(step, format!("{expected:?}"), actual));
                }
            }
        }
    }
    Ok(())
}
