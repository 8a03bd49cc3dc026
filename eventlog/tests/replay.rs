//! A replay is read like any collection: forwards, backwards, from both ends, with its length.

#![cfg(feature = "derive")]
#![allow(clippy::unwrap_used)]

use eventlog::{Cursor, EventLog, Versioned};
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
