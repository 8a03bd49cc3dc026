//! Events that never reached a destination, counted by a line in their place.

use serde::{Deserialize, Serialize};

use crate::seq::Seq;

/// Events that never reached the destination, counted by a line in their place.
///
/// A line is a gap line if its only key is `eventlog` and that holds exactly one key, `gap`.
/// Fields and reasons that a later version may add are read over.
///
/// ```
/// use eventlog::disk::{Gap, GapReason};
///
/// let line = br#"{"eventlog":{"gap":{"count":3,"first":17,"min_version":7,"max_version":9,"reason":"backlog"}}}"#;
/// let gap = Gap::parse(line).unwrap();
/// assert_eq!((gap.count, gap.min_version, gap.max_version), (3, 7, 9));
/// assert_eq!(gap.reason, GapReason::Backlog);
/// assert_eq!(gap.to_line().trim_end().as_bytes(), line);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Gap {
    /// How many events are missing.
    pub count: u64,
    /// Sequence number of the first of them, in the life of the log that wrote the line; `None`
    /// where the writer did not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Seq>,
    /// The smallest version among them.
    pub min_version: u64,
    /// The largest version among them.
    pub max_version: u64,
    /// Why they are missing.
    pub reason: GapReason,
}

/// Why events never reached the destination.
///
/// ```
/// # use eventlog::disk::{Gap, GapReason};
/// let what_to_do = |reason| match reason {
///     GapReason::Backlog => "raise `backlog_events`, or mend the disk",
///     GapReason::Unserializable | GapReason::Unfaithful => "mend the event's type",
///     _ => "see the notice",
/// };
/// let gap = Gap::new(1, 7, 7, GapReason::Backlog); // as readers give it
/// assert!(what_to_do(gap.reason).contains("backlog_events"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GapReason {
    /// The destination stalled or failed for longer than the backlog's bound.
    Backlog,
    /// Their `Serialize` failed.
    Unserializable,
    /// They would not have been read back as they are, such as a NaN.
    Unfaithful,
    /// They were gone before the writer came to them.
    Missed,
    /// The destination refused them.
    Refused,
    /// The destination had them, and lost them.
    Forgotten,
    /// A reason of a later version.
    #[serde(other)]
    Other,
}

impl GapReason {
    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Backlog => "the backlog was full",
            Self::Unserializable => "JSON cannot carry that",
            Self::Unfaithful => "JSON would not give it back as it was",
            Self::Missed => "gone before the writer came to them",
            Self::Refused => "the destination refused that",
            Self::Forgotten => "the destination had them, and lost them",
            Self::Other => "for a reason that this version does not know",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GapLine {
    eventlog: GapBody,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GapBody {
    gap: Gap,
}

impl Gap {
    /// A gap of `count` events with versions from `min_version` to `max_version`.
    ///
    /// ```
    /// # use eventlog::disk::{Gap, GapReason};
    /// // For a destination of one's own that has lost what it had.
    /// let gap = Gap::new(3, 7, 9, GapReason::Forgotten);
    /// assert!(gap.to_line().contains(r#""count":3"#));
    /// ```
    #[must_use]
    pub fn new(count: u64, min_version: u64, max_version: u64, reason: GapReason) -> Self {
        Self {
            count,
            first: None,
            min_version,
            max_version,
            reason,
        }
    }

    /// The same, with the sequence number of its first event.
    ///
    /// ```
    /// # use eventlog::{Seq, disk::{Gap, GapReason}};
    /// let gap = Gap::new(3, 7, 9, GapReason::Backlog).starting_at(Seq::new(17));
    /// assert_eq!(gap.first, Some(Seq::new(17)));
    /// ```
    #[must_use]
    pub fn starting_at(self, first: Seq) -> Self {
        Self {
            first: Some(first),
            ..self
        }
    }

    /// The line, with its newline.
    ///
    /// ```
    /// # use eventlog::disk::{Gap, GapReason};
    /// let gap = Gap::new(3, 7, 9, GapReason::Backlog);
    /// assert_eq!(Gap::parse(gap.to_line().as_bytes()), Some(gap));
    /// ```
    #[must_use]
    pub fn to_line(&self) -> String {
        self.line_with(None)
    }

    /// The line with the form that JSON has for its one event. It is a text in there, because it
    /// may be what readers refuse.
    pub(crate) fn line_with(&self, text: Option<&str>) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            eventlog: Body<'a>,
        }
        #[derive(Serialize)]
        struct Body<'a> {
            gap: Fields<'a>,
        }
        #[derive(Serialize)]
        struct Fields<'a> {
            #[serde(flatten)]
            gap: Gap,
            #[serde(skip_serializing_if = "Option::is_none")]
            text: Option<&'a str>,
        }
        let gap = Fields { gap: *self, text };
        let body = Line {
            eventlog: Body { gap },
        };
        #[expect(
            clippy::expect_used,
            reason = "numbers and fixed names cannot fail to serialise"
        )]
        let mut line = serde_json::to_string(&body).expect("a gap line is plain numbers");
        line.push('\n');
        line
    }

    /// The gap that a line declares; `None` unless the line has the shape of a gap line.
    ///
    /// ```
    /// # use eventlog::disk::Gap;
    /// // In a reader of one's own: every other line is an event.
    /// assert_eq!(Gap::parse(br#"{"Opened":{"version":7}}"#), None);
    /// ```
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        // Almost every line is an event: look before parsing.
        if !line.trim_ascii_start().starts_with(b"{") || !starts_with_our_key(line) {
            return None;
        }
        let line: GapLine = serde_json::from_slice(line).ok()?;
        Some(line.eventlog.gap)
    }

    /// This gap and another right after it, for the same reason.
    pub(crate) fn and(self, later: Self) -> Self {
        Self {
            count: self.count + later.count,
            min_version: self.min_version.min(later.min_version),
            max_version: self.max_version.max(later.max_version),
            ..self
        }
    }
}

/// Whether the first key of an object is `eventlog`, in whatever way it is laid out.
fn starts_with_our_key(line: &[u8]) -> bool {
    let inner = line.trim_ascii_start().get(1..).unwrap_or_default();
    inner.trim_ascii_start().starts_with(b"\"eventlog\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shape_of_a_gap_line_is_a_gap() {
        let gap = Gap::new(1, 2, 3, GapReason::Missed);
        let line = gap.to_line();
        assert_eq!(Gap::parse(line.as_bytes()), Some(gap));
        assert_eq!(
            Gap::parse(line.replace('{', " { ").as_bytes()),
            Some(gap),
            "its layout does not matter"
        );
        for other in [
            line.replace("count", "counts"),
            line.replace("}}}", "},\"x\":1}}"),
            line.replace("}}}", "}},\"x\":1}"),
            line.replace("\"count\":1,", ""),
            line.replace(":1,", ":-1,"),
        ] {
            assert_eq!(Gap::parse(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_later_version_may_add_fields_and_reasons() {
        let gap = Gap::new(1, 2, 3, GapReason::Missed).starting_at(Seq::new(9));
        let line = gap.to_line();
        let more = line.replace("}}}", ",\"x\":1}}}");
        assert_eq!(Gap::parse(more.as_bytes()), Some(gap));
        let reason = line.replace("missed", "eaten_by_mice");
        let parsed = Gap::parse(reason.as_bytes()).unwrap();
        assert_eq!((parsed.count, parsed.reason), (1, GapReason::Other));
    }
}
