//! Waiting for what must come, without waiting for ever.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::trial::panic_text;

/// Why something did not come to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Stuck {
    /// The thread was still at work when patience ended.
    Blocked,
    /// The thread panicked, with this text.
    Panicked(String),
}

impl Stuck {
    pub(crate) fn text(&self, patience: Duration) -> String {
        match self {
            Self::Blocked => format!("it is blocked for more than {patience:?}"),
            Self::Panicked(text) => text.clone(),
        }
    }
}

/// Runs `act` in a thread of its own and waits for it. A thread that stays blocked is left to itself:
/// nothing can end it, and the verdict is worth more than it costs.
pub(crate) fn within<T: Send + 'static>(
    patience: Duration,
    act: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Stuck> {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        // The receiver is gone if patience has ended.
        let _ = done.send(catch_unwind(AssertUnwindSafe(act)));
    });
    match wait.recv_timeout(patience) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(panic)) => Err(Stuck::Panicked(panic_text(panic.as_ref()))),
        Err(_) => Err(Stuck::Blocked),
    }
}

/// Panics as users' code may, but says nothing: with `RUST_BACKTRACE` what is said takes longer than
/// the call that is judged.
pub(crate) fn panic_on_purpose(text: &'static str) -> ! {
    resume_unwind(Box::new(text))
}
