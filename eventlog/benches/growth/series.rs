//! Costs over a range of sizes, measured in turns.

use std::time::{Duration, Instant};

use crate::support::measure::median;

/// How much is measured.
pub struct Effort {
    pub quick: bool,
}

impl Effort {
    /// Whether so many rounds, which took so long, are enough. The machine has bad seconds, so what
    /// takes little is measured for longer than one.
    fn is_enough(&self, rounds: usize, took: Duration) -> bool {
        const LONG: Duration = Duration::from_secs(5);
        if self.quick {
            rounds >= 5
        } else {
            rounds >= 31 && took >= LONG
        }
    }

    /// All sizes, or the small ones.
    pub fn sizes<'s>(&self, all: &'s [usize; 5]) -> &'s [usize] {
        if self.quick { &all[..3] } else { all }
    }
}

/// How a cost may grow with the size.
#[derive(Clone, Copy, PartialEq)]
pub enum Expected {
    Flat,
    /// Flat from this size on: before, something else is measured.
    FlatFrom(usize),
    Linear,
    /// As what is in the row before should, with which it is compared. It is not ours, so what it
    /// grows by beyond that is the machine's.
    Compared,
    /// As it may: it is what ours is there to replace.
    Replaced,
}

impl Expected {
    pub fn is_ours(self) -> bool {
        !matches!(self, Self::Compared | Self::Replaced)
    }
}

/// A cost that is to be measured: a name of at most 15 letters, what is done, and at each size a
/// way to do it, which returns nanoseconds.
pub struct Cost<'a> {
    name: &'static str,
    means: &'static str,
    expected: Expected,
    probes: Vec<(usize, Box<dyn FnMut() -> f64 + 'a>)>,
}

impl<'a> Cost<'a> {
    pub fn new(name: &'static str, means: &'static str, expected: Expected) -> Self {
        Self {
            name,
            means,
            expected,
            probes: Vec::new(),
        }
    }

    pub fn at(mut self, size: usize, measure: impl FnMut() -> f64 + 'a) -> Self {
        self.probes.push((size, Box::new(measure)));
        self
    }

    /// The same at each place that was prepared.
    pub fn over<P>(
        self,
        places: &'a [(usize, P)],
        measure: impl Fn(&P) -> f64 + Copy + 'a,
    ) -> Self {
        places.iter().fold(self, |cost, (size, place)| {
            cost.at(*size, move || measure(place))
        })
    }
}

/// A cost that was measured.
pub struct Series {
    pub name: &'static str,
    pub means: &'static str,
    pub expected: Expected,
    /// Sizes, and medians of nanoseconds.
    pub points: Vec<(usize, f64)>,
}

/// Costs over the same sizes.
pub struct Group {
    /// What the sizes count.
    pub axis: &'static str,
    pub series: Vec<Series>,
}

impl Group {
    /// Measures each cost at each size once a round, and every other round backwards.
    pub fn measure(axis: &'static str, effort: &Effort, mut costs: Vec<Cost<'_>>) -> Self {
        let sizes = costs.iter().flat_map(|cost| cost.probes.iter());
        let mut figures = vec![Vec::new(); sizes.count()];
        run_round(&mut costs, &mut figures, false);
        // That was to warm up.
        figures.iter_mut().for_each(Vec::clear);
        let began = Instant::now();
        let mut rounds = 0;
        while !effort.is_enough(rounds, began.elapsed()) {
            run_round(&mut costs, &mut figures, rounds % 2 == 1);
            rounds += 1;
        }
        let mut medians = figures.into_iter().map(|each| median(each.into_iter()));
        let series = costs.into_iter().map(|cost| Series {
            name: cost.name,
            means: cost.means,
            expected: cost.expected,
            points: cost
                .probes
                .iter()
                .map(|(size, _)| *size)
                .zip(medians.by_ref())
                .collect(),
        });
        Self {
            axis,
            series: series.collect(),
        }
    }
}

fn run_round(costs: &mut [Cost<'_>], figures: &mut [Vec<f64>], backwards: bool) {
    let probes = costs.iter_mut().flat_map(|cost| cost.probes.iter_mut());
    let mut probes: Vec<_> = probes.zip(figures).collect();
    if backwards {
        probes.reverse();
    }
    for ((_, measure), figures) in probes {
        figures.push(measure());
    }
}
