//! What may be found on a disk: the specification of the log's files.

use std::collections::VecDeque;
use std::fmt;

use eventlog::Versioned;
use eventlog::disk::{Damage, Record};
use serde::{Deserialize, Serialize};

/// An event whose content follows from its number and length, so that a wrong byte shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbered {
    /// Its number in the history, from 1.
    pub version: u64,
    /// Filling.
    pub text: String,
}

impl Versioned for Numbered {
    fn version(&self) -> u64 {
        self.version
    }
}

impl Numbered {
    /// The event of this number whose line has `len` bytes, or the shortest if that is longer.
    ///
    /// ```
    /// # use model_tests::disk_model::Numbered;
    /// assert_eq!(Numbered::new(7, 40).line().len(), 40);
    /// ```
    #[must_use]
    pub fn new(version: u64, len: usize) -> Self {
        let mut event = Self {
            version,
            text: String::new(),
        };
        let filling = len.saturating_sub(event.line().len());
        event.text = event.letter().repeat(filling);
        event
    }

    /// Its line, with the newline.
    ///
    /// ```
    /// # use model_tests::disk_model::Numbered;
    /// let line = Numbered::new(7, 40).line();
    /// assert!(line.starts_with("{\"version\":7,") && line.ends_with("\n"));
    /// ```
    ///
    /// # Panics
    /// Never: a number and a text can always be written.
    #[must_use]
    pub fn line(&self) -> String {
        let line = serde_json::to_string(self);
        line.unwrap_or_else(|error| panic!("cannot serialise {self:?}: {error}")) + "\n"
    }

    fn letter(&self) -> String {
        char::from(b'a' + u8::try_from(self.version % 26).unwrap_or_default()).to_string()
    }

    fn is_intact(&self) -> bool {
        self.text == self.letter().repeat(self.text.len())
    }
}

/// Which records are in which file, as handing over moves them on.
#[derive(Debug, Clone)]
pub struct DiskModel {
    max_bytes: u64,
    keep: usize,
    /// Numbers of the records, the oldest file first.
    files: VecDeque<Vec<u64>>,
    /// Length of the current file, the last of `files`; `None` if there is none.
    len: Option<u64>,
    rotations: usize,
}

impl DiskModel {
    /// No files.
    ///
    /// ```
    /// # use model_tests::disk_model::DiskModel;
    /// let model = DiskModel::new(1_000, 1); // 1,000 bytes per file, one full one is kept
    /// assert_eq!(model.retained().count(), 0);
    /// ```
    #[must_use]
    pub fn new(max_bytes: u64, keep: u32) -> Self {
        Self::found(max_bytes, keep, VecDeque::new(), None)
    }

    /// Files that are there already, the oldest first. `len` is that of the current file, which
    /// is the last; `None` if there is no current file.
    ///
    /// ```
    /// # use model_tests::disk_model::DiskModel;
    /// // `X.old` has records 1 and 2, `X` has record 3 in 100 bytes.
    /// let model = DiskModel::found(1_000, 1, [vec![1, 2], vec![3]], Some(100));
    /// assert!(model.retained().eq([1, 2, 3]));
    /// ```
    #[must_use]
    pub fn found(
        max_bytes: u64,
        keep: u32,
        files: impl Into<VecDeque<Vec<u64>>>,
        len: Option<u64>,
    ) -> Self {
        let keep = keep.max(1) as usize;
        Self {
            max_bytes,
            keep,
            files: files.into(),
            len,
            rotations: 0,
        }
    }

    /// A record of this number and length is handed over.
    ///
    /// ```
    /// # use model_tests::disk_model::DiskModel;
    /// let mut model = DiskModel::new(100, 1);
    /// for number in 1..=5 {
    ///     model.hand(number, 50); // two per file
    /// }
    /// assert!(model.retained().eq([3, 4, 5]));
    /// ```
    pub fn hand(&mut self, number: u64, len: u64) {
        let full = self
            .len
            .is_some_and(|used| used > 0 && used + len > self.max_bytes);
        self.rotations += usize::from(full);
        if full || self.len.is_none() {
            self.files.push_back(Vec::new());
            self.len = Some(0);
        }
        if self.files.len() > self.keep + 1 {
            self.files.pop_front();
        }
        self.len = self.len.map(|used| used + len);
        if let Some(current) = self.files.back_mut() {
            current.push(number);
        }
    }

    /// How often a full file was put aside.
    ///
    /// ```
    /// # use model_tests::disk_model::DiskModel;
    /// let mut model = DiskModel::new(100, 1);
    /// (1..=5).for_each(|number| model.hand(number, 50));
    /// assert_eq!(model.rotations(), 2);
    /// ```
    #[must_use]
    pub fn rotations(&self) -> usize {
        self.rotations
    }

    /// The records that no rotation has taken away.
    ///
    /// ```
    /// # use model_tests::disk_model::DiskModel;
    /// let mut model = DiskModel::new(100, 2);
    /// (1..=5).for_each(|number| model.hand(number, 50));
    /// assert!(model.retained().eq(1..=5)); // two full files are kept here
    /// ```
    pub fn retained(&self) -> impl Iterator<Item = u64> {
        self.files.iter().flatten().copied()
    }
}

/// A law that was broken, and how it showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The law's id, such as `W01`.
    pub law: &'static str,
    /// What was seen.
    pub how: String,
}

impl Broken {
    /// That `law` is broken.
    ///
    /// ```
    /// # use model_tests::disk_model::Broken;
    /// assert!(Broken::new("W01", "record 7 is gone").to_string().contains("W01"));
    /// ```
    pub fn new(law: &'static str, how: impl Into<String>) -> Self {
        Self {
            law,
            how: how.into(),
        }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is broken: {}", self.law, self.how)
    }
}

impl std::error::Error for Broken {}

/// The set of all readings that are allowed.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// All that was ever handed over, in order. What is read is a part of it, in this order.
    pub order: Vec<u64>,
    /// What has to be read.
    pub must: Vec<u64>,
}

impl Allowed {
    /// Checks a reading, and gives back the numbers that were read.
    ///
    /// ```
    /// use eventlog::disk::Record;
    /// use model_tests::disk_model::{Allowed, Numbered};
    ///
    /// let allowed = Allowed { order: vec![1, 2, 3], must: vec![1] };
    /// let read = |number| Ok(Record::Event(Numbered::new(number, 40)));
    /// assert_eq!(allowed.judge(&[read(1), read(2)])?, [1, 2]); // 3 was not synced
    /// assert_eq!(allowed.judge(&[]).unwrap_err().law, "W01"); // 1 was
    /// # Ok::<(), model_tests::disk_model::Broken>(())
    /// ```
    ///
    /// # Errors
    /// W01 if a record that has to be there is not; W03 if one was never handed over, comes twice,
    /// out of order or with other bytes, or if a hole in the middle is not reported as damage.
    pub fn judge(&self, items: &[Result<Record<Numbered>, Damage>]) -> Result<Vec<u64>, Broken> {
        let events = || items.iter().flatten().filter_map(Record::event);
        let lost = |number: &&u64| events().all(|event| event.version != **number);
        if let Some(lost) = self.must.iter().find(lost) {
            let read: Vec<_> = events().map(|event| event.version).collect();
            return Err(Broken::new(
                "W01",
                format!("record {lost} is lost; read {read:?}"),
            ));
        }
        let mut read = Vec::new();
        let mut order = self.order.iter();
        let mut damaged = false;
        for item in items {
            let Ok(Record::Event(event)) = item else {
                damaged = true;
                continue;
            };
            if !event.is_intact() {
                return Err(Broken::new("W03", format!("{event:?} has wrong bytes")));
            }
            // Takes what is skipped as well, so that nothing can come twice or out of order.
            let Some(skipped) = order.position(|number| *number == event.version) else {
                let how = format!("record {} comes unexpectedly after {read:?}", event.version);
                return Err(Broken::new("W03", how));
            };
            if skipped > 0 && !read.is_empty() && !damaged {
                let how = format!(
                    "{skipped} records before {} are missing silently",
                    event.version
                );
                return Err(Broken::new("W03", how));
            }
            damaged = false;
            read.push(event.version);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(numbers: &[u64]) -> Vec<Result<Record<Numbered>, Damage>> {
        numbers
            .iter()
            .map(|number| Ok(Record::Event(Numbered::new(*number, 40))))
            .collect()
    }

    #[test]
    fn lines_have_the_length_that_was_asked_for() {
        for len in 25..60 {
            assert_eq!(Numbered::new(7, len).line().len(), len);
        }
        assert_eq!(Numbered::new(7, 0).line().len(), 24);
    }

    #[test]
    fn the_model_rotates_before_the_cap_and_keeps_what_it_should() {
        let mut model = DiskModel::new(100, 1);
        for number in 1..=7 {
            model.hand(number, 40);
        }
        assert_eq!(model.retained().collect::<Vec<_>>(), [5, 6, 7]);
        model.hand(8, 500);
        model.hand(9, 1);
        assert_eq!(model.retained().collect::<Vec<_>>(), [8, 9]);
        assert_eq!(model.rotations(), 5);
    }

    #[test]
    fn readings_outside_of_the_set_are_refused() {
        let allowed = Allowed {
            order: (1..=6).collect(),
            must: vec![3, 4],
        };
        assert_eq!(allowed.judge(&read(&[2, 3, 4, 5])), Ok(vec![2, 3, 4, 5]));
        let law = |numbers: &[u64]| allowed.judge(&read(numbers)).unwrap_err().law;
        assert_eq!(law(&[2, 3]), "W01");
        assert_eq!(law(&[3, 4, 4]), "W03");
        assert_eq!(law(&[4, 3]), "W03");
        assert_eq!(law(&[3, 4, 7]), "W03");
        assert_eq!(law(&[3, 4, 6]), "W03", "a silent hole");
        let wrong = Numbered {
            version: 5,
            text: "zz".into(),
        };
        let mut items = read(&[3, 4]);
        items.push(Ok(Record::Event(wrong)));
        assert_eq!(allowed.judge(&items).unwrap_err().law, "W03");
    }
}
