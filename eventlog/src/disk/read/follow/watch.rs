//! The system's watch on the directory of a log.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use parking_lot::{Condvar, Mutex};

/// Tells that something has changed in a directory.
pub(super) struct Watch {
    _watcher: RecommendedWatcher,
    change: Arc<Change>,
}

#[derive(Default)]
struct Change {
    is_new: Mutex<bool>,
    told: Condvar,
}

impl Watch {
    /// `None` where the system has no watch, or the directory is not there.
    pub(super) fn on(directory: &Path) -> Option<Self> {
        let change = Arc::new(Change::default());
        let told = change.clone();
        let tell = move |_| {
            *told.is_new.lock() = true;
            told.told.notify_one();
        };
        let mut watcher = notify::recommended_watcher(tell).ok()?;
        watcher.watch(directory, RecursiveMode::NonRecursive).ok()?;
        Some(Self {
            _watcher: watcher,
            change,
        })
    }

    /// Waits for a change since the last one that was waited for.
    pub(super) fn wait(&self, timeout: Duration) {
        let mut is_new = self.change.is_new.lock();
        if !*is_new {
            self.change.told.wait_for(&mut is_new, timeout);
        }
        *is_new = false;
    }
}
