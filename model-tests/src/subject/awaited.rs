//! An asynchronous log as a subject: each call is waited for, in the runtime that the user names.

use std::{
    cell::{Cell, RefCell},
    fmt,
    future::{Future, poll_fn},
    path::PathBuf,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::Duration,
};

use tokio::sync::{Mutex, MutexGuard};

use super::{
    adapter::{Line, Subject},
    asynchronous::{AsyncLog, AsyncSubject, AsyncSubscription, BoxFuture},
    attempt::Attempt,
    case::Case,
    log::{Lease, Log, OpenError, Page, Received, Replay, Subscription},
    probe::Probe,
    waker::{ready_now, thread_waker},
};

/// Runs a future to its end on the calling thread, in some runtime.
type BlockOn = dyn Fn(BoxFuture<'_, ()>) + Send + Sync;

/// An [`AsyncSubject`] as a [`Subject`]: the engines and scenes call it from threads of their own,
/// and each call waits for its future.
///
/// ```
/// use std::sync::Mutex;
/// use model_tests::{
///     AsyncLog, AsyncSubject, Awaited, Budget, Capability, Case, OpenError, Tick, Versioned, check, laws,
/// };
///
/// struct Rows(Mutex<Vec<Tick>>, usize);
/// struct RowsSubject;
///
/// impl AsyncSubject for RowsSubject {
///     type Event = Tick;
///     type Log = Rows;
///
///     async fn open(&self, case: &Case) -> Result<Rows, OpenError> {
///         Ok(Rows(Mutex::default(), case.capacity))
///     }
///
///     fn event(&self, version: u64, pick: u32) -> Tick {
///         Tick::new(version, pick)
///     }
/// }
///
/// impl AsyncLog<Tick> for Rows {
///     async fn append(&self, event: Tick) -> Option<u64> {
///         self.0.lock().unwrap().push(event);
///         None
///     }
///
///     async fn events_since(&self, since: u64) -> Vec<Tick> {
///         let rows = self.0.lock().unwrap();
///         let retained = rows.len().saturating_sub(self.1);
///         rows[retained..].iter().filter(|row| row.version() > since).cloned().collect()
///     }
/// }
///
/// let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
/// let subject = Awaited::in_runtime(RowsSubject, move |future| runtime.block_on(future));
/// let mut budget = Budget::default();
/// budget.lacks = &[Capability::AppendWith, Capability::Batch, Capability::Replay];
/// # (budget.cases, budget.small_histories) = (8, 100);
/// check(&subject, &laws::R01, &budget)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A `current_thread` runtime of tokio turns its timers and sockets only while a call is waited
/// for; a log with tasks of its own needs a runtime with threads.
///
/// A call that comes from inside another one (a waker, or an event whose code calls the log) is
/// waited for on a thread of its own, since runtimes refuse to wait within themselves.
pub struct Awaited<S> {
    subject: Arc<S>,
    runtime: Runtime,
}

#[derive(Clone)]
struct Runtime(Arc<BlockOn>);

thread_local! {
    /// Whether this thread is waiting for a future already.
    static WAITS: Cell<bool> = const { Cell::new(false) };
}

impl Runtime {
    fn wait<T: Send>(&self, future: impl Future<Output = T> + Send) -> T {
        if WAITS.get() {
            return thread::scope(|scope| {
                let waiting = scope.spawn(|| self.wait_here(future));
                waiting
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
        }
        self.wait_here(future)
    }

    #[expect(
        clippy::expect_used,
        reason = "a future that has not ended was not waited for: the closure is no runtime"
    )]
    fn wait_here<T: Send>(&self, future: impl Future<Output = T> + Send) -> T {
        /// Ends with the call, also where that panics.
        struct Waits;
        impl Drop for Waits {
            fn drop(&mut self) {
                WAITS.set(false);
            }
        }
        let mut output = None;
        WAITS.set(true);
        let waits = Waits;
        (self.0)(Box::pin(async {
            output = Some(future.await);
        }));
        drop(waits);
        output.expect("the closure given to `Awaited::in_runtime` runs its future to the end")
    }
}

impl<S: AsyncSubject> Awaited<S> {
    /// A subject whose calls need no runtime: they are polled on the thread that waits.
    pub fn new(subject: S) -> Self {
        Self::in_runtime(subject, |mut future| {
            let waker = thread_waker();
            let mut context = Context::from_waker(&waker);
            while future.as_mut().poll(&mut context).is_pending() {
                thread::park();
            }
        })
    }

    /// A subject whose calls are waited for by `block_on`, which runs a future to its end on the
    /// calling thread: `move |future| runtime.block_on(future)`.
    pub fn in_runtime(
        subject: S,
        block_on: impl Fn(BoxFuture<'_, ()>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            subject: Arc::new(subject),
            runtime: Runtime(Arc::new(block_on)),
        }
    }
}

impl<S> Clone for Awaited<S> {
    fn clone(&self) -> Self {
        Self {
            subject: self.subject.clone(),
            runtime: self.runtime.clone(),
        }
    }
}

impl<S> fmt::Debug for Awaited<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Awaited").finish_non_exhaustive()
    }
}

impl<S: AsyncSubject> Subject for Awaited<S> {
    type Event = S::Event;
    type Log = AwaitedLog<S::Log>;

    fn open(&self, case: &Case) -> Result<Self::Log, OpenError> {
        let log = self.runtime.wait(self.subject.open(case))?;
        Ok(AwaitedLog {
            log: Some(log),
            runtime: self.runtime.clone(),
        })
    }

    fn event(&self, version: u64, pick: u32) -> Self::Event {
        self.subject.event(version, pick)
    }

    fn probed_event(&self, version: u64, probe: &Probe) -> Self::Event {
        self.subject.probed_event(version, probe)
    }

    fn extreme_event(&self, version: u64, pick: u32) -> Option<Self::Event> {
        self.subject.extreme_event(version, pick)
    }

    fn retains(&self, case: &Case, appended: u64) -> u64 {
        self.subject.retains(case, appended)
    }

    fn segment(&self, case: &Case) -> usize {
        self.subject.segment(case)
    }

    fn reader_pins(&self, case: &Case) -> usize {
        self.subject.reader_pins(case)
    }

    fn shows_within(&self) -> Duration {
        self.subject.shows_within()
    }

    fn handle(&self, case: &Case, log: &Self::Log) -> Result<Option<Self::Log>, OpenError> {
        let handle = self.runtime.wait(self.subject.handle(case, log.log()))?;
        Ok(handle.map(|log| AwaitedLog {
            log: Some(log),
            runtime: self.runtime.clone(),
        }))
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Self::Event>>, OpenError> {
        self.runtime.wait(self.subject.read_back(case))
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        self.subject.files(case)
    }

    fn line(&self, event: &Self::Event) -> String {
        self.subject.line(event)
    }
}

/// A log whose calls are waited for.
pub struct AwaitedLog<L: Send> {
    /// There until it is dropped or shut down.
    log: Option<L>,
    runtime: Runtime,
}

impl<L: Send> AwaitedLog<L> {
    #[expect(
        clippy::expect_used,
        reason = "only `shutdown` and `drop` take the log"
    )]
    fn log(&self) -> &L {
        self.log.as_ref().expect("a log that was not shut down")
    }

    fn reader<E: Send + Sync + 'static>(
        &self,
        opening: impl Future<Output = Box<dyn AsyncSubscription<E>>> + Send,
    ) -> Box<dyn Subscription<E>> {
        Box::new(AwaitedReader {
            reader: Some(Arc::new(Mutex::new(self.runtime.wait(opening)))),
            receiving: RefCell::default(),
            runtime: self.runtime.clone(),
        })
    }
}

impl<E: Send + Sync + 'static, L: AsyncLog<E>> Log<E> for AwaitedLog<L> {
    fn append(&self, event: E) -> Option<u64> {
        self.runtime.wait(self.log().append(event))
    }

    fn try_append(&self, event: E) -> Attempt {
        self.runtime.wait(self.log().try_append(event))
    }

    fn events_since(&self, since: u64) -> Vec<E> {
        self.runtime.wait(self.log().events_since(since))
    }

    fn replay_truncated(&self, since: u64) -> bool {
        self.runtime.wait(self.log().replay_truncated(since))
    }

    fn replay(&self, since: u64) -> Replay<E> {
        self.runtime.wait(self.log().replay(since))
    }

    fn append_batch(&self, events: Vec<E>) {
        self.runtime.wait(self.log().append_batch(events));
    }

    fn cursor(&self) -> String {
        self.runtime.wait(self.log().cursor())
    }

    fn replay_after(&self, cursor: &str) -> Replay<E> {
        self.runtime.wait(self.log().replay_after(cursor))
    }

    fn subscribe(&self, since: u64) -> Box<dyn Subscription<E>> {
        self.reader(self.log().subscribe(since))
    }

    fn subscribe_stored(&self, since: u64) -> Box<dyn Subscription<E>> {
        self.reader(self.log().subscribe_stored(since))
    }

    fn resume(&self, cursor: &str) -> Box<dyn Subscription<E>> {
        self.reader(self.log().resume(cursor))
    }

    fn lease(&self, events: u64) -> Box<dyn Lease> {
        Box::new(AwaitedLease {
            lease: Some(self.runtime.wait(self.log().lease(events))),
            runtime: self.runtime.clone(),
        })
    }

    fn page(&self, since: u64, events: usize) -> Page<E> {
        self.runtime.wait(self.log().page(since, events))
    }

    fn page_after(&self, cursor: &str, events: usize) -> Page<E> {
        self.runtime.wait(self.log().page_after(cursor, events))
    }

    fn subscribe_if(&self, since: u64, keeps: fn(&E) -> bool) -> Box<dyn Subscription<E>> {
        self.reader(self.log().subscribe_if(since, keeps))
    }

    fn close(&self) {
        self.runtime.wait(self.log().close());
    }

    fn flush(&self) -> Result<(), OpenError> {
        self.runtime.wait(self.log().flush())
    }

    fn shutdown(mut self) -> Result<(), OpenError> {
        match self.log.take() {
            Some(log) => self.runtime.wait(log.shutdown()),
            None => Ok(()),
        }
    }
}

impl<L: Send> Drop for AwaitedLog<L> {
    fn drop(&mut self) {
        let log = self.log.take();
        self.runtime.wait(async { drop(log) });
    }
}

/// A lease that ends in its log's runtime.
struct AwaitedLease {
    /// There until it is dropped.
    lease: Option<Box<dyn Lease>>,
    runtime: Runtime,
}

impl Lease for AwaitedLease {
    fn is_revoked(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.is_revoked())
    }
}

impl Drop for AwaitedLease {
    fn drop(&mut self) {
        let lease = self.lease.take();
        self.runtime.wait(async { drop(lease) });
    }
}

type Reader<E> = Box<dyn AsyncSubscription<E>>;

/// A reader whose pending future is kept from poll to poll, and has the reader's lock meanwhile.
struct AwaitedReader<E: Send + 'static> {
    /// There until it is dropped.
    reader: Option<Arc<Mutex<Reader<E>>>>,
    receiving: RefCell<Option<BoxFuture<'static, Received<E>>>>,
    runtime: Runtime,
}

impl<E: Send + 'static> AwaitedReader<E> {
    #[expect(clippy::expect_used, reason = "only `drop` takes the reader")]
    fn reader(&self) -> &Arc<Mutex<Reader<E>>> {
        self.reader.as_ref().expect("a reader that lives")
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        let receive = |reader: Arc<Mutex<Reader<E>>>| -> BoxFuture<'static, _> {
            Box::pin(async move { reader.lock_owned().await.recv().await })
        };
        let kept = self.receiving.take();
        let mut receiving = kept.unwrap_or_else(|| receive(self.reader().clone()));
        let polled = receiving.as_mut().poll(context);
        if polled.is_pending() {
            self.receiving.replace(Some(receiving));
        }
        polled
    }

    /// The reader itself, whose pending future is given up: it has received nothing.
    #[expect(clippy::expect_used, reason = "only the future has the lock")]
    fn resting(&self) -> MutexGuard<'_, Reader<E>> {
        let receiving = self.receiving.take();
        self.runtime.wait(async { drop(receiving) });
        let resting = self.reader().try_lock();
        resting.expect("a reader that nothing waits for")
    }
}

impl<E: Send + Sync + 'static> Subscription<E> for AwaitedReader<E> {
    fn try_recv(&mut self) -> Received<E> {
        ready_now(|context| self.poll_recv(context)).unwrap_or(Received::Empty)
    }

    /// Polls within the runtime, with the waker of whoever asks.
    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        let runtime = self.runtime.clone();
        let waker = context.waker().clone();
        runtime.wait(poll_fn(|_| {
            Poll::Ready(self.poll(&mut Context::from_waker(&waker)))
        }))
    }

    fn blocking_recv(&mut self) -> Received<E> {
        let runtime = self.runtime.clone();
        runtime.wait(poll_fn(|context| self.poll(context)))
    }

    fn is_live(&self) -> bool {
        self.resting().is_live()
    }

    fn cursor(&self) -> String {
        self.resting().cursor()
    }

    fn skip_to_newest(&mut self) -> u64 {
        let mut reader = self.resting();
        self.runtime.wait(reader.skip_to_newest())
    }
}

impl<E: Send + 'static> Drop for AwaitedReader<E> {
    fn drop(&mut self) {
        let (receiving, reader) = (self.receiving.take(), self.reader.take());
        self.runtime.wait(async { drop((receiving, reader)) });
    }
}
