//! Judges law R11: puts code that comes back into the log, or panics, wherever a log runs the code
//! of an event or a waker.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
    time::Duration,
};

use crate::{
    report::{Class, Report},
    scenes::patience::{Stuck, panic_on_purpose, within},
    subject::{
        adapter::Subject,
        capability::Capability,
        case::Case,
        log::Log,
        probe::{Moment, Probe},
        waker::waker_fn,
    },
    trial::{Parted, Trial, guarded},
};

const CAPACITY: usize = 4;

/// A log of probed events, more than it retains, and what is done to it.
struct Scene<'a, S: Subject> {
    trial: &'a Trial<'a, S>,
    log: Arc<S::Log>,
    probe: Probe,
    _case: Case,
}

/// An operation under which events' code runs.
struct Act<S: Subject> {
    name: &'static str,
    needs: Option<Capability>,
    run: fn(&Scene<'_, S>),
}

pub(crate) fn everywhere<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let has = |act: &&Act<S>| act.needs.is_none_or(|need| trial.budget.has(need));
    for act in acts::<S>().iter().filter(has) {
        for moment in [Moment::Version, Moment::Clone, Moment::Drop] {
            for skip in 0..4 {
                let judged = comes_back(trial, act, (moment, skip), report);
                if judged.is_err() && act.reads() && !appends_beside_a_reader(trial)? {
                    leaves_out_readers(report);
                    return Ok(());
                }
                judged?;
            }
            panics(trial, act, moment, report)?;
        }
    }
    if trial.budget.has(Capability::AppendWith) {
        closure_panics(trial, report)?;
    }
    if trial.budget.has(Capability::Subscribe) && trial.budget.has(Capability::Wait) {
        waker_comes_back(trial, report)?;
    }
    Ok(())
}

impl<S: Subject> Act<S> {
    fn reads(&self) -> bool {
        self.needs == Some(Capability::Subscribe)
    }
}

/// An append that waits for readers is law S04's matter, and looks as if a lock was held wherever there
/// is one.
fn leaves_out_readers(report: &mut Report) {
    report.leaves_out("code that runs for readers", "an append waits for readers");
}

/// Whether an append and a replay return beside a reader that has not read, while no event's code runs.
fn appends_beside_a_reader<S: Subject>(trial: &Trial<'_, S>) -> Result<bool, Parted> {
    let scene = Scene::new(trial)?;
    let _reader = guarded("subscribe", || scene.log.subscribe(0))?;
    // What is blocked already must not outlast the watchdog meanwhile.
    let answers = scene.answers_within(trial.budget.patience / 4);
    Ok(answers().is_ok())
}

fn acts<S: Subject>() -> [Act<S>; 6] {
    let act = |name, needs, run| Act { name, needs, run };
    [
        act("append", None, |scene| {
            // Enough for whatever the log frees at once to be freed once.
            for version in 10..=10 + 2 * CAPACITY as u64 {
                scene.append(version);
            }
        }),
        act("append_batch", Some(Capability::Batch), |scene| {
            let event = |version| scene.trial.subject.probed_event(version, &scene.probe);
            scene
                .log
                .append_batch((10..=10 + 2 * CAPACITY as u64).map(event).collect());
        }),
        act("events_since", None, |scene| {
            drop(scene.log.events_since(0));
        }),
        act("replay_truncated", None, |scene| {
            scene.log.replay_truncated(3);
        }),
        act("replay", Some(Capability::Replay), |scene| {
            drop(scene.log.replay(0));
        }),
        act("subscribe", Some(Capability::Subscribe), |scene| {
            let mut reader = scene.log.subscribe(0);
            drop(reader.try_recv());
        }),
    ]
}

impl<'a, S: Subject> Scene<'a, S> {
    fn new(trial: &'a Trial<'a, S>) -> Result<Self, Parted> {
        let case = Case::new(CAPACITY);
        let open = "open with a capacity of 4";
        let log = guarded(open, || trial.subject.open(&case))?
            .map_err(|error| Parted::said(open, "an open log", error.to_string()))?;
        let scene = Self {
            trial,
            log: Arc::new(log),
            probe: Probe::new(),
            _case: case,
        };
        for version in 1..=6 {
            scene.append(version);
        }
        Ok(scene)
    }

    fn append(&self, version: u64) {
        self.log
            .append(self.trial.subject.probed_event(version, &self.probe));
    }

    /// Whether another thread can append and replay now.
    fn answers(&self) -> impl Fn() -> Result<(), Stuck> + Send + Sync + use<S> {
        self.answers_within(self.trial.budget.patience)
    }

    fn answers_within(
        &self,
        patience: Duration,
    ) -> impl Fn() -> Result<(), Stuck> + Send + Sync + use<S> {
        let log = self.log.clone();
        // Made here: the subject cannot travel to another thread.
        let events = Mutex::new(vec![
            self.trial.subject.event(100, 100),
            self.trial.subject.event(101, 101),
        ]);
        move || {
            let event = events.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let log = log.clone();
            within(patience, move || {
                if let Some(event) = event {
                    log.append(event);
                }
                drop(log.events_since(0));
            })
        }
    }
}

/// The code calls the log from another thread: it must get an answer before the code returns.
fn comes_back<S: Subject>(
    trial: &Trial<'_, S>,
    act: &Act<S>,
    (moment, skip): (Moment, usize),
    report: &mut Report,
) -> Result<(), Parted> {
    let scene = Scene::new(trial)?;
    let verdict = Arc::new(Mutex::new(None));
    let (answers, written) = (scene.answers(), verdict.clone());
    scene.probe.arm(moment, skip, move || {
        *written.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers());
    });
    let step = format!("{} runs {moment:?} of an event", act.name);
    let done = guarded(&step, || (act.run)(&scene));
    // Whether the moment came at all is in the verdict.
    let _ = scene.probe.disarm();
    done?;
    report.visit(Class::Wrapped);
    found_out(&verdict, step, trial.budget.patience, report)
}

/// The code panics: afterwards the log must work.
fn panics<S: Subject>(
    trial: &Trial<'_, S>,
    act: &Act<S>,
    moment: Moment,
    report: &mut Report,
) -> Result<(), Parted> {
    let scene = Scene::new(trial)?;
    scene.probe.arm(moment, 0, || {
        panic_on_purpose("a panic in an event's code, on purpose")
    });
    // Whether it reaches the caller is not the law's matter.
    let _ = catch_unwind(AssertUnwindSafe(|| (act.run)(&scene)));
    if scene.probe.disarm() {
        return Ok(());
    }
    report.visit(Class::Intruded);
    still_works(&scene, &format!("{} after a panic in {moment:?}", act.name))
}

fn closure_panics<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let scene = Scene::new(trial)?;
    let before = scene.log.events_since(0);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        scene
            .log
            .append_with(&mut |_| panic_on_purpose("a panic in the closure, on purpose"));
    }));
    let step = "append_with a closure that panics";
    if panicked.is_ok() {
        return Err(Parted::said(
            step,
            "the panic reaches the caller",
            "it was swallowed",
        ));
    }
    report.visit(Class::Intruded);
    still_works_after(&scene, step, &before)
}

/// The log of the scene appends and replays, and nothing was lost or made up by the failed act.
fn still_works<S: Subject>(scene: &Scene<'_, S>, step: &str) -> Result<(), Parted> {
    let answers = scene.answers();
    for _ in 0..2 {
        answers().map_err(|stuck| {
            Parted::said(
                step,
                "a usable log",
                stuck.text(scene.trial.budget.patience),
            )
        })?;
    }
    let last = scene.log.events_since(99);
    let expected = [
        scene.trial.subject.event(101, 101),
        scene.trial.subject.event(100, 100),
    ];
    if last != expected {
        return Err(Parted::new(
            format!("{step}, two appends, events_since(99)"),
            expected,
            last,
        ));
    }
    Ok(())
}

fn still_works_after<S: Subject>(
    scene: &Scene<'_, S>,
    step: &str,
    before: &[S::Event],
) -> Result<(), Parted> {
    let log = scene.log.clone();
    let after =
        within(scene.trial.budget.patience, move || log.events_since(0)).map_err(|stuck| {
            Parted::said(
                step,
                "a usable log",
                stuck.text(scene.trial.budget.patience),
            )
        })?;
    if after != before {
        return Err(Parted::new(
            format!("{step}, events_since(0)"),
            before,
            after,
        ));
    }
    still_works(scene, step)
}

/// What the code that called the log from another thread found out, if its moment came.
fn found_out(
    verdict: &Mutex<Option<Result<(), Stuck>>>,
    step: impl Into<String>,
    patience: Duration,
    report: &mut Report,
) -> Result<(), Parted> {
    let verdict = verdict
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match verdict {
        None => Ok(()),
        Some(Ok(())) => {
            report.visit(Class::Intruded);
            Ok(())
        }
        Some(Err(stuck)) => Err(Parted::said(
            step,
            "outside the lock: another thread can append and replay meanwhile",
            format!("under the lock: {}", stuck.text(patience)),
        )),
    }
}

/// A waker calls the log from another thread.
fn waker_comes_back<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let scene = Scene::new(trial)?;
    let mut reader = scene.log.subscribe(6);
    let verdict = Arc::new(Mutex::new(None));
    let first = AtomicBool::new(true);
    let (answers, written) = (scene.answers(), verdict.clone());
    let waker = waker_fn(move || {
        if first.swap(false, Ordering::SeqCst) {
            *written.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers());
        }
    });
    if reader
        .poll_recv(&mut Context::from_waker(&waker))
        .is_ready()
    {
        return Err(Parted::said(
            "poll_recv since the newest version",
            "Pending",
            "Ready",
        ));
    }
    let step = "append wakes a reader";
    let patience = trial.budget.patience;
    let (log, event) = (
        scene.log.clone(),
        trial.subject.probed_event(7, &scene.probe),
    );
    // Longer than the waker waits.
    let done = within(patience + patience / 2, move || {
        log.append(event);
    });
    // A log may wake from elsewhere, and later; that no wake-up is lost is law S03.
    found_out(&verdict, step, patience, report)?;
    match done {
        Err(Stuck::Blocked) => leaves_out_readers(report),
        Err(panicked) => {
            let told = panicked.text(patience);
            return Err(Parted::said(step, "no panic", told));
        }
        Ok(()) => {}
    }
    Ok(())
}
