//! What is known of the versions in slots that are all filled.

/// The versions of a segment, or of a block of them.
#[derive(Clone, Copy)]
pub(super) struct Versions {
    pub(super) min: u64,
    pub(super) max: u64,
    /// Whether none is lower than the one before it.
    pub(super) rises: bool,
}

impl Versions {
    /// Those of events in order; `None` if there are none.
    pub(super) fn of(versions: impl Iterator<Item = u64>) -> Option<Self> {
        versions
            .map(|version| Self {
                min: version,
                max: version,
                rises: true,
            })
            .reduce(Self::and_then)
    }

    /// These, and `later` ones.
    pub(super) fn and_then(self, later: Self) -> Self {
        Self {
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            rises: self.rises && later.rises && self.max <= later.min,
        }
    }
}
