//! How many events there were when, in a few characters.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// More stretches of time are never kept.
const MAX_STRETCHES: usize = 4_096;
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
}
