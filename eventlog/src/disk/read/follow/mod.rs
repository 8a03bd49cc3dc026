//! The records to come.

mod common;
mod moved;
mod open;
mod resume;
mod seen;
mod skip;
mod stream;
mod trail;
mod wait;
#[cfg(feature = "watch")]
mod watch;

use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use serde::de::DeserializeOwned;

pub use self::resume::ResumeError;
use self::skip::Skip;
pub use self::stream::FollowStream;
use self::trail::{Begin, Step, Trail};
use super::decode;
use super::line::RawLine;
use super::placed::{Placed, WithPlaces};
use super::position::Position;
use crate::cursor::Start;
use crate::disk::format::damage::{Damage, DamageKind};
use crate::disk::format::record::Record;
use crate::disk::storage::{RealStorage, Storage};
use crate::versioned::Versioned;

/// Follows the log at `path` from its oldest record on, or from where
/// [`starting`](Follow::starting) says, through rotations, into what is still to be written. The
/// log need not exist yet.
///
/// ```
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("x.log");
/// let mut follow = eventlog::disk::follow::<u64>(&path);
/// assert!(follow.next().is_none());
///
/// std::fs::write(&path, "1\n2\n")?;
/// let seen: Vec<_> = follow.by_ref().flatten().filter_map(|record| record.into_event()).collect();
/// assert_eq!(seen, [1, 2]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub fn follow<E: DeserializeOwned>(path: impl AsRef<Path>) -> Follow<E> {
    Follow::open(RealStorage, path)
}

/// The records of a log as they are written.
///
/// As an iterator it ends when there is nothing *yet*: [`wait`](Self::wait) until something changes
/// and go on, or have it as a [stream](Self::into_stream). Each record comes once. Holes come as [`Damage`], and so do files
/// that were rotated away before the follower came to them ([`DamageKind::Missed`]).
///
/// It reads what is written, whether it is durable yet or not. When the writer repairs the log
/// after a failed sync, what was read already is recognised by its bytes and not repeated, as long
/// as they can still be read. Otherwise, and when somebody cuts the file, events may come again
/// after a notice ([`DamageKind::Missed`], [`DamageKind::Cut`]). A log that somebody removed and
/// that begins anew with exactly the same bytes cannot be told from the old one.
///
/// Where files have no identity that can be asked for (outside of Unix), a rotation is noticed
/// only when the current file is missing or shorter than what was read of it.
pub struct Follow<E, S: Storage = RealStorage> {
    trail: Trail<S>,
    /// Whether what comes next is passed over, because it is before the start.
    skip: Option<Skip<E>>,
    #[cfg(feature = "watch")]
    watch: Option<watch::Watch>,
}

impl<E: DeserializeOwned, S: Storage> Follow<E, S> {
    /// As [`follow`], on any storage.
    #[doc(hidden)]
    pub fn open(storage: S, path: impl AsRef<Path>) -> Self {
        Self {
            trail: Trail::open(storage, path.as_ref()),
            skip: None,
            #[cfg(feature = "watch")]
            watch: None,
        }
    }

    /// Begins elsewhere than with the oldest record that is still there. To be called before the
    /// first record is taken.
    ///
    /// [`Start::Now`] passes over everything that is there at the first look. [`Start::After`]
    /// begins with the first event above a version, or the first gap that reaches above it; if what
    /// comes right after that version is not there any more, that is not told. The files know no
    /// sequence numbers, so of a [`Start::Cursor`] the version counts.
    ///
    /// ```
    /// # use eventlog::Versioned;
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// #[derive(Versioned, serde::Deserialize)]
    /// struct Tick { version: u64 }
    ///
    /// std::fs::write(&path, "{\"version\":1}\n{\"version\":2}\n{\"version\":3}\n")?;
    /// let follow = eventlog::disk::follow::<Tick>(&path).starting(1);
    /// assert_eq!(follow.count(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn starting(mut self, start: impl Into<Start>) -> Self
    where
        E: Versioned,
    {
        self.skip = Skip::before(start.into());
        self
    }

    /// Begins with what was written at `time` or later, and at most a second or so of what was
    /// written before that, as the log's [marks](crate::disk#marks) tell it when the log is first
    /// looked at. What lies before is not read. Without marks it begins with the oldest record. To be
    /// called before the first record is taken.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # let path = "no-such.log";
    /// let minute_ago = SystemTime::now() - Duration::from_secs(60);
    /// for record in eventlog::disk::follow::<u64>(path).since(minute_ago) {
    ///     println!("{:?}", record?.into_event());
    /// }
    /// # Ok::<(), eventlog::disk::Damage>(())
    /// ```
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.trail.begin = Some(Begin::Since(time));
        self
    }

    /// Begins where an earlier follower stood, whose [`position`](Self::position) this is: with what
    /// came after the last record that it gave. To be called before the first record is taken.
    ///
    /// The file is known by its bytes, so it is found also if it was rotated, renamed, copied, or
    /// restored meanwhile. If it is not there any more, the first item is a notice that says so
    /// ([`DamageKind::PlaceGone`]), and it goes on with the file after the one before it, if that
    /// can still be told, or else with the oldest.
    ///
    /// # Errors
    ///
    /// If the position was taken at another path, unless a file of this log begins with what was
    /// read there: a log that was moved is followed on.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// # use eventlog::disk::{ResumeError, follow};
    /// std::fs::write(&path, "1\n2\n3\n")?;
    /// let mut first = follow::<u64>(&path);
    /// first.next();
    /// let position = first.position();
    /// assert_eq!(follow::<u64>(&path).resuming(&position)?.count(), 2);
    ///
    /// let other = dir.path().join("other.log");
    /// let refused = follow::<u64>(&other).resuming(&position).unwrap_err();
    /// assert!(matches!(refused, ResumeError::OtherLog { .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn resuming(mut self, position: &Position) -> Result<Self, ResumeError> {
        self.trail.resume(position)?;
        Ok(self)
    }

    /// Sets how many bytes a line may have (default 64 MiB). Longer ones are damage and are never
    /// held in memory whole. To be called before the first record is taken.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n22222\n3\n")?;
    /// let follow = eventlog::disk::follow::<u64>(&path).max_line_bytes(4);
    /// assert_eq!(follow.filter(Result::is_ok).count(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.trail.max_line_bytes = bytes;
        self
    }

    /// Where it stands: after the last item that it gave. Save it when that item is dealt with, and
    /// a later follower goes on from there ([`resuming`](Self::resuming)).
    ///
    /// What is passed over at the start counts as given, once it was looked at. Of a file of which
    /// nothing was read yet the position says nothing: it is then the end of the file before.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n2\n3\n")?;
    /// let mut follow = eventlog::disk::follow::<u64>(&path);
    /// follow.next();
    /// assert!(follow.position().to_string().starts_with("p1:2."));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn position(&self) -> Position {
        self.trail.position()
    }

    /// Gives each record with the place where it stands.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, "1\n2\n")?;
    /// let mut follow = eventlog::disk::follow::<u64>(&path);
    /// let newest = follow.with_places().last().unwrap()?;
    /// assert_eq!((newest.place.line, newest.place.offset), (Some(2), 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_places(&mut self) -> WithPlaces<&mut Self> {
        WithPlaces(self)
    }

    /// The next line as it stands, unparsed, or the damage that stands in place of one; `None` if
    /// there is nothing yet. What [`starting`](Self::starting) would pass over comes too.
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// std::fs::write(&path, " 1\r\nno event\n")?;
    /// let mut follow = eventlog::disk::follow::<u64>(&path);
    /// assert_eq!(follow.next_line().unwrap()?.bytes, b" 1\r");
    /// assert_eq!(follow.next_line().unwrap()?.bytes, b"no event");
    /// assert!(follow.next_line().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_line(&mut self) -> Option<Result<RawLine<'_>, Damage>> {
        match self.trail.step() {
            Step::Found => self.trail.found(),
            Step::Notice(damage) => Some(Err(damage)),
            Step::Nothing => None,
        }
    }

    fn next_as<T>(
        &mut self,
        make: impl Fn(Record<E>, &RawLine<'_>) -> T,
    ) -> Option<Result<T, Damage>> {
        loop {
            let item = match self.trail.step() {
                Step::Found => match self.trail.found()? {
                    Ok(line) => decode::record(&line).map(|record| (line, record)),
                    Err(damage) => Err(damage),
                },
                Step::Notice(damage) => Err(damage),
                Step::Nothing => {
                    self.skip = self
                        .skip
                        .take()
                        .filter(|skip| !matches!(skip, Skip::ToTheEnd));
                    return None;
                }
            };
            let Some(skip) = &self.skip else {
                return Some(item.map(|(line, record)| make(record, &line)));
            };
            match item {
                Ok((line, record)) if !skip.covers(&record) => {
                    self.skip = None;
                    return Some(Ok(make(record, &line)));
                }
                // Damage before the start is passed over too.
                Err(damage) if matches!(damage.kind, DamageKind::Unreadable { .. }) => {
                    return Some(Err(damage));
                }
                _ => {}
            }
        }
    }
}

impl<E: DeserializeOwned, S: Storage> Iterator for Follow<E, S> {
    type Item = Result<Record<E>, Damage>;

    /// The next record or damage; `None` if there is nothing yet.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_as(|record, _| record)
    }
}

impl<E: DeserializeOwned, S: Storage> Iterator for WithPlaces<&mut Follow<E, S>> {
    type Item = Result<Placed<E>, Damage>;

    /// The next record or damage; `None` if there is nothing yet.
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next_as(Placed::on)
    }
}

impl<E, S: Storage> fmt::Debug for Follow<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.trail.place();
        f.debug_struct("Follow")
            .field("file", &place.map(|(file, _)| file))
            .field("offset", &place.map(|(_, offset)| offset))
            .finish_non_exhaustive()
    }
}
