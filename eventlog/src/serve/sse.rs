//! Server-sent events: a response whose body goes on for as long as the log does.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use http_body::{Body, Frame};

use super::{
    feed::Feed,
    start::{Asked, QueryError},
    tap::{Drawn, Tap},
    told,
};

/// The body of a feed's answer.
///
/// It is pulled: what a client does not read is not made. It ends when the log is
/// [closed](crate::EventLog::close) and everything before that was handed over.
///
/// ```
/// # use eventlog::{EventLog, Start, serve::Feed};
/// use http_body::Body;
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
///
/// let log = EventLog::<Tick>::new(None);
/// let mut body = std::pin::pin!(Feed::new(&log).sse(Start::Now).into_body());
/// log.close();
/// // As a server does it:
/// let mut bytes = 0;
/// while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
///     bytes += frame.unwrap().into_data().map_or(0, |data| data.len());
/// }
/// assert!(bytes > 0);
/// # }
/// ```
#[must_use = "a body does nothing unless a server sends it"]
pub struct SseBody<E>(State<E>);

enum State<E> {
    /// What comes first, and the rest.
    Open(Bytes, Box<Tap<E>>),
    /// One piece, and the end.
    Last(Bytes),
}

impl<E> Feed<E> {
    /// The answer to a request, as any server of `http`'s types sends it.
    ///
    /// * 200 and the events, which go on until the log is closed.
    /// * Where there are too many subscribers already: 200, when to come again, and the end, if the
    ///   request names `text/event-stream`; else 503 with `Retry-After`. The same once the log is
    ///   closed and the subscriber has everything. A browser gives up for ever on every status but
    ///   200, and comes back after the end of a body.
    /// * Once the feed is [finished](Feed::finish) and the subscriber has everything: 204, after
    ///   which a browser does not come back.
    ///
    /// ```
    /// # use eventlog::{EventLog, serve::{Asked, Feed}};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// let log = EventLog::<Tick>::new(None);
    /// let feed = Feed::new(&log);
    /// // In the handler of a server:
    /// let handle = |request: http::Request<()>| match Asked::of(&request.into_parts().0) {
    ///     Ok(asked) => feed.sse(asked).status(),
    ///     Err(error) => error.response().status(),
    /// };
    /// assert_eq!(handle(http::Request::get("/events?since=12").body(())?), 200);
    /// assert_eq!(handle(http::Request::get("/events?since=x").body(())?), 400);
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn sse(&self, asked: impl Into<Asked>) -> Response<SseBody<E>> {
        let asked = asked.into();
        let retry = self.draw_retry();
        let Some(seat) = self.take_seat() else {
            return later(asked, retry);
        };
        let every = self.settings.bookmark_every;
        let tap = Box::new(Tap::open(&self.inner, asked.start(), every, seat));
        if tap.has_all() {
            return answer(StatusCode::NO_CONTENT, Bytes::new());
        }
        if !asked.is_event_source && tap.is_over() {
            return later(asked, retry);
        }
        let mut first = Vec::new();
        told::retry(&mut first, retry);
        stream(SseBody(State::Open(first.into(), tap)))
    }
}

/// Come again, in words that the client understands.
fn later<E>(asked: Asked, retry: u64) -> Response<SseBody<E>> {
    if asked.is_event_source {
        let mut text = Vec::new();
        told::retry(&mut text, retry);
        return stream(SseBody(State::Last(text.into())));
    }
    let mut response = answer(StatusCode::SERVICE_UNAVAILABLE, Bytes::new());
    let seconds = HeaderValue::from(retry.div_ceil(1000));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response
}

fn stream<E>(body: SseBody<E>) -> Response<SseBody<E>> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    let event_stream = HeaderValue::from_static("text/event-stream");
    headers.insert(CONTENT_TYPE, event_stream);
    // What lies between must neither keep it, nor collect it, nor compress it.
    let as_it_comes = HeaderValue::from_static("no-cache, no-transform");
    headers.insert(CACHE_CONTROL, as_it_comes);
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn answer<E>(status: StatusCode, text: Bytes) -> Response<SseBody<E>> {
    let mut response = Response::new(SseBody(State::Last(text)));
    *response.status_mut() = status;
    response
}

impl QueryError {
    /// The answer to a request with such a query: 400, and what to do.
    ///
    /// ```
    /// use eventlog::serve::QueryError;
    ///
    /// let response = QueryError::Since.response();
    /// assert_eq!(response.status(), 400);
    /// assert!(response.body().contains("since"));
    /// ```
    #[must_use]
    pub fn response(&self) -> Response<String> {
        let mut response = Response::new(format!("{self}\n"));
        *response.status_mut() = StatusCode::BAD_REQUEST;
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        response
    }
}

impl<E> Body for SseBody<E> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match &mut self.0 {
            State::Open(first, _) if !first.is_empty() => std::mem::take(first),
            State::Open(_, tap) => match ready!(tap.poll_next(context)) {
                Some(Drawn::Frames(frames)) => frames,
                Some(Drawn::Told(told)) => {
                    let mut text = Vec::new();
                    told.write_sse(&mut text);
                    text.into()
                }
                None => {
                    // Its place among the subscribers is free from now on.
                    self.0 = State::Last(Bytes::new());
                    return Poll::Ready(None);
                }
            },
            State::Last(text) if !text.is_empty() => std::mem::take(text),
            State::Last(_) => return Poll::Ready(None),
        };
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, State::Last(text) if text.is_empty())
    }
}

impl<E> fmt::Debug for SseBody<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseBody")
            .field("is_open", &matches!(self.0, State::Open(..)))
            .finish_non_exhaustive()
    }
}
