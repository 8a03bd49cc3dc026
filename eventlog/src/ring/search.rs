//! Looking for versions in a list of segments, past what cannot have them.

use std::ops::Range;

use super::{entries::Entries, list::SegmentList};

impl<E> SegmentList<E> {
    /// The first sequence number in `range` with a version above `above`.
    pub(super) fn first_above(&self, range: Range<u64>, above: u64) -> Option<u64> {
        let mut from = range.start;
        while from < range.end {
            let (to, none_above) = self.known(from, |versions| versions.max <= above);
            if none_above.is_none() {
                let part = from..to.min(range.end);
                let mut entries = part.clone().zip(Entries::new(self, part));
                if let Some((seq, _)) = entries.find(|(_, entry)| entry.version > above) {
                    return Some(seq);
                }
            }
            from = to;
        }
        None
    }

    /// How many of `range` have a version above `above`.
    pub(super) fn count_above(&self, range: Range<u64>, above: u64) -> usize {
        let mut count = 0;
        let mut from = range.start;
        while from < range.end {
            let (to, known) = self.known(from, |versions| {
                versions.max <= above || versions.min > above
            });
            let part = from..to.min(range.end);
            let entries = Entries::new(self, part);
            count += match known {
                Some(versions) if versions.max <= above => 0,
                Some(_) => entries.len(),
                None => entries.filter(|entry| entry.version > above).count(),
            };
            from = to;
        }
        count
    }

    /// The first of the segments with these numbers that may have a version above `above`.
    pub(super) fn first_reaching(&self, numbers: Range<u64>, above: u64) -> Option<u64> {
        let mut number = numbers.start;
        while number < numbers.end {
            let seq = self.start(number);
            let (to, none_above) = self.known(seq, |versions| versions.max <= above);
            if none_above.is_none() {
                return Some(number);
            }
            number = self.number(to);
        }
        None
    }

    /// The last of the segments with these numbers that may have a version above `above`.
    pub(super) fn last_reaching(&self, numbers: Range<u64>, above: u64) -> Option<u64> {
        numbers.rev().find(|number| {
            let seq = self.start(*number);
            let (_, none_above) = self.known(seq, |versions| versions.max <= above);
            none_above.is_none()
        })
    }

    /// The highest version of the events that are gone in the segment of `oldest`. `first` is the
    /// first that there ever was, `last_fall` where versions fell last.
    pub(super) fn max_below(&self, first: u64, oldest: u64, last_fall: u64) -> Option<u64> {
        let start = self.start_of(oldest).max(first);
        let segment = self.segment(oldest)?;
        let rises = last_fall <= start || segment.versions().is_some_and(|known| known.rises);
        let mut gone = Entries::new(self, start..oldest);
        let last = gone.next_back()?;
        if rises {
            return Some(last.version);
        }
        let others = gone.map(|entry| entry.version);
        others.chain([last.version]).max()
    }
}
