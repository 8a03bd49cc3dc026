//! Numbers that look random and are the same each time.

/// Numbers that look random and are the same each time (splitmix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of a seed.
    ///
    /// ```
    /// # use model_tests::sim_disk::Random;
    /// assert_eq!(Random::new(7).number(), Random::new(7).number());
    /// ```
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    ///
    /// ```
    /// # use model_tests::sim_disk::Random;
    /// let mut random = Random::new(7);
    /// assert_ne!(random.number(), random.number());
    /// ```
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    ///
    /// ```
    /// # use model_tests::sim_disk::Random;
    /// assert!(Random::new(7).below(6) < 6);
    /// ```
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % bound as u64).unwrap_or_default()
    }

    /// Heads or tails.
    ///
    /// ```
    /// # use model_tests::sim_disk::Random;
    /// let mut random = Random::new(7);
    /// let heads = (0..1_000).filter(|_| random.toss()).count();
    /// assert!((400..600).contains(&heads));
    /// ```
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
