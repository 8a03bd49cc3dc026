//! How long to wait after a failure, and when to speak of it.

use std::{fmt::Display, path::Path, time::Duration};

/// The shortest wait after a second failure, so that waits grow also where the first is none.
const SHORTEST: Duration = Duration::from_millis(1);

/// Doubling waits between two bounds, with one warning when failing begins and one message when it
/// ends.
pub(super) struct Retry {
    min: Duration,
    max: Duration,
    /// The next wait; `None` while all is well.
    wait: Option<Duration>,
}

impl Retry {
    pub(super) fn new(min: Duration, max: Duration) -> Self {
        Self {
            min,
            max: max.max(min),
            wait: None,
        }
    }

    pub(super) fn is_failing(&self) -> bool {
        self.wait.is_some()
    }

    /// Notes a failure; says how long to wait before the next attempt.
    pub(super) fn failed(&mut self, path: &Path, error: &impl Display) -> Duration {
        let wait = self.wait.unwrap_or_else(|| {
            tracing::warn!(
                path = %path.display(),
                %error,
                "cannot write the event log; events wait in memory and writing is tried again: \
                 free the disk or mend the path"
            );
            self.min
        });
        let longer = wait.saturating_mul(2).max(SHORTEST);
        self.wait = Some(longer.min(self.max));
        wait
    }

    /// Notes a success.
    pub(super) fn succeeded(&mut self, path: &Path) {
        if self.wait.take().is_some() {
            tracing::warn!(path = %path.display(), "the event log is being written again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_start_over_after_a_success() {
        let mut retry = Retry::new(Duration::from_millis(100), Duration::from_millis(350));
        let error = "the disk is full";
        let waits: Vec<_> = (0..4)
            .map(|_| retry.failed(Path::new("x"), &error))
            .collect();
        assert_eq!(waits, [100, 200, 350, 350].map(Duration::from_millis));
        assert!(retry.is_failing());
        retry.succeeded(Path::new("x"));
        assert!(!retry.is_failing());
        assert_eq!(
            retry.failed(Path::new("x"), &error),
            Duration::from_millis(100)
        );
    }
    #[test]
    fn waits_grow_from_nothing_and_never_past_the_longest_duration() {
        let waits = |min, max| {
            let mut retry = Retry::new(min, max);
            [(); 4].map(|()| retry.failed(Path::new("x"), &"the disk is full"))
        };
        let from_nothing = waits(Duration::ZERO, Duration::from_millis(3));
        assert_eq!(from_nothing, [0, 1, 2, 3].map(Duration::from_millis));
        assert_eq!(
            waits(Duration::MAX, Duration::ZERO),
            [Duration::MAX; 4],
            "the longest wait is never below the first"
        );
    }
}
