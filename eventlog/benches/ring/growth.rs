//! How each cost grows: with the capacity, the subscribers and the size of an event.

use eventlog::Versioned;

use crate::{
    CAPACITY, LARGEST, append, fan_out, replay,
    sides::Sides,
    support::{
        chart::{self, Line},
        event::Sample,
        measure::Pair,
        table::{Row, Target},
    },
};

const CAPACITIES: [usize; 6] = [1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20];

/// Each cost at each capacity.
pub struct Growth {
    replay_all: Vec<Pair>,
    last_ten: Vec<Pair>,
    append: Vec<Pair>,
}

impl Growth {
    pub fn measure() -> Self {
        let mut growth = Self {
            replay_all: Vec::new(),
            last_ten: Vec::new(),
            append: Vec::new(),
        };
        for capacity in CAPACITIES {
            let sides = Sides::full(capacity);
            // Fewer rounds of what takes the baseline long.
            let rounds = (LARGEST / capacity).clamp(5, 31);
            growth.replay_all.push(replay::all_of(&sides, rounds));
            let rounds = if capacity > CAPACITY { 5 } else { 31 };
            growth
                .last_ten
                .push(replay::last_ten_cloned_of(&sides, rounds));
            growth.append.push(append::single_of(&sides, 31));
        }
        growth
    }

    pub fn tables(&self) -> [(&'static str, Vec<Row>); 5] {
        [
            (
                "Growth of replay(0), obtained",
                Self::rows(&self.replay_all),
            ),
            (
                "Growth of events_since, last 10",
                Self::rows(&self.last_ten),
            ),
            ("Growth of append, ring full", Self::rows(&self.append)),
            (
                "Growth with subscribers, an event published and read",
                with_subscribers(),
            ),
            ("Growth of append with the event's size", with_size()),
        ]
    }

    fn rows(pairs: &[Pair]) -> Vec<Row> {
        CAPACITIES
            .iter()
            .zip(pairs)
            .map(|(capacity, pair)| {
                let what = format!("  2^{} events", capacity.ilog2());
                Row::new(what, *pair, Target::None)
            })
            .collect()
    }

    pub fn chart(&self) -> String {
        let line = |label, colour, pairs: &[Pair], ns: fn(&Pair) -> f64| Line {
            label,
            colour,
            points: CAPACITIES.into_iter().zip(pairs.iter().map(ns)).collect(),
        };
        let baseline = |pair: &Pair| pair.baseline_ns;
        let ours = |pair: &Pair| pair.ours_ns;
        chart::render(
            "Time to answer “what happened since?”",
            &[
                line(
                    "baseline, everything",
                    "#b3261e",
                    &self.replay_all,
                    baseline,
                ),
                line("baseline, last 10", "#e08a00", &self.last_ten, baseline),
                line(
                    "eventlog, last 10 (cloned)",
                    "#3d7dca",
                    &self.last_ten,
                    ours,
                ),
                line("eventlog, everything", "#0b3d91", &self.replay_all, ours),
            ],
        )
    }
}

fn with_subscribers() -> Vec<Row> {
    [1, 4, 16, 64, 256, 1024]
        .map(|subscribers| {
            let what = format!("  subscribers: {subscribers}");
            let rounds = if subscribers > 64 { 5 } else { 15 };
            Row::new(what, fan_out::one_by_one(subscribers, rounds), Target::None)
        })
        .into()
}

/// An event of so many words.
#[derive(Clone)]
struct Sized<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Versioned for Sized<WORDS> {
    fn version(&self) -> u64 {
        self.0[0]
    }
}

impl<const WORDS: usize> Sample for Sized<WORDS> {
    fn new(version: u64) -> Self {
        Self([version; WORDS])
    }
}

fn with_size() -> Vec<Row> {
    fn row<const WORDS: usize>() -> Row {
        // A smaller ring for large events, so that both sides fit into memory.
        let sides = Sides::<Sized<WORDS>>::full(1024);
        let what = format!("  {} bytes", 8 * WORDS);
        Row::new(what, append::single_of(&sides, 15), Target::None)
    }
    vec![row::<4>(), row::<16>(), row::<128>(), row::<1024>()]
}
