//! Ways to keep the newest events and to say what has happened since one of them.

use std::{collections::VecDeque, hint::black_box, sync::Arc};

use eventlog::{EventLog, Versioned};
use parking_lot::Mutex;
use sequenced_broadcast::{SequencedBroadcast, SequencedBroadcastSettings, SequencedSender};

use super::{CAPACITY, Probe, channels::at_once, in_turns, print_head, print_row};
use crate::{event::Event, measure::cpu_each};

const ROUNDS: usize = 101;
/// Questions that are timed together.
const TIMES: usize = 100;
/// The version of the newest event.
const NEWEST: u64 = 2 * CAPACITY as u64;

type Open = fn() -> [Probe; 3];

const CONTENDERS: [(&str, Open); 5] = [
    ("eventlog", probes::<Ours>),
    ("deque of events, cloned", probes::<Mutex<VecDeque<Event>>>),
    (
        "deque of `Arc`s, halved",
        probes::<Mutex<VecDeque<Arc<Event>>>>,
    ),
    (
        "imbl vector of `Arc`s, halved",
        probes::<Mutex<imbl::Vector<Arc<Event>>>>,
    ),
    ("sequenced-broadcast", probes::<Sequenced>),
];

pub fn measure() {
    let columns = ["append", "all, obtained", "the last ten, read"];
    print_head("kept in", &columns.map(str::to_owned));
    let mut probes: Vec<_> = CONTENDERS.iter().flat_map(|(_, open)| open()).collect();
    let medians = in_turns(ROUNDS, &mut probes);
    for ((name, _), figures) in CONTENDERS.iter().zip(medians.chunks(3)) {
        print_row(name, figures.iter().copied());
    }
}

/// A ring of events whose versions rise.
trait History: 'static {
    /// What a caller obtains that asks for everything, and reads when it likes.
    type All;

    fn open() -> Self;

    fn append(&self, event: Event);

    fn all(&self) -> Self::All;

    /// Reads what comes after a version, and tells how many that are.
    fn read_since(&self, version: u64) -> usize;
}

/// How long an append takes, obtaining everything, and reading the last ten.
fn probes<H: History>() -> [Probe; 3] {
    let appended = H::open();
    fill(&appended, 1..=NEWEST);
    let asked = Arc::new(H::open());
    fill(&*asked, 1..=NEWEST);
    let obtained = asked.clone();
    let mut newest = NEWEST;
    [
        Box::new(move || {
            let versions = newest + 1..=newest + CAPACITY as u64;
            newest = *versions.end();
            let mut events: Vec<_> = versions.map(Event::new).collect();
            cpu_each(CAPACITY, || {
                for event in events.drain(..) {
                    appended.append(event);
                }
            })
        }),
        Box::new(move || {
            cpu_each(TIMES, || {
                for _ in 0..TIMES {
                    drop(black_box(obtained.all()));
                }
            })
        }),
        Box::new(move || {
            cpu_each(TIMES, || {
                for _ in 0..TIMES {
                    assert_eq!(asked.read_since(black_box(NEWEST - 10)), 10);
                }
            })
        }),
    ]
}

fn fill(history: &impl History, versions: impl Iterator<Item = u64>) {
    for version in versions {
        history.append(Event::new(version));
    }
}

/// Reads something of each event.
fn touch<'a>(events: impl IntoIterator<Item = &'a Event>) -> usize {
    let versions = events.into_iter().map(|event| black_box(event.version()));
    versions.count()
}

struct Ours(EventLog<Event>);

impl History for Ours {
    type All = eventlog::Replay<Event>;

    fn open() -> Self {
        let log = EventLog::builder().capacity(CAPACITY).build();
        Self(log.expect("the capacity is not 0"))
    }

    fn append(&self, event: Event) {
        self.0.append(event);
    }

    fn all(&self) -> Self::All {
        self.0.replay(0)
    }

    fn read_since(&self, version: u64) -> usize {
        touch(&self.0.replay(version))
    }
}

/// As it is mostly written: looked through from the front, and cloned.
impl History for Mutex<VecDeque<Event>> {
    type All = Vec<Event>;

    fn open() -> Self {
        Self::new(VecDeque::with_capacity(CAPACITY))
    }

    fn append(&self, event: Event) {
        push(&mut self.lock(), event);
    }

    fn all(&self) -> Self::All {
        self.lock().iter().cloned().collect()
    }

    fn read_since(&self, version: u64) -> usize {
        let ring = self.lock();
        let since = ring.iter().filter(|event| event.version() > version);
        let events: Vec<_> = since.cloned().collect();
        drop(ring);
        touch(&events)
    }
}

/// As it can be written: events are shared, and found by halving, which needs versions that rise.
impl History for Mutex<VecDeque<Arc<Event>>> {
    type All = Vec<Arc<Event>>;

    fn open() -> Self {
        Self::new(VecDeque::with_capacity(CAPACITY))
    }

    fn append(&self, event: Event) {
        push(&mut self.lock(), Arc::new(event));
    }

    fn all(&self) -> Self::All {
        self.lock().iter().cloned().collect()
    }

    fn read_since(&self, version: u64) -> usize {
        let ring = self.lock();
        let first = ring.partition_point(|event| event.version() <= version);
        let events: Vec<_> = ring.range(first..).cloned().collect();
        drop(ring);
        touch(events.iter().map(AsRef::as_ref))
    }
}

fn push<T>(ring: &mut VecDeque<T>, event: T) {
    if ring.len() == CAPACITY {
        ring.pop_front();
    }
    ring.push_back(event);
}

/// A vector of which a clone shares all.
impl History for Mutex<imbl::Vector<Arc<Event>>> {
    type All = imbl::Vector<Arc<Event>>;

    fn open() -> Self {
        Self::new(imbl::Vector::new())
    }

    fn append(&self, event: Event) {
        let mut ring = self.lock();
        if ring.len() == CAPACITY {
            ring.pop_front();
        }
        ring.push_back(Arc::new(event));
    }

    fn all(&self) -> Self::All {
        self.lock().clone()
    }

    fn read_since(&self, version: u64) -> usize {
        let ring = self.all();
        let found = ring.binary_search_by_key(&(version + 1), |event| event.version());
        let (Ok(first) | Err(first)) = found;
        let since = ring.focus().narrow(first..);
        touch(since.into_iter().map(AsRef::as_ref))
    }
}

struct Sequenced {
    broadcast: SequencedBroadcast<Arc<Event>>,
    sender: Mutex<SequencedSender<Arc<Event>>>,
}

impl Sequenced {
    /// A receiver of its own for each question, whose numbers are the versions.
    fn since(&self, version: u64) -> sequenced_broadcast::SequencedReceiver<Arc<Event>> {
        at_once(self.broadcast.subscribe_from(version + 1)).expect("it is retained")
    }
}

impl History for Sequenced {
    type All = sequenced_broadcast::SequencedReceiver<Arc<Event>>;

    fn open() -> Self {
        let settings = SequencedBroadcastSettings {
            history_capacity: CAPACITY,
            broadcast_capacity: CAPACITY,
        };
        let (broadcast, sender) = SequencedBroadcast::new(1, settings).expect("no capacity is 0");
        Self {
            broadcast,
            sender: Mutex::new(sender),
        }
    }

    fn append(&self, event: Event) {
        let sent = at_once(self.sender.lock().send(Arc::new(event)));
        assert!(sent.is_ok(), "it is open");
    }

    fn all(&self) -> Self::All {
        self.since(NEWEST - CAPACITY as u64)
    }

    fn read_since(&self, version: u64) -> usize {
        let mut receiver = self.since(version);
        let mut count = 0;
        while let Ok((_, event)) = receiver.try_recv() {
            black_box(event.version());
            count += 1;
        }
        count
    }
}
