//! Finds in the ring what a broadcast channel dropped.

use crate::{
    cursor::Start,
    log::EventLog,
    versioned::Versioned,
    writer::gap::{Gap, GapReason},
};

/// Events that a channel dropped.
#[derive(Default)]
pub(super) struct Missed {
    /// The version of the last event that came before them, if any did.
    pub(super) after: Option<u64>,
    pub(super) count: u64,
}

/// The newest of the missed events, as many as the log has, and the gap line for the others.
pub(super) fn heal<E: Versioned + Clone>(
    log: &EventLog<E>,
    missed: &Missed,
    next: u64,
) -> (Option<Gap>, Vec<E>) {
    let retained = log.replay(Start::Oldest);
    let events: Vec<&E> = retained.iter().collect();
    let versions: Vec<u64> = retained
        .with_cursors()
        .map(|(cursor, _)| cursor.version())
        .collect();
    let healed = match find(&versions, missed, next) {
        Some(range) => events[range].iter().map(|event| (*event).clone()).collect(),
        None => Vec::new(),
    };
    (gap(missed, &healed, next), healed)
}

/// Where the missed events are in the ring: between the same neighbours as in the channel, or, if
/// the ring no longer has the neighbour before them, at its beginning. Where the ring still has
/// that neighbour at another distance, the channel had another history, and nothing fits.
fn find(versions: &[u64], missed: &Missed, next: u64) -> Option<std::ops::Range<usize>> {
    let count = usize::try_from(missed.count).ok()?;
    let follows = |end: &usize| versions[*end] == next;
    let between = |end: &usize| *end > count && Some(versions[*end - count - 1]) == missed.after;
    let has_after = |end: usize| versions[..end].iter().any(|v| Some(*v) == missed.after);
    let partly = |end: &usize| *end <= count && !has_after(*end);
    let ends = || (0..versions.len()).rev().filter(follows);
    let end = ends().find(between).or_else(|| ends().find(partly))?;
    Some(end.saturating_sub(count)..end)
}

/// What has to be declared lost: how many, and between which versions they must have been.
fn gap<E: Versioned>(missed: &Missed, healed: &[E], next: u64) -> Option<Gap> {
    let count = missed.count - healed.len() as u64;
    let after = healed.first().map_or(next, Versioned::version);
    let min_version = missed.after.map_or(0, |after| after.saturating_add(1));
    let max_version = after.saturating_sub(1).max(min_version);
    (count > 0).then(|| Gap::new(count, min_version, max_version, GapReason::Missed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(versions: &[u64], after: Option<u64>, count: u64, next: u64) -> Option<Vec<u64>> {
        find(versions, &Missed { after, count }, next).map(|range| versions[range].to_vec())
    }

    #[test]
    fn missed_events_are_those_between_the_same_neighbours() {
        assert_eq!(found(&[1, 2, 3, 4, 5], Some(1), 2, 4), Some(vec![2, 3]));
        // The ring is ahead of the channel, and a version repeats.
        assert_eq!(found(&[1, 2, 3, 4, 4, 4], Some(1), 2, 4), Some(vec![2, 3]));
        assert_eq!(
            found(&[1, 9, 3, 1, 2, 3, 4], Some(1), 2, 4),
            Some(vec![2, 3])
        );
    }

    #[test]
    fn what_the_ring_evicted_is_healed_in_part() {
        assert_eq!(found(&[3, 4, 5], Some(1), 3, 5), Some(vec![3, 4]));
        assert_eq!(found(&[5, 6], Some(1), 3, 5), Some(vec![]));
        assert_eq!(found(&[1, 2, 3], None, 2, 3), Some(vec![1, 2]));
    }

    #[test]
    fn a_ring_with_another_history_heals_nothing() {
        assert_eq!(found(&[], Some(1), 2, 4), None);
        assert_eq!(found(&[7, 8, 9, 4], Some(1), 2, 4), None);
        assert_eq!(found(&[1, 2, 3], Some(1), 2, 4), None);
        assert_eq!(found(&[1, 2, 9], Some(2), 6, 9), None);
    }
}
