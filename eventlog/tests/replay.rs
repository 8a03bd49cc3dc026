//! A replay is read like any collection: forwards, backwards, from both ends, with its length.

#![cfg(feature = "derive")]
#![allow(clippy::unwrap_used)]

use eventlog::{Coverage, Cursor, EventLog, Versioned};
use proptest::prelude::*;

/// The smallest event.
#[derive(Versioned, Debug)]
struct Tick {
    version: u64,
}

/// Number and version of each retained event, or of those with a version above.
fn expected(versions: &[u64], capacity: usize, above: Option<u64>) -> Vec<(u64, u64)> {
    let evicted = versions.len().saturating_sub(capacity);
    let numbered = (1..).zip(versions.iter().copied());
    let kept = |(_, version): &(u64, u64)| above.is_none_or(|above| *version > above);
    numbered.skip(evicted).filter(kept).collect()
}

fn log(versions: &[u64], capacity: usize) -> EventLog<Tick> {
    let log = EventLog::builder().capacity(capacity).build().unwrap();
    for version in versions {
        log.append(Tick { version: *version });
    }
    log
}

/// Takes from both ends as `ends` says, and checks the length before each step.
fn take<T>(
    mut iter: impl ExactSizeIterator<Item = T> + DoubleEndedIterator,
    ends: &[bool],
) -> (Vec<T>, Vec<T>) {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    for at_front in ends.iter().chain([true; 64].iter()) {
        let len = iter.len();
        assert_eq!(iter.size_hint(), (len, Some(len)));
        let item = if *at_front {
            iter.next()
        } else {
            iter.next_back()
        };
        assert_eq!(item.is_some(), len > 0);
        match item {
            Some(item) if *at_front => front.push(item),
            Some(item) => back.push(item),
            None => {}
        }
    }
    (front, back)
}

/// A mirror that begins with such a cursor would otherwise ask its source for everything.
#[test]
fn the_cursor_of_an_empty_log_stands_at_its_base() {
    let log = EventLog::<Tick>::builder().base_version(7).build().unwrap();
    assert_eq!((log.cursor().seq().get(), log.cursor().version()), (0, 7));
    assert_eq!(log.subscribe(log.cursor()).cursor().version(), 7);
    log.append(Tick { version: 9 });
    assert_eq!((log.cursor().seq().get(), log.cursor().version()), (1, 9));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_reading_gives_the_same_events(
        versions in prop::collection::vec(0..9_u64, 0..40),
        capacity in 1..32_usize,
        since in prop::option::of(0..9_u64),
        ends in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        let log = log(&versions, capacity);
        let expected = expected(&versions, capacity, since);
        // A stranger's cursor gets everything, whatever the versions are.
        let replay = match since {
            Some(since) => log.replay(since),
            None => log.replay("0000000000000000.0.0".parse::<Cursor>().unwrap()),
        };
        prop_assert_eq!(replay.len(), expected.len());
        prop_assert_eq!(replay.is_empty(), expected.is_empty());

        let (front, mut back) = take(replay.iter().map(Versioned::version), &ends);
        back.reverse();
        let read: Vec<_> = front.into_iter().chain(back).collect();
        let wanted: Vec<_> = expected.iter().map(|(_, version)| *version).collect();
        prop_assert_eq!(&read, &wanted);
        prop_assert_eq!(replay.iter().rev().count(), wanted.len());

        let place = |(cursor, event): (Cursor, &Tick)| {
            assert_eq!(cursor.epoch(), log.epoch());
            assert_eq!(cursor.version(), event.version());
            (cursor.seq().get(), event.version())
        };
        let (front, mut back) = take(replay.with_cursors().map(place), &ends);
        back.reverse();
        let read: Vec<_> = front.into_iter().chain(back).collect();
        prop_assert_eq!(read, expected);
    }
}

/// Runs of rising versions, each of which begins anywhere: a counter that starts again.
fn histories() -> impl Strategy<Value = Vec<u64>> {
    let run = (0..40_000_u64, 1..9_000_usize, 0..3_u64);
    prop::collection::vec(run, 1..7).prop_map(|runs| {
        let versions = |(first, len, step): (u64, usize, u64)| {
            (0..len as u64).map(move |at| first + at * step)
        };
        runs.into_iter().flat_map(versions).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 48,
        ..ProptestConfig::default()
    })]

    /// In logs of many segments, where whole runs of them are passed by: the same events as one by
    /// one, from both ends, and as many as it says; and it stays so while the log goes on.
    #[test]
    fn r02_versions_that_fall_hide_nothing_in_a_large_log(
        versions in histories(),
        capacity in prop::sample::select(vec![300, 5_000, 16_384, 40_000]),
        since in prop::collection::vec(0..60_000_u64, 6),
        ends in prop::collection::vec(any::<bool>(), 64),
    ) {
        let log = log(&versions, capacity);
        let evicted = versions.len().saturating_sub(capacity);
        let gone = versions[..evicted].iter().max().copied();
        let base = versions[0].saturating_sub(1);
        let oldest = versions[evicted].saturating_sub(1);
        let asked = since.into_iter().chain([0, oldest, *versions.last().unwrap()]);
        let replays: Vec<_> = asked.map(|since| (since, log.replay(since))).collect();
        for version in 0..1_000 {
            log.append(Tick { version });
        }
        for (since, replay) in replays {
            let kept: Vec<u64> = expected(&versions, capacity, Some(since))
                .into_iter()
                .map(|(_, version)| version)
                .collect();
            prop_assert_eq!(replay.len(), kept.len());
            prop_assert_eq!(replay.is_empty(), kept.is_empty());
            prop_assert!(replay.iter().map(Versioned::version).eq(kept.iter().copied()));
            let back = replay.iter().rev().map(Versioned::version);
            prop_assert!(back.eq(kept.iter().rev().copied()));
            let missed = gone.max(Some(base)).filter(|missed| *missed > since);
            let is_ahead = since > *versions.last().unwrap();
            let truncated = matches!(replay.coverage(), Coverage::Truncated { .. });
            prop_assert_eq!(truncated, missed.is_some() && !is_ahead);

            let place = |(cursor, event): (Cursor, &Tick)| (cursor.seq().get(), event.version);
            let wanted = expected(&versions, capacity, Some(since));
            prop_assert!(replay.with_cursors().map(place).eq(wanted.iter().copied()));
            let back = replay.with_cursors().rev().map(place);
            prop_assert!(back.eq(wanted.iter().rev().copied()));

            let mut iter = replay.iter();
            let mut left = kept.as_slice();
            for at_front in &ends {
                let (next, wanted) = if *at_front {
                    (iter.next(), left.split_off_first())
                } else {
                    (iter.next_back(), left.split_off_last())
                };
                prop_assert_eq!(next.map(Versioned::version), wanted.copied());
                prop_assert_eq!(iter.len(), left.len());
            }
            // What is left, and everything, by a loop inside of the iterator.
            let mut rest = Vec::new();
            iter.for_each(|event| rest.push(event.version));
            prop_assert_eq!(rest, left);
            let mut all = Vec::new();
            replay.iter().for_each(|event| all.push(event.version));
            prop_assert_eq!(all, kept);
        }
    }
}
