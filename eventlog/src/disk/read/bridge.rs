//! Store and forward: what a writer's backlog could not keep, from the log on disk.

use std::{
    marker::PhantomData,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;

use super::{lines::Lines, timeline::Timeline};
use crate::{
    seq::Seq,
    versioned::Versioned,
    writer::{
        Gap, WriterConfig,
        bridge::{Bridge, Bridged, Bridges},
    },
};

impl WriterConfig {
    /// Takes what the backlog cannot keep from the log on disk, which another writer of the same
    /// log writes at this path: an outage of the destination then costs no gap, however long it is,
    /// as long as the files are there. So does what was stored on disk and nowhere else before a
    /// restart, where the log was [recovered](crate::EventLog::recover).
    ///
    /// The [marks](crate::disk#marks) tell which line has which number: without them, and where
    /// the disk does not have the events either, there is a gap as ever.
    ///
    /// ```
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// use eventlog::writer::WriterConfig;
    ///
    /// let config = WriterConfig::new("orders").forward_from::<Tick>("events.log");
    /// # let _ = config;
    /// ```
    #[must_use]
    pub fn forward_from<E: Versioned + DeserializeOwned + 'static>(
        mut self,
        path: impl AsRef<Path>,
    ) -> Self {
        let path = path.as_ref().to_path_buf();
        self.bridges = Bridges::new(move || {
            Box::new(DiskBridge::<E> {
                path: path.clone(),
                lines: None,
                events: PhantomData,
            })
        });
        self
    }
}

/// The lines of a log on disk, from any number on.
struct DiskBridge<E> {
    path: PathBuf,
    lines: Option<Lines>,
    events: PhantomData<fn() -> E>,
}

impl<E: Versioned + DeserializeOwned> Bridge for DiskBridge<E> {
    fn seek(&mut self, after: Seq) -> bool {
        self.lines = Timeline::of(&self.path).after(after);
        self.lines.is_some()
    }

    fn next(&mut self) -> Option<Bridged<'_>> {
        let line = self.lines.as_mut()?.next_line()?.ok()?.bytes;
        if let Some(gap) = Gap::parse(line) {
            return Some(Bridged::Gap(gap));
        }
        let event: E = serde_json::from_slice(line).ok()?;
        let version = event.version();
        Some(Bridged::Event { version, line })
    }
}
