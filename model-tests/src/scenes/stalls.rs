//! Judges a writer whose disk stalls, or fails whatever it is asked.

use std::{
    fs,
    io::ErrorKind,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{
    files::{CAPACITY, no_place_to_write, open, works},
    history::History,
    logs::append_many,
    small_disk,
    stalled::Stalled,
};
use crate::{
    evidence::Evidence,
    process::parent::{Answer, Process},
    report::{Class, Report},
    sim_disk::{Op, SimDisk},
    subject::{adapter::Subject, capability::Capability, case::Case, log::Log},
    trial::{Parted, Trial},
};

/// Law W09.
pub(crate) fn no_delay<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    no_place_to_write(trial, report)?;
    report.stands_on(Evidence::RealFiles);
    if trial.budget.has(Capability::Storage) {
        stalled_simulated(trial, report)?;
        failing_simulated(trial, report)?;
        report.stands_on(Evidence::SimulatedFaults);
        return Ok(());
    }
    stalled_traced(trial, report)?;
    small_disk::delays_no_append(trial, report)
}

/// A door that threads wait at.
#[derive(Default)]
struct Door {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Door {
    fn set(&self, open: bool) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self
                .opened
                .wait(open)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn stalled_simulated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    for stalls in [Op::Write, Op::Sync] {
        let disk = SimDisk::new();
        let door = Arc::new(Door::default());
        let (waits, hooked) = (Arc::new(Mutex::new(0_u32)), door.clone());
        let counted = waits.clone();
        let log = open(
            trial,
            &Case::new(CAPACITY).on_disk(disk.clone()),
            "before the disk stalls",
        )?;
        disk.set_hook(move |op| {
            if op == stalls {
                *counted.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                hooked.pass();
            }
        });
        let log = Arc::new(log);
        let result = appends_meanwhile(trial, &log, &waits, report);
        door.set(true);
        result.map_err(|parted| Parted {
            step: format!("{} while a {stalls:?} of the disk stalls", parted.step),
            ..parted
        })?;
    }
    Ok(())
}

/// A flush in a thread of its own.
pub(super) struct Flush(Receiver<()>);

impl Flush {
    pub(super) fn of<E, L: Log<E>>(log: &Arc<L>) -> Self {
        let (done, wait) = mpsc::channel();
        let log = log.clone();
        thread::spawn(move || {
            // An error tells of the disk as it was, and a panic is told by the next flush. Nobody
            // may be waiting any more.
            let _ = catch_unwind(AssertUnwindSafe(|| log.flush().is_ok()));
            let _ = done.send(());
        });
        Self(wait)
    }

    /// Waits until this is so, the flush has returned, or patience has ended.
    pub(super) fn until(&self, patience: Duration, is_so: impl Fn() -> bool) {
        let began = Instant::now();
        while !is_so()
            && began.elapsed() < patience
            && self.0.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout)
        {
        }
    }

    /// Waits until the flush has returned.
    pub(super) fn ends<S: Subject>(self, trial: &Trial<'_, S>, step: &str) -> Result<(), Parted> {
        let patience = trial.budget.patience * 8;
        match self.0.recv_timeout(patience) {
            Err(RecvTimeoutError::Timeout) => {
                let actual = format!("it is blocked for more than {patience:?}");
                Err(Parted::said(format!("flush {step}"), "it returns", actual))
            }
            // It may have been heard of before.
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Ok(()),
        }
    }
}

/// Appends once, has that stored, and appends more once the disk has been asked.
fn appends_meanwhile<S: Subject>(
    trial: &Trial<'_, S>,
    log: &Arc<S::Log>,
    asked: &Mutex<u32>,
    report: &mut Report,
) -> Result<(), Parted> {
    append_many(trial, log.clone(), 1, "append")?;
    let is_asked = || *asked.lock().unwrap_or_else(PoisonError::into_inner) > 0;
    Flush::of(log).until(trial.budget.patience, is_asked);
    if is_asked() {
        report.visit(Class::Faulted);
    }
    append_many(trial, log.clone(), 100, "100 appends")
}

/// What a disk is asked that changes something.
const FAILING: [Op; 6] = [
    Op::CreateNew,
    Op::Write,
    Op::Sync,
    Op::SyncDir,
    Op::Rename,
    Op::Truncate,
];

/// Whatever the log asks of the disk fails, until it is well again.
fn failing_simulated<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let disk = SimDisk::new();
    let case = Case::new(CAPACITY).on_disk(disk.clone());
    let log = Arc::new(open(trial, &case, "before the disk fails")?);
    for op in FAILING {
        disk.fail_all(op, ErrorKind::Other);
    }
    let asked = Arc::new(AtomicBool::new(false));
    let asks = asked.clone();
    disk.set_hook(move |op| {
        asks.fetch_or(FAILING.contains(&op), Ordering::SeqCst);
    });
    let step = "100 appends while whatever the disk is asked fails";
    let result = (0..2).try_for_each(|_| {
        append_many(trial, log.clone(), 100, step)?;
        // A log that only writes when it is told to has met the fault then.
        let is_asked = || asked.load(Ordering::SeqCst);
        Flush::of(&log).until(trial.budget.patience, is_asked);
        Ok(())
    });
    disk.heal();
    report.visit(Class::Faulted);
    result
}

fn stalled_traced<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    let history = History::mixed(trial);
    let case = Case::new(CAPACITY);
    let what = "a disk that stalls";
    let Some(mut stalled) = Stalled::open(trial, &case, what, report)? else {
        return Ok(());
    };
    let patience = trial.budget.patience;
    let append = |stalled: &mut Stalled, versions| {
        let order = history.order(versions);
        match stalled.process.ask_for(&order, patience) {
            Answer::Ok => Ok(()),
            other => {
                let step = format!("{order} while each sync of the disk stalls");
                Err(Parted::said(step, "each returns", other.to_string()))
            }
        }
    };
    // Each flush brings the threads of the log nearer to a sync that stalls.
    let most = 2 * (stalled.spared as u64 + 1);
    for version in 1..=most {
        append(&mut stalled, version..=version)?;
        if stalled.flush(version, patience)? {
            append(&mut stalled, most + 1..=most + 100)?;
            report.visit(Class::Faulted);
            report.stands_on(Evidence::InjectedFaults);
            return Ok(());
        }
    }
    report.leaves_out(what, "it was flushed and met no sync that stalls");
    Ok(())
}

/// Law W18: what waits for a stalled disk has a bound. Events are appended until that must be
/// reached, and then so many more that a log without a bound grows by several times what one with a
/// bound may.
pub(crate) fn bounded<S: Subject>(trial: &Trial<'_, S>, report: &mut Report) -> Result<(), Parted> {
    const BOUND: u64 = 1 << 20;
    const SLACK: u64 = 8 << 20;
    let case = Case::new(CAPACITY).with_waiting_bytes(BOUND as usize);
    let what = "memory while the disk stalls";
    let Some(mut stalled) = Stalled::open(trial, &case, what, report)? else {
        return Ok(());
    };
    let process = &mut stalled.process;
    let history = History::alike(trial);
    let event = bytes_of_one(trial, &history)?;
    // One part may be on its way to the disk while another waits, and a log may count what waits by
    // the thousand.
    let full = orders(3 * BOUND / event).max(LEAST_ORDERS);
    let more = orders(3 * SLACK / event);
    let step = "while the disk stalls";
    let memory = |process: &mut Process, orders: Range<u64>| {
        for first in orders.map(|order| order * ORDER + 1) {
            process.works(&history.order(first..=first + ORDER - 1), step)?;
        }
        Ok(process.ask("memory"))
    };
    let before = memory(process, 0..full)?;
    let after = memory(process, full..full + more)?;
    let (Answer::Number(before), Answer::Number(after)) = (before, after) else {
        report.leaves_out(what, "this system does not say how much it is");
        return Ok(());
    };
    report.visit(Class::Faulted);
    report.stands_on(if trial.budget.has(Capability::Storage) {
        Evidence::SimulatedFaults
    } else {
        Evidence::InjectedFaults
    });
    if after > before + SLACK {
        let more = more * ORDER;
        let step = format!("{more} more appends {step}, with a bound of {BOUND} bytes");
        let expected = format!("no more than {} bytes", before + SLACK);
        return Err(Parted::said(step, expected, format!("{after} bytes")));
    }
    Ok(())
}

/// Events that are appended at one order.
const ORDER: u64 = 10_000;

/// At so many orders every log that has a bound is expected to have met it.
const LEAST_ORDERS: u64 = 30;

fn orders(events: u64) -> u64 {
    events.div_ceil(ORDER)
}

/// By how many bytes an event lets the files grow: what a log makes of it in memory, if it keeps it
/// as short as it can. A file that is made at its full length tells nothing, so there is a least.
fn bytes_of_one<S: Subject>(trial: &Trial<'_, S>, history: &History<'_, S>) -> Result<u64, Parted> {
    const GROUP: u64 = CAPACITY as u64;
    const GROUPS: u64 = 64;
    const LEAST: u64 = 8;
    let case = Case::new(CAPACITY);
    let log = open(trial, &case, "to measure events")?;
    let store = |groups: Range<u64>| {
        for first in groups.map(|group| group * GROUP + 1) {
            history.append(&log, first..=first + GROUP - 1);
            works("flush to measure events", || log.flush())?;
        }
        let files = works("files", || trial.subject.files(&case))?;
        let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
        Ok(sizes.map(|file| file.len()).sum::<u64>())
    };
    let few = store(0..1)?;
    let many = store(1..GROUPS)?;
    Ok((many.saturating_sub(few) / ((GROUPS - 1) * GROUP)).max(LEAST))
}
