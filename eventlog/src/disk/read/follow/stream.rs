//! The records to come, for asynchronous code.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use parking_lot::{Condvar, Mutex};
use serde::de::DeserializeOwned;

use super::super::position::Position;
use super::Follow;
use crate::disk::format::damage::Damage;
use crate::disk::format::record::Record;

/// How many items are read ahead.
const AHEAD: usize = 256;
/// How long the thread sleeps before it looks whether anybody still wants something.
const SLICE: Duration = Duration::from_millis(250);

type Item<E> = Result<Record<E>, Damage>;

/// The records of a log as they are written, as a [`Stream`]; see [`Follow::into_stream`].
#[must_use = "streams do nothing unless they are polled"]
pub struct FollowStream<E> {
    shared: Arc<Shared<E>>,
    position: Position,
}

/// What the thread that reads and the stream have in common.
struct Shared<E> {
    state: Mutex<State<E>>,
    /// Told when there is room again, or when the stream is gone.
    room: Condvar,
}

struct State<E> {
    /// Each with the position after it.
    items: VecDeque<(Item<E>, Position)>,
    waker: Option<Waker>,
    /// The stream is gone.
    is_dropped: bool,
    /// The thread is gone.
    is_ended: bool,
}

impl<E: DeserializeOwned + Send + 'static> Follow<E> {
    /// The records as a [`Stream`], which never ends and needs no runtime of any kind.
    ///
    /// Files are read and waited for ([`wait`](Self::wait)) on a thread of its own, which is up to 256
    /// items ahead and ends within a quarter of a second after the stream is dropped; the thread that
    /// polls never blocks. Should deserialising an event panic, the stream ends.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread.
    ///
    /// ```
    /// # use futures_core::Stream;
    /// # use std::{future::poll_fn, pin::Pin};
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let mut stream = eventlog::disk::follow::<u64>(&path).into_stream()?;
    /// std::fs::write(&path, "1\n")?;
    /// // With a crate of combinators: `stream.next().await`.
    /// let first = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await;
    /// assert_eq!(first.unwrap()?.into_event(), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_stream(self) -> io::Result<FollowStream<E>> {
        let position = self.position();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                items: VecDeque::new(),
                waker: None,
                is_dropped: false,
                is_ended: false,
            }),
            room: Condvar::new(),
        });
        let reader = Reader(shared.clone());
        thread::Builder::new()
            .name("eventlog-follow".into())
            .spawn(move || reader.run(self))?;
        Ok(FollowStream { shared, position })
    }
}

/// The thread's end of it. The stream ends with it.
struct Reader<E>(Arc<Shared<E>>);

impl<E: DeserializeOwned> Reader<E> {
    fn run(&self, mut follow: Follow<E>) {
        while !self.0.state.lock().is_dropped {
            match follow.next() {
                Some(item) => {
                    follow.trail.catch_up();
                    self.push(item, follow.position());
                }
                None => {
                    follow.wait(SLICE);
                }
            }
        }
    }

    fn push(&self, item: Item<E>, position: Position) {
        let mut state = self.0.state.lock();
        while state.items.len() >= AHEAD && !state.is_dropped {
            self.0.room.wait(&mut state);
        }
        state.items.push_back((item, position));
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }
}

impl<E> Drop for Reader<E> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.is_ended = true;
        let waker = state.waker.take();
        drop(state);
        wake(waker);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl<E> FollowStream<E> {
    /// Where it stands: after the last item that it gave; see [`Follow::position`].
    ///
    /// ```
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("x.log");
    /// let stream = eventlog::disk::follow::<u64>(&path).into_stream()?;
    /// assert!(stream.position().to_string().starts_with("p1:0."));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }
}

impl<E> Stream for FollowStream<E> {
    type Item = Item<E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item<E>>> {
        let this = self.get_mut();
        let mut state = this.shared.state.lock();
        if let Some((item, position)) = state.items.pop_front() {
            this.position = position;
            if state.items.len() + 1 == AHEAD {
                this.shared.room.notify_one();
            }
            return Poll::Ready(Some(item));
        }
        if state.is_ended {
            return Poll::Ready(None);
        }
        if !state
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()))
        {
            state.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}

impl<E> Drop for FollowStream<E> {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.is_dropped = true;
        // Events are dropped outside of the lock: what they do then is theirs.
        let items = std::mem::take(&mut state.items);
        drop(state);
        self.shared.room.notify_one();
        drop(items);
    }
}

impl<E> fmt::Debug for FollowStream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowStream")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
