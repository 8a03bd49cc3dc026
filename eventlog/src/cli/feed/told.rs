//! What the blocks of a stream mean, where it is a feed's.

use eventlog::{Coverage, Cursor};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::items::Item;
use super::sse::{Block, Data};
use crate::row::{Said, Word};

pub(super) struct Kept {
    /// A bookmark has none.
    pub(super) item: Option<Item>,
    /// The place after it.
    pub(super) cursor: Option<Cursor>,
}

/// # Errors
///
/// It is the stream of something else.
pub(super) fn kept(block: Block) -> Result<Kept, String> {
    let cursor = block.id;
    let nothing = Kept { item: None, cursor };
    let Some(data) = block.data else {
        return Ok(nothing);
    };
    let name = &block.name[..];
    if !matches!(name, b"" | b"message" | b"reset" | b"live") {
        return Ok(nothing);
    }
    let Some(place) = cursor else {
        return Err("what answers is no feed: an event has no cursor as its id".to_owned());
    };
    let item = match name {
        b"reset" => word(&data, place, Said::Reset(coverage(&data))),
        b"live" => word(&data, place, Said::Live),
        _ => event(data, place),
    };
    Ok(Kept {
        item: Some(item),
        cursor,
    })
}

fn event(data: Data, cursor: Cursor) -> Item {
    if data.is_too_long() {
        let len = data.len as u64;
        return Item::TooLong { cursor, len };
    }
    let mut bytes = data.bytes;
    // Between the parts of JSON a space means the same, and an event stays a line.
    if bytes.contains(&b'\n') && serde_json::from_slice::<IgnoredAny>(&bytes).is_ok() {
        for byte in &mut bytes {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
    }
    Item::Event { cursor, bytes }
}

/// What this version does not know is never taken for complete.
fn coverage(data: &Data) -> Coverage {
    serde_json::from_slice(&data.bytes).unwrap_or(Coverage::Foreign)
}

fn word(data: &Data, cursor: Cursor, said: Said) -> Item {
    let data: Value = serde_json::from_slice(&data.bytes).unwrap_or_default();
    let newest = data["newest"].as_str();
    Item::Word(Word {
        said,
        cursor,
        newest: newest.and_then(|newest| newest.parse().ok()),
    })
}
