//! Waiting for what is still to be written.

use std::time::{Duration, Instant};

use super::Follow;
use crate::disk::storage::Storage;

/// How often the log is looked at where no watch tells of changes.
const POLL: Duration = Duration::from_millis(50);
/// How often it is looked at where one should: some network file systems tell of nothing.
#[cfg(feature = "watch")]
const POLL_WATCHED: Duration = Duration::from_secs(1);

impl<E, S: Storage> Follow<E, S> {
    /// Sleeps until there may be something to take, for at most `timeout`. False if nothing has
    /// changed until then.
    ///
    /// With the feature `watch` the system wakes it, where it has watches on directories, and it
    /// looks once per second besides. Without, or where a watch cannot be had, it looks at the name
    /// and length of the current file every 50 ms.
    ///
    /// It is not for a thread that runs asynchronous tasks: see
    /// [`into_stream`](Self::into_stream).
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// use std::time::Duration;
    ///
    /// let mut follow = eventlog::disk::follow::<u64>(&path);
    /// assert!(follow.next().is_none());
    /// assert!(!follow.wait(Duration::ZERO));
    ///
    /// std::fs::write(&path, "1\n")?;
    /// assert!(follow.wait(Duration::from_secs(60)));
    /// assert!(follow.next().is_some());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn wait(&mut self, timeout: Duration) -> bool {
        // Too far away to be an instant is for ever.
        let deadline = Instant::now().checked_add(timeout);
        self.begin_to_watch();
        loop {
            if self.trail.may_have_more() {
                return true;
            }
            let left = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return false;
            }
            self.sleep(left);
            self.begin_to_watch();
        }
    }

    #[cfg(feature = "watch")]
    fn begin_to_watch(&mut self) {
        if self.watch.is_none()
            && let Some(directory) = self.trail.directory()
        {
            self.watch = super::watch::Watch::on(directory);
        }
    }

    #[cfg(feature = "watch")]
    fn sleep(&self, left: Duration) {
        match &self.watch {
            Some(watch) => watch.wait(left.min(POLL_WATCHED)),
            None => std::thread::sleep(left.min(POLL)),
        }
    }

    #[cfg(not(feature = "watch"))]
    #[expect(clippy::unused_self, reason = "there is a watch with another feature")]
    fn begin_to_watch(&mut self) {}

    #[cfg(not(feature = "watch"))]
    #[expect(clippy::unused_self, reason = "there is a watch with another feature")]
    fn sleep(&self, left: Duration) {
        std::thread::sleep(left.min(POLL));
    }
}
