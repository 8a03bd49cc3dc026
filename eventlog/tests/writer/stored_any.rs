//! S07 for random histories: at every step a writer's subscriptions are compared with what the
//! destination has.

use std::sync::Arc;

use eventlog::{
    Coverage, EventLog, Start, Subscription, TryRecvError, Versioned,
    disk::{DiskWriter, Gap},
};
use proptest::{collection::vec, prelude::*};

use crate::account::{Event, PATIENCE, REFUSES, config, exited, scripted};
use crate::script::{Remote, Step};

/// An event's version, and whether it can be serialised.
type Kind = (u64, bool);

#[derive(Clone, Debug)]
enum Op {
    Append(Vec<Kind>),
    /// These come at once, and so many lines of them are stored when the destination stalls; then
    /// those come too, until it is released.
    Stall(Vec<Kind>, usize, Vec<Kind>),
    Subscribe(At),
    /// So many calls of the subscription of this number, of events or of batches.
    Read(usize, usize, bool),
    Skip(usize),
}

#[derive(Clone, Copy, Debug)]
enum At {
    Oldest,
    Now,
    After(u64),
    /// The cursor of the log so many events ago.
    Ago(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let events = |count| vec((0..30_u64, prop::bool::weighted(0.8)), count);
    let at = prop_oneof![
        Just(At::Oldest),
        Just(At::Now),
        (0..35_u64).prop_map(At::After),
        (0..12_usize).prop_map(At::Ago),
    ];
    prop_oneof![
        2 => events(1..8).prop_map(Op::Append),
        3 => (events(1..6), 0..6_usize, events(0..12))
            .prop_map(|(first, kept, later)| Op::Stall(first, kept, later)),
        3 => at.prop_map(Op::Subscribe),
        4 => (0..9_usize, 1..6_usize, any::<bool>()).prop_map(|(n, calls, batch)| Op::Read(n, calls, batch)),
        1 => (0..9_usize).prop_map(Op::Skip),
    ]
}

/// A subscription, and what it was owed when it was last looked at.
struct Reader {
    subscription: Subscription<Event>,
    /// The number of the next event.
    next: u64,
    /// The number after the newest that was stored when it began.
    live_from: u64,
    /// What `is_live` said last.
    was_live: bool,
}

struct World {
    log: Arc<EventLog<Event>>,
    writer: DiskWriter<Event>,
    remote: Remote,
    history: Vec<u64>,
    cursors: Vec<eventlog::Cursor>,
    readers: Vec<Reader>,
}

/// The numbers of what has a line at the destination, and how many are accounted for there.
fn stored(remote: &Remote) -> (Vec<u64>, u64) {
    let (mut stored, mut settled) = (Vec::new(), 0);
    for line in remote.durable() {
        if let Some(gap) = Gap::parse(line.trim_end().as_bytes()) {
            settled += gap.count;
        } else {
            settled += 1;
            stored.push(settled);
        }
    }
    (stored, settled)
}

impl World {
    fn append(&mut self, kinds: &[Kind]) {
        let events: Vec<_> = kinds
            .iter()
            .map(|(version, is_sound)| exited(*version, if *is_sound { 0 } else { REFUSES }))
            .collect();
        self.log.append_batch(events);
        for (version, _) in kinds {
            self.history.push(*version);
        }
        self.cursors.push(self.log.cursor());
    }

    fn version(&self, seq: u64) -> u64 {
        self.history[usize::try_from(seq).unwrap() - 1]
    }

    fn oldest(&self) -> u64 {
        self.log.stats().evicted + 1
    }

    fn subscribe(&mut self, at: At) {
        let (settled, oldest) = (stored(&self.remote).1, self.oldest());
        let start = match at {
            At::Oldest => Start::Oldest,
            At::Now => Start::Now,
            At::After(version) => Start::After(version),
            At::Ago(events) => {
                let index = self.cursors.len().saturating_sub(events + 1);
                Start::Cursor(self.cursors[index])
            }
        };
        let subscription = self.writer.subscribe(start);
        let (live_from, end) = (settled + 1, self.history.len() as u64 + 1);
        let version = |seq| self.version(seq);
        let coverage = subscription.coverage();
        let next = match start {
            Start::Oldest => {
                assert_eq!(coverage.is_complete(), oldest == 1);
                oldest
            }
            Start::After(since) => {
                let gone = (1..oldest).map(version).max();
                let newest = self.history.last().copied();
                if let Some(newest) = newest.filter(|newest| *newest < since) {
                    assert_eq!(coverage, Coverage::Ahead { newest });
                } else if gone.is_some_and(|gone| gone > since) {
                    assert!(!coverage.is_complete(), "{coverage:?}");
                }
                let first = (oldest..end).find(|seq| version(*seq) > since);
                first.unwrap_or(end)
            }
            // Also one of what waits to be stored, or is evicted without being.
            Start::Cursor(cursor) => {
                let next = cursor.seq().get() + 1;
                assert_eq!(coverage.is_complete(), next >= oldest);
                next.max(oldest)
            }
            _ => live_from,
        };
        self.readers.push(Reader {
            subscription,
            next,
            live_from,
            was_live: false,
        });
    }

    /// Whether the destination has it, and its event.
    fn deliver(&mut self, reader: usize, version: u64) {
        let (stored, _) = stored(&self.remote);
        let expected = self.version(self.readers[reader].next);
        let reader = &mut self.readers[reader];
        assert!(
            stored.contains(&reader.next),
            "event {} is not stored",
            reader.next
        );
        assert_eq!(version, expected, "event {}", reader.next);
        reader.next += 1;
    }

    fn read(&mut self, index: usize, batch: bool) {
        let ((stored, settled), oldest) = (stored(&self.remote), self.oldest());
        let subscription = &mut self.readers[index].subscription;
        let got = if batch {
            subscription
                .try_recv_batch()
                .map(|batch| batch.iter().map(Versioned::version).collect())
        } else {
            subscription.try_recv().map(|event| vec![event.version()])
        };
        let has_lagged = matches!(got, Err(TryRecvError::Lagged(_)));
        match got {
            Ok(versions) => {
                for version in versions {
                    self.deliver(index, version);
                }
            }
            Err(TryRecvError::Lagged(count)) => {
                let reader = &mut self.readers[index];
                let passed = reader.next..reader.next + count;
                assert!(
                    count > 0 && passed.end <= settled + 1,
                    "{passed:?} of {settled}"
                );
                for seq in passed.clone() {
                    assert!(
                        seq < oldest || !stored.contains(&seq),
                        "event {seq} is there"
                    );
                }
                reader.next = passed.end;
            }
            Err(error) => {
                assert_eq!(error, TryRecvError::Empty);
                assert!(self.readers[index].next > settled, "it is not all");
            }
        }
        let reader = &mut self.readers[index];
        let is_live = reader.subscription.is_live();
        // After a `Lagged` the next event is still due, except where it was live before.
        let may_be = reader.next >= reader.live_from;
        let must_be = may_be && (!has_lagged || reader.was_live);
        assert!(if is_live {
            may_be
        } else {
            !must_be && !reader.was_live
        });
        reader.was_live = is_live;
    }

    fn read_all(&mut self) {
        let (_, settled) = stored(&self.remote);
        for index in 0..self.readers.len() {
            while self.readers[index].next <= settled {
                self.read(index, index % 2 == 0);
            }
            self.read(index, false);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s07_what_is_delivered_is_what_the_destination_has(
        ops in vec(op(), 1..25),
        capacity in 1..20_usize,
        backlog in 0..20_usize,
    ) {
        let (log, writer, remote) = scripted(capacity, &config("s07-any").backlog_events(backlog));
        let cursors = vec![log.cursor()];
        let mut world = World { log, writer, remote, history: Vec::new(), cursors, readers: Vec::new() };
        for op in ops {
            match op {
                Op::Append(kinds) => {
                    world.append(&kinds);
                    world.writer.blocking_flush(PATIENCE).ok();
                }
                Op::Stall(first, kept, later) => {
                    world.remote.then(Step::KeepThenFailWrite(kept));
                    world.remote.then(Step::Stall);
                    world.append(&first);
                    // Its end wakes nobody if the whole batch was kept.
                    world.append(&[(7, true)]);
                    world.remote.wait_stalled();
                    for kind in later {
                        world.append(&[kind]);
                    }
                    world.subscribe(At::Oldest);
                    world.read_all();
                    world.remote.release();
                    world.writer.blocking_flush(PATIENCE).ok();
                }
                Op::Subscribe(at) => world.subscribe(at),
                Op::Read(index, calls, batch) => for _ in 0..calls {
                    if index < world.readers.len() {
                        world.read(index, batch);
                    }
                },
                Op::Skip(index) => if let Some(reader) = world.readers.get_mut(index) {
                    let (_, settled) = stored(&world.remote);
                    let skipped = reader.subscription.skip_to_newest();
                    assert_eq!(skipped, (settled + 1).saturating_sub(reader.next));
                    reader.next = reader.next.max(settled + 1);
                },
            }
        }
        world.read_all();
    }
}
