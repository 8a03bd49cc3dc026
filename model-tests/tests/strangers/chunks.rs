//! A log that lets chunks of three go, with all that a log in memory may have: numbers, pages,
//! filters, and readers that get nothing which came after the close, and let others go first several
//! times in a row.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use model_tests::{
    Case, Coverage, Log, Model, Numbering, OpenError, Page, Reader, Received, Replay, Subject,
    Subscription, Tick,
};

#[derive(Clone)]
pub struct Chunks;

#[derive(Clone)]
pub struct ChunkLog {
    model: Arc<Mutex<Model<Tick>>>,
    waiting: Arc<Mutex<Vec<Waker>>>,
    capacity: u64,
    life: u64,
}

struct ChunkReader {
    log: ChunkLog,
    place: Reader,
    keeps: fn(&Tick) -> bool,
    given: u32,
    rests: u32,
}

struct Numbers {
    pushed: Mutex<Vec<(u64, u32)>>,
    capacity: u64,
}

const CHUNK: u64 = 3;

fn retains(capacity: u64, appended: u64) -> u64 {
    let surplus = appended.saturating_sub(capacity);
    appended - surplus / CHUNK * CHUNK
}

impl Subject for Chunks {
    type Event = Tick;
    type Log = ChunkLog;

    fn open(&self, case: &Case) -> Result<ChunkLog, OpenError> {
        static LIVES: AtomicU64 = AtomicU64::new(0);
        if case.capacity == 0 {
            return Err("a log of capacity 0 can hold nothing".into());
        }
        Ok(ChunkLog {
            model: Arc::new(Mutex::new(Model::new(case.capacity, case.base_version))),
            waiting: Arc::default(),
            capacity: case.capacity as u64,
            life: LIVES.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn retains(&self, case: &Case, appended: u64) -> u64 {
        retains(case.capacity as u64, appended)
    }

    fn numbering(&self, case: &Case) -> Result<Box<dyn Numbering>, OpenError> {
        Ok(Box::new(Numbers {
            pushed: Mutex::default(),
            capacity: case.capacity as u64,
        }))
    }
}

impl ChunkLog {
    fn model(&self) -> MutexGuard<'_, Model<Tick>> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self, cursor: &str) -> Option<u64> {
        let seen = cursor.strip_prefix(&format!("{}.", self.life))?;
        seen.parse().ok()
    }

    fn follow(&self, place: Reader, keeps: fn(&Tick) -> bool) -> Box<dyn Subscription<Tick>> {
        let log = self.clone();
        Box::new(ChunkReader {
            log,
            place,
            keeps,
            given: 0,
            rests: 0,
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        let waiting = mem::take(&mut *self.waiting());
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The first of these, which are the newest of all.
    fn first_of(
        &self,
        model: &Model<Tick>,
        left: &[Tick],
        coverage: Coverage,
        events: usize,
    ) -> Page<Tick> {
        let taken = &left[..events.min(left.len())];
        let seen = model.history().len() - left.len() + taken.len();
        Page {
            events: taken.to_vec(),
            coverage,
            has_more: taken.len() < left.len(),
            cursor: format!("{}.{seen}", self.life),
        }
    }
}

impl Log<Tick> for ChunkLog {
    fn append(&self, event: Tick) -> Option<u64> {
        let mut model = self.model();
        let appended = model.append(event);
        model.retain(retains(self.capacity, appended));
        drop(model);
        self.wake();
        Some(appended)
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        self.model().events_since(since)
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.model().replay_truncated(since)
    }

    fn replay(&self, since: u64) -> Replay<Tick> {
        self.model().replay(since)
    }

    fn cursor(&self) -> String {
        format!("{}.{}", self.life, self.model().history().len())
    }

    fn replay_after(&self, cursor: &str) -> Replay<Tick> {
        self.model().replay_after(self.seen(cursor))
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<Tick>> {
        let place = self.model().subscribe(since);
        self.follow(place, |_| true)
    }

    fn subscribe_if(&self, since: u64, keeps: fn(&Tick) -> bool) -> Box<dyn Subscription<Tick>> {
        let place = self.model().subscribe(since);
        self.follow(place, keeps)
    }

    fn resume(&self, cursor: &str) -> Box<dyn Subscription<Tick>> {
        let place = self.model().resume(self.seen(cursor));
        self.follow(place, |_| true)
    }

    fn page(&self, since: u64, events: usize) -> Page<Tick> {
        let model = self.model();
        self.first_of(
            &model,
            model.pages_since(since),
            model.coverage(since),
            events,
        )
    }

    fn page_after(&self, cursor: &str, events: usize) -> Page<Tick> {
        let model = self.model();
        let replay = model.replay_after(self.seen(cursor));
        self.first_of(&model, &replay.events, replay.coverage, events)
    }

    fn close(&self) {
        self.model().close();
        self.wake();
    }
}

impl Subscription<Tick> for ChunkReader {
    fn try_recv(&mut self) -> Received<Tick> {
        let model = self.log.model();
        loop {
            match model.recv(&mut self.place) {
                Received::Event(event) if !(self.keeps)(&event) => {}
                other => return other,
            }
        }
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<Tick>> {
        const TURN: u32 = 100;
        if self.given >= TURN && self.rests < 3 {
            self.rests += 1;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.given >= TURN {
            (self.given, self.rests) = (0, 0);
        }
        let waker = context.waker().clone();
        let log = self.log.clone();
        // Held while it looks, so that no append wakes in between.
        let mut waiting = log.waiting();
        match self.try_recv() {
            Received::Empty => waiting.push(waker),
            received => {
                self.given += 1;
                return Poll::Ready(received);
            }
        }
        Poll::Pending
    }

    fn cursor(&self) -> String {
        // A reader that was given nothing yet goes on at the oldest event.
        let seen = self.place.seen();
        seen.map_or("none".into(), |seen| format!("{}.{seen}", self.log.life))
    }

    fn skip_to_newest(&mut self) -> u64 {
        let model = self.log.model();
        model.skip_to_newest(&mut self.place)
    }
}

impl Numbering for Numbers {
    fn push(&self, payload: u32) -> u64 {
        let mut pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        let number = pushed.len() as u64 + 1;
        pushed.push((number, payload));
        number
    }

    fn retained(&self) -> Vec<(u64, u32)> {
        let pushed = self.pushed.lock().unwrap_or_else(PoisonError::into_inner);
        let appended = pushed.len() as u64;
        let evicted = appended - retains(self.capacity, appended);
        let retained = pushed.iter().copied();
        retained.filter(|(number, _)| *number > evicted).collect()
    }
}
