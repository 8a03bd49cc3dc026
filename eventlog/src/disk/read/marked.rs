//! The marks of a log, each at its place.

use std::sync::Arc;
use std::time::SystemTime;

use super::line::Place;
use super::timeline::Timeline;
use crate::cursor::Epoch;
use crate::disk::format::marks::{Kind, Mark};
use crate::disk::storage::Storage;
use crate::seq::Seq;

/// A [mark](crate::disk#marks): what happened between two lines, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct MarkAt {
    /// The line before which it stands: the next one to be written, if it is the end of the log.
    pub place: Place,
    /// When it was made, as the clock said; `None` if no clock shows that.
    pub time: Option<SystemTime>,
    /// The number of the last event before it, where the writer knew it.
    pub seq: Option<Seq>,
    /// What happened.
    pub kind: MarkKind,
}

/// What a [mark](MarkAt) says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MarkKind {
    /// A writer opened the log. What follows is of its life.
    Opened {
        /// The life that begins, where it has an id.
        epoch: Option<Epoch>,
        /// The process, for people only.
        pid: Option<u32>,
        /// Whether it could not go on with the history before it, if there was one.
        fresh: bool,
    },
    /// Everything before it is durable.
    Committed,
    /// The file is complete.
    Rotated,
    /// The writer ended, and everything before it is durable.
    Closed,
    /// Something that a later version marks.
    Other,
}

impl<S: Storage> Timeline<S> {
    /// The marks of the files that are there, in the order of the log.
    ///
    /// An opening without a closing before it tells that the writer before was killed, or its machine
    /// went down.
    ///
    /// ```
    /// use eventlog::disk::{DiskConfig, DiskWriter, MarkKind, Timeline};
    /// # use eventlog::EventLog;
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("events.log");
    /// let log = EventLog::new(None);
    /// let writer = DiskWriter::spawn(&log, DiskConfig::new(&path))?;
    /// log.append(Tick(7));
    /// drop(writer); // stores it, and marks the end
    ///
    /// let marks: Vec<_> = Timeline::of(&path).marks().collect();
    /// assert!(matches!(marks[0].kind, MarkKind::Opened { epoch: Some(_), .. }));
    /// assert_eq!(marks.last().unwrap().kind, MarkKind::Closed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn marks(&self) -> impl Iterator<Item = MarkAt> {
        self.marked().flat_map(|(path, marks)| {
            let file = Arc::from(path);
            let own = marks.iter().filter(|mark| !begins_after_rotation(mark));
            own.map(move |mark| at_place(mark, &file))
        })
    }
}

/// Whether it is a rotation's, repeated at the beginning of the file after it.
fn begins_after_rotation(mark: &Mark) -> bool {
    mark.kind == Kind::Rotated && mark.at.offset == 0
}

fn at_place(mark: &Mark, file: &Arc<std::path::Path>) -> MarkAt {
    MarkAt {
        place: Place {
            file: file.clone(),
            line: mark.at.line.checked_add(1),
            offset: mark.at.offset,
        },
        time: mark.time(),
        seq: mark.at.seq.map(Seq::new),
        kind: match mark.kind {
            Kind::Opened => MarkKind::Opened {
                epoch: mark.epoch,
                pid: mark.pid,
                fresh: mark.fresh,
            },
            Kind::Committed => MarkKind::Committed,
            Kind::Rotated => MarkKind::Rotated,
            Kind::Closed => MarkKind::Closed,
            Kind::Unknown => MarkKind::Other,
        },
    }
}
