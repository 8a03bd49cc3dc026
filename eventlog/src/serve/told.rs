//! What a feed tells besides events, and how all of it looks as server-sent events.

use std::io::Write as _;

use serde::Serialize;

use crate::{coverage::Coverage, cursor::Cursor, wire::opt_text};

/// What a subscriber is told besides events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    /// Events are missing before what comes now.
    Reset {
        /// Where it goes on.
        place: Cursor,
        coverage: Coverage,
        newest: Option<u64>,
    },
    /// The replay is over.
    Live { place: Cursor, newest: Option<u64> },
    /// Nothing was said for a while, or nothing of what came was for this subscriber.
    Bookmark(Cursor),
}

/// The data of a reset.
#[derive(Serialize)]
pub(super) struct Reset {
    #[serde(flatten)]
    pub(super) coverage: Coverage,
    #[serde(with = "opt_text", skip_serializing_if = "Option::is_none")]
    pub(super) newest: Option<u64>,
}

/// The data of a notice that the replay is over.
#[derive(Serialize)]
pub(super) struct Live {
    #[serde(with = "opt_text")]
    pub(super) newest: Option<u64>,
}

/// Adds JSON of our own types, which cannot fail.
pub(super) fn json(text: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(text, value).ok();
}

/// A number of milliseconds after which to come back.
pub(super) fn retry(text: &mut Vec<u8>, millis: u64) {
    write!(text, "retry: {millis}\n\n").ok();
}

/// One event. Each line of its text becomes a line of data.
pub(super) fn event(text: &mut Vec<u8>, cursor: Cursor, data: &[u8]) {
    writeln!(text, "id: {cursor}").ok();
    let mut rest = data;
    loop {
        let end = memchr::memchr2(b'\n', b'\r', rest);
        text.extend_from_slice(b"data: ");
        text.extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
        text.push(b'\n');
        let Some(end) = end else { break };
        let len = if rest[end..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[end + len..];
    }
    text.push(b'\n');
}

impl Told {
    /// An event that the feed cannot show.
    pub(super) fn lost(place: Cursor) -> Self {
        Self::Reset {
            place,
            coverage: Coverage::Truncated {
                missed_through: place.version(),
                missed: Some(1),
            },
            newest: None,
        }
    }

    /// Adds it as server-sent events have it.
    pub(super) fn write_sse(&self, text: &mut Vec<u8>) {
        match *self {
            Self::Reset {
                place,
                coverage,
                newest,
            } => {
                write!(text, "event: reset\nid: {place}\ndata: ").ok();
                json(text, &Reset { coverage, newest });
                text.extend_from_slice(b"\n\n");
            }
            Self::Live { place, newest } => {
                write!(text, "event: live\nid: {place}\ndata: ").ok();
                json(text, &Live { newest });
                text.extend_from_slice(b"\n\n");
            }
            // Without data nothing happens in the page but that it keeps the id.
            Self::Bookmark(place) => {
                write!(text, "id: {place}\n\n").ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> String {
        let mut frame = Vec::new();
        event(
            &mut frame,
            "0000000000000abc.1.2".parse().unwrap(),
            text.as_bytes(),
        );
        let frame = String::from_utf8(frame).unwrap();
        frame
            .strip_prefix("id: 0000000000000abc.1.2\n")
            .unwrap()
            .to_owned()
    }

    #[test]
    fn no_text_of_an_event_can_end_its_frame() {
        assert_eq!(data("x"), "data: x\n\n");
        assert_eq!(data(""), "data: \n\n");
        assert_eq!(
            data("a\nid: b\r\nc\rd\n\n"),
            "data: a\ndata: id: b\ndata: c\ndata: d\ndata: \ndata: \n\n"
        );
    }
}
