//! What an `axum` handler takes and gives.
//!
//! `Response<SseBody<E>>` is an answer of axum's as it is.

use std::future::{Future, ready};

use axum_core::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::request::Parts;

use super::start::{Asked, QueryError};

/// ```
/// use std::sync::Arc;
/// use axum::{Router, extract::State, response::IntoResponse, routing::get};
/// use eventlog::{EventLog, serve::{Asked, Feed}};
/// # use eventlog::Versioned as _;
/// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
///
/// async fn events(State(feed): State<Feed<Tick>>, asked: Asked) -> impl IntoResponse {
///     feed.sse(asked)
/// }
///
/// let log = Arc::new(EventLog::new(None));
/// let app: Router = Router::new().route("/events", get(events)).with_state(Feed::new(&log));
/// ```
impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = QueryError;

    fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> impl Future<Output = Result<Self, QueryError>> + Send {
        ready(Self::of(parts))
    }
}

impl IntoResponse for QueryError {
    fn into_response(self) -> Response {
        self.response().into_response()
    }
}
