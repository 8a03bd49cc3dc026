//! What a browser asks for.

use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;

/// No request of a browser for these pages is longer.
const MAX_BYTES: u64 = 16 * 1024;

pub(super) struct Request {
    pub(super) path: String,
    pub(super) last_event_id: Option<String>,
}

impl Request {
    /// Reads the head of a request; `None` if it is none that is answered here.
    pub(super) fn read(stream: &TcpStream) -> io::Result<Option<Self>> {
        let mut lines = BufReader::new(stream.take(MAX_BYTES)).lines();
        let Some(first) = lines.next().transpose()? else {
            return Ok(None);
        };
        let mut words = first.split(' ');
        let (Some("GET"), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let path = target.split('?').next().unwrap_or_default().to_owned();
        let mut last_event_id = None;
        for line in lines {
            let line = line?;
            if line.is_empty() {
                return Ok(Some(Self {
                    path,
                    last_event_id,
                }));
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("last-event-id")
            {
                last_event_id = Some(value.trim().to_owned());
            }
        }
        Ok(None)
    }
}
