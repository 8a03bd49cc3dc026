//! Lines on their way to a destination, in a buffer that is used again and again.

use std::{ops::Range, sync::Arc};

use serde::Serialize;

use super::{
    config::{Notices, Unfaithful, WriterConfig},
    gap::{Gap, GapReason},
    line::write_line,
    lines::Lines,
    notice::Notice,
    records::{Meta, Records},
};
use crate::{frontier::Frontier, seq::Seq};

/// The longest form of an unfaithful event that its gap line has.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// A batch is closed when it holds this many bytes, so that one commit stays short.
pub(super) const MAX_BATCH_BYTES: usize = 4 << 20;

/// Counters of lines and losses.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) gap_lines: u64,
    pub(super) lost: u64,
    pub(super) unacknowledged: u64,
}

/// Whole lines that are not yet known to be stored, and events that have no line yet.
pub(crate) struct Pending {
    lines: Lines,
    /// The first line that is not stored. The lines before it wait for the buffer to be emptied.
    first: usize,
    /// Events that will have no line of their own: one gap line will count them.
    gap: Option<(Seq, Gap)>,
    pub(super) counts: Counts,
    name: Arc<str>,
    notices: Notices,
    frontier: Arc<Frontier>,
    /// Whether sequence numbers are those of the log.
    numbered: bool,
    unfaithful: Unfaithful,
    /// The last event that was spoken of because it cannot be written as it is, and why.
    told: Option<(GapReason, u64)>,
}

impl Pending {
    pub(super) fn new(config: &WriterConfig, frontier: Arc<Frontier>, numbered: bool) -> Self {
        Self {
            lines: Lines::default(),
            first: 0,
            gap: None,
            counts: Counts::default(),
            name: config.name.clone(),
            notices: config.notices.clone(),
            frontier,
            numbered,
            unfaithful: config.unfaithful,
            told: None,
        }
    }

    /// Whether no line waits to be stored.
    pub(super) fn is_empty(&self) -> bool {
        self.first == self.lines.len()
    }

    /// How many lines wait to be stored.
    pub(super) fn len(&self) -> usize {
        self.lines.len() - self.first
    }

    /// Whether it is time to commit, because there is as much as one commit should have.
    pub(crate) fn is_full(&self) -> bool {
        self.lines.bytes.len() >= MAX_BATCH_BYTES
    }

    /// The average length of an event's line so far, in bytes.
    pub(super) fn event_bytes(&self) -> u64 {
        (self.counts.bytes / self.counts.events.max(1)).max(1)
    }

    /// Adds an event's line, and before it the line for what was lost before it. An event that
    /// cannot be serialised is lost too.
    pub(crate) fn push_event(&mut self, seq: u64, version: u64, event: &impl Serialize) {
        let before = self.lines.len();
        if let Some((through, gap)) = self.gap {
            self.push_gap_line(through, gap);
        }
        let start = self.lines.bytes.len();
        match write_line(&mut self.lines.bytes, event, self.unfaithful) {
            Ok(unfaithful) => {
                if let Some(error) = unfaithful {
                    self.tell_unserializable(GapReason::Unfaithful, seq, version, error);
                    if self.unfaithful == Unfaithful::Refuse {
                        let text = self.lines.bytes.split_off(start);
                        self.lines.truncate(before);
                        return self.refuse_unfaithful(seq, version, text);
                    }
                    self.counts.unacknowledged += 1;
                    self.frontier.disown(seq);
                }
                self.gap_has_line();
                self.end_line(Seq::new(seq), version, false);
                self.counts.events += 1;
                self.counts.bytes += (self.lines.bytes.len() - start) as u64;
            }
            Err(error) => {
                self.lines.truncate(before);
                self.tell_unserializable(GapReason::Unserializable, seq, version, error);
                let gap = Gap::new(1, version, version, GapReason::Unserializable);
                self.push_lost(seq, gap);
            }
        }
    }

    /// Adds lines of events that were written ahead.
    pub(super) fn push_lines(&mut self, ahead: &Lines, lines: Range<usize>) {
        self.close_gap();
        let before = self.lines.bytes.len();
        self.counts.events += lines.len() as u64;
        self.lines.extend_from(ahead, lines);
        self.counts.bytes += (self.lines.bytes.len() - before) as u64;
    }

    /// Adds the line of an event that was serialised before, and lay somewhere else.
    pub(super) fn push_kept(&mut self, seq: u64, version: u64, line: &[u8]) {
        self.close_gap();
        self.lines.bytes.extend_from_slice(line);
        self.end_line(Seq::new(seq), version, false);
        self.counts.events += 1;
        self.counts.bytes += line.len() as u64 + 1;
    }

    /// Says it once for events that follow each other and have the same fault.
    fn tell_unserializable(&mut self, reason: GapReason, seq: u64, version: u64, error: String) {
        if self.told == Some((reason, seq.wrapping_sub(1))) {
            self.told = Some((reason, seq));
            return;
        }
        self.told = Some((reason, seq));
        self.notices.tell(&Notice::Unserializable {
            name: self.name.to_string(),
            seq: Seq::new(seq),
            version,
            error,
        });
    }

    /// A gap line of its own, with the event's form in it, as far as that is not too long.
    fn refuse_unfaithful(&mut self, seq: u64, version: u64, text: Vec<u8>) {
        self.close_gap();
        let gap = self.number(Gap::new(1, version, version, GapReason::Unfaithful), seq);
        let text = Some(text).filter(|text| !text.is_empty() && text.len() <= MAX_TEXT_BYTES);
        let text = text.and_then(|text| String::from_utf8(text).ok());
        let line = gap.line_with(text.as_deref());
        self.push_text(&line);
        self.end_line(Seq::new(seq), version, true);
        self.counts.lost += 1;
        self.frontier.lose(seq..=seq);
        self.gap = Some((Seq::new(seq), gap));
        self.gap_has_line();
    }

    /// Notes events, up to `through`, that will have no line of their own: one gap line will count
    /// them, together with those lost for the same reason right before.
    pub(crate) fn push_lost(&mut self, through: u64, lost: Gap) {
        let first = through + 1 - lost.count;
        self.counts.lost += lost.count;
        self.frontier.lose(first..=through);
        let lost = self.number(lost, first);
        let gap = match self.gap.take() {
            Some((_, gap)) if gap.reason == lost.reason => gap.and(lost),
            Some(other) => {
                self.gap = Some(other);
                self.close_gap();
                lost
            }
            None => lost,
        };
        self.gap = Some((Seq::new(through), gap));
    }

    /// Gives whatever was lost so far its line.
    pub(crate) fn close_gap(&mut self) {
        if let Some((through, gap)) = self.gap {
            self.push_gap_line(through, gap);
        }
        self.gap_has_line();
    }

    /// Puts a gap line in place of the first line that is not stored, because the destination
    /// refuses it. Says `false` if that is a gap line already.
    pub(super) fn refuse_first(&mut self) -> bool {
        let Some(&meta) = self.lines.meta(self.first).filter(|meta| !meta.is_gap) else {
            return false;
        };
        let gap = Gap::new(1, meta.version, meta.version, GapReason::Refused);
        let gap = self.number(gap, meta.seq.get());
        let is_gap = true;
        let line = gap.to_line();
        let bytes = self
            .lines
            .replace(self.first, line.as_bytes(), Meta { is_gap, ..meta });
        self.counts.events -= 1;
        self.counts.bytes -= bytes as u64;
        self.counts.lost += 1;
        self.frontier.lose(meta.seq.get()..=meta.seq.get());
        self.gap = Some((meta.seq, gap));
        self.gap_has_line();
        true
    }

    /// The lines after the first `skip` that are not stored.
    pub(super) fn records(&self, skip: usize) -> Records<'_> {
        self.lines.records().skip(self.first + skip)
    }

    /// Which sequence number is settled once the first `lines` are stored.
    pub(super) fn through(&self, lines: usize) -> Option<u64> {
        let last = lines.checked_sub(1)?;
        Some(self.lines.meta(self.first + last)?.seq.get())
    }

    /// The first `lines` are stored and need not be kept.
    pub(super) fn settle(&mut self, lines: usize) {
        self.first = (self.first + lines).min(self.lines.len());
        if self.is_empty() {
            self.lines.clear(2 * MAX_BATCH_BYTES);
            self.first = 0;
        }
    }

    fn number(&self, gap: Gap, first: u64) -> Gap {
        if self.numbered {
            gap.starting_at(Seq::new(first))
        } else {
            gap
        }
    }

    fn push_gap_line(&mut self, through: Seq, gap: Gap) {
        self.push_text(&gap.to_line());
        self.end_line(through, gap.max_version, true);
    }

    fn gap_has_line(&mut self) {
        if let Some((_, gap)) = self.gap.take() {
            self.counts.gap_lines += 1;
            self.notices.tell(&Notice::Gap {
                name: self.name.to_string(),
                gap,
            });
        }
    }

    fn push_text(&mut self, line: &str) {
        self.lines
            .bytes
            .extend_from_slice(line.trim_end().as_bytes());
    }

    fn end_line(&mut self, seq: Seq, version: u64, is_gap: bool) {
        self.lines.end_line(Meta {
            seq,
            version,
            is_gap,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> (Pending, Arc<Frontier>) {
        let frontier = Arc::new(Frontier::new(1));
        let pending = Pending::new(&WriterConfig::new("x"), frontier.clone(), true);
        (pending, frontier)
    }

    fn lines(pending: &Pending) -> Vec<String> {
        let records = pending.records(0);
        let text = |line: &[u8]| String::from_utf8(line.to_vec()).unwrap();
        records.iter().map(text).collect()
    }

    #[test]
    fn losses_of_one_reason_share_a_line_before_the_next_event() {
        let (mut pending, frontier) = pending();
        pending.push_lost(2, Gap::new(2, 5, 6, GapReason::Backlog));
        pending.push_lost(3, Gap::new(1, 4, 4, GapReason::Backlog));
        pending.push_lost(4, Gap::new(1, 9, 9, GapReason::Missed));
        pending.push_event(5, 10, &10);
        let gaps: Vec<_> = lines(&pending)
            .iter()
            .map(|line| Gap::parse(line.as_bytes()))
            .collect();
        let gap = |first, count, min, max, reason| {
            Some(Gap::new(count, min, max, reason).starting_at(Seq::new(first)))
        };
        assert_eq!(
            gaps,
            [
                gap(1, 3, 4, 6, GapReason::Backlog),
                gap(4, 1, 9, 9, GapReason::Missed),
                None
            ]
        );
        assert_eq!(pending.through(1), Some(3));
        assert_eq!(pending.through(3), Some(5));
        assert_eq!(frontier.missing(1, 5), [1..=5], "no line is stored yet");
    }

    #[test]
    fn an_event_that_looks_like_a_gap_is_spelt_in_another_way() {
        let (mut pending, _) = pending();
        let line = Gap::new(1, 2, 3, GapReason::Backlog).to_line();
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        pending.push_event(1, 1, &event);
        let written = lines(&pending).remove(0);
        assert_eq!(Gap::parse(written.as_bytes()), None, "{written}");
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read, event);
    }

    #[test]
    fn a_refused_record_gives_its_place_to_a_gap() {
        let (mut pending, frontier) = pending();
        for seq in 1..=3 {
            pending.push_event(seq, seq * 10, &"x".repeat(usize::try_from(seq).unwrap()));
        }
        pending.settle(1);
        assert!(pending.refuse_first());
        let now = lines(&pending);
        let gap = Gap::parse(now[0].as_bytes()).unwrap();
        assert_eq!(
            (gap.count, gap.min_version, gap.reason),
            (1, 20, GapReason::Refused)
        );
        assert_eq!(now[1], "\"xxx\"\n");
        assert_eq!((pending.counts.events, pending.counts.bytes), (2, 4 + 6));
        assert!(!pending.refuse_first(), "a gap has nothing to give way to");
        pending.settle(2);
        frontier.settle(3);
        assert_eq!(frontier.missing(1, 3), [2..=2]);
    }

    #[test]
    fn an_event_that_cannot_be_serialised_leaves_nothing_but_its_count() {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("no")
            }
        }
        let (mut pending, _) = pending();
        pending.push_event(1, 7, &Panics);
        assert!(pending.is_empty());
        pending.close_gap();
        let gap = Gap::parse(lines(&pending)[0].as_bytes()).unwrap();
        assert_eq!((gap.count, gap.reason), (1, GapReason::Unserializable));
    }
}
