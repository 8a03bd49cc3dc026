//! What is heard of a feed, whichever way it comes.

use std::pin::Pin;
use std::task::{Context, Poll};

use eventlog::Cursor;
use eventlog::serve::{Heard, Remote};
use futures_core::Stream;
use serde_json::value::RawValue;

use crate::input::MAX_LINE_BYTES;
use crate::row::{Said, Word};

/// Where the items come from.
pub(super) trait Items {
    /// The next, or that nothing will ever come, or why it cannot go on; else whoever waits is woken.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Item, String>>>;

    /// Where it stands after what was taken last, once the server has said so.
    fn cursor(&self) -> Option<Cursor>;

    /// Why there is no connection at the moment, if there is none.
    fn trouble(&self) -> Option<String>;
}

pub(super) enum Item {
    Event {
        cursor: Cursor,
        bytes: Vec<u8>,
    },
    /// An event of so many bytes, which are not kept.
    TooLong {
        cursor: Cursor,
        len: u64,
    },
    Word(Word),
}

/// Over a socket.
impl Items for Remote<Box<RawValue>> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Item, String>>> {
        loop {
            let heard = match Pin::new(&mut *self).poll_next(context) {
                Poll::Ready(Some(Ok(heard))) => heard,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.to_string()))),
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            };
            if let Some(item) = item(heard) {
                return Poll::Ready(Some(Ok(item)));
            }
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        self.cursor()
    }

    fn trouble(&self) -> Option<String> {
        self.trouble()
    }
}

/// `None` for what a later version may say.
fn item(heard: Heard<Box<RawValue>>) -> Option<Item> {
    let (said, cursor, newest) = match heard {
        Heard::Event { cursor, event } => {
            let bytes = Box::<str>::from(event).into_string().into_bytes();
            let len = bytes.len();
            return Some(if len > MAX_LINE_BYTES {
                let len = len as u64;
                Item::TooLong { cursor, len }
            } else {
                Item::Event { cursor, bytes }
            });
        }
        Heard::Reset {
            cursor,
            coverage,
            newest,
        } => (Said::Reset(coverage), cursor, newest),
        Heard::Live { cursor, newest } => (Said::Live, cursor, newest),
        _ => return None,
    };
    Some(Item::Word(Word {
        said,
        cursor,
        newest,
    }))
}
