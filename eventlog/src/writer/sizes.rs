//! How many bytes the events have that wait.

use std::{collections::VecDeque, ops::Range};

/// How many bytes the events have that wait, by runs of events that follow each other.
#[derive(Default)]
pub(super) struct Sizes(VecDeque<Run>);

struct Run {
    events: Range<u64>,
    /// Bytes of one of them, on the average.
    each: u64,
}

impl Sizes {
    /// The sequence number after the last event whose size is known; 0 if none is.
    pub(super) fn end(&self) -> u64 {
        self.0.back().map_or(0, |run| run.events.end)
    }

    /// Notes a run after the others.
    pub(super) fn push(&mut self, events: Range<u64>, each: u64) {
        if events.start >= self.end() {
            let each = each.max(1);
            self.0.push_back(Run { events, each });
        }
    }

    /// Forgets runs that end at or before `seq`.
    pub(super) fn forget_before(&mut self, seq: u64) {
        while self.0.front().is_some_and(|run| run.events.end <= seq) {
            self.0.pop_front();
        }
    }

    /// How many of the events before `end` have at most these bytes together, counted from the
    /// newest; where all have, how many more of the newest one's size would.
    pub(super) fn fitting(&self, end: u64, bytes: u64) -> u64 {
        let Some(newest) = self.0.back() else {
            return u64::MAX;
        };
        let (mut end, mut fitting, mut left) = (end, 0, bytes);
        for run in self.0.iter().rev() {
            // What is after the newest run is taken to be like it.
            let count = end.saturating_sub(run.events.start);
            let room = left / run.each;
            if room < count {
                return fitting + room;
            }
            fitting += count;
            left -= count * run.each;
            end = end.min(run.events.start);
        }
        fitting + left / newest.each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_counted_from_the_newest() {
        let mut sizes = Sizes::default();
        assert_eq!(sizes.fitting(10, 0), u64::MAX, "nothing is known");
        sizes.push(1..11, 10);
        sizes.push(11..21, 100);
        sizes.push(15..30, 1); // known already
        assert_eq!(sizes.end(), 21);
        assert_eq!(sizes.fitting(21, 950), 9);
        assert_eq!(
            sizes.fitting(21, 1_055),
            15,
            "ten large ones and five small"
        );
        assert_eq!(sizes.fitting(11, 35), 3, "only those before 11 count");
        assert_eq!(
            sizes.fitting(11, 1_100),
            10 + 10,
            "the next are as large as the last"
        );
        assert_eq!(
            sizes.fitting(31, 1_900),
            19,
            "so are those that nobody looked at"
        );
        sizes.forget_before(20);
        assert_eq!(sizes.fitting(21, 1_000), 10);
        assert_eq!(sizes.fitting(11, 35), 0, "the small ones are forgotten");
    }
}
