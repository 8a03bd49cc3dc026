//! What a message of a stream holds, and how its headers say so.

use std::str::FromStr;

use async_nats::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::{
    cursor::{Cursor, Epoch},
    writer::{Gap, Meta, Records},
};

/// The most events of one message.
pub(super) const MAX_EVENTS: usize = 256;

/// The most bytes of a message with several events.
pub(super) const MAX_BYTES: usize = 64 << 10;

/// Lives of a stream that are told to readers.
const MAX_LIVES: usize = 64;

const LIFE: &str = "Eventlog-Life";
const CLAIM: &str = "Eventlog-Claim";
const FIRST: &str = "Eventlog-First";
const COUNT: &str = "Eventlog-Count";
const THROUGH: &str = "Eventlog-Through";
const VERSIONS: &str = "Eventlog-Versions";
const GAP: &str = "Eventlog-Gap";

/// What the headers of a message say of the events in it.
///
/// Events of a stream are numbered from 1 on, over all its writers; a gap uses up as many numbers as
/// it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// The writer that sent it. Each opening has an id of its own.
    pub(super) life: Epoch,
    /// The stream sequence of the message in which that writer claimed the stream; 0 in that
    /// message itself.
    pub(super) claim: u64,
    /// The number of its first event.
    pub(super) first: u64,
    /// How many numbers it uses up; 0 for a claim.
    pub(super) count: u64,
    /// The last event in it, as the log that it comes from numbers it.
    pub(super) through: Option<Cursor>,
    /// The largest version of all events before it, and with those in it.
    pub(super) versions: (u64, u64),
    pub(super) is_gap: bool,
}

impl Frame {
    /// The number after its last event.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(self.count)
    }

    pub(super) fn is_claim_of(&self, life: Epoch) -> bool {
        self.claim == 0 && self.life == life
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(LIFE, self.life.to_string());
        headers.insert(CLAIM, self.claim.to_string());
        headers.insert(FIRST, self.first.to_string());
        headers.insert(COUNT, self.count.to_string());
        if let Some(through) = self.through {
            headers.insert(THROUGH, through.to_string());
        }
        let (before, after) = self.versions;
        headers.insert(VERSIONS, format!("{before}..{after}"));
        if self.is_gap {
            headers.insert(GAP, "1");
        }
        headers
    }

    /// `None` for a message that is no log's.
    pub(super) fn parse(headers: &HeaderMap) -> Option<Self> {
        fn value<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
            headers.get(name)?.as_str().parse().ok()
        }
        let (before, after) = headers.get(VERSIONS)?.as_str().split_once("..")?;
        Some(Self {
            versions: (before.parse().ok()?, after.parse().ok()?),
            life: value(headers, LIFE)?,
            claim: value(headers, CLAIM)?,
            first: value(headers, FIRST).filter(|first| *first > 0)?,
            count: value(headers, COUNT)?,
            through: value(headers, THROUGH),
            is_gap: headers.get(GAP).is_some(),
        })
    }
}

/// The first records that make a message of at most this many bytes: several events, or one gap,
/// or one event that may be too long for it.
pub(super) fn first_frame<'a>(records: &Records<'a>, limit: usize) -> (Records<'a>, Records<'a>) {
    let metas = records.metas();
    let events = metas
        .iter()
        .take(MAX_EVENTS)
        .take_while(|meta| !meta.is_gap);
    let fitting = records.within(limit.min(MAX_BYTES) as u64);
    let len = events.count().min(fitting).max(1);
    records.split_at(len.min(records.len()))
}

/// How many numbers these records use up.
pub(super) fn numbers(records: &Records<'_>) -> u64 {
    let counted = |(line, meta): (&[u8], &Meta)| {
        let gap = meta.is_gap.then(|| Gap::parse(line)).flatten();
        gap.map_or(1, |gap| gap.count)
    };
    records.iter().zip(records.metas()).map(counted).sum()
}

/// What a claim's message holds: the lives before, and how far each is left.
#[derive(Serialize, Deserialize, Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Lives {
    lives: Vec<Life>,
}

#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub(super) struct Life {
    life: String,
    through: u64,
}

impl Life {
    /// Its id and the number of the last event that is left of it.
    pub(super) fn parts(&self) -> Option<(Epoch, u64)> {
        Some((self.life.parse().ok()?, self.through))
    }
}

impl Lives {
    /// What was written by `parse`'s other side; nothing where it is not that.
    pub(super) fn parse(payload: &[u8]) -> Self {
        serde_json::from_slice(payload).unwrap_or_default()
    }

    pub(super) fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Adds a life that has ended with this number. Lives before it have no more than that either.
    pub(super) fn end(&mut self, life: Epoch, through: u64) {
        for before in &mut self.lives {
            before.through = before.through.min(through);
        }
        self.lives.push(Life {
            life: life.to_string(),
            through,
        });
        let surplus = self.lives.len().saturating_sub(MAX_LIVES);
        self.lives.drain(..surplus);
    }

    /// A life that had ended has gone on to this number.
    pub(super) fn extend(&mut self, life: Epoch, through: u64) {
        let id = life.to_string();
        for before in self.lives.iter_mut().filter(|before| before.life == id) {
            before.through = through;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Epoch, u64)> {
        self.lives.iter().filter_map(Life::parts)
    }

    /// The number of the last event that is left of a life; `None` if it is not known.
    pub(super) fn through(&self, life: Epoch) -> Option<u64> {
        let mut lives = self.iter();
        lives.find_map(|(known, through)| (known == life).then_some(through))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{seq::Seq, writer::GapReason};

    fn frame() -> Frame {
        Frame {
            life: Epoch::new(0xabc),
            claim: 7,
            first: 11,
            count: 3,
            through: Some(Cursor::from_parts(Epoch::new(2), Seq::new(9), 90)),
            versions: (80, 95),
            is_gap: true,
        }
    }

    #[test]
    fn headers_are_read_back() {
        assert_eq!(Frame::parse(&frame().headers()), Some(frame()));
        let first = Frame {
            through: None,
            is_gap: false,
            ..frame()
        };
        assert_eq!(Frame::parse(&first.headers()), Some(first));
        assert_eq!(first.next(), 14);
    }

    /// Anybody may publish to a stream.
    #[test]
    fn what_is_no_frame_is_none() {
        assert_eq!(Frame::parse(&HeaderMap::new()), None);
        for (name, value) in [(LIFE, "x"), (FIRST, "0"), (FIRST, "-1"), (COUNT, "")] {
            let mut headers = frame().headers();
            headers.insert(name, value);
            assert_eq!(Frame::parse(&headers), None, "{name}: {value}");
        }
        let mut huge = frame();
        (huge.first, huge.count) = (u64::MAX, u64::MAX);
        assert_eq!(huge.next(), u64::MAX);
        assert_eq!(Lives::parse(b"{\"lives\":3}"), Lives::default());
    }

    #[test]
    fn frames_hold_events_up_to_their_bounds_and_gaps_alone() {
        let gap = Gap::new(5, 1, 2, GapReason::Backlog).to_line();
        let mut bytes = Vec::new();
        let (mut ends, mut metas) = (Vec::new(), Vec::new());
        for index in 0..300_u64 {
            let is_gap = index == 290;
            let line = if is_gap { gap.as_bytes() } else { b"1\n" };
            bytes.extend_from_slice(line);
            ends.push(bytes.len());
            metas.push(Meta::new(Seq::new(index + 1), 0, is_gap));
        }
        let mut rest = Records::new(&bytes, &ends).with_metas(&metas);
        let mut lens = Vec::new();
        while !rest.is_empty() {
            let (first, more) = first_frame(&rest, MAX_BYTES);
            lens.push((first.len(), numbers(&first)));
            rest = more;
        }
        assert_eq!(lens, [(256, 256), (34, 34), (1, 5), (9, 9)]);
        let all = Records::new(&bytes, &ends).with_metas(&metas);
        assert_eq!(first_frame(&all, 9).0.len(), 4);
        assert_eq!(first_frame(&all, 1).0.len(), 1, "one that is too long");
    }

    #[test]
    fn lives_end_no_later_than_what_was_taken_back() {
        let mut lives = Lives::default();
        lives.end(Epoch::new(2), 10);
        lives.end(Epoch::new(4), 7);
        let read = Lives::parse(&lives.to_payload());
        assert_eq!(
            read.iter().collect::<Vec<_>>(),
            [(Epoch::new(2), 7), (Epoch::new(4), 7)]
        );
        for life in 0..100 {
            lives.end(Epoch::new(life * 2 + 10), 100);
        }
        assert_eq!(lives.iter().count(), MAX_LIVES);
    }
}
