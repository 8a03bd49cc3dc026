//! Real threads: appenders of every kind, readers of every kind, then `close`; afterwards every
//! reader's account is checked against what the appenders know that they appended.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use eventlog::{
    Coverage, Cursor, EventLog, EventRef, RecvError, Seq, Subscription, TryRecvError, Versioned,
};

const CAPACITY: usize = 512;
/// Rounds of each appender; each round is seven events.
const ROUNDS: u64 = 1_000;

/// Says who appended it, and as which of its events. Versions of two appenders interleave, so they
/// fall and repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Note {
    appender: u64,
    version: u64,
}

impl Versioned for Note {
    fn version(&self) -> u64 {
        self.version
    }
}

type Log = EventLog<Note>;
type History = BTreeMap<u64, Note>;

/// What one reader was given: events with their numbers, and lags.
type Account = Vec<Result<(u64, Note), u64>>;

/// Appends in each of the three ways; returns what it appended, by the numbers it was told.
fn append_rounds(log: &Log, appender: u64) -> History {
    let mut history = History::new();
    let mut version = 0;
    let mut note = || {
        version += 1;
        Note { appender, version }
    };
    for _ in 0..ROUNDS {
        let one = note();
        history.insert(log.append(one).get(), one);

        let made = note();
        let seq = log.append_with(|newest| {
            assert!(newest.is_none_or(|version| version <= 7 * ROUNDS));
            made
        });
        history.insert(seq.get(), made);

        let batch: [Note; 5] = std::array::from_fn(|_| note());
        let seqs = log.append_batch(batch).unwrap();
        history.extend((seqs.first().get()..=seqs.last().get()).zip(batch));
    }
    history
}

fn delivered(event: &EventRef<Note>) -> (u64, Note) {
    (EventRef::seq(event).get(), **event)
}

fn read_blocking(mut subscription: Subscription<Note>) -> Account {
    let mut account = Account::new();
    loop {
        match subscription.blocking_recv() {
            Ok(event) => account.push(Ok(delivered(&event))),
            Err(RecvError::Lagged(events)) => account.push(Err(events)),
            Err(RecvError::Closed) => return account,
        }
    }
}

fn read_async(mut subscription: Subscription<Note>) -> Account {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let mut account = Account::new();
        loop {
            match subscription.recv().await {
                Ok(event) => account.push(Ok(delivered(&event))),
                Err(RecvError::Lagged(events)) => account.push(Err(events)),
                Err(RecvError::Closed) => return account,
            }
        }
    })
}

fn read_trying(mut subscription: Subscription<Note>) -> Account {
    let mut account = Account::new();
    loop {
        match subscription.try_recv() {
            Ok(event) => account.push(Ok(delivered(&event))),
            Err(TryRecvError::Lagged(events)) => account.push(Err(events)),
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Closed) => return account,
        }
    }
}

/// Goes away after every few events, and comes back with the text of its cursor. What was evicted
/// while it was away is in the coverage instead of in a lag.
fn read_in_pieces(log: &Log, mut cursor: String) -> Account {
    let mut account = Account::new();
    loop {
        let mut subscription = log.subscribe(cursor.parse::<Cursor>().unwrap());
        match subscription.coverage() {
            Coverage::Complete => {}
            Coverage::Truncated {
                missed: Some(missed),
                ..
            } => account.push(Err(missed)),
            other => panic!("{other:?}"),
        }
        for _ in 0..37 {
            match subscription.blocking_recv() {
                Ok(event) => account.push(Ok(delivered(&event))),
                Err(RecvError::Lagged(events)) => account.push(Err(events)),
                Err(RecvError::Closed) => return account,
            }
        }
        cursor = subscription.cursor().to_string();
    }
}

/// Reads on only when the log has run away from it, so that it lags each time.
fn read_too_late(log: &Log, mut subscription: Subscription<Note>) -> Account {
    let mut account = Account::new();
    let total = 2 * 7 * ROUNDS;
    loop {
        let seen = subscription.cursor().seq().get();
        while log.stats().appended < total.min(seen + 2 * CAPACITY as u64) {
            thread::yield_now();
        }
        match subscription.blocking_recv() {
            Ok(event) => account.push(Ok(delivered(&event))),
            Err(RecvError::Lagged(events)) => account.push(Err(events)),
            Err(RecvError::Closed) => return account,
        }
    }
}

/// The account must name every event of the history once, in order: delivered or counted as lost.
fn check_account(name: &str, account: &Account, history: &History) {
    let mut next = 1;
    for one in account {
        match one {
            Ok((seq, note)) => {
                assert_eq!(*seq, next, "{name}: an event is missing or came twice");
                assert_eq!(
                    history.get(seq),
                    Some(note),
                    "{name}: another event at {seq}"
                );
                next += 1;
            }
            Err(lost) => {
                assert!(*lost > 0, "{name}: a lag of nothing before {next}");
                next += lost;
            }
        }
    }
    assert_eq!(next, history.len() as u64 + 1, "{name}: the end is missing");
}

/// What a replay said of itself.
struct Sight {
    first: u64,
    last: u64,
    newest: Option<u64>,
    coverage: Coverage,
}

/// Replays everything over and over until told to stop, and once at least.
fn keep_replaying(log: &Log, stop: &AtomicBool) -> Vec<Sight> {
    let mut sights = Vec::new();
    loop {
        // Asked first: this thread may begin after all others have ended.
        let is_last = stop.load(Ordering::Relaxed);
        let replay = log.replay(0);
        let seqs: Vec<u64> = replay
            .with_cursors()
            .map(|(cursor, _)| cursor.seq().get())
            .collect();
        assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a hole");
        assert_eq!(replay.len(), seqs.len());
        sights.push(Sight {
            first: replay.cursor().seq().get() + 1 - seqs.len() as u64,
            last: replay.cursor().seq().get(),
            newest: replay.newest(),
            coverage: replay.coverage(),
        });
        if is_last {
            return sights;
        }
    }
}

/// R06: events, newest and coverage of a replay belong to the same moment of the history.
fn check_sights(sights: &[Sight], history: &History) {
    assert!(!sights.is_empty());
    let highest_through: Vec<u64> = history
        .values()
        .scan(0, |highest, note| {
            *highest = note.version.max(*highest);
            Some(*highest)
        })
        .collect();
    for sight in sights {
        let newest = history.get(&sight.last).map(|note| note.version);
        assert_eq!(sight.newest, newest, "newest at {}", sight.last);
        assert_eq!(
            sight.first,
            (sight.last + 1).saturating_sub(CAPACITY as u64).max(1)
        );
        let coverage = match sight.first.checked_sub(2) {
            None => Coverage::Complete,
            Some(index) => Coverage::Truncated {
                missed_through: highest_through[usize::try_from(index).unwrap()],
                missed: None,
            },
        };
        assert_eq!(sight.coverage, coverage, "coverage at {}", sight.last);
    }
}

/// S01, S02, S03, S05, S06 and R06 at once.
#[test]
fn every_reader_can_account_for_every_event() {
    let log = Arc::new(EventLog::builder().capacity(CAPACITY).build().unwrap());
    let stop = AtomicBool::new(false);
    let start = log.cursor().to_string();
    let [blocking, polled, tried, late] = [(); 4].map(|()| log.subscribe(0));

    thread::scope(|scope| {
        let readers = [
            ("blocking", scope.spawn(|| read_blocking(blocking))),
            ("async", scope.spawn(|| read_async(polled))),
            ("trying", scope.spawn(|| read_trying(tried))),
            ("in pieces", scope.spawn(|| read_in_pieces(&log, start))),
            ("too late", scope.spawn(|| read_too_late(&log, late))),
        ];
        let replayer = scope.spawn(|| keep_replaying(&log, &stop));
        let appenders = [1, 2].map(|id| {
            scope.spawn({
                let log = &log;
                move || append_rounds(log, id)
            })
        });

        let mut history = History::new();
        for appender in appenders {
            history.extend(appender.join().unwrap());
        }
        log.close();
        stop.store(true, Ordering::Relaxed);
        assert_eq!(history.len() as u64, 2 * 7 * ROUNDS);

        for (name, reader) in readers {
            let account = reader.join().unwrap();
            check_account(name, &account, &history);
            if name == "too late" {
                assert!(account.iter().any(Result::is_err), "it never lagged");
            }
        }
        check_sights(&replayer.join().unwrap(), &history);
    });
    assert_eq!(log.stats().subscribers, 0);
}

/// Producers that number with `append_with` get the numbers of the log itself.
#[test]
fn append_with_gives_every_number_once() {
    const EACH: u64 = 5_000;
    let log = EventLog::builder().capacity(4 * 5_000).build().unwrap();
    thread::scope(|scope| {
        for appender in 0..4 {
            let log = &log;
            scope.spawn(move || {
                for _ in 0..EACH {
                    log.append_with(|newest| Note {
                        appender,
                        version: newest.map_or(1, |version| version + 1),
                    });
                }
            });
        }
    });
    let versions = log.replay(0);
    assert!(versions.iter().map(|note| note.version).eq(1..=4 * EACH));
}

/// A log of which the last handle is dropped is closed: its readers come to an end.
#[test]
fn dropping_the_log_ends_its_readers() {
    let log = EventLog::new(None);
    let (blocking, polled) = (log.subscribe(0), log.subscribe(0));
    let note = Note {
        appender: 0,
        version: 1,
    };
    thread::scope(|scope| {
        let readers = [
            scope.spawn(|| read_blocking(blocking)),
            scope.spawn(|| read_async(polled)),
        ];
        assert_eq!(log.append(note), Seq::new(1));
        drop(log);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), [Ok((1, note))]);
        }
    });
}
