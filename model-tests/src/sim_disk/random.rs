//! Numbers that look random and are the same each time.

/// Numbers that look random and are the same each time (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound as u64).unwrap_or_default()
    }

    /// Heads or tails.
    pub fn toss(&mut self) -> bool {
        self.number() & 1 == 1
    }

    /// A byte such as stands in no record: no text, or a newline.
    pub(super) fn garbage(&mut self) -> u8 {
        match self.below(16) {
            0 => b'\n',
            1 => 0,
            other => 0xf0 | u8::try_from(other).unwrap_or_default(),
        }
    }
}
