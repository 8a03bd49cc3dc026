//! How long to wait after a failure, and when to speak of it.

use std::{sync::Arc, time::Duration};

use super::{config::Notices, notice::Notice};

/// The shortest wait after a second failure, so that waits grow also where the first is none.
const SHORTEST: Duration = Duration::from_millis(1);

/// Doubling waits between two bounds, with one notice when failing begins and one when it ends.
pub(super) struct Retry {
    name: Arc<str>,
    notices: Notices,
    min: Duration,
    max: Duration,
    /// The next wait; `None` unless the last attempt failed.
    wait: Option<Duration>,
    /// What the last failure said.
    error: String,
}

impl Retry {
    pub(super) fn new(name: Arc<str>, notices: Notices, min: Duration, max: Duration) -> Self {
        Self {
            name,
            notices,
            min,
            max: max.max(min),
            wait: None,
            error: String::new(),
        }
    }

    /// What the last failure said; `None` while all is well.
    pub(super) fn failing(&self) -> Option<String> {
        self.wait.map(|_| self.error.clone())
    }

    /// Notes a failure; says how long to wait before the next attempt.
    pub(super) fn failed(&mut self, error: &str) -> Duration {
        error.clone_into(&mut self.error);
        let wait = self.wait.unwrap_or_else(|| {
            self.notices.tell(&Notice::Failing {
                name: self.name.to_string(),
                error: error.to_owned(),
            });
            self.min
        });
        let longer = wait.saturating_mul(2).max(SHORTEST);
        self.wait = Some(longer.min(self.max));
        wait
    }

    /// Notes a success.
    pub(super) fn succeeded(&mut self) {
        if self.wait.take().is_some() {
            self.notices.tell(&Notice::Resumed {
                name: self.name.to_string(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(min: Duration, max: Duration) -> Retry {
        Retry::new("x".into(), Notices::default(), min, max)
    }

    #[test]
    fn waits_double_up_to_the_bound_and_start_over_after_a_success() {
        let mut retry = retry(Duration::from_millis(100), Duration::from_millis(350));
        let waits: Vec<_> = (0..4).map(|_| retry.failed("the disk is full")).collect();
        assert_eq!(waits, [100, 200, 350, 350].map(Duration::from_millis));
        assert_eq!(retry.failing().as_deref(), Some("the disk is full"));
        retry.succeeded();
        assert_eq!(retry.failing(), None);
        assert_eq!(retry.failed("the disk is full"), Duration::from_millis(100));
    }

    #[test]
    fn waits_grow_from_nothing_and_never_past_the_longest_duration() {
        let waits = |min, max| {
            let mut retry = retry(min, max);
            [(); 4].map(|()| retry.failed("the disk is full"))
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
