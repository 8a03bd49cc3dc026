//! Whether costs grow as they should.

use crate::series::{Expected, Group, Series};

/// What a cost has been found to be.
#[derive(Clone, Copy, PartialEq)]
pub enum Verdict {
    Met,
    /// It grows by more than it should, and so does what it is compared with: so grows the machine.
    AsCompared,
    Missed,
}

impl Group {
    /// Of the series at this place, unless it is there to compare with the one before it.
    pub fn verdict(&self, at: usize) -> Option<Verdict> {
        const TOLERANCE: f64 = 0.1;
        let series = &self.series[at];
        let expected = series.expected.exponent()?;
        let compared = self.compared_with(at);
        Some(if series.exponent() <= expected + TOLERANCE {
            Verdict::Met
        } else if compared.is_some_and(|other| steepest(&series.over(other)) <= TOLERANCE) {
            Verdict::AsCompared
        } else {
            Verdict::Missed
        })
    }

    /// Whether no cost is four times what it should have become, and what it is compared with is
    /// not.
    pub fn is_sane(&self) -> bool {
        (0..self.series.len()).all(|at| self.is_sane_at(at))
    }

    fn is_sane_at(&self, at: usize) -> bool {
        const MOST: f64 = 4.0;
        let series = &self.series[at];
        let Some(expected) = series.expected.exponent() else {
            return true;
        };
        let (sizes, costs) = growth(series.judged());
        let compared = self.compared_with(at);
        costs < MOST * sizes.powf(expected)
            || compared.is_some_and(|other| growth(&series.over(other)).1 < MOST)
    }

    fn compared_with(&self, at: usize) -> Option<&Series> {
        let next = self.series.get(at + 1);
        next.filter(|next| next.expected == Expected::Compared)
    }
}

impl Series {
    /// The `x` for which the cost grows as size^x: over all sizes, or over the larger half if it is
    /// steeper there.
    pub fn exponent(&self) -> f64 {
        steepest(self.judged())
    }

    /// The ratios to what was measured at the same sizes.
    fn over(&self, other: &Self) -> Vec<(usize, f64)> {
        let skipped = self.points.len() - self.judged().len();
        let both = self.judged().iter().zip(&other.points[skipped..]);
        both.map(|((size, ours), (_, other))| (*size, ours / other))
            .collect()
    }

    fn judged(&self) -> &[(usize, f64)] {
        let first = match self.expected {
            Expected::FlatFrom(size) => size,
            _ => 0,
        };
        let from = self.points.partition_point(|(size, _)| *size < first);
        &self.points[from..]
    }
}

/// The factors by which the size and the cost have grown.
fn growth(points: &[(usize, f64)]) -> (f64, f64) {
    let ((from, low), (to, high)) = (points[0], points[points.len() - 1]);
    (to as f64 / from as f64, high / low)
}

fn steepest(points: &[(usize, f64)]) -> f64 {
    let exponent = |points| {
        let (sizes, costs) = growth(points);
        costs.ln() / sizes.ln()
    };
    exponent(points).max(exponent(&points[(points.len() - 1) / 2..]))
}

impl Expected {
    fn exponent(self) -> Option<f64> {
        match self {
            Self::Flat | Self::FlatFrom(_) => Some(0.0),
            Self::Linear => Some(1.0),
            Self::Compared | Self::Replaced => None,
        }
    }
}
