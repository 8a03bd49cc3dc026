//! The child's side.

use std::{
    env, fs,
    io::{self, BufRead as _, Write as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::Duration,
};

use crate::{
    sim_disk::{Op, SimDisk},
    subject::{adapter::Subject, case::Case, log::Log},
    trial::panic_text,
};

/// The directory of the child's case; that it is there makes a process a child.
pub(super) const DIR: &str = "MODEL_TESTS_CHILD";
/// The settings of its case.
pub(super) const CASE: &str = "MODEL_TESTS_CASE";
/// The expression of its subject, for a test that serves several.
pub(super) const SUBJECT: &str = "MODEL_TESTS_SUBJECT";

/// What every answer begins with.
pub(super) const MARK: &str = "@ ";

/// If the suite has started this process to have `subject` in a process of its own, does what it is
/// told and returns true at the end; otherwise it returns false at once.
///
/// [`check`](crate::check()) calls it first, so it is needed only where the test that
/// [`Budget::again`](crate::Budget::again) names is not the one that judges: for many subjects
/// there may be one such test, which finds out by the variable `MODEL_TESTS_SUBJECT` (that is
/// [`Budget::subject`](crate::Budget::subject)) whom it has to serve.
///
/// ```
/// use model_tests::{Ours, Tick};
///
/// // First in `main`, or in the test that `Budget::again` names.
/// assert!(!model_tests::serve(&Ours(Tick::new))); // nobody has started this for the suite
/// ```
#[must_use]
pub fn serve<S: Subject>(subject: &S) -> bool {
    let Some(dir) = env::var_os(DIR) else {
        return false;
    };
    let case = case(dir.into());
    // Dropped when this function returns or unwinds, as in a program that does so.
    let mut child = Child {
        subject,
        case,
        log: None,
        flusher: None,
    };
    // The first line ends the one that the test harness has begun.
    println!("\n{MARK}ready {}", process::id());
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["return"] => return true,
            ["unwind"] => panic!("a panic in `main`, on purpose"),
            _ => {}
        }
        let answer = catch_unwind(AssertUnwindSafe(|| child.obey(&words)))
            .unwrap_or_else(|panic| format!("panic {}", panic_text(panic.as_ref())));
        say(&answer);
    }
    // The parent is gone.
    process::exit(0);
}

/// In one write, so that a trace of the system calls has it in one piece.
fn say(answer: &str) {
    let line = format!("{MARK}{}\n", answer.replace('\n', " "));
    let mut out = io::stdout().lock();
    let said = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    if said.is_err() {
        process::exit(0);
    }
}

fn case(dir: PathBuf) -> Case {
    let settings = env::var(CASE).unwrap_or_default();
    let mut numbers = settings
        .split(' ')
        .map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0_u64);
    let case = Case::new(next() as usize)
        .with_files_of(next())
        .with_waiting_bytes(next() as usize);
    if next() == 1 {
        case.on_disk(SimDisk::new())
    } else {
        case.at(dir)
    }
}

struct Child<'a, S: Subject> {
    subject: &'a S,
    case: Case,
    /// Shared with a flush that is under way.
    log: Option<Arc<S::Log>>,
    flusher: Option<Flusher>,
}

impl<S: Subject> Child<'_, S> {
    fn obey(&mut self, words: &[&str]) -> String {
        let done = |result: Result<(), crate::OpenError>| match result {
            Ok(()) => "ok".to_owned(),
            Err(error) => format!("error {error}"),
        };
        match (words, &self.log) {
            (["open"], _) => done(self.subject.open(&self.case).map(|log| {
                self.log = Some(Arc::new(log));
            })),
            (["append", first, last, pick @ ..], Some(log)) => {
                let number = |word: &str| word.parse().unwrap_or(0);
                for version in number(first)..=number(last) {
                    let pick = pick.first().map_or(version, |pick| number(pick));
                    log.append(self.subject.event(version, pick as u32));
                }
                "ok".into()
            }
            (["flush"], Some(log)) => done(log.flush()),
            (["flushing"], Some(log)) => {
                let flusher = self.flusher.get_or_insert_with(|| Flusher::of(log.clone()));
                // If it has ended by a panic, the count of what it has done says so.
                let _ = flusher.orders.send(());
                "ok".into()
            }
            (["flushed"], _) => {
                let done = self.flusher.as_ref().map(|flusher| &flusher.done);
                format!(
                    "number {}",
                    done.map_or(0, |done| done.load(Ordering::SeqCst))
                )
            }
            (["within", millis], Some(_)) => {
                let timeout = Duration::from_millis(millis.parse().unwrap_or(0));
                let log = self.log.take().and_then(Arc::into_inner);
                match log.map_or(Ok(()), |log| log.shutdown_within(timeout)) {
                    Ok(()) => "ok".into(),
                    Err(missing) => {
                        let missing: Vec<_> = missing.iter().map(u64::to_string).collect();
                        format!("missing {}", missing.join(" "))
                    }
                }
            }
            (["stall"], _) => {
                if let Some(disk) = self.case.disk() {
                    disk.set_hook(|op| {
                        if matches!(op, Op::Write | Op::Sync) {
                            loop {
                                thread::park();
                            }
                        }
                    });
                }
                "ok".into()
            }
            (["memory"], _) => resident().map_or_else(
                |error| format!("error {error}"),
                |bytes| format!("number {bytes}"),
            ),
            _ => format!("error no such order: {words:?}"),
        }
    }
}

/// A thread that flushes while the child does something else.
struct Flusher {
    orders: Sender<()>,
    /// How many flushes have returned.
    done: Arc<AtomicU64>,
}

impl Flusher {
    fn of<E: 'static, L: Log<E>>(log: Arc<L>) -> Self {
        let (orders, wait) = mpsc::channel();
        let done = Arc::new(AtomicU64::new(0));
        let counter = done.clone();
        thread::spawn(move || {
            for () in wait {
                // An error may be told: the disk is not well.
                let _ = log.flush();
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { orders, done }
    }
}

/// The bytes of memory that this process has.
fn resident() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes =
        line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes
        .map(|kilobytes| kilobytes * 1024)
        .ok_or_else(|| io::Error::other("/proc/self/status does not say it"))
}
