//! How a life of the log ends.

use std::fmt;

use crate::sim_disk::{
    crash::{Crash, DataLoss},
    disk::SimDisk,
    random::Random,
    state::Picture,
};

/// How a life of the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The machine loses power.
    Power(Crash),
    /// The process is killed; the machine goes on and loses power after the next opening.
    Kill,
}

impl Ending {
    /// The disk that is left where a life ends like this at the moment of the picture.
    ///
    /// ```
    /// # use model_tests::{crashes::{Ending, PATH, Script, pictures}, sim_disk::Crash};
    /// let pictures = pictures(&Script::generate(1, 1))?;
    /// let first = Ending::Power(Crash::LOST).of(&pictures[0]);
    /// assert_eq!(first.bytes(PATH.as_ref()), None); // nothing was synced by then
    /// # Ok::<(), model_tests::disk_model::Broken>(())
    /// ```
    #[must_use]
    pub fn of(&self, picture: &Picture) -> SimDisk {
        match self {
            Self::Power(crash) => picture.disk().crash(crash),
            Self::Kill => picture.disk().kill(),
        }
    }
}

/// As Rust, to be pasted into a test.
impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => write!(f, "Ending::Kill"),
            Self::Power(Crash { data, names }) => {
                let data = format!("DataLoss::{data:?}");
                write!(
                    f,
                    "Ending::Power(Crash {{ data: {data}, names: {names:#b} }})"
                )
            }
        }
    }
}

/// All endings from here that can differ, except for the choice of seeds.
///
/// ```
/// # use model_tests::crashes::{Ending, Script, endings, pictures};
/// let pictures = pictures(&Script::generate(1, 1))?;
/// let ways = endings(&pictures[0], 1);
/// assert!(ways.contains(&Ending::Kill)); // and some power cuts
/// # Ok::<(), model_tests::disk_model::Broken>(())
/// ```
#[must_use]
pub fn endings(picture: &Picture, seed: u64) -> Vec<Ending> {
    let mut random = Random::new(seed);
    let (names, data) = picture.disk().unsynced();
    let masks: Vec<u64> = match names {
        0..=3 => (0..1 << names).collect(),
        _ => (0..=names)
            .map(|n| (1 << n) - 1)
            .chain((0..4).map(|_| random.number()))
            .collect(),
    };
    let losses = match data {
        0 => vec![DataLoss::Lost],
        _ => vec![
            DataLoss::Lost,
            DataLoss::Kept,
            DataLoss::Zeros,
            DataLoss::Prefix(random.number()),
            DataLoss::Prefix(random.number()),
            DataLoss::Subset(random.number()),
            DataLoss::Subset(random.number()),
            DataLoss::Garbage(random.number()),
        ],
    };
    let power = |data| {
        masks.iter().map(move |names| {
            Ending::Power(Crash {
                data,
                names: *names,
            })
        })
    };
    let mut endings: Vec<_> = losses.into_iter().flat_map(power).collect();
    endings.push(Ending::Kill);
    endings
}
