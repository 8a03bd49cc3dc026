//! What a reading must have got, and what it was told as lost.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    chains::{Chains, client, name},
    contradiction::{Contradiction, RecordedLaw, Witness, witness},
    line::{Answered, Outcome},
    order::way,
    read::{Event, History, Reading, Start},
};

/// Of so many lost events the one with the shortest proof is told.
const COMPARED: usize = 32;

/// A place between two events of a reading where something is told as lost: how many, if that is
/// known.
struct Told {
    gap: usize,
    count: Option<u64>,
    line: usize,
    is_start: bool,
}

/// Between which events of a reading an event is. Gap `n` is before the reading's event `n`.
#[derive(Clone, Copy)]
struct Window {
    first: usize,
    last: usize,
    /// Whether that follows from an event of the reading that comes before it.
    is_after: bool,
    /// Whether that follows from an event that comes after it.
    is_before: bool,
}

/// One reading, in an order of all events.
pub(super) struct Readings<'a> {
    pub(super) history: &'a History,
    pub(super) chains: &'a Chains,
    pub(super) order: &'a [usize],
}

impl Readings<'_> {
    /// Where the reading cannot have been of a log that loses nothing untold.
    pub(super) fn judge(&self, number: usize) -> Vec<Contradiction> {
        let reading = &self.history.readings[number];
        let windows = self.windows(number);
        let start = usize::from(reading.goes_on_after().is_some());
        let told = told(reading, start);
        let untold = self.untold(number, &windows, &told);
        let told_too_much = self.told_too_much(number, &windows, &told);
        untold.into_iter().chain(told_too_much).collect()
    }

    /// Of each event that the reading did not get, where it belongs.
    fn windows(&self, number: usize) -> Vec<Option<Window>> {
        let items = &self.chains.all[number].items;
        let events = self.history.events.len();
        let mut place = vec![None; events];
        for (at, (event, _)) in items.iter().enumerate() {
            place[*event] = Some(at);
        }
        // The last of the reading's events before each, and the first after it.
        let mut before: Vec<Option<usize>> = vec![None; events];
        for event in self.order.iter().copied() {
            let of = |other: usize| place[other].or(before[other]);
            before[event] = self.chains.last(event).filter_map(of).max();
        }
        let mut after: Vec<Option<usize>> = vec![None; events];
        for event in self.order.iter().rev().copied() {
            let of = |other: usize| place[other].or(after[other]);
            after[event] = self.chains.next(event).filter_map(of).min();
        }
        let window = |event: usize| {
            place[event].is_none().then(|| Window {
                first: before[event].map_or(0, |at| at + 1),
                last: after[event].unwrap_or(items.len()),
                is_after: before[event].is_some(),
                is_before: after[event].is_some(),
            })
        };
        (0..events).map(window).collect()
    }

    /// Events that the reading certainly had to get, beyond what it was told as lost.
    fn untold(
        &self,
        number: usize,
        windows: &[Option<Window>],
        told: &[Told],
    ) -> Option<Contradiction> {
        let reading = &self.history.readings[number];
        let must = |(event, window): (usize, &Option<Window>)| {
            let window = (*window)?;
            let of = &self.history.events[event];
            let begun = window.is_after || covers_from_the_start(reading, of);
            let ended = window.is_before || reading.end.is_some();
            (of.is_there() && begun && ended).then_some((event, window))
        };
        let mut missing: Vec<_> = windows.iter().enumerate().filter_map(must).collect();
        missing.sort_by_key(|(_, window)| window.first);
        // Each place where something is told takes those that have no later place.
        let mut waiting = BinaryHeap::new();
        let mut lost = Vec::new();
        let mut coming = missing.iter().copied().peekable();
        for place in told {
            while let Some((event, window)) =
                coming.next_if(|(_, window)| window.first <= place.gap)
            {
                waiting.push(Reverse((window.last, event)));
            }
            let mut room = place.count.unwrap_or(u64::MAX);
            while room > 0
                && let Some(Reverse((last, event))) = waiting.pop()
            {
                if last < place.gap {
                    lost.push(event);
                } else {
                    room -= 1;
                }
            }
        }
        lost.extend(waiting.into_iter().map(|Reverse((_, event))| event));
        lost.extend(coming.map(|(event, _)| event));
        let proofs = lost.iter().take(COMPARED).map(|event| {
            let window = windows[*event].unwrap_or(Window {
                first: 0,
                last: 0,
                is_after: false,
                is_before: false,
            });
            self.lost(number, *event, window, told)
        });
        proofs.min_by_key(|proof| proof.lines.len())
    }

    fn lost(&self, number: usize, event: usize, window: Window, told: &[Told]) -> Contradiction {
        let reading = &self.history.readings[number];
        let items = &self.chains.all[number].items;
        let start = usize::from(reading.goes_on_after().is_some());
        let mut lines = Vec::new();
        let at_the_start = window.first <= start && window.last == start;
        if !window.is_after || at_the_start {
            lines.push(self.started(reading));
        }
        if window.is_after {
            lines.extend(self.proof(items[window.first - 1].0, event));
        }
        if window.is_before {
            lines.extend(self.proof(event, items[window.last].0));
            let (last, line) = items[window.last];
            let says = format!("{} read {}", self.who(reading), name(self.history, last));
            lines.push(witness(line, says));
        } else if let Some(end) = reading.end {
            lines.push(witness(
                end,
                format!("{} came to its end", self.who(reading)),
            ));
        }
        let there = &self.history.events[event];
        lines.push(self.is_there(there, event));
        let near: Vec<_> = told
            .iter()
            .filter(|place| (window.first..=window.last).contains(&place.gap))
            .collect();
        let what = if near.is_empty() {
            "which nothing told as lost"
        } else {
            "and more are missing there than were told as lost"
        };
        for place in near.iter().filter(|place| !place.is_start) {
            let count = place.count.unwrap_or(0);
            let says = format!("{} was told of {count} that are lost", self.who(reading));
            lines.push(witness(place.line, says));
        }
        let law = match (at_the_start, reading.coverage) {
            (true, Some(Answered::Complete | Answered::Truncated)) => RecordedLaw::CoverageTrue,
            (true, _) if start == 1 => RecordedLaw::Resumable,
            _ => RecordedLaw::NothingLost,
        };
        let (who, event) = (self.who(reading), name(self.history, event));
        Contradiction::new(
            law,
            format!("{who} never got {event}, {what}"),
            each_once(lines),
        )
    }

    /// More told as lost than can have been there.
    fn told_too_much(
        &self,
        number: usize,
        windows: &[Option<Window>],
        told: &[Told],
    ) -> Option<Contradiction> {
        let reading = &self.history.readings[number];
        let gaps = self.chains.all[number].items.len() + 1;
        // How many events may belong into each gap.
        let (mut begins, mut ends) = (vec![0_u64; gaps + 1], vec![0_u64; gaps + 1]);
        for (event, window) in windows.iter().enumerate() {
            if let Some(window) = window
                && self.history.events[event].may_be_there()
            {
                begins[window.first] += 1;
                ends[window.last] += 1;
            }
        }
        let mut may_be = 0;
        let mut room = Vec::with_capacity(gaps);
        for gap in 0..gaps {
            may_be += begins[gap];
            room.push(may_be);
            may_be -= ends[gap];
        }
        let too_much = told.iter().find(|place| {
            let room = room[place.gap];
            match place.count {
                Some(count) => count > room,
                None => room == 0 && reading.coverage == Some(Answered::Truncated),
            }
        })?;
        let is_version = matches!(reading.from, Start::Since(_) | Start::Now);
        if too_much.is_start && is_version {
            // Something from before the first event may be meant.
            return None;
        }
        let room = room[too_much.gap];
        let who = self.who(reading);
        let (law, what) = match too_much {
            Told {
                is_start: true,
                count: Some(count),
                ..
            } => (
                RecordedLaw::CoverageTrue,
                format!("{who} was told that {count} are missing, and at most {room} can be"),
            ),
            Told { is_start: true, .. } => (
                RecordedLaw::CoverageTrue,
                format!("{who} was told that something is missing, and nothing can be"),
            ),
            Told { count, .. } => (
                RecordedLaw::NothingLost,
                format!(
                    "{who} was told of {} that are lost, and at most {room} can be",
                    count.unwrap_or(0)
                ),
            ),
        };
        let items = &self.chains.all[number].items;
        let mut lines = Vec::new();
        if let Some((before, line)) = too_much.gap.checked_sub(1).map(|at| items[at]) {
            lines.push(witness(
                line,
                format!("{who} stood after {}", name(self.history, before)),
            ));
        }
        lines.push(witness(too_much.line, format!("{who} was told of a loss")));
        if let Some((after, line)) = items.get(too_much.gap) {
            lines.push(witness(
                *line,
                format!("{who} read {}", name(self.history, *after)),
            ));
        }
        Some(Contradiction::new(law, what, lines))
    }

    fn who(&self, reading: &Reading) -> String {
        client(self.history, reading.client)
    }

    fn started(&self, reading: &Reading) -> Witness {
        let from = match reading.from {
            Start::Oldest => "at the oldest event".into(),
            Start::Now => "at what comes next".into(),
            Start::After(event) => format!("after {}", name(self.history, event)),
            Start::Since(version) => format!("above version {version}"),
        };
        let told = match (reading.coverage, reading.missed) {
            (Some(Answered::Complete), _) => ", and was told that nothing is missing".into(),
            (Some(Answered::Truncated), Some(missed)) => {
                format!(", and was told that {missed} are missing")
            }
            _ => String::new(),
        };
        witness(
            reading.line,
            format!("{} started {from}{told}", self.who(reading)),
        )
    }

    fn is_there(&self, there: &Event, event: usize) -> Witness {
        let name = name(self.history, event);
        let done = there
            .attempts
            .iter()
            .find(|attempt| attempt.outcome == Outcome::Done);
        match done {
            Some(attempt) => {
                let who = client(self.history, attempt.client);
                witness(
                    attempt.line,
                    format!("{who} appended {name}, which was acknowledged"),
                )
            }
            None => witness(there.read_at.unwrap_or(0), format!("{name} was read")),
        }
    }

    /// That one event comes before another.
    fn proof(&self, from: usize, to: usize) -> Vec<Witness> {
        let steps = way(self.chains, from, to, |_| true).unwrap_or_default();
        let said = steps
            .into_iter()
            .flat_map(|step| self.chains.say(step, self.history));
        said.collect()
    }
}

/// Whether a reading covers an event that it got nothing before.
fn covers_from_the_start(reading: &Reading, event: &Event) -> bool {
    match reading.from {
        Start::Oldest => true,
        Start::Since(version) => event.version.is_some_and(|of| of > version),
        Start::Now | Start::After(_) => false,
    }
}

/// What a reading was told as lost, in its order.
fn told(reading: &Reading, start: usize) -> Vec<Told> {
    let at_start = match reading.coverage {
        Some(Answered::Truncated) => Some(reading.missed),
        Some(Answered::Foreign) => Some(None),
        Some(Answered::Complete) | None => None,
    };
    let at_start = at_start.map(|count| Told {
        gap: start,
        count,
        line: reading.line,
        is_start: true,
    });
    let later = reading.lost.iter().map(|(after, count, line)| Told {
        gap: start + after,
        count: Some(*count),
        line: *line,
        is_start: false,
    });
    at_start.into_iter().chain(later).collect()
}

/// Without lines that were there already.
fn each_once(lines: Vec<Witness>) -> Vec<Witness> {
    let mut met = std::collections::HashSet::new();
    lines
        .into_iter()
        .filter(|witness| met.insert(witness.line))
        .collect()
}
