//! The bytes of server-sent events, read by the rules of the HTML standard.

use std::mem;
use std::time::Duration;

use eventlog::Cursor;

use crate::input::MAX_LINE_BYTES;

/// What is longer than an event may be is passed over, but not for ever.
const MOST_BYTES: usize = 4 * MAX_LINE_BYTES;
/// The longest name of a field that counts, with what stands around it.
const FIELD_BYTES: usize = "\u{feff}event: ".len();
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

#[derive(Default)]
pub(super) struct Parser {
    line: Vec<u8>,
    /// How long it is, also where it is not kept.
    line_len: usize,
    /// The carriage return has ended the line, so a line feed ends none.
    after_cr: bool,
    is_begun: bool,
    block: Block,
    has_id: bool,
    /// After how long to come back, as the server has said it last.
    pub(super) retry: Option<Duration>,
}

/// What stands between two blank lines.
#[derive(Default)]
pub(super) struct Block {
    pub(super) name: Vec<u8>,
    /// The last id, of this block or of one before; `None` if it is no cursor.
    pub(super) id: Option<Cursor>,
    /// `None` if it is a bookmark.
    pub(super) data: Option<Data>,
}

#[derive(Default)]
pub(super) struct Data {
    /// Nothing, if it is too long.
    pub(super) bytes: Vec<u8>,
    pub(super) len: usize,
}

impl Data {
    pub(super) fn is_too_long(&self) -> bool {
        self.len > MAX_LINE_BYTES
    }

    /// One more line.
    fn add(&mut self, line: &[u8], len: usize) {
        self.len = self.len.saturating_add(len);
        if self.is_too_long() {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(line);
        }
    }
}

impl Parser {
    /// Reads on, and adds the blocks that end here. A block that never ends does not count.
    ///
    /// # Errors
    ///
    /// Something is so long that it is not worth waiting for its end.
    pub(super) fn read(&mut self, mut bytes: &[u8], to: &mut Vec<Block>) -> Result<(), String> {
        while let Some(first) = bytes.first() {
            if mem::take(&mut self.after_cr) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = memchr::memchr2(b'\n', b'\r', bytes);
            self.add(&bytes[..end.unwrap_or(bytes.len())])?;
            let Some(end) = end else { break };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            to.extend(self.end_line());
        }
        Ok(())
    }

    fn add(&mut self, text: &[u8]) -> Result<(), String> {
        self.line_len += text.len();
        let room = (MAX_LINE_BYTES + FIELD_BYTES).saturating_sub(self.line.len());
        self.line.extend_from_slice(&text[..text.len().min(room)]);
        let data = self.block.data.as_ref().map_or(0, |data| data.len);
        if self.line_len.saturating_add(data) > MOST_BYTES {
            let mib = MOST_BYTES >> 20;
            return Err(format!("an event has more than {mib} MiB"));
        }
        Ok(())
    }

    fn end_line(&mut self) -> Option<Block> {
        let mut line = mem::take(&mut self.line);
        let cut = mem::take(&mut self.line_len) - line.len();
        let is_first = !mem::replace(&mut self.is_begun, true);
        let text = match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if is_first => rest,
            _ => &line[..],
        };
        if text.is_empty() {
            return self.end_block();
        }
        self.field(text, cut);
        // Its room serves the next one.
        line.clear();
        if line.capacity() <= 64 * 1024 {
            self.line = line;
        }
        None
    }

    /// `cut` bytes of the line were not kept.
    fn field(&mut self, line: &[u8], cut: usize) {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let value = line.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &line[..colon] {
            b"data" => {
                let is_first = self.block.data.is_none();
                let data = self.block.data.get_or_insert_default();
                if !is_first {
                    data.add(b"\n", 1);
                }
                data.add(value, value.len() + cut);
            }
            // Of the others none is so long that means anything.
            _ if cut > 0 => {}
            b"event" => self.block.name = value.to_vec(),
            b"id" if !value.contains(&0) => {
                let text = str::from_utf8(value).ok();
                self.block.id = text.and_then(|text| text.parse().ok());
                self.has_id = true;
            }
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                let text = str::from_utf8(value).ok();
                let millis = text.and_then(|text| text.parse().ok());
                self.retry = millis.map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
    }

    /// The id holds for what comes after, too.
    fn end_block(&mut self) -> Option<Block> {
        let id = self.block.id;
        let next = Block {
            id,
            ..Block::default()
        };
        let block = mem::replace(&mut self.block, next);
        let has_id = mem::take(&mut self.has_id);
        (has_id || block.data.is_some()).then_some(block)
    }
}
