//! Events that get their version from the log.

#[cfg(feature = "serde")]
mod beside;
#[cfg(feature = "serde")]
mod inside;
#[cfg(feature = "serde")]
mod rest;

use std::{fmt, marker::PhantomData, ops::Deref};

use crate::{
    cursor::Cursor, log::EventLog, retention::Retention, ring::Entry, versioned::Versioned,
};

/// A payload and the number that the log gave it, which is its version.
///
/// For events that have no version of their own: [`push`](EventLog::push) gives the next number
/// under the log's lock, so that several producers need no counter beside the log.
///
/// With the feature `serde`, the number stands beside the payload, whatever that is:
/// `{"version":7,"payload":…}`. A payload with fields of its own may have the number among them
/// instead, in a log of [`Numbered<T, Inside>`](Inside).
///
/// ```
/// use eventlog::{EventLog, Numbered, Versioned};
///
/// let log = EventLog::<Numbered<&str>>::new(None);
/// assert_eq!(log.push("opened"), 1);
/// assert_eq!(log.push("closed"), 2);
///
/// let replay = log.replay(1);
/// let closed = replay.iter().next().expect("one event is newer than 1");
/// assert_eq!((closed.version(), *closed.payload()), (2, "closed"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Numbered<T, L = Beside> {
    version: u64,
    payload: T,
    layout: PhantomData<L>,
}

/// The number stands beside the payload: `{"version":7,"payload":…}`. Fits every payload.
///
/// ```
/// # #[cfg(feature = "disk")] {
/// use eventlog::{Beside, Numbered};
///
/// let event = Numbered::<_, Beside>::new(7, "opened"); // as `Numbered::<_>::new`
/// assert_eq!(serde_json::to_string(&event)?, r#"{"version":7,"payload":"opened"}"#);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Beside {}

/// The number stands among the fields of the payload: `{"version":7,"window":3}`.
///
/// For payloads that are structs, maps, or enums in any of serde's forms. Any other, and one that
/// has a field `version` of its own, is refused when it is serialised. What fields cannot carry is
/// for [`Beside`]: `Some` of a struct without fields is read back as `None`, and a unit variant of an
/// untagged enum not at all.
///
/// ```
/// # #[cfg(feature = "disk")] {
/// use eventlog::{Inside, Numbered};
///
/// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
/// enum Change {
///     Opened { window: u32 },
/// }
///
/// let event = Numbered::<_, Inside>::new(7, Change::Opened { window: 3 });
/// let line = serde_json::to_string(&event)?;
/// assert_eq!(line, r#"{"version":7,"Opened":{"window":3}}"#);
/// assert_eq!(serde_json::from_str::<Numbered<Change, Inside>>(&line)?, event);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Inside {}

impl<T, L> Numbered<T, L> {
    /// A payload with a number that was given before. Logs give theirs with
    /// [`push`](EventLog::push).
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, Versioned};
    /// // Numbers that another system gave are kept.
    /// let log = EventLog::<Numbered<&str>>::new(None);
    /// log.append(Numbered::new(41, "imported"));
    /// assert_eq!(log.push("here"), 42);
    /// ```
    #[must_use]
    pub const fn new(version: u64, payload: T) -> Self {
        Self {
            version,
            payload,
            layout: PhantomData,
        }
    }

    /// What was pushed.
    ///
    /// ```
    /// # use eventlog::Numbered;
    /// let event = Numbered::<_>::new(7, "opened".to_owned());
    /// assert_eq!(event.payload(), "opened");
    /// assert_eq!(event.len(), 6); // its methods are at hand without that
    /// ```
    #[must_use]
    pub const fn payload(&self) -> &T {
        &self.payload
    }

    /// What was pushed, without its number.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered};
    /// let log = EventLog::<Numbered<String>>::new(None);
    /// log.push("opened".into());
    /// let names = log.events_since(0).into_iter().map(Numbered::into_payload);
    /// assert!(names.eq(["opened"]));
    /// ```
    #[must_use]
    pub fn into_payload(self) -> T {
        self.payload
    }
}

impl<T, L> Versioned for Numbered<T, L> {
    fn version(&self) -> u64 {
        self.version
    }
}

impl<T, L> Deref for Numbered<T, L> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.payload
    }
}

impl<T: fmt::Debug, L> fmt::Debug for Numbered<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Numbered")
            .field("version", &self.version)
            .field("payload", &self.payload)
            .finish()
    }
}

impl<T, L> EventLog<Numbered<T, L>> {
    /// Appends a payload with the next number, and returns that number: one more than the highest
    /// version that was ever here, the base version included; 1 on a log that begins with nothing.
    ///
    /// Any number of threads may push: the order of numbers is the order of the history. A log that
    /// was [recovered](EventLog::recover) goes on above what the files had, also above what their
    /// gap lines count as lost and what damaged lines may have held. What a crash took before it was
    /// stored has its numbers given again; a cursor tells the two apart, a number does not.
    ///
    /// The number after `u64::MAX`, which no log comes to by itself, is `u64::MAX` again.
    ///
    /// ```
    /// # use std::{sync::Arc, thread};
    /// # use eventlog::{EventLog, Numbered};
    /// let log = Arc::new(EventLog::<Numbered<&str>>::new(None));
    /// let other = log.clone();
    /// let thread = thread::spawn(move || other.push("from another thread"));
    /// let mut numbers = [log.push("from here"), thread.join().unwrap()];
    /// numbers.sort();
    /// assert_eq!(numbers, [1, 2]); // in the order of the history, and none twice
    /// ```
    pub fn push(&self, payload: T) -> u64 {
        let (_, version) = self.push_numbered(payload);
        version
    }

    /// As [`push`](Self::push), and returns where a subscriber stands that has seen this event: its
    /// [`version`](Cursor::version) is the number, and its [`seq`](Cursor::seq) what a writer is
    /// asked for.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered};
    /// let log = EventLog::<Numbered<&str>>::new(None);
    /// let place = log.push_placed("opened");
    /// log.push("closed");
    /// assert_eq!(place.version(), 1);
    /// assert_eq!(log.replay(place).len(), 1);
    /// ```
    pub fn push_placed(&self, payload: T) -> Cursor {
        let (seq, version) = self.push_numbered(payload);
        Cursor::new(self.epoch(), seq, version)
    }

    /// The sequence number and the version.
    fn push_numbered(&self, payload: T) -> (u64, u64) {
        let mut event = Numbered::new(0, payload);
        if let Some(retention) = &self.shared.retention {
            return self.push_counted(retention, event);
        }
        self.shared.append(move |ring| {
            let version = ring.next_version();
            event.version = version;
            (ring.push(Entry { version, event }), version)
        })
    }

    /// A push to a log of limited weight or age. It is weighed outside of the lock, with the number
    /// that it will have; if another thread gets that one first, again with another.
    #[cold]
    fn push_counted(
        &self,
        retention: &Retention<Numbered<T, L>>,
        mut event: Numbered<T, L>,
    ) -> (u64, u64) {
        let mut version = self.shared.with(|inner| inner.ring.next_version());
        loop {
            event.version = version;
            let tally = retention.tally(&event);
            let entry = Entry { version, event };
            let pushed = self.shared.append(|ring| {
                let next = ring.next_version();
                if next != version {
                    return Err((next, entry.event));
                }
                Ok(ring.push_counted(entry, tally))
            });
            match pushed {
                Ok(seq) => return (seq, version),
                Err((next, given_back)) => (version, event) = (next, given_back),
            }
        }
    }
}
