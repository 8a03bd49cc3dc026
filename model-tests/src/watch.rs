//! The watchdog of a trial: which calls into the subject are under way, in which thread, and
//! whether they come back.
//!
//! No call costs a thread or a lock: each thread has a slot with a counter that changes when a call
//! begins and when it ends, and the watcher looks at the counters now and then.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{histories::ops::History, subject::call::Call, transcript::Transcript, trial::Parted};

/// The longest list of last calls.
const LINE: usize = 48;

/// What one trial's threads are doing.
pub(crate) struct Watch {
    id: u64,
    slots: Mutex<Vec<Arc<Slot>>>,
    /// Set once the trial has a verdict without them: threads that go on are stopped at their next
    /// call.
    called_off: AtomicBool,
    /// Where the log was last found to part, for the case that the trial then does not end.
    parted: Mutex<Option<Parted>>,
    /// The history that is being played.
    history: Mutex<Option<Arc<History>>>,
    pub(crate) transcript: Option<Transcript>,
}

/// One thread's calls.
#[derive(Default)]
struct Slot {
    /// Changes whenever a call begins or ends.
    changes: AtomicU64,
    /// How many calls are under way: a waker may call the log again.
    depth: AtomicU32,
    /// The innermost of them.
    call: AtomicU8,
    /// The last calls that began, a byte each, the last one lowest; 0 stands for none.
    last: AtomicU64,
}

impl Slot {
    fn note(&self, call: Call) {
        // Only this thread writes here.
        let last = self.last.load(Ordering::Relaxed);
        self.last
            .store(last << 8 | (call as u64 + 1), Ordering::Relaxed);
    }

    /// As many of the last calls as fit a line.
    fn last_calls(&self, thread: usize, under_way: bool) -> String {
        let last = self.last.load(Ordering::Relaxed).to_le_bytes();
        let names = last.into_iter().map_while(|byte| byte.checked_sub(1));
        let mut line = String::new();
        for name in names.map(|call| Call::of(call).name()) {
            if line.is_empty() {
                line = name.into();
            } else if line.len() + name.len() < LINE {
                line = format!("{name}, {line}");
            }
        }
        let end = if under_way { " // under way" } else { "" };
        format!("[thread {thread}] {line}{end}")
    }
}

thread_local! {
    /// This thread's slot, and the watch that it belongs to.
    static MINE: RefCell<Option<(u64, Arc<Slot>)>> = const { RefCell::new(None) };
    /// The watch of the trial that this thread judges.
    static JUDGED: RefCell<Option<Arc<Watch>>> = const { RefCell::new(None) };
}

impl Watch {
    pub(crate) fn new(transcript: Option<Transcript>) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(0);
        Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            slots: Mutex::default(),
            called_off: AtomicBool::new(false),
            parted: Mutex::default(),
            history: Mutex::default(),
            transcript,
        }
    }

    /// Runs a call into the subject under watch.
    pub(crate) fn call<T>(&self, call: Call, run: impl FnOnce() -> T) -> T {
        // A second panic, in a drop, would end the process.
        let is_drop = matches!(call, Call::DropLog | Call::DropReader);
        assert!(
            is_drop || !self.called_off.load(Ordering::Relaxed),
            "the verdict on this log is there; nobody waits for this thread any more"
        );
        let _under_way = UnderWay::begin(self.slot(), call);
        run()
    }

    fn slot(&self) -> Arc<Slot> {
        let known = MINE.try_with(|mine| {
            let mine = mine.try_borrow().ok()?;
            let (watch, slot) = mine.as_ref()?;
            (*watch == self.id).then(|| slot.clone())
        });
        if let Ok(Some(slot)) = known {
            return slot;
        }
        let slot = Arc::<Slot>::default();
        lock(&self.slots).push(slot.clone());
        // A thread that is ending has no place for it any more.
        let _ = MINE.try_with(|mine| mine.replace(Some((self.id, slot.clone()))));
        slot
    }

    /// Makes this the watch of the calling thread, which judges.
    pub(crate) fn begin(self: &Arc<Self>) {
        JUDGED.with(|judged| judged.replace(Some(self.clone())));
    }

    pub(crate) fn call_off(&self) {
        self.called_off.store(true, Ordering::Relaxed);
    }

    pub(crate) fn parted(&self) -> Option<Parted> {
        lock(&self.parted).clone()
    }

    /// The last calls of the judge and of the threads that are still in a call, for a run that wrote
    /// down nothing.
    pub(crate) fn last_calls(&self) -> Vec<String> {
        let slots = lock(&self.slots).clone();
        let told = slots.iter().enumerate().filter_map(|(at, slot)| {
            let under_way = slot.depth.load(Ordering::Relaxed) > 0;
            (at == 0 || under_way).then(|| slot.last_calls(at + 1, under_way))
        });
        told.collect()
    }

    pub(crate) fn history(&self) -> Option<Arc<History>> {
        lock(&self.history).clone()
    }
}

/// Notes where the log parted from what is demanded, in case that the trial does not end by itself:
/// what is dropped next may take a lock that is held for ever.
pub(crate) fn note_parted(parted: &Parted) {
    with_judged(|watch| {
        *lock(&watch.parted) = Some(parted.clone());
        if let Some(transcript) = &watch.transcript {
            transcript.freeze();
        }
    });
}

/// Notes what a scene does with files before it opens a log on them.
pub(crate) fn note_files(text: &str) {
    with_judged(|watch| {
        if let Some(transcript) = &watch.transcript {
            transcript.begin_with(text);
        }
    });
}

/// Notes what a process of the suite's own is told to do.
pub(crate) fn note_order(order: &str) {
    with_judged(|watch| {
        if let Some(transcript) = &watch.transcript {
            transcript.on_files(&format!("process: {order}"), || ());
        }
    });
}

/// Notes which history is played from now on.
pub(crate) fn note_history(history: &Arc<History>) {
    with_judged(|watch| {
        *lock(&watch.parted) = None;
        *lock(&watch.history) = Some(history.clone());
    });
}

fn with_judged(act: impl FnOnce(&Watch)) {
    JUDGED.with_borrow(|judged| {
        if let Some(watch) = judged {
            act(watch);
        }
    });
}

struct UnderWay {
    slot: Arc<Slot>,
    outer: u8,
}

impl UnderWay {
    fn begin(slot: Arc<Slot>, call: Call) -> Self {
        let outer = slot.call.swap(call as u8, Ordering::Relaxed);
        slot.depth.fetch_add(1, Ordering::Relaxed);
        slot.changes.fetch_add(1, Ordering::Relaxed);
        if call.is_told() {
            slot.note(call);
        }
        Self { slot, outer }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.slot.depth.fetch_sub(1, Ordering::Relaxed);
        self.slot.call.store(self.outer, Ordering::Relaxed);
        self.slot.changes.fetch_add(1, Ordering::Relaxed);
    }
}

/// Looks at a watch now and then.
pub(crate) struct Watcher<'a> {
    watch: &'a Watch,
    patience: Duration,
    /// Bytes by which the process may grow.
    memory: u64,
    memory_before: Option<u64>,
    /// What each slot's counter was, and since when.
    seen: HashMap<usize, (u64, Instant)>,
}

/// What a watcher has seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// This call does not come back.
    Stuck(Call, Duration),
    /// The process has grown by so many bytes during this call.
    Grown(Call, u64),
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(watch: &'a Watch, patience: Duration, memory: u64) -> Self {
        Self {
            watch,
            patience,
            memory,
            memory_before: resident(),
            seen: HashMap::new(),
        }
    }

    /// The call that has been under way for longer than it may.
    pub(crate) fn look(&mut self) -> Option<Trouble> {
        let now = Instant::now();
        let slots = {
            let mut slots = lock(&self.watch.slots);
            // The slots of threads that have ended.
            slots.retain(|slot| Arc::strong_count(slot) > 1);
            slots.clone()
        };
        let is_known = |at: &usize| slots.iter().any(|slot| address(slot) == *at);
        self.seen.retain(|at, _| is_known(at));
        let mut longest: Option<(Call, Duration)> = None;
        for slot in &slots {
            let changes = slot.changes.load(Ordering::Relaxed);
            let since = self.seen.entry(address(slot)).or_insert((changes, now));
            if since.0 != changes || slot.depth.load(Ordering::Relaxed) == 0 {
                *since = (changes, now);
                continue;
            }
            let lasts = now - since.1;
            let call = Call::of(slot.call.load(Ordering::Relaxed));
            if call == Call::BlockingRecv {
                continue;
            }
            if longest.is_none_or(|(_, longest)| lasts > longest) {
                longest = Some((call, lasts));
            }
        }
        let (call, lasts) = longest?;
        if lasts > call.limit(self.patience) {
            return Some(Trouble::Stuck(call, lasts));
        }
        let grown = resident()?.saturating_sub(self.memory_before?);
        (!lasts.is_zero() && grown > self.memory).then_some(Trouble::Grown(call, grown))
    }
}

fn address(slot: &Arc<Slot>) -> usize {
    Arc::as_ptr(slot) as usize
}

/// The bytes of memory that the process has, where the system tells.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
