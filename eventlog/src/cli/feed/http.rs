//! A feed over HTTP: a thread that asks, reads and, for one who follows, comes back.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use std::vec;

use eventlog::{Cursor, Start};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body, Error, Timeout};

use super::items::{Item, Items};
use super::sse::Parser;
use super::told::{Kept, kept};
use super::url::Url;
use super::{ANSWER, no_answer};

/// How many bytes are read at once; what they hold is handed on together.
const CHUNK: usize = 16 * 1024;
/// So many are read ahead.
const AHEAD: usize = 2;
/// Until the server has said how long: between two tries.
const RETRY: Duration = Duration::from_millis(250);
/// Whatever it said, it is neither besieged nor given up.
const RETRIES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(3600));
/// A server says something at least every 15 seconds, unless it was set otherwise.
const SILENCE: Duration = Duration::from_secs(120);

pub(super) struct Http {
    news: Receiver<News>,
    heard: vec::IntoIter<Kept>,
    cursor: Option<Cursor>,
    trouble: Option<String>,
}

/// What the thread says.
enum News {
    Heard(Vec<Kept>),
    /// There is no connection; it is tried again.
    Lost(String),
    /// It cannot go on.
    Wrong(String),
    /// Nothing will ever come.
    Finished,
}

impl Http {
    pub(super) fn connect(
        url: &Url,
        start: Start,
        follows: bool,
        waker: Waker,
    ) -> io::Result<Self> {
        let (to, news) = sync_channel(AHEAD);
        let (url, place) = match start {
            Start::Cursor(cursor) => (url.to_string(), Some(cursor)),
            Start::After(version) => (url.since(version), None),
            _ => (url.to_string(), None),
        };
        let reader = Reader {
            agent: agent(),
            url,
            place,
            follows,
            is_answered: false,
            retry: RETRY,
            to,
            waker,
        };
        thread::Builder::new()
            .name("eventlog-http".into())
            .spawn(move || reader.run())?;
        Ok(Self {
            news,
            heard: Vec::new().into_iter(),
            cursor: None,
            trouble: None,
        })
    }
}

impl Items for Http {
    fn poll(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Item, String>>> {
        loop {
            for kept in self.heard.by_ref() {
                self.cursor = kept.cursor.or(self.cursor);
                if let Some(item) = kept.item {
                    return Poll::Ready(Some(Ok(item)));
                }
            }
            let why = match self.news.try_recv() {
                Ok(News::Heard(heard)) => {
                    self.trouble = None;
                    self.heard = heard.into_iter();
                    continue;
                }
                Ok(News::Lost(why)) => {
                    self.trouble = Some(why);
                    continue;
                }
                Ok(News::Finished) => return Poll::Ready(None),
                Ok(News::Wrong(why)) => why,
                Err(TryRecvError::Empty) => return Poll::Pending,
                Err(TryRecvError::Disconnected) => "the thread that reads has ended".to_owned(),
            };
            return Poll::Ready(Some(Err(why)));
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.clone()
    }
}

/// It goes to the host that was named, and nowhere else.
fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(0)
        .proxy(None)
        .timeout_resolve(Some(ANSWER))
        .timeout_connect(Some(ANSWER))
        .timeout_send_request(Some(ANSWER))
        .timeout_recv_response(Some(ANSWER))
        .timeout_per_read(Some(SILENCE))
        .build()
        .new_agent()
}

/// The thread's end of it.
struct Reader {
    agent: Agent,
    url: String,
    /// From where the next connection goes on.
    place: Option<Cursor>,
    follows: bool,
    /// Whether a feed has ever answered there.
    is_answered: bool,
    retry: Duration,
    to: SyncSender<News>,
    waker: Waker,
}

impl Reader {
    fn run(mut self) {
        loop {
            let news = self.converse();
            let is_last = !matches!(news, News::Lost(_));
            if !self.tell(news) || is_last {
                return;
            }
            thread::sleep(self.retry.clamp(RETRIES.0, RETRIES.1));
        }
    }

    /// Whether somebody still listens.
    fn tell(&self, news: News) -> bool {
        let is_taken = self.to.send(news).is_ok();
        self.waker.wake_by_ref();
        is_taken
    }

    /// One connection, and how it ended.
    fn converse(&mut self) -> News {
        let mut request = self.agent.get(&self.url);
        request = request.header("Accept", "text/event-stream");
        if let Some(place) = self.place {
            request = request.header("Last-Event-ID", place.to_string());
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(error) => return self.failed(&error),
        };
        if response.status() == StatusCode::NO_CONTENT {
            return News::Finished;
        }
        if let Some(why) = refusal(&response) {
            return News::Wrong(why);
        }
        self.is_answered = true;
        self.listen(response.into_body())
    }

    fn failed(&self, error: &Error) -> News {
        match error {
            Error::Timeout(Timeout::RecvResponse) if !self.is_answered => News::Wrong(no_answer()),
            Error::Io(_) | Error::Timeout(_) | Error::HostNotFound | Error::ConnectionFailed => {
                self.lost(error.to_string())
            }
            error => News::Wrong(format!(
                "cannot read what answers at this address: {error}; see that it is a feed's"
            )),
        }
    }

    fn lost(&self, why: String) -> News {
        if self.follows {
            News::Lost(why)
        } else {
            News::Wrong(why)
        }
    }

    fn listen(&mut self, body: Body) -> News {
        let mut body = body.into_reader();
        let mut parser = Parser::default();
        let mut chunk = vec![0; CHUNK];
        loop {
            let len = match body.read(&mut chunk) {
                Ok(0) => {
                    return self.lost(
                        "the stream has ended: the log was closed, or the server, or there are \
                         too many subscribers"
                            .to_owned(),
                    );
                }
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return self.lost(format!("the connection was lost: {error}")),
            };
            let mut blocks = Vec::new();
            let read = parser.read(&chunk[..len], &mut blocks);
            self.retry = parser.retry.unwrap_or(self.retry);
            let mut heard = Vec::with_capacity(blocks.len());
            let wrong = blocks.into_iter().find_map(|block| match kept(block) {
                Ok(kept) => {
                    self.place = kept.cursor.or(self.place);
                    heard.push(kept);
                    None
                }
                Err(why) => Some(why),
            });
            if !heard.is_empty() && !self.tell(News::Heard(heard)) {
                return News::Finished;
            }
            if let Some(why) = wrong {
                return News::Wrong(why);
            }
            if let Err(why) = read {
                return self.lost(why);
            }
        }
    }
}

/// Why this is no answer of a feed, if so.
fn refusal(response: &Response<Body>) -> Option<String> {
    let status = response.status();
    if status != StatusCode::OK {
        return Some(format!(
            "the server has answered {status}: see that the address is a feed's"
        ));
    }
    let content = response.headers().get("content-type");
    let content = content.map_or(&b""[..], |content| content.as_bytes());
    let content = String::from_utf8_lossy(content);
    let essence = content.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("text/event-stream") {
        return None;
    }
    let essence: String = essence.chars().take(80).collect();
    Some(format!(
        "what answers is of the type `{essence}` and no `text/event-stream`: see that the address \
         is a feed's"
    ))
}
