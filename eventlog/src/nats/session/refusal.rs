//! Why a message was not taken, in words that a person can act on.

use super::Session;
use crate::nats::{error::Trouble, frame::Frame, link::Link};

/// Another message came first.
const WRONG_LAST_SEQUENCE: u64 = 10_071;
/// Another message came first, or the server has forgotten what the last one is called.
const WRONG_LAST_ID: u64 = 10_070;
/// The message is longer than the stream's limit.
const TOO_LONG: u64 = 10_054;
/// The stream, the account or the disk is full.
const FULL: [u64; 3] = [10_077, 10_047, 10_023];

impl<L: Link> Session<L> {
    pub(super) fn refused(&mut self, code: u64, text: &str) -> Trouble {
        if code == WRONG_LAST_ID {
            self.unknown_id = self.tail.id;
        }
        let stream = &self.config.at.stream;
        if [WRONG_LAST_SEQUENCE, WRONG_LAST_ID, TOO_LONG].contains(&code) {
            Trouble::Doubt(format!(
                "the stream {stream} has refused a message ({text})"
            ))
        } else if FULL.contains(&code) {
            Trouble::retry(format!(
                "the stream {stream} is full ({text}): raise its limits, or let it discard old \
                 messages"
            ))
        } else {
            Trouble::retry(format!(
                "the stream {stream} has refused a message ({text})"
            ))
        }
    }

    pub(super) fn too_long(&self, len: usize) -> Trouble {
        let (stream, limit) = (&self.config.at.stream, self.limit);
        Trouble::refused(format!(
            "a record of {len} bytes is too long for the stream {stream}, which takes {limit}: \
             raise `max_payload` of the server and the stream's message size, or make events \
             smaller"
        ))
    }

    pub(super) fn fenced(&self, sequence: u64, frame: Option<Frame>) -> Trouble {
        let stream = &self.config.at.stream;
        Trouble::fenced(match frame {
            Some(frame) => format!(
                "message {sequence} of the stream {stream} is of the writer {}, which has claimed \
                 it",
                frame.life
            ),
            None => format!(
                "message {sequence} of the stream {stream} is no event log's: a stream holds one \
                 log and nothing else"
            ),
        })
    }
}
