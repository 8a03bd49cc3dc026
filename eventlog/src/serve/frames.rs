//! Encode once: the frames of a segment's events, kept beside the segment and freed with it.
//!
//! A stretch of events is claimed before it is encoded, so that nobody else encodes it, and no lock
//! is held meanwhile: who comes to a claimed stretch is woken once it is there.

use std::{mem, ops::Range, sync::Arc, task::Waker};

use bytes::Bytes;

use crate::{sync::Mutex, waiters::wake_all};

/// How much is handed over at once, and encoded in one piece, unless one event alone is longer.
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// The frames of the events of one segment, as far as somebody wanted them.
pub(super) struct Block {
    /// The sequence numbers that have their place here.
    range: Range<u64>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// In order, without overlaps.
    pieces: Vec<Piece>,
    /// Those who came to a claimed piece.
    waiting: Vec<Waker>,
}

struct Piece {
    /// Sequence numbers; never empty.
    range: Range<u64>,
    /// `None` while it is being encoded.
    run: Option<Run>,
}

/// Frames one after the other.
#[derive(Clone, Default)]
pub(super) struct Run {
    bytes: Bytes,
    /// Where each frame ends. That of an event that nobody is to see is empty.
    ends: Vec<usize>,
}

/// Whole frames from a place on.
pub(super) struct Frames {
    pub(super) bytes: Bytes,
    /// The number of the event after the last of them.
    pub(super) end: u64,
    /// That of the last one that is not empty, if there is one.
    pub(super) shown: Option<u64>,
}

/// What there is from a place on.
pub(super) enum Found {
    Frames(Frames),
    /// Nothing: the caller encodes them, and nobody else does.
    Claimed(Claim),
    /// Another one encodes them, and wakes the caller.
    Awaited,
}

/// The right to encode a stretch. What is dropped is free again.
pub(super) struct Claim {
    block: Arc<Block>,
    range: Range<u64>,
}

/// A run in the making.
pub(super) struct Encoding {
    claim: Claim,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Block {
    pub(super) fn new(range: Range<u64>) -> Self {
        Self {
            range,
            state: Mutex::default(),
        }
    }

    /// The frames of `range`, which must be in the block and not empty: as many of the first as
    /// are there, up to [`MOST_BYTES`].
    pub(super) fn find(self: &Arc<Self>, range: Range<u64>, waker: &Waker) -> Found {
        // Cloning a waker is a user's code: it is done without the lock, and then looked again.
        let mut own = None;
        loop {
            let mut state = self.state.lock();
            let at = state.first_ending_after(range.start);
            let next = state.pieces.get(at);
            match next.filter(|piece| piece.range.start <= range.start) {
                Some(Piece { run: Some(_), .. }) => return Found::Frames(state.join(at, range)),
                Some(_) => {
                    if let Some(own) = own.take() {
                        state.waiting.push(own);
                        return Found::Awaited;
                    }
                }
                None => {
                    let end = next.map_or(range.end, |next| next.range.start.min(range.end));
                    let range = range.start..end;
                    let piece = Piece {
                        range: range.clone(),
                        run: None,
                    };
                    state.pieces.insert(at, piece);
                    drop(state);
                    let block = self.clone();
                    return Found::Claimed(Claim { block, range });
                }
            }
            drop(state);
            own = Some(waker.clone());
        }
    }

    /// Puts a run in the place of what was claimed, or nothing.
    fn settle(&self, claimed: &Range<u64>, run: Option<(Range<u64>, Run)>) {
        let mut state = self.state.lock();
        let at = state.first_ending_after(claimed.start);
        match run {
            Some((range, run)) => {
                let run = Some(run);
                state.pieces[at] = Piece { range, run };
                state.merge_if_whole(&self.range);
            }
            None => {
                state.pieces.remove(at);
            }
        }
        let waiting = mem::take(&mut state.waiting);
        drop(state);
        wake_all(waiting);
    }
}

impl State {
    fn first_ending_after(&self, seq: u64) -> usize {
        self.pieces.partition_point(|piece| piece.range.end <= seq)
    }

    /// Frames of `range` from the piece at `at` on. Those of one piece are lent, those of several
    /// are copied together.
    fn join(&self, at: usize, range: Range<u64>) -> Frames {
        let mut lent = Vec::new();
        let (mut end, mut len, mut shown) = (range.start, 0, None);
        for piece in &self.pieces[at..] {
            let Some(run) = piece.run.as_ref().filter(|_| piece.range.start <= end) else {
                break;
            };
            let wanted = end..piece.range.end.min(range.end);
            let Some(frames) = run.lend(piece.range.start, wanted, MOST_BYTES - len, len == 0)
            else {
                break;
            };
            len += frames.bytes.len();
            (end, shown) = (frames.end, frames.shown.or(shown));
            if !frames.bytes.is_empty() {
                lent.push(frames.bytes);
            }
            if end < piece.range.end || end == range.end || len >= MOST_BYTES {
                break;
            }
        }
        let bytes = match lent.len() {
            0 | 1 => lent.pop().unwrap_or_default(),
            _ => lent.concat().into(),
        };
        Frames { bytes, end, shown }
    }

    /// Once all of the segment is there, small pieces become large ones, so that those who replay
    /// it later copy nothing.
    fn merge_if_whole(&mut self, whole: &Range<u64>) {
        let mut next = whole.start;
        for piece in &self.pieces {
            if piece.range.start != next || piece.run.is_none() {
                return;
            }
            next = piece.range.end;
        }
        if next < whole.end || self.pieces.len() == 1 {
            return;
        }
        let mut merged: Vec<(Range<u64>, Vec<u8>, Vec<usize>)> = Vec::new();
        for piece in self.pieces.drain(..) {
            let Some(run) = piece.run else { continue };
            match merged.last_mut() {
                Some((range, bytes, ends)) if bytes.len() + run.bytes.len() <= MOST_BYTES => {
                    ends.extend(run.ends.iter().map(|end| bytes.len() + end));
                    bytes.extend_from_slice(&run.bytes);
                    range.end = piece.range.end;
                }
                _ => merged.push((piece.range, run.bytes.to_vec(), run.ends)),
            }
        }
        self.pieces.extend(merged.into_iter().map(|merged| {
            let (range, bytes, ends) = merged;
            let run = Some(Run::new(bytes, ends));
            Piece { range, run }
        }));
    }
}

impl Run {
    fn new(bytes: Vec<u8>, ends: Vec<usize>) -> Self {
        // Kept for as long as the segment is: without the room that it grew into.
        let bytes = bytes.into_boxed_slice().into();
        Self { bytes, ends }
    }

    /// The frames of `wanted` that fit into `room`, if `must` at least one; `None` if none does. The
    /// first frame of the run is that of `first`.
    fn lend(&self, first: u64, wanted: Range<u64>, room: usize, must: bool) -> Option<Frames> {
        let index = |seq: u64| usize::try_from(seq - first).unwrap_or(usize::MAX);
        let start_of = |index: usize| index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let (from, to) = (index(wanted.start), index(wanted.end));
        let start = start_of(from);
        let fitting = self.ends[from..to].partition_point(|end| end - start <= room);
        let count = fitting.max(usize::from(must));
        let end = start_of(from + count);
        let shown = (from..from + count)
            .rev()
            .find(|at| self.ends[*at] > start_of(*at));
        (count > 0).then(|| Frames {
            bytes: self.bytes.slice(start..end),
            end: wanted.start + count as u64,
            shown: shown.map(|at| first + at as u64),
        })
    }
}

impl Claim {
    /// Begins to encode what was claimed.
    pub(super) fn begin(self) -> Encoding {
        Encoding {
            claim: self,
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.range.is_empty() {
            self.block.settle(&self.range, None);
        }
    }
}

impl Encoding {
    /// The number of the next event to encode; `None` if it is enough.
    pub(super) fn next(&self) -> Option<u64> {
        let next = self.claim.range.start + self.ends.len() as u64;
        let is_enough = next >= self.claim.range.end || self.bytes.len() >= MOST_BYTES;
        (!is_enough).then_some(next)
    }

    /// Has the frame of the next event written; nothing is added where nobody is to see it.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Hands the run over to all who want it.
    pub(super) fn finish(mut self) {
        let claimed = mem::replace(&mut self.claim.range, 0..0);
        let count = self.ends.len() as u64;
        let run = Run::new(mem::take(&mut self.bytes), mem::take(&mut self.ends));
        let range = claimed.start..claimed.start + count;
        let run = (count > 0).then_some((range, run));
        self.claim.block.settle(&claimed, run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(block: &Arc<Block>, range: Range<u64>, len: usize) -> u64 {
        match block.find(range, Waker::noop()) {
            Found::Claimed(claim) => {
                let mut encoding = claim.begin();
                while let Some(seq) = encoding.next() {
                    let byte = b'a' + u8::try_from(seq % 26).unwrap();
                    encoding.push(|bytes| bytes.resize(bytes.len() + len, byte));
                }
                let count = encoding.ends.len() as u64;
                encoding.finish();
                count
            }
            _ => 0,
        }
    }

    fn frames(block: &Arc<Block>, range: Range<u64>) -> (String, u64) {
        match block.find(range, Waker::noop()) {
            Found::Frames(frames) => {
                let text = String::from_utf8(frames.bytes.to_vec()).unwrap();
                (text, frames.end)
            }
            _ => panic!("nobody encodes any of these"),
        }
    }

    #[test]
    fn what_one_encodes_all_have() {
        let block = Arc::new(Block::new(0..8));
        assert_eq!(encode(&block, 2..5, 1), 3);
        assert_eq!(encode(&block, 2..5, 1), 0, "it is there");
        assert_eq!(encode(&block, 0..8, 1), 2, "up to what is there");
        assert_eq!(frames(&block, 0..8), ("abcde".into(), 5));
        assert_eq!(frames(&block, 1..4), ("bcd".into(), 4));
        assert_eq!(encode(&block, 5..8, 1), 3);
        assert_eq!(block.state.lock().pieces.len(), 1, "merged");
        assert_eq!(frames(&block, 3..8), ("defgh".into(), 8));
    }

    #[test]
    fn what_is_claimed_is_waited_for_and_what_is_given_up_is_free() {
        let block = Arc::new(Block::new(0..8));
        let Found::Claimed(claim) = block.find(0..4, Waker::noop()) else {
            panic!("nobody has claimed it");
        };
        assert!(matches!(block.find(1..8, Waker::noop()), Found::Awaited));
        assert_eq!(encode(&block, 4..8, 1), 4, "beside it");
        drop(claim);
        assert_eq!(encode(&block, 1..8, 1), 3);
        assert_eq!(frames(&block, 1..8), ("bcdefgh".into(), 8));
    }

    #[test]
    fn no_more_than_the_limit_is_joined_and_never_less_than_one_frame() {
        let block = Arc::new(Block::new(0..8));
        let third = MOST_BYTES / 3;
        for seq in 0..8 {
            assert_eq!(encode(&block, seq..seq + 1, third), 1);
        }
        let (text, end) = frames(&block, 0..8);
        assert_eq!((text.len(), end), (3 * third, 3));
        let huge = Arc::new(Block::new(0..8));
        assert_eq!(encode(&huge, 0..8, 2 * MOST_BYTES), 1, "enough at once");
        let (text, end) = frames(&huge, 0..8);
        assert_eq!((text.len(), end), (2 * MOST_BYTES, 1));
    }

    #[test]
    fn frames_of_what_nobody_is_to_see_are_passed_over() {
        let block = Arc::new(Block::new(0..4));
        assert_eq!(encode(&block, 0..2, 0), 2);
        assert_eq!(encode(&block, 2..3, 1), 1);
        assert_eq!(encode(&block, 3..4, 0), 1);
        let Found::Frames(frames) = block.find(0..4, Waker::noop()) else {
            panic!("all of them are there");
        };
        assert_eq!(frames.bytes, "c");
        assert_eq!((frames.end, frames.shown), (4, Some(2)));
    }
}
