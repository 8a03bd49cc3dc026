//! How many events there were when, in a few characters.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::MARKED_EVERY;

/// More stretches of time are never kept.
const MAX_STRETCHES: usize = 4_096;
/// More shares are never made of what came between two times.
const MAX_SHARES: u64 = 100;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Counts in stretches of time that grow as they become too many.
pub(crate) struct Rate {
    counts: BTreeMap<u64, u64>,
    /// Of a stretch, in milliseconds.
    millis: u64,
}

impl Rate {
    pub(crate) fn new() -> Self {
        Self {
            counts: BTreeMap::new(),
            millis: 100,
        }
    }

    pub(crate) fn add(&mut self, time: SystemTime, count: u64) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        *self.counts.entry(millis / self.millis).or_default() += count;
        while self.counts.len() > MAX_STRETCHES {
            self.millis *= 2;
            let counts = std::mem::take(&mut self.counts);
            for (stretch, count) in counts {
                *self.counts.entry(stretch / 2).or_default() += count;
            }
        }
    }

    /// Counts what came between two times, in equal shares. Where they lie too far apart for that,
    /// most of it came right before the second.
    pub(crate) fn spread(&mut self, from: SystemTime, to: SystemTime, count: u64) {
        let span = to.duration_since(from).unwrap_or_default();
        let parts = match u64::try_from(span.as_millis()) {
            Ok(millis) if span <= MARKED_EVERY => (millis / self.millis).clamp(1, MAX_SHARES),
            _ => return self.add(to, count),
        };
        let through = |part: u64| u128::from(count) * u128::from(part) / u128::from(parts);
        for part in 0..parts {
            let share = u64::try_from(through(part + 1) - through(part)).unwrap_or(0);
            if share > 0 {
                let middle = f64::from(2 * u32::try_from(part).unwrap_or(0) + 1);
                let of = f64::from(2 * u32::try_from(parts).unwrap_or(1));
                self.add(from + span.mul_f64(middle / of), share);
            }
        }
    }

    /// From when to when, if there is anything.
    pub(crate) fn span(&self) -> Option<(SystemTime, SystemTime)> {
        let (first, _) = self.counts.first_key_value()?;
        let (last, _) = self.counts.last_key_value()?;
        let time = |stretch: u64| {
            UNIX_EPOCH.checked_add(Duration::from_millis(stretch.saturating_mul(self.millis)))
        };
        Some((time(*first)?, time(last.saturating_add(1))?))
    }

    /// The counts of so many equal parts of the span.
    pub(crate) fn parts(&self, parts: usize) -> Vec<u64> {
        let mut counts = vec![0; parts];
        let Some((first, _)) = self.counts.first_key_value() else {
            return counts;
        };
        let last = self
            .counts
            .last_key_value()
            .map_or(*first, |(last, _)| *last);
        let span = u128::from(last - first) + 1;
        for (stretch, count) in &self.counts {
            let part = u128::from(stretch - first) * parts as u128 / span;
            if let Some(sum) = usize::try_from(part)
                .ok()
                .and_then(|part| counts.get_mut(part))
            {
                *sum += count;
            }
        }
        counts
    }

    /// A bar per part. Where nothing was, nothing stands.
    pub(crate) fn line(&self, parts: usize) -> String {
        let counts = self.parts(parts);
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let bar = |count: &u64| {
            let Some(above) = count.checked_sub(1) else {
                return ' ';
            };
            let level = u128::from(above) * BARS.len() as u128 / u128::from(most);
            BARS[usize::try_from(level).unwrap_or(0).min(BARS.len() - 1)]
        };
        counts.iter().map(bar).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(millis)
    }

    #[test]
    fn counts_stay_few_however_long_it_lasts() {
        let mut rate = Rate::new();
        for second in 0..100_000 {
            rate.add(at(second * 1_000), 1);
        }
        assert!(rate.counts.len() <= MAX_STRETCHES);
        assert_eq!(rate.parts(10).iter().sum::<u64>(), 100_000);
    }

    #[test]
    fn a_bar_is_as_high_as_its_share() {
        let mut rate = Rate::new();
        assert_eq!(rate.line(3), "   ");
        rate.add(at(1_000), 8);
        rate.add(at(1_900), 1);
        assert_eq!(rate.line(10), "█        ▁");
        assert_eq!(rate.span(), Some((at(1_000), at(2_000))));
    }

    #[test]
    fn what_came_between_two_times_is_spread_over_them() {
        let mut rate = Rate::new();
        rate.spread(at(1_000), at(2_000), 25);
        assert_eq!(rate.parts(10).iter().sum::<u64>(), 25);
        assert!(rate.parts(10).iter().all(|part| (2..=3).contains(part)));
        // Nobody knows when in an hour it was, but mostly at its end.
        let mut rate = Rate::new();
        rate.spread(at(0), at(3_600_000), 25);
        assert_eq!(rate.span(), Some((at(3_600_000), at(3_600_100))));
        // A clock that went back.
        let mut rate = Rate::new();
        rate.spread(at(2_000), at(1_000), 7);
        assert_eq!(rate.parts(1), [7]);
    }
}
