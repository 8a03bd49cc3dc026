//! Runs of whole lines, and what each accounts for.

use crate::seq::Seq;

/// The events that a record accounts for.
///
/// ```
/// # use eventlog::Seq;
/// use eventlog::writer::Meta;
///
/// let meta = Meta::new(Seq::new(17), 7, false);
/// assert_eq!((meta.seq.get(), meta.version, meta.is_gap), (17, 7, false));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Meta {
    /// The event's sequence number; of a gap, that of the last event that it counts.
    pub seq: Seq,
    /// The event's version; of a gap, the largest that it counts.
    pub version: u64,
    /// Whether it is a gap line.
    pub is_gap: bool,
}

impl Meta {
    /// What a record of one event accounts for; with `is_gap` set, what a gap line does.
    ///
    /// ```
    /// # use eventlog::Seq;
    /// # use eventlog::writer::Meta;
    /// // A gap line that counts the events up to number 19, none of them above version 9.
    /// assert!(Meta::new(Seq::new(19), 9, true).is_gap);
    /// ```
    #[must_use]
    pub const fn new(seq: Seq, version: u64, is_gap: bool) -> Self {
        Self {
            seq,
            version,
            is_gap,
        }
    }
}

/// A run of whole lines, each with its newline.
///
/// ```
/// use eventlog::writer::Records;
///
/// let records = Records::new(b"{\"a\":1}\n{\"b\":2}\n", &[8, 16]);
/// assert_eq!(records.len(), 2);
/// assert_eq!(records.skip(1).bytes(), b"{\"b\":2}\n");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    bytes: &'a [u8],
    /// `ends[i]` is the offset in `bytes` after line `i`.
    ends: &'a [usize],
    metas: &'a [Meta],
    /// Where the first line starts.
    base: usize,
}

impl<'a> Records<'a> {
    /// `bytes` holds the lines back to back; `ends[i]` is the offset after line `i`.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// let records = Records::new(b"1\n22\n", &[2, 5]);
    /// assert!(records.iter().eq([&b"1\n"[..], b"22\n"]));
    /// ```
    ///
    /// # Panics
    /// If the last end lies outside of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], ends: &'a [usize]) -> Self {
        assert!(
            ends.last().is_none_or(|end| *end <= bytes.len()),
            "a record ends past the buffer"
        );
        debug_assert!(ends.is_sorted(), "ends of records must rise");
        debug_assert!(
            ends.iter().all(|end| bytes[..*end].ends_with(b"\n")),
            "a record ends with a newline"
        );
        Self {
            bytes,
            ends,
            metas: &[],
            base: 0,
        }
    }

    /// Adds what each record accounts for, as a [`Writer`](super::Writer) does: to try a
    /// destination without one.
    ///
    /// ```
    /// # use eventlog::{Seq, writer::{Meta, Records}};
    /// let metas = [Meta::new(Seq::new(1), 7, false)];
    /// let records = Records::new(b"7\n", &[2]).with_metas(&metas);
    /// assert_eq!(records.metas()[0].version, 7);
    /// ```
    ///
    /// # Panics
    /// If there is not one per record.
    #[must_use]
    pub fn with_metas(mut self, metas: &'a [Meta]) -> Self {
        assert_eq!(metas.len(), self.ends.len(), "one per record");
        self.metas = metas;
        self
    }

    /// What each record accounts for, in order. A [`Writer`](super::Writer) always gives one per
    /// record; records made by hand have none.
    ///
    /// ```
    /// # use eventlog::{Seq, writer::{Meta, Records}};
    /// # let metas = [Meta::new(Seq::new(1), 7, false), Meta::new(Seq::new(2), 8, false)];
    /// # let records = Records::new(b"7\n8\n", &[2, 4]).with_metas(&metas);
    /// // What a broker wants to know beside the lines, to recognise what it has already.
    /// let last = records.metas().last().map(|meta| meta.seq);
    /// assert_eq!(last, Some(Seq::new(2)));
    /// ```
    #[must_use]
    pub fn metas(&self) -> &'a [Meta] {
        self.metas
    }

    /// How many records these are.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// assert_eq!(Records::new(b"1\n22\n", &[2, 5]).len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there is none.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// assert!(Records::new(b"1\n", &[2]).skip(1).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The lines as they stand in the file.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// # let mut file = Vec::new();
    /// // One write for all of them.
    /// file.extend_from_slice(Records::new(b"1\n22\n", &[2, 5]).bytes());
    /// assert_eq!(file, b"1\n22\n");
    /// ```
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        let end = self.ends.last().copied().unwrap_or(self.base);
        &self.bytes[self.base..end]
    }

    /// The records after the first `count` (none if there are fewer), without copying.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// let records = Records::new(b"1\n22\n", &[2, 5]);
    /// let stored = 1; // as the server said before the connection broke
    /// assert_eq!(records.skip(stored).bytes(), b"22\n");
    /// ```
    #[must_use]
    pub fn skip(&self, count: usize) -> Self {
        self.split_at(count.min(self.len())).1
    }

    /// The first `count` records and the rest.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// let records = Records::new(b"1\n22\n333\n", &[2, 5, 9]);
    /// let (message, rest) = records.split_at(records.len().min(2)); // two per message
    /// assert_eq!((message.bytes(), rest.bytes()), (&b"1\n22\n"[..], &b"333\n"[..]));
    /// ```
    ///
    /// # Panics
    /// If there are fewer.
    #[must_use]
    pub fn split_at(&self, count: usize) -> (Self, Self) {
        let (first, rest) = self.ends.split_at(count);
        let (first_metas, rest_metas) = self.metas.split_at(count.min(self.metas.len()));
        let middle = first.last().copied().unwrap_or(self.base);
        (
            Self {
                ends: first,
                metas: first_metas,
                ..*self
            },
            Self {
                ends: rest,
                metas: rest_metas,
                base: middle,
                ..*self
            },
        )
    }

    /// How many records from the first on lie wholly within `len` bytes.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// let records = Records::new(b"1\n22\n333\n", &[2, 5, 9]);
    /// let room = 6; // bytes that the file may still have
    /// assert_eq!(records.split_at(records.within(room)).0.bytes(), b"1\n22\n");
    /// ```
    #[must_use]
    pub fn within(&self, len: u64) -> usize {
        self.ends
            .partition_point(|end| (end - self.base) as u64 <= len)
    }

    /// The records one by one, each with its newline.
    ///
    /// ```
    /// # use eventlog::writer::Records;
    /// let records = Records::new(b"1\n22\n", &[2, 5]);
    /// assert!(records.iter().map(<[u8]>::len).eq([2, 3]));
    /// ```
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        let mut start = self.base;
        self.ends
            .iter()
            .map(move |end| &bytes[std::mem::replace(&mut start, *end)..*end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_own_bytes() {
        let records = Records::new(b"a\nbb\nccc\n", &[2, 5, 9]);
        assert_eq!(records.bytes(), b"a\nbb\nccc\n");
        let (first, rest) = records.split_at(1);
        assert_eq!(
            (first.bytes(), rest.bytes()),
            (&b"a\n"[..], &b"bb\nccc\n"[..])
        );
        assert_eq!(rest.iter().collect::<Vec<_>>(), [&b"bb\n"[..], b"ccc\n"]);
        assert_eq!((rest.within(2), rest.within(3), rest.within(7)), (0, 1, 2));
        assert!(records.skip(9).is_empty());
        assert_eq!(records.skip(9).bytes(), b"");
    }

    #[test]
    fn parts_keep_what_they_account_for() {
        let meta = |seq| Meta {
            seq: Seq::new(seq),
            version: seq * 10,
            is_gap: seq == 2,
        };
        let metas = [meta(1), meta(2), meta(3)];
        let records = Records::new(b"a\nbb\nccc\n", &[2, 5, 9]).with_metas(&metas);
        let (first, rest) = records.split_at(1);
        assert_eq!(first.metas(), &metas[..1]);
        assert_eq!(rest.metas(), &metas[1..]);
    }

    #[test]
    #[should_panic(expected = "past the buffer")]
    fn an_end_outside_of_the_buffer_is_refused() {
        let _ = Records::new(b"a\n", &[3]);
    }
}
