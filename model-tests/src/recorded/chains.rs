//! What is known of the order of events: chains, in each of which every event comes before the next.

use std::collections::BTreeMap;

use super::{
    contradiction::{Witness, witness},
    line::{Answered, Outcome},
    read::{Act, History, Reading, Start},
};

/// How a chain is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// The log's own numbers.
    Numbers,
    /// One reading got them.
    Reading(usize),
    /// One client had appended each before it began with the next.
    Appends(usize),
    /// The client had appended or read the first before it began to append the second.
    Then(usize),
}

#[derive(Debug)]
pub(super) struct Chain {
    pub(super) known: Known,
    /// The events, and the lines that say so.
    pub(super) items: Vec<(usize, usize)>,
}

/// All chains, and where each event is in them.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) all: Vec<Chain>,
    /// For each event its chains, and its places in them.
    pub(super) places: Vec<Vec<(usize, usize)>>,
}

/// A part of a chain: its first event comes before its last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub(super) chain: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Reading {
    /// The event that it goes on after, if the log knew the place.
    pub(super) fn goes_on_after(&self) -> Option<usize> {
        match self.from {
            Start::After(event) if self.coverage != Some(Answered::Foreign) => Some(event),
            _ => None,
        }
    }
}

impl Chains {
    /// The chain of each reading has the reading's number.
    pub(super) fn of(history: &History) -> Self {
        let mut all: Vec<Chain> = Vec::new();
        for (number, reading) in history.readings.iter().enumerate() {
            let start = reading.goes_on_after().map(|event| (event, reading.line));
            let mut items: Vec<_> = start.into_iter().chain(reading.events.clone()).collect();
            // What comes twice is another law's matter.
            let mut met = std::collections::HashSet::new();
            items.retain(|(event, _)| met.insert(*event));
            let known = Known::Reading(number);
            all.push(Chain { known, items });
        }
        for client in 0..history.clients.len() {
            appends(history, client, &mut all);
        }
        all.push(numbers(history));
        let mut places = vec![Vec::new(); history.events.len()];
        for (chain, Chain { items, .. }) in all.iter().enumerate() {
            for (at, (event, _)) in items.iter().enumerate() {
                places[*event].push((chain, at));
            }
        }
        Self { all, places }
    }

    /// The events that directly follow one.
    pub(super) fn next(&self, event: usize) -> impl Iterator<Item = usize> {
        self.neighbours(event, |at| at.checked_add(1))
    }

    /// The events that it directly follows.
    pub(super) fn last(&self, event: usize) -> impl Iterator<Item = usize> {
        self.neighbours(event, |at| at.checked_sub(1))
    }

    fn neighbours(
        &self,
        event: usize,
        to: impl Fn(usize) -> Option<usize>,
    ) -> impl Iterator<Item = usize> {
        self.places[event].iter().filter_map(move |(chain, at)| {
            let items = &self.all[*chain].items;
            to(*at)
                .and_then(|at| items.get(at))
                .map(|(event, _)| *event)
        })
    }

    /// The two lines that say so.
    pub(super) fn say(&self, step: Step, history: &History) -> [Witness; 2] {
        let Chain { known, items } = &self.all[step.chain];
        let ((first, first_line), (last, last_line)) = (items[step.from], items[step.to]);
        let (first, last) = (name(history, first), name(history, last));
        let (first, last) = match known {
            Known::Numbers => (
                format!("{first} has a number …"),
                format!("… that is below the number of {last}"),
            ),
            Known::Reading(number) => {
                let reading = &history.readings[*number];
                let client = client(history, reading.client);
                let goes_on = step.from == 0 && reading.goes_on_after().is_some();
                let did = if goes_on { "goes on after" } else { "read" };
                (
                    format!("{client} {did} {first} …"),
                    format!("… and then read {last}"),
                )
            }
            Known::Appends(who) => (
                format!("{} had appended {first} …", client(history, *who)),
                format!("… before it appended {last}"),
            ),
            Known::Then(who) => (
                format!("{} knew of {first} …", client(history, *who)),
                format!("… before it appended {last}"),
            ),
        };
        [witness(first_line, first), witness(last_line, last)]
    }
}

/// What each append of a client came after.
fn appends(history: &History, client: usize, all: &mut Vec<Chain>) {
    let mut chain = Vec::new();
    // What was appended and read since the last of the chain: all that comes later is after it.
    let mut since: Vec<(usize, usize)> = Vec::new();
    let mut read: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for act in &history.acts[client] {
        match *act {
            Act::Read(reading, at) => {
                read.insert(reading, history.readings[reading].events[at]);
            }
            Act::Append(event, number) => {
                let attempts = &history.events[event].attempts;
                let (attempt, is_first) = (&attempts[number], number == 0);
                if attempt.outcome == Outcome::Refused {
                    continue;
                }
                let item = (event, attempt.line);
                if is_first {
                    for before in since.iter().chain(read.values()) {
                        // A client can have read what it appends only if that was not first.
                        let items = vec![*before, item];
                        let known = Known::Then(client);
                        all.push(Chain { known, items });
                    }
                }
                if attempt.outcome == Outcome::Done && is_first {
                    chain.push(item);
                    since.clear();
                    read.clear();
                } else {
                    if is_first && let Some(before) = chain.last() {
                        let items = vec![*before, item];
                        let known = Known::Then(client);
                        all.push(Chain { known, items });
                    }
                    if attempt.outcome == Outcome::Done {
                        // An earlier attempt may have come before others of this client.
                        since.push(item);
                    }
                }
            }
        }
    }
    let known = Known::Appends(client);
    all.push(Chain {
        known,
        items: chain,
    });
}

/// Those that have one number which no other has.
fn numbers(history: &History) -> Chain {
    let mut by_number: BTreeMap<u64, Vec<(usize, usize)>> = BTreeMap::new();
    for (event, of) in history.events.iter().enumerate() {
        if let [(number, line)] = of.numbers[..] {
            by_number.entry(number).or_default().push((event, line));
        }
    }
    let alone = by_number.into_values().filter(|events| events.len() == 1);
    Chain {
        known: Known::Numbers,
        items: alone.flatten().collect(),
    }
}

/// An event's name as it is shown.
pub(super) fn name(history: &History, event: usize) -> String {
    crate::text::shortened(&format!("{:?}", history.events[event].name), 42)
}

/// A client's name as it is shown: bare where it is a plain word.
pub(super) fn client(history: &History, client: usize) -> String {
    let name = &history.clients[client];
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/".contains(letter);
    if name.chars().all(is_plain) {
        crate::text::shortened(name, 42)
    } else {
        crate::text::shortened(&format!("{name:?}"), 42)
    }
}
