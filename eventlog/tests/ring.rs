//! The ring from outside: what an append returns, what is evicted, what can be told of it.
#![cfg(feature = "derive")]
#![allow(clippy::unwrap_used)]

use eventlog::{Coverage, EventLog, Versioned};
use proptest::prelude::*;

/// The smallest event: a version, and a number that tells equal versions apart.
#[derive(Versioned, Clone, PartialEq, Debug)]
struct Tick {
    version: u64,
    pick: u32,
}

impl Tick {
    fn new(version: u64, pick: u32) -> Self {
        Self { version, pick }
    }
}

#[test]
fn an_append_returns_the_numbers_of_its_events() {
    let log = EventLog::new(None);
    let tick = |version| Tick::new(version, 0);
    let seq = eventlog::Seq::new;
    let range = |first, last| eventlog::SeqRange::new(seq(first), seq(last));
    assert_eq!(log.append(tick(7)), seq(1));
    assert_eq!(log.append_batch([]), None);
    assert_eq!(log.append_batch([8, 8, 9].map(tick)), range(2, 4));
    assert_eq!(log.append_batch([tick(10)]), range(5, 5));
    assert_eq!(log.append_with(|newest| tick(newest.unwrap())), seq(6));
    assert_eq!(log.newest_version(), Some(10));
}

#[test]
fn the_counters_are_those_of_this_instant() {
    let log = EventLog::builder().capacity(3).build().unwrap();
    let mut slow = log.subscribe(0);
    let mut fast = log.subscribe(0);
    log.append_batch((1..=3).map(|version| Tick::new(version, 0)));
    fast.skip_to_newest();
    log.append_batch((4..=5).map(|version| Tick::new(version, 0)));
    let stats = log.stats();
    assert_eq!((stats.appended, stats.evicted, stats.retained), (5, 2, 3));
    assert_eq!((stats.subscribers, stats.slowest_distance), (2, 5));
    assert_eq!(stats.lagged, 0, "nobody was told yet");
    slow.try_recv().unwrap_err();
    fast.try_recv().unwrap();
    let stats = log.stats();
    assert_eq!((stats.lagged, stats.slowest_distance), (2, 3));
    drop(slow);
    let stats = log.stats();
    assert_eq!((stats.subscribers, stats.slowest_distance), (1, 1));
}

/// A cursor of the future of this very life can only come from outside, as text.
#[test]
fn a_cursor_beyond_the_newest_event_is_ahead() {
    let log = EventLog::new(None);
    log.append(Tick::new(7, 0));
    let forged: eventlog::Cursor = format!("{}.2.9", log.epoch()).parse().unwrap();
    let replay = log.replay(forged);
    assert_eq!(replay.coverage(), Coverage::Ahead { newest: 7 });
    assert!(replay.is_empty());
}

/// The ring as a list: everything that was ever appended, and how much of it is gone.
struct Reference {
    appended: Vec<Tick>,
    capacity: usize,
}

impl Reference {
    fn parts(&self) -> (&[Tick], &[Tick]) {
        let evicted = self.appended.len().saturating_sub(self.capacity);
        self.appended.split_at(evicted)
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let (_, retained) = self.parts();
        let newer = retained.iter().filter(|tick| tick.version > since);
        newer.cloned().collect()
    }

    fn replay_truncated(&self, since: u64) -> bool {
        let (evicted, _) = self.parts();
        // A log that begins with version 5 lacks what was before it.
        let base = self
            .appended
            .first()
            .map_or(0, |tick| tick.version.saturating_sub(1));
        base > since || evicted.iter().any(|tick| tick.version > since)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Versions skip, repeat and fall; batches begin and end anywhere in a segment.
    #[test]
    fn r02_r04_the_ring_answers_as_a_list_would(
        batches in prop::collection::vec(prop::collection::vec(0..9_u64, 0..12), 0..12),
        capacity in 1..40_usize,
    ) {
        let log = EventLog::builder().capacity(capacity).build().unwrap();
        let mut reference = Reference { appended: Vec::new(), capacity };
        let mut pick = 0..;
        for versions in batches {
            let batch: Vec<_> = versions.into_iter().zip(&mut pick).collect();
            let batch = batch.into_iter().map(|(version, pick)| Tick::new(version, pick));
            reference.appended.extend(batch.clone());
            match batch.len() {
                1 => drop(batch.map(|tick| log.append(tick)).last()),
                _ => drop(log.append_batch(batch)),
            }
            for since in 0..10 {
                prop_assert_eq!(log.events_since(since), reference.events_since(since));
                prop_assert_eq!(log.replay_truncated(since), reference.replay_truncated(since));
            }
            let (evicted, retained) = reference.parts();
            let stats = log.stats();
            let counted = (evicted.len() as u64, retained.len() as u64);
            prop_assert_eq!((stats.evicted, stats.retained), counted);
            let newest = reference.appended.last().map(|tick| tick.version);
            prop_assert_eq!(log.newest_version(), newest);
        }
    }
}
