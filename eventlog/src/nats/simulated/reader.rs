//! Mirrors of the stream, and those who read there.

use std::{future::Future, pin::Pin, sync::Arc};

use super::{
    ATTEMPTS, Event, now,
    server::{SimLink, SimServer},
    state::History,
};
use crate::{
    coverage::Coverage,
    cursor::Cursor,
    log::EventLog,
    nats::{
        backfill::Place,
        follow::Tail,
        mirror::{MirrorConfig, State},
    },
    replay::Replay,
};

pub(super) struct Mirror {
    /// How many events it keeps.
    pub(super) capacity: usize,
    pub(super) state: Arc<State<Event>>,
    link: Arc<SimLink>,
    /// Who wrote when it has heard something last, and the events that were acknowledged by then.
    pub(super) known: (u64, Vec<u64>),
    follows: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Someone who reads at either mirror.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Reader {
    pub(super) cursor: Cursor,
    /// All events since it was last told that some are missing, with their numbers.
    pub(super) seen: Vec<(u64, u64)>,
    /// The writer that had heard by then that the last of these is stored.
    pub(super) known_to: Option<u64>,
}

impl Mirror {
    /// `None` while there is no stream.
    pub(super) fn open(server: &SimServer, capacity: usize) -> Option<Self> {
        let opened = (0..ATTEMPTS).find_map(|_| {
            let config = MirrorConfig::new("simulated", "orders").capacity(capacity);
            now(Tail::fill(Arc::new(server.link()), config))?.ok()
        });
        let (mut tail, log) = opened?;
        let state = Arc::new(State::new(log));
        let link = tail.link().clone();
        let of_thread = state.clone();
        let follows = async move {
            loop {
                if let Err(error) = tail.follow(&of_thread).await {
                    of_thread.failed(&error);
                }
                tokio::task::yield_now().await;
            }
        };
        Some(Self {
            capacity,
            state,
            link,
            known: (0, Vec::new()),
            follows: Box::pin(follows),
        })
    }

    /// Goes on as far as it can.
    pub(super) fn follow(&mut self) {
        for _ in 0..ATTEMPTS {
            assert!(now(&mut self.follows).is_none(), "it follows for ever");
        }
    }
}

impl Reader {
    pub(super) fn new(mirror: &Mirror) -> Self {
        Self {
            cursor: mirror.state.log().cursor(),
            seen: Vec::new(),
            known_to: None,
        }
    }

    /// Has what a mirror's log does not have any more fetched from the stream. Says whether there
    /// was anything.
    pub(super) fn fetch(&mut self, mirror: &Mirror) -> bool {
        let before = self.cursor;
        let mut place = Place::new(self.cursor);
        let fetched = |place: Place| now(place.fetch(&mirror.state, &*mirror.link))?.ok()?;
        while let Some((next, events)) = fetched(place) {
            let numbers = self.cursor.seq().get() + 1..;
            let ids = events.iter().map(|event| event.id);
            self.seen.extend(numbers.zip(ids));
            (place, self.cursor) = (next, events.cursor());
        }
        self.cursor != before
    }

    /// Reads what follows the cursor; from the beginning where that is refused.
    pub(super) fn read(&mut self, log: &EventLog<Event>) -> Coverage {
        let replay = log.replay(self.cursor);
        let coverage = replay.coverage();
        match coverage {
            Coverage::Ahead { .. } => {}
            Coverage::Complete => self.take(&replay),
            Coverage::Truncated { .. } => {
                self.seen.clear();
                self.take(&replay);
            }
            Coverage::Foreign => {
                self.seen.clear();
                self.take(&log.replay(0));
            }
        }
        coverage
    }

    fn take(&mut self, replay: &Replay<Event>) {
        for (cursor, event) in replay.with_cursors() {
            self.seen.push((cursor.seq().get(), event.id));
        }
        self.cursor = replay.cursor();
    }

    /// Nothing is missing in between, and what was seen is what was once there.
    pub(super) fn check(&self, histories: &[History]) {
        let seen = &self.seen;
        let follows = |pair: &[(u64, u64)]| pair[0].0 + 1 == pair[1].0;
        assert!(seen.windows(2).all(follows), "N03: a hole in {seen:?}");
        let has = |history: &History| {
            let mut seen = seen.iter();
            seen.all(|(number, id)| history.get(number) == Some(&Some(*id)))
        };
        assert!(
            histories.iter().any(has),
            "N03: {seen:?} is of none of {histories:?}"
        );
    }
}
