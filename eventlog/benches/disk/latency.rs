//! How long one event takes to be durable while nothing else happens.

use std::{
    fs::OpenOptions,
    hint::spin_loop,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use eventlog::{
    Epoch, EventLog,
    disk::{DiskConfig, DiskWriter},
    writer::{Destination, DestinationError, Level, Records, Standing, Writer, WriterConfig},
};

use crate::{
    directory,
    support::{
        event::Event,
        measure::{Pair, compare, quantile},
    },
};

/// Events of a round.
const EVENTS: u64 = 200;

/// A sync that always takes the same time, on a processor that stays awake for it.
const FIXED: Duration = Duration::from_micros(140);

fn fixed_sync() {
    let began = Instant::now();
    while began.elapsed() < FIXED {
        spin_loop();
    }
}

/// The median of the time that `once` takes.
fn p50(mut once: impl FnMut(u64)) -> f64 {
    let time = |version| {
        let began = Instant::now();
        once(version);
        u64::try_from(began.elapsed().as_nanos()).unwrap()
    };
    quantile((1..=EVENTS).map(time).collect(), 0.5)
}

fn p50_of(log: &EventLog<Event>, writer: &Writer<Event>) -> f64 {
    p50(|version| {
        let seq = log.append(Event::new(version));
        writer.blocking_durable(seq).unwrap();
    })
}

/// Takes nothing anywhere, in a fixed time.
#[derive(Default)]
struct Fixed {
    handed: u64,
    stored: u64,
}

impl Destination for Fixed {
    fn level(&self) -> Level {
        Level::new(1, true)
    }

    fn open(&mut self, _epoch: Epoch) -> Result<Standing, DestinationError> {
        Ok(Standing::Unknown)
    }

    fn write(
        &mut self,
        records: Records<'_>,
        _progress: &mut dyn FnMut(u64),
    ) -> Result<(), DestinationError> {
        self.handed += records.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DestinationError> {
        fixed_sync();
        self.stored = self.handed;
        Ok(())
    }

    fn stored(&self) -> u64 {
        self.stored
    }
}

pub fn beside_a_fixed_sync(rounds: usize) -> Pair {
    compare(rounds, || p50(|_| fixed_sync()), to_a_fixed_sync)
}

/// What waking one thread, and being woken by it, takes here: no writer with a thread of its own
/// can be faster.
pub fn beside_another_thread(rounds: usize) -> Pair {
    compare(
        rounds,
        || {
            let turn = Arc::new(AtomicU64::new(0));
            let (theirs, here) = (turn.clone(), thread::current());
            let there = thread::spawn(move || {
                for event in 1..=EVENTS {
                    wait_for(&theirs, 2 * event - 1);
                    fixed_sync();
                    theirs.store(2 * event, Ordering::Release);
                    here.unpark();
                }
            });
            let p50 = p50(|event| {
                turn.store(2 * event - 1, Ordering::Release);
                there.thread().unpark();
                wait_for(&turn, 2 * event);
            });
            there.join().unwrap();
            p50
        },
        to_a_fixed_sync,
    )
}

fn wait_for(turn: &AtomicU64, value: u64) {
    while turn.load(Ordering::Acquire) != value {
        thread::park();
    }
}

fn to_a_fixed_sync() -> f64 {
    let log = EventLog::new(None);
    let config = WriterConfig::new("fixed");
    let writer = Writer::spawn_to(&log, config, Fixed::default()).unwrap();
    p50_of(&log, &writer)
}

/// The bare steps are those of the thread that has the event; ours cross to the writer's thread and
/// back.
pub fn on_this_disk(rounds: usize) -> Pair {
    compare(
        rounds,
        || {
            let directory = directory();
            let mut options = OpenOptions::new();
            let path = directory.path().join("x.log");
            let mut file = options.create(true).append(true).open(path).unwrap();
            p50(|version| {
                let mut line = serde_json::to_vec(&Event::new(version)).unwrap();
                line.push(b'\n');
                file.write_all(&line).unwrap();
                file.sync_data().unwrap();
            })
        },
        || {
            let directory = directory();
            let log = Arc::new(EventLog::new(None));
            let config = DiskConfig::new(directory.path().join("x.log"));
            let writer = DiskWriter::spawn(&log, config).unwrap();
            p50_of(&log, &writer)
        },
    )
}
