//! Marks: lines beside a log that tie places in its files to time, number, life and checksum.
//!
//! Each line has the checksum of itself (`self`) and that of the line before (`prev`). What is torn,
//! edited or put together from two files is therefore valid up to the first line that does not
//! follow the one before, and the rest is as if it were not there.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crc32c::crc32c;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cursor::Epoch;

/// Where a line's checksum of itself begins.
const SELF: &str = ",\"self\":\"";
/// How long that is, to the end of the line: eight digits, a quote and a brace.
const SELF_LEN: usize = SELF.len() + 10;

/// A place in one of the log's files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Point {
    /// The file's number: 1 for the first, and one more with each rotation.
    pub(crate) file: u64,
    /// How many lines there are before this.
    pub(crate) line: u64,
    /// How many bytes there are before this.
    pub(crate) offset: u64,
    /// The number of the last event before this, where the writer knows numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<u64>,
    /// CRC-32C of the file from its first byte up to this.
    #[serde(with = "hex")]
    pub(crate) sum: u32,
}

/// What happened there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A writer opened the log. What follows is of its life.
    Opened,
    /// Everything up to here is durable.
    Committed,
    /// The file is complete, and about to be put aside.
    Rotated,
    /// The writer ended, and everything up to here is durable.
    Closed,
    /// Something that a later version marks.
    #[serde(other)]
    Unknown,
}

/// One line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Mark {
    #[serde(rename = "mark")]
    pub(crate) kind: Kind,
    #[serde(with = "hex")]
    prev: u32,
    /// Of an opening: the life that begins, where it has an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<Epoch>,
    #[serde(flatten)]
    pub(crate) at: Point,
    /// Of an opening: the last event of the life before that is left for those who saw it live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<u64>,
    /// Of an opening: the same for those who saw it durable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) durable: Option<u64>,
    /// Of an opening: whether nothing is known of what stands before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) fresh: bool,
    /// Milliseconds since 1970, as the clock said.
    #[serde(rename = "at")]
    pub(crate) millis: u64,
    /// For people only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
    /// What a later version has to say.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Mark {
    /// A mark of this moment.
    pub(crate) fn new(kind: Kind, at: Point) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            kind,
            prev: 0,
            epoch: None,
            at,
            live: None,
            durable: None,
            fresh: false,
            millis: now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX)),
            pid: None,
            rest: Map::new(),
        }
    }

    /// The mark of an opening: the life that begins, the last events that are left of the one before
    /// for those who saw it live and durable, and whether nothing is known of what stands before.
    pub(crate) fn opened(
        at: Point,
        epoch: Option<Epoch>,
        left: Option<(u64, u64)>,
        fresh: bool,
    ) -> Self {
        Self {
            epoch,
            live: left.map(|(live, _)| live),
            durable: left.map(|(_, durable)| durable),
            fresh,
            pid: Some(std::process::id()),
            ..Self::new(Kind::Opened, at)
        }
    }

    /// As a mark of the beginning of the next file, if this is one of a full file.
    pub(crate) fn beginning_of_next(&self) -> Option<Self> {
        let at = Point {
            file: self.at.file.checked_add(1)?,
            seq: self.at.seq,
            ..Point::default()
        };
        let beginning = Self { at, ..self.clone() };
        (self.kind == Kind::Rotated).then_some(beginning)
    }

    /// When it was made; `None` if no clock shows that.
    pub(crate) fn time(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.millis))
    }

    /// The line after the one with this checksum, and its own.
    fn line(&self, prev: u32) -> (String, u32) {
        let mark = Self {
            prev,
            ..self.clone()
        };
        #[expect(
            clippy::expect_used,
            reason = "numbers, fixed names and JSON cannot fail to serialise"
        )]
        let mut line = serde_json::to_string(&mark).expect("a mark is plain values");
        line.pop();
        let sum = crc32c(line.as_bytes());
        line += &end(sum);
        line.push('\n');
        (line, sum)
    }

    /// Reads a line without its newline, and its checksum.
    fn parse(line: &[u8], prev: u32) -> Option<(Self, u32)> {
        let (text, tail) = line.split_at_checked(line.len().checked_sub(SELF_LEN)?)?;
        let sum = crc32c(text);
        if tail != end(sum).as_bytes() {
            return None;
        }
        // By way of a value, because another crate may have turned on `arbitrary_precision`.
        let value: Value = serde_json::from_slice(line).ok()?;
        let mut mark = Self::deserialize(value).ok()?;
        mark.rest.remove("self");
        (mark.prev == prev).then_some((mark, sum))
    }
}

/// The end of a line, with the checksum of what stands before.
fn end(sum: u32) -> String {
    format!("{SELF}{sum:08x}\"}}")
}

/// Marks in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    list: Vec<Mark>,
    /// The checksum of the last line.
    prev: u32,
    /// Length of the file in bytes.
    len: u64,
}

impl Marks {
    /// The valid beginning of a file. Says whether that is all of it.
    pub(crate) fn parse(bytes: &[u8]) -> (Self, bool) {
        let mut marks = Self::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n");
            let Some((mark, sum)) = text.and_then(|text| Mark::parse(text, marks.prev)) else {
                return (marks, false);
            };
            marks.note(mark, sum, line.len());
        }
        (marks, true)
    }

    /// Adds a mark; the line is to be appended to the file.
    pub(crate) fn push(&mut self, mark: Mark) -> String {
        let (line, sum) = mark.line(self.prev);
        self.note(mark, sum, line.len());
        line
    }

    fn note(&mut self, mark: Mark, sum: u32, len: usize) {
        self.prev = sum;
        self.len += len as u64;
        if mark.kind != Kind::Unknown {
            self.list.push(mark);
        }
    }

    /// The same marks as the lines of a file of their own.
    pub(crate) fn rewrite(self) -> (Self, String) {
        let mut anew = Self::default();
        let text = self.list.into_iter().map(|mark| anew.push(mark)).collect();
        (anew, text)
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Mark) -> bool) {
        self.list.retain(keep);
    }

    pub(crate) fn list(&self) -> &[Mark] {
        &self.list
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }
}

/// Checksums, as eight hexadecimal digits.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's shape")]
    pub(super) fn serialize<S: Serializer>(sum: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{sum:08x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        u32::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(offset: u64) -> Point {
        Point {
            file: 7,
            line: 3,
            offset,
            seq: Some(9),
            sum: 0x1c_291c,
        }
    }

    fn three() -> String {
        let mut marks = Marks::default();
        let opened = Mark {
            epoch: Some(Epoch::new(0xabc)),
            live: Some(8),
            ..Mark::new(Kind::Opened, point(1))
        };
        let lines = [
            opened,
            Mark::new(Kind::Committed, point(2)),
            Mark::new(Kind::Closed, point(3)),
        ];
        lines.map(|mark| marks.push(mark)).concat()
    }

    #[test]
    fn marks_are_read_back() {
        let text = three();
        let (marks, is_all) = Marks::parse(text.as_bytes());
        assert!(is_all);
        assert_eq!(marks.len(), text.len() as u64);
        let offsets: Vec<_> = marks.list().iter().map(|mark| mark.at.offset).collect();
        assert_eq!(offsets, [1, 2, 3]);
        assert_eq!(marks.list()[0].epoch, Some(Epoch::new(0xabc)));
        assert_eq!(marks.rewrite().1, text);
    }

    #[test]
    fn a_file_is_valid_up_to_the_first_line_that_does_not_follow() {
        let text = three();
        for cut in 0..text.len() {
            let (marks, is_all) = Marks::parse(&text.as_bytes()[..cut]);
            let whole = text[..cut].matches('\n').count();
            assert_eq!(marks.list().len(), whole);
            assert_eq!(is_all, text[..cut].ends_with('\n') || cut == 0);
        }
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let (marks, is_all) = Marks::parse(&bytes);
            assert!(!is_all, "a flipped bit in byte {at}");
            assert_eq!(marks.list().len(), text[..at].matches('\n').count());
        }
        let lines: Vec<_> = text.split_inclusive('\n').collect();
        let (marks, is_all) = Marks::parse([lines[0], lines[2]].concat().as_bytes());
        assert_eq!((marks.list().len(), is_all), (1, false), "one is left out");
    }

    #[test]
    fn a_later_version_may_add_kinds_and_fields() {
        let mut marks = Marks::default();
        let mut text = marks.push(Mark::new(Kind::Opened, point(1)));
        let mut later = Mark::new(Kind::Committed, point(2));
        later.rest.insert("mood".to_owned(), Value::from("good"));
        text += &marks.push(later);
        let unknown = marks.push(Mark::new(Kind::Closed, point(3)));
        let renamed = unknown.replace("closed", "blessed");
        let body = &renamed[..renamed.len() - SELF_LEN - 1];
        let sum = crc32c(body.as_bytes());
        text += &[body, &end(sum), "\n"].concat();
        let (marks, is_all) = Marks::parse(text.as_bytes());
        assert!(is_all);
        assert_eq!(marks.list().len(), 2, "the unknown kind is skipped");
        assert_eq!(marks.list()[1].rest["mood"], "good");
    }
}
