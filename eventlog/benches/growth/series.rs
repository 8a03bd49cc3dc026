//! Costs over a range of sizes, measured in turns.

use crate::support::measure::median;

/// How much is measured.
pub struct Effort {
    pub quick: bool,
}

impl Effort {
    fn rounds(&self) -> usize {
        if self.quick { 5 } else { 31 }
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
        for round in 0..=effort.rounds() {
            let probes = costs.iter_mut().flat_map(|cost| cost.probes.iter_mut());
            let mut probes: Vec<_> = probes.zip(&mut figures).collect();
            if round % 2 == 1 {
                probes.reverse();
            }
            for ((_, measure), figures) in probes {
                let figure = measure();
                // The first round warms up.
                figures.extend((round > 0).then_some(figure));
            }
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
