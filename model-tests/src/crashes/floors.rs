//! Which records rotation may have taken, by how many were handed over.

use super::script::Script;
use crate::{
    model::disk::{DiskModel, Numbered},
    sim_disk::{
        fault::{Fault, Op},
        state::Picture,
    },
};

/// What rotation may have done in one life of the log.
pub(super) struct Floors {
    /// The first record that it has left, by how many were handed over.
    first: Vec<u64>,
    /// Whether it was refused, so that a file may have outgrown its cap.
    pub(super) was_refused: bool,
}

impl Floors {
    pub(super) fn of(script: &Script, pictures: &[Picture]) -> Self {
        let was_refused = was_refused(script, pictures);
        let first = if was_refused {
            weakest(script)
        } else {
            exact(script)
        };
        Self { first, was_refused }
    }

    pub(super) fn after(&self, handed: u64) -> u64 {
        self.first[usize::try_from(handed).unwrap_or(usize::MAX)]
    }
}

/// Whether anything was refused that a rotation is made of.
fn was_refused(script: &Script, pictures: &[Picture]) -> bool {
    let refused = |picture: &&Picture| {
        let at = picture.operations - 1;
        let fits = |(operation, fault): &(u64, Fault)| {
            *operation == at && matches!(fault, Fault::Refuse(_))
        };
        script.faults.iter().any(fits)
    };
    let of_rotation =
        |picture: &Picture| matches!(picture.op, Op::Rename | Op::Remove | Op::SyncDir);
    pictures.iter().filter(refused).any(of_rotation)
}

/// A file is put aside when the next record does not fit.
fn exact(script: &Script) -> Vec<u64> {
    let mut model = DiskModel::new(script.max_bytes, script.keep);
    let mut floors = vec![1];
    for (number, len) in lens(script) {
        model.hand(number, len);
        floors.push(model.retained().next().unwrap_or(1));
    }
    floors
}

/// A file is put aside when the next record does not fit, or any time later. The most is gone where
/// the current file has the newest record only, and each of the others is as short as it can be.
fn weakest(script: &Script) -> Vec<u64> {
    let lens: Vec<_> = lens(script).map(|(_, len)| len).collect();
    let first_of_file_before = |next: usize| {
        let mut bytes = lens[next];
        for first in (0..next).rev() {
            bytes += lens[first];
            if bytes > script.max_bytes {
                return first;
            }
        }
        0
    };
    let floor = |newest| {
        (0..script.keep).fold(newest, |first, _| match first {
            0 => 0,
            first => first_of_file_before(first),
        })
    };
    let floors = (0..lens.len()).map(|newest| floor(newest) as u64 + 1);
    std::iter::once(1).chain(floors).collect()
}

fn lens(script: &Script) -> impl Iterator<Item = (u64, u64)> {
    let len = |(number, len)| (number, Numbered::new(number, len).line().len() as u64);
    (1..).zip(script.lens()).map(len)
}
