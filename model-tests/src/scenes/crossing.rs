//! Judges law S03 with calls that meet inside of the log: two threads, each with calls of one kind,
//! and an append in the middle of a poll.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    task::{Context, Wake, Waker},
    thread,
    time::{Duration, Instant},
};

use crate::{
    report::{Class, Report},
    scenes::{
        patience::within,
        polling::{bell, open},
    },
    subject::{adapter::Subject, capability::Capability, log::Log},
    trial::{Parted, Trial, guarded},
};

/// How many calls come back before the threads part, for each history that is tried at random: they
/// make them as often as they can.
const CALLS: u64 = 1_200;
/// How long that takes at most, for a slow log or on a busy machine.
const MEETING: Duration = Duration::from_secs(1);
/// How often a reader is polled before it goes.
const POLLS: usize = 16;
/// How long a waker that is dropped waits for an append, which the log's lock may keep out.
const MEANWHILE: Duration = Duration::from_millis(50);

/// What a thread does over and over.
struct Act<S: Subject> {
    name: &'static str,
    needs: Capability,
    call: fn(&S::Log, &S::Event),
}

pub(crate) fn never_stop_each_other<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    for how in ["poll_recv with another waker", "drop of a reader"] {
        append_in_the_middle(trial, how, report)?;
    }
    for act in acts::<S>() {
        if trial.budget.has(act.needs) {
            meet(trial, &act, report)?;
        }
    }
    Ok(())
}

fn acts<S: Subject>() -> [Act<S>; 3] {
    let act = |name, needs, call| Act { name, needs, call };
    let append: fn(&S::Log, &S::Event) = |log, event| {
        log.append(event.clone());
    };
    let batch: fn(&S::Log, &S::Event) =
        |log, event| log.append_batch(vec![event.clone(), event.clone()]);
    let subscribe: fn(&S::Log, &S::Event) = |log, _| drop(log.subscribe(0));
    [
        act("append", Capability::Subscribe, append),
        act("append_batch", Capability::Batch, batch),
        act("subscribe", Capability::Subscribe, subscribe),
    ]
}

/// Readers come, are polled twice for what is not there yet, and go, while another thread acts.
fn meet<S: Subject>(trial: &Trial<'_, S>, act: &Act<S>, report: &mut Report) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let meeting = Arc::new(Meeting {
        enough: CALLS * u64::from(trial.budget.cases),
        calls: AtomicU64::default(),
    });
    let (done, wait) = mpsc::channel();
    for _ in 0..2 {
        let (event, call) = (trial.subject.event(1, 1), act.call);
        let (acts, polls) = (log.clone(), log.clone());
        let acting = move || call(&acts, &event);
        let wakers = [bell().0, bell().0];
        let polling = move || {
            let mut reader = polls.subscribe(1);
            for waker in wakers.iter().cycle().take(POLLS) {
                let _ = reader.poll_recv(&mut Context::from_waker(waker));
            }
        };
        meeting.clone().spawn(acting, done.clone());
        meeting.clone().spawn(polling, done.clone());
    }
    drop(done);
    let step = format!("{} and poll_recv, over and over in two threads", act.name);
    meeting.ends(&wait, trial.budget.patience, &step)?;
    report.visit(Class::Met);
    Ok(())
}

/// Two threads that call one log.
struct Meeting {
    enough: u64,
    calls: AtomicU64,
}

impl Meeting {
    /// Calls over and over in a thread of its own. It is left to itself if it does not end.
    fn spawn(
        self: Arc<Self>,
        call: impl Fn() + Send + 'static,
        done: mpsc::Sender<Result<(), Parted>>,
    ) {
        thread::spawn(move || {
            let began = Instant::now();
            let result = loop {
                let enough = self.calls.load(Ordering::Relaxed) >= self.enough;
                if enough || began.elapsed() > MEETING {
                    break Ok(());
                }
                if let Err(panicked) = guarded("a call that meets another", &call) {
                    break Err(panicked);
                }
                self.calls.fetch_add(1, Ordering::Relaxed);
            };
            // The receiver is gone if patience has ended.
            let _ = done.send(result);
        });
    }

    /// Waits for both threads, as long as there are calls that come back.
    fn ends(
        &self,
        wait: &mpsc::Receiver<Result<(), Parted>>,
        patience: Duration,
        step: &str,
    ) -> Result<(), Parted> {
        // Shorter than the watchdog's, who does not know what meets.
        let patience = patience + patience / 2;
        let (mut came_back, mut since) = (0, Instant::now());
        loop {
            match wait.recv_timeout(patience / 16) {
                Ok(result) => result?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let calls = self.calls.load(Ordering::Relaxed);
            if calls != came_back {
                (came_back, since) = (calls, Instant::now());
            } else if since.elapsed() > patience {
                let actual = format!("after {calls} calls none has for {patience:?}");
                return Err(Parted::said(step, "each call comes back", actual));
            }
        }
    }
}

/// A waker that acts when the last of it is dropped.
struct ActsInDrop<F: FnMut()>(F);

impl<F: FnMut() + Send + Sync + 'static> Wake for ActsInDrop<F> {
    fn wake(self: Arc<Self>) {}
}

impl<F: FnMut()> Drop for ActsInDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// The log drops a waker, and its code has another thread append: a log that holds one lock there
/// and goes on to take a second one, which an append takes first, stops for good.
fn append_in_the_middle<S: Subject>(
    trial: &Trial<'_, S>,
    how: &'static str,
    report: &mut Report,
) -> Result<(), Parted> {
    let (_case, log) = open(trial)?;
    let mut reader = guarded("subscribe", || log.subscribe(0))?;
    let (tell, appended) = mpsc::channel();
    let came = Arc::new(AtomicBool::new(false));
    // Weak, as the log may keep the waker.
    let (appends, event) = (Arc::downgrade(&log), trial.subject.event(1, 1));
    let comes = came.clone();
    let acts = ActsInDrop(move || {
        let (Some(log), event, tell) = (appends.upgrade(), event.clone(), tell.clone()) else {
            return;
        };
        comes.store(true, Ordering::SeqCst);
        let _ = within(MEANWHILE, move || {
            log.append(event);
            // Nobody listens where it came too late.
            let _ = tell.send(());
        });
    });
    let waker = Waker::from(Arc::new(acts));
    let patience = trial.budget.patience;
    let done = within(patience, move || {
        let _ = reader.poll_recv(&mut Context::from_waker(&waker));
        drop(waker);
        if how != "drop of a reader" {
            let _ = reader.poll_recv(&mut Context::from_waker(Waker::noop()));
        }
        drop(reader);
    });
    let step = format!("{how}, while another thread appends");
    let fails = |what: &str, told: String| Err(Parted::said(step.clone(), what, told));
    if let Err(stuck) = done {
        return fails("it comes back", stuck.text(patience));
    }
    // A log may keep the waker for as long as it likes.
    if came.load(Ordering::SeqCst) && appended.recv_timeout(patience).is_err() {
        let told = format!("it has not after {patience:?}");
        return fails("the append comes back", told);
    }
    report.visit(Class::Met);
    Ok(())
}
