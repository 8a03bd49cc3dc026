//! Lines from a peer that is not trusted to end them.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// The longest request that is taken in.
const MAX_LINE_BYTES: usize = 64 * 1024;

pub enum Line {
    Text(Vec<u8>),
    /// It was read to its end and thrown away.
    TooLong,
}

/// The next line without its newline; `None` at the end of the stream.
pub async fn next_line(reader: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            let nothing = line.is_empty() && !too_long;
            return Ok(if nothing {
                None
            } else {
                Some(finish(line, too_long))
            });
        }
        let newline = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..newline.unwrap_or(available.len())];
        too_long |= line.len() + part.len() > MAX_LINE_BYTES;
        if !too_long {
            line.extend_from_slice(part);
        }
        let used = part.len() + usize::from(newline.is_some());
        reader.consume(used);
        if newline.is_some() {
            return Ok(Some(finish(line, too_long)));
        }
    }
}

fn finish(line: Vec<u8>, too_long: bool) -> Line {
    if too_long {
        Line::TooLong
    } else {
        Line::Text(line)
    }
}
