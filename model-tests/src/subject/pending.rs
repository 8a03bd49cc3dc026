//! What keeps a pending future for an adapter.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    log::{Received, Subscription},
    waker::ready_now,
};

type Receiving<R, E> = Pin<Box<dyn Future<Output = (R, Received<E>)> + Send>>;

/// A subscription made of a receiver that has only an asynchronous `recv`.
///
/// A future that was polled holds the receiver's place among those that wait. If each poll made a
/// new one, that place would be lost with the old one; so the future is kept until it is ready. It
/// owns the receiver meanwhile, and gives it back with what was received.
///
/// ```
/// use model_tests::{PollFuture, Received, Subscription, Tick};
/// use tokio::sync::broadcast::{self, error::RecvError};
///
/// type Receiver = broadcast::Receiver<Tick>;
///
/// async fn recv(mut receiver: Receiver) -> (Receiver, Received<Tick>) {
///     let received = match receiver.recv().await {
///         Ok(event) => Received::Event(event),
///         Err(RecvError::Lagged(lost)) => Received::Lagged(lost),
///         Err(RecvError::Closed) => Received::Closed,
///     };
///     (receiver, received)
/// }
///
/// let sender = broadcast::Sender::new(4);
/// let mut reader = PollFuture::new(sender.subscribe(), recv);
/// assert_eq!(reader.try_recv(), Received::Empty);
/// sender.send(Tick::new(1, 0)).unwrap();
/// assert_eq!(reader.blocking_recv(), Received::Event(Tick::new(1, 0)));
/// ```
pub struct PollFuture<R, E> {
    /// There unless the future has it.
    receiver: Option<R>,
    future: Option<Receiving<R, E>>,
    recv: Box<dyn FnMut(R) -> Receiving<R, E> + Send>,
}

impl<R, E> PollFuture<R, E> {
    /// A subscription that gets what `recv` gets. `recv` gives the receiver back, and never says
    /// [`Received::Empty`].
    pub fn new<F>(receiver: R, mut recv: impl FnMut(R) -> F + Send + 'static) -> Self
    where
        F: Future<Output = (R, Received<E>)> + Send + 'static,
    {
        Self {
            receiver: Some(receiver),
            future: None,
            recv: Box::new(move |receiver| Box::pin(recv(receiver))),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        let begun = self.receiver.take().map(|receiver| (self.recv)(receiver));
        let Some(mut future) = begun.or_else(|| self.future.take()) else {
            // Only a `recv` that panicked leaves neither; it would do so again.
            return Poll::Ready(Received::Closed);
        };
        match future.as_mut().poll(context) {
            Poll::Ready((receiver, given)) => {
                self.receiver = Some(receiver);
                Poll::Ready(given)
            }
            Poll::Pending => {
                self.future = Some(future);
                Poll::Pending
            }
        }
    }
}

impl<R: Send, E> Subscription<E> for PollFuture<R, E> {
    fn try_recv(&mut self) -> Received<E> {
        ready_now(|context| self.poll(context)).unwrap_or(Received::Empty)
    }

    fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Received<E>> {
        self.poll(context)
    }
}

impl<R, E> fmt::Debug for PollFuture<R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollFuture")
            .field("is_pending", &self.future.is_some())
            .finish_non_exhaustive()
    }
}
