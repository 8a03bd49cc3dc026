//! Costs over a range of sizes, and how they grow.

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
    /// As it may, since it is not ours.
    Compared,
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

    /// Whether no cost is four times what it should have become.
    pub fn is_sane(&self) -> bool {
        self.series.iter().all(Series::is_sane)
    }
}

impl Series {
    /// The `x` for which the cost grows as size^x: over all sizes, or over the larger half if it is
    /// steeper there.
    pub fn exponent(&self) -> f64 {
        let judged = self.judged();
        let steep = |points: &[(usize, f64)]| {
            let ((from, low), (to, high)) = (points[0], points[points.len() - 1]);
            (high / low).ln() / (to as f64 / from as f64).ln()
        };
        steep(judged).max(steep(&judged[(judged.len() - 1) / 2..]))
    }

    /// Whether it grows as it should, where that is known.
    pub fn is_met(&self) -> Option<bool> {
        const TOLERANCE: f64 = 0.1;
        self.expected
            .exponent()
            .map(|expected| self.exponent() <= expected + TOLERANCE)
    }

    fn is_sane(&self) -> bool {
        let judged = self.judged();
        let ((from, low), (to, high)) = (judged[0], judged[judged.len() - 1]);
        let expected = self.expected.exponent();
        expected.is_none_or(|x| high / low < 4.0 * (to as f64 / from as f64).powf(x))
    }

    fn judged(&self) -> &[(usize, f64)] {
        let Expected::FlatFrom(size) = self.expected else {
            return &self.points;
        };
        let from = self.points.partition_point(|(at, _)| *at < size);
        &self.points[from..]
    }
}

impl Expected {
    fn exponent(self) -> Option<f64> {
        match self {
            Self::Flat | Self::FlatFrom(_) => Some(0.0),
            Self::Linear => Some(1.0),
            Self::Compared => None,
        }
    }
}
