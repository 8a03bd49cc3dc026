//! The user's code in a feed: what to show, and how.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use serde::Serialize;

type Keep<E> = Arc<dyn Fn(&E) -> bool + Send + Sync>;
type Write<E> = Arc<dyn Fn(&E, &mut Vec<u8>) -> Result<(), String> + Send + Sync>;

/// What is asked of each event, at most once.
pub(super) struct Hooks<E> {
    keep: Option<Keep<E>>,
    write: Write<E>,
    /// Whether what is written is JSON for sure.
    pub(super) is_json: bool,
}

/// What became of one event.
pub(super) enum Written {
    /// There is a text of it.
    Shown,
    /// Nobody is to see it.
    Hidden,
    /// The user's code failed on it.
    Failed(String),
}

impl<E> Hooks<E> {
    /// All events, as JSON.
    pub(super) fn json() -> Self
    where
        E: Serialize,
    {
        Self {
            keep: None,
            write: Arc::new(|event, text| {
                serde_json::to_writer(text, event).map_err(|error| error.to_string())
            }),
            is_json: true,
        }
    }

    /// The same, for those events only.
    pub(super) fn keeping(&self, keep: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        Self {
            keep: Some(Arc::new(keep)),
            write: self.write.clone(),
            is_json: self.is_json,
        }
    }

    /// The same, in another form.
    pub(super) fn writing(&self, write: impl Fn(&E, &mut Vec<u8>) + Send + Sync + 'static) -> Self {
        Self {
            keep: self.keep.clone(),
            write: Arc::new(move |event, text| {
                write(event, text);
                Ok(())
            }),
            is_json: false,
        }
    }

    /// Puts the event's text into `text`, whatever was there. A panic of the user's code goes no
    /// further.
    pub(super) fn run(&self, event: &E, text: &mut Vec<u8>) -> Written {
        text.clear();
        catch_unwind(AssertUnwindSafe(|| {
            if self.keep.as_ref().is_some_and(|keep| !keep(event)) {
                return Written::Hidden;
            }
            match (self.write)(event, text) {
                Ok(()) => Written::Shown,
                Err(error) => Written::Failed(error),
            }
        }))
        .unwrap_or_else(|payload| {
            // The payload may panic in its own drop.
            mem::forget(payload);
            Written::Failed("the code that filters or encodes it panicked".to_owned())
        })
    }
}
