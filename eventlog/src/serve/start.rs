//! From a request to the place where it begins.

use std::{borrow::Cow, error::Error, fmt};

use http::{HeaderMap, header::ACCEPT, request::Parts};

use crate::{
    cursor::{Cursor, Epoch, Start},
    seq::Seq,
};

/// The header in which a browser that lost its connection says what it has.
const LAST_EVENT_ID: &str = "last-event-id";

/// What a request asks of a feed: from where on, and whether it is one of a browser's `EventSource`.
///
/// The place is taken from the header `Last-Event-ID`, else from `?cursor=`, else from the version
/// in `?since=`; with none of these it is the oldest event that there is. Nothing else of the
/// request is looked at, so other parameters, such as a ticket, can stand beside them.
///
/// An id that is no cursor of this crate's is that of another history: such a subscriber gets a
/// `reset` and then everything.
///
/// ```
/// use eventlog::{Start, serve::Asked};
///
/// let request = http::Request::get("/events?since=12").body(())?;
/// let asked = Asked::of(&request.into_parts().0)?;
/// assert_eq!(asked.start(), Start::After(12));
///
/// // A page that wants no history, where it does not go on from a place:
/// let request = http::Request::get("/events").body(())?;
/// let asked = Asked::of(&request.into_parts().0)?.or(Start::Now);
/// assert_eq!(asked.start(), Start::Now);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    start: Option<Start>,
    /// Whether an answer other than 200 would end it for ever.
    pub(super) is_event_source: bool,
}

impl Asked {
    /// What a request asks for.
    ///
    /// ```
    /// # use eventlog::{Start, serve::Asked};
    /// let request = http::Request::get("/events").header("last-event-id", "another's").body(())?;
    /// let asked = Asked::of(&request.into_parts().0)?;
    /// assert!(matches!(asked.start(), Start::Cursor(_))); // of no history here: it gets a `reset`
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`QueryError`] if `since` is no number, or a parameter is there twice.
    pub fn of(request: &Parts) -> Result<Self, QueryError> {
        Self::from_parts(&request.headers, request.uri.query())
    }

    /// The same, where headers and query are at hand.
    ///
    /// ```
    /// # use eventlog::{Start, serve::Asked};
    /// # let headers = http::HeaderMap::new();
    /// let asked = Asked::from_parts(&headers, Some("ticket=4711&since=12"))?;
    /// assert_eq!(asked.start(), Start::After(12));
    /// # Ok::<(), eventlog::serve::QueryError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub fn from_parts(headers: &HeaderMap, query: Option<&str>) -> Result<Self, QueryError> {
        let query = query.unwrap_or_default();
        let cursor = parameter(query, "cursor")?.map(|text| place(text.as_bytes()));
        let since = match parameter(query, "since")? {
            Some(text) => Some(Start::After(number(&text).ok_or(QueryError::Since)?)),
            None => None,
        };
        let id = headers.get(LAST_EVENT_ID).map(http::HeaderValue::as_bytes);
        let id = id.filter(|id| !id.is_empty()).map(place);
        Ok(Self {
            start: id.or(cursor).or(since),
            is_event_source: headers.get_all(ACCEPT).iter().any(accepts_events),
        })
    }

    /// Where it begins.
    ///
    /// ```
    /// # use eventlog::{Start, serve::Asked};
    /// # let headers = http::HeaderMap::new();
    /// let asked = Asked::from_parts(&headers, None)?;
    /// assert_eq!(asked.start(), Start::Oldest); // for a subscription of one's own
    /// # Ok::<(), eventlog::serve::QueryError>(())
    /// ```
    #[must_use]
    pub fn start(&self) -> Start {
        self.start.unwrap_or(Start::Oldest)
    }

    /// Begins there, if the request says nothing about it.
    ///
    /// ```
    /// # use eventlog::{Start, serve::Asked};
    /// # let headers = http::HeaderMap::new();
    /// // A page that shows only what is new, and yet misses nothing when it comes back.
    /// let first = Asked::from_parts(&headers, None)?.or(Start::Now);
    /// let back = Asked::from_parts(&headers, Some("since=12"))?.or(Start::Now);
    /// assert_eq!((first.start(), back.start()), (Start::Now, Start::After(12)));
    /// # Ok::<(), eventlog::serve::QueryError>(())
    /// ```
    #[must_use]
    pub fn or(self, start: Start) -> Self {
        let start = self.start.or(Some(start));
        Self { start, ..self }
    }
}

/// An `EventSource` that begins there.
impl From<Start> for Asked {
    fn from(start: Start) -> Self {
        Self {
            start: Some(start),
            is_event_source: true,
        }
    }
}

/// A query that cannot be read. It is the page's own mistake, and not one that time brings about,
/// so it is answered with 400, after which no `EventSource` comes back.
///
/// ```
/// # use eventlog::serve::{Asked, QueryError};
/// # let headers = http::HeaderMap::new();
/// let twice = Asked::from_parts(&headers, Some("since=12&since=13"));
/// assert_eq!(twice, Err(QueryError::Twice));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum QueryError {
    /// `since` is no version.
    Since,
    /// `cursor` or `since` is there more than once.
    Twice,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Since => "`since` must be a version: a whole number, such as `?since=12`",
            Self::Twice => "give `cursor` and `since` once at most",
        })
    }
}

impl Error for QueryError {}

/// The place that an id stands for; that of no log if it is no cursor.
pub(super) fn place(id: &[u8]) -> Start {
    let text = std::str::from_utf8(id).ok();
    let cursor = text.and_then(|text| text.parse().ok());
    let nowhere = Cursor::from_parts(Epoch::NONE, Seq::ZERO, 0);
    Start::Cursor(cursor.unwrap_or(nowhere))
}

/// Digits and nothing else, unlike `parse`, which takes a sign.
fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

fn parameter<'a>(query: &'a str, name: &str) -> Result<Option<Cow<'a, str>>, QueryError> {
    let mut found = query.split('&').filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key) == name).then(|| decoded(value))
    });
    let first = found.next();
    match found.next() {
        Some(_) => Err(QueryError::Twice),
        None => Ok(first),
    }
}

/// Undoes `%2E` and the like, where it is ASCII; all that matters here is.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = byte.filter(u8::is_ascii) {
            plain.push(char::from(byte));
            plain.push_str(&part[2..]);
        } else {
            plain.push('%');
            plain.push_str(part);
        }
    }
    plain.into()
}

/// Whether `text/event-stream` is named. A browser's `EventSource` always names it; tools that take
/// anything do not.
fn accepts_events(accept: &http::HeaderValue) -> bool {
    let text = accept.to_str().unwrap_or_default();
    text.split(',').any(|range| {
        let kind = range.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/event-stream")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(id: Option<&str>, query: &str) -> Result<Start, QueryError> {
        let mut headers = HeaderMap::new();
        if let Some(id) = id {
            headers.insert(LAST_EVENT_ID, id.parse().unwrap());
        }
        Asked::from_parts(&headers, Some(query)).map(|asked| asked.start())
    }

    #[test]
    fn the_header_comes_before_the_cursor_and_that_before_the_version() {
        let (one, two) = ("000000000000000a.1.1", "000000000000000a.2.2");
        let cursor = |text: &str| Ok(Start::Cursor(text.parse().unwrap()));
        let both = format!("since=3&cursor={two}&ticket=%25");
        assert_eq!(asked(Some(one), &both), cursor(one));
        assert_eq!(asked(Some(""), &both), cursor(two));
        assert_eq!(asked(None, &both.replace('.', "%2e")), cursor(two));
        assert_eq!(asked(None, "since=3"), Ok(Start::After(3)));
        assert_eq!(asked(None, "sinc%65=3"), Ok(Start::After(3)));
        assert_eq!(asked(None, "x=1&&y"), Ok(Start::Oldest));
    }

    #[test]
    fn what_is_no_cursor_is_foreign_and_what_is_no_version_is_refused() {
        let nowhere = Ok(place(b"?"));
        for id in ["x", "null", "undefined", "000000000000000A.1.1", "\u{a0}"] {
            assert_eq!(asked(Some(id), ""), nowhere, "{id}");
        }
        assert_eq!(asked(None, "cursor="), nowhere);
        assert_eq!(asked(None, "cursor=%zz%4"), nowhere);
        for since in ["", "-1", "+1", "1.0", "x", "18446744073709551616", "%31%ff"] {
            let query = format!("since={since}");
            assert_eq!(asked(None, &query), Err(QueryError::Since), "{since}");
        }
        assert_eq!(asked(None, "since=1&since=1"), Err(QueryError::Twice));
    }

    #[test]
    fn only_who_names_event_streams_is_an_event_source() {
        for (accept, is) in [
            ("text/event-stream", true),
            ("application/json, Text/Event-Stream;q=0.5", true),
            ("*/*", false),
            ("text/*", false),
            ("application/json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            let asked = Asked::from_parts(&headers, None).unwrap();
            assert_eq!(asked.is_event_source, is, "{accept}");
        }
    }
}
