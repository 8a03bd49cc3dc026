//! Runtimes of our own, so that nothing here needs or blocks the user's.

use std::{future::Future, io, thread};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

/// The name of the thread.
const THREAD_NAME: &str = "eventlog-nats";

/// A runtime that runs while its thread waits for something, and rests otherwise.
pub(super) struct Local(Option<Runtime>);

impl Local {
    pub(super) fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a future, and all else of this runtime meanwhile. The thread must not be one of another
    /// runtime.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.0 {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("it is taken by `drop` alone"),
        }
    }

    /// Makes one on a thread that ends with the future, and gives both back.
    pub(super) async fn on_a_thread<F>(future: F) -> io::Result<(Self, F::Output)>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let local = Self::new()?;
        let (done, output) = oneshot::channel();
        thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                let output = local.block_on(future);
                drop(done.send((local, output)));
            })?;
        output.await.map_err(io::Error::other)
    }
}

impl Drop for Local {
    /// Also inside of another runtime, where nothing may be waited for.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A runtime on a thread of its own, which keeps a connection going. Dropping it ends the thread and all that runs there.
pub(super) struct Driver {
    handle: Handle,
    /// Dropped, it ends the thread.
    _running: oneshot::Sender<()>,
}

impl Driver {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel::<()>();
        thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                let _ = runtime.block_on(ended);
                runtime.shutdown_background();
            })?;
        Ok(Self {
            handle,
            _running: running,
        })
    }

    /// Runs a future on this thread, which must not be one of a runtime, while the other thread
    /// keeps the connection going.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }

    /// What runs futures on the thread of its own, as long as that lives.
    #[cfg(feature = "sse")]
    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs a future on the thread of its own.
    pub(super) fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.handle.spawn(future)
    }
}
