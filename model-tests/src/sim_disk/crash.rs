//! What a power cut leaves of a disk.

use std::sync::Arc;

use super::disk::SimDisk;
use super::node::{DataOp, Dir, File, Node, sectors};
use super::random::Random;
use super::state::State;

/// What a power cut leaves of the changes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash {
    /// What is left of the bytes.
    pub data: DataLoss,
    /// Which changes to directories are left: bit n tells whether the n-th of them made it. 0 for
    /// none, `u64::MAX` for all.
    pub names: u64,
}

/// What a power cut leaves of bytes that were not synced. Numbers are seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataLoss {
    /// Nothing.
    Lost,
    /// Everything.
    Kept,
    /// The file has its length, filled up with zeros.
    Zeros,
    /// The first sectors.
    Prefix(u64),
    /// Some sectors, some lengths, some cuts.
    Subset(u64),
    /// Some sectors, and garbage in others.
    Garbage(u64),
}

impl Crash {
    /// Nothing unsynced survives.
    pub const LOST: Self = Self {
        data: DataLoss::Lost,
        names: 0,
    };
    /// Everything survives.
    pub const KEPT: Self = Self {
        data: DataLoss::Kept,
        names: u64::MAX,
    };

    /// For reports.
    pub(crate) fn in_words(&self) -> String {
        let data = match self.data {
            DataLoss::Lost => "unsynced bytes are gone",
            DataLoss::Kept => "unsynced bytes are there",
            DataLoss::Zeros => "unsynced bytes are zeros",
            DataLoss::Prefix(_) | DataLoss::Subset(_) => "some of the unsynced bytes are there",
            DataLoss::Garbage(_) => "of the unsynced bytes some are garbage",
        };
        let names = match self.names {
            0 => "none is there".to_owned(),
            u64::MAX => "all are there".to_owned(),
            some => match (0..64).filter(|n| some & (1 << n) != 0).collect::<Vec<_>>()[..] {
                [only] => format!("only number {} is there", only + 1),
                _ => format!("those of {some:#b} are there, the lowest bit the first"),
            },
        };
        format!("{data}, and of the changes of names since the last sync of the directory {names}")
    }
}

impl SimDisk {
    /// The disk after a power cut, for a new process on a new boot. This one stays as it is.
    ///
    /// ```
    /// # use model_tests::sim_disk::{Crash, SimDisk, Storage};
    /// let (disk, path) = (SimDisk::new(), "/x".as_ref());
    /// let mut file = disk.create_new(path, 0o600)?;
    /// disk.write(&mut file, b"1")?;
    /// assert_eq!(disk.crash(&Crash::LOST).bytes(path), None);
    /// assert_eq!(disk.crash(&Crash::KEPT).bytes(path).as_deref(), Some(&b"1"[..]));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn crash(&self, crash: &Crash) -> Self {
        let mut state = self.state().clone();
        state.end_process();
        let mut op_number = 0;
        let sector = state.sector;
        for (number, shared) in state.nodes.iter_mut().enumerate() {
            match &**shared {
                Node::File(file) if !file.is_settled() => {
                    let bytes = file.after(crash.data, sector, number as u64);
                    *shared = Arc::new(Node::File(File::on_disk(bytes)));
                }
                Node::Dir(dir) if !dir.pending.is_empty() => {
                    *shared = Arc::new(Node::Dir(dir.after(crash.names, &mut op_number)));
                }
                _ => {}
            }
        }
        Self::from_state(state)
    }

    /// How many changes to directories and to files are not synced.
    ///
    /// ```
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// disk.write(&mut file, b"1")?;
    /// assert_eq!(disk.unsynced(), (1, 1)); // a name, and some bytes
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn unsynced(&self) -> (usize, usize) {
        self.state().unsynced()
    }
}

impl State {
    fn unsynced(&self) -> (usize, usize) {
        let mut unsynced = (0, 0);
        for node in &self.nodes {
            match &**node {
                Node::Dir(dir) => unsynced.0 += dir.pending.len(),
                Node::File(file) => unsynced.1 += file.pending.len(),
            }
        }
        unsynced
    }
}

impl File {
    fn is_settled(&self) -> bool {
        self.pending.is_empty() && self.cache == self.durable
    }

    fn after(&self, loss: DataLoss, sector: usize, number: u64) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let pieces = sectors(self.pending.clone(), sector);
        let random = |seed: u64| Random::new(seed ^ (number << 32));
        match loss {
            DataLoss::Lost => {}
            DataLoss::Kept => pieces.iter().for_each(|piece| piece.apply(&mut bytes)),
            DataLoss::Zeros => {
                for piece in &pieces {
                    let DataOp::Write {
                        offset,
                        bytes: data,
                    } = piece
                    else {
                        continue;
                    };
                    DataOp::Grow(offset + data.len()).apply(&mut bytes);
                }
            }
            DataLoss::Prefix(seed) => {
                let count = random(seed).below(pieces.len() + 1);
                pieces[..count]
                    .iter()
                    .for_each(|piece| piece.apply(&mut bytes));
            }
            DataLoss::Subset(seed) => {
                let mut random = random(seed);
                for piece in &pieces {
                    match piece {
                        piece if random.toss() => piece.apply(&mut bytes),
                        DataOp::Write {
                            offset,
                            bytes: data,
                        } if random.toss() => {
                            DataOp::Grow(offset + data.len()).apply(&mut bytes);
                        }
                        _ => {}
                    }
                }
            }
            DataLoss::Garbage(seed) => {
                let mut random = random(seed);
                for piece in &pieces {
                    match piece {
                        DataOp::Write {
                            offset,
                            bytes: data,
                        } if random.toss() => {
                            let trash = data.iter().map(|_| random.garbage()).collect();
                            DataOp::Write {
                                offset: *offset,
                                bytes: trash,
                            }
                            .apply(&mut bytes);
                        }
                        piece => piece.apply(&mut bytes),
                    }
                }
            }
        }
        bytes
    }
}

impl Dir {
    fn after(&self, mask: u64, op_number: &mut u32) -> Self {
        let mut names = self.durable.clone();
        for op in &self.pending {
            let kept = mask
                .checked_shr(*op_number)
                .map_or(mask == u64::MAX, |bits| bits & 1 == 1);
            if kept {
                op.apply(&mut names);
            }
            *op_number += 1;
        }
        Self {
            durable: names.clone(),
            cache: names,
            pending: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_told_in_words() {
        assert_eq!(
            Crash::LOST.in_words(),
            "unsynced bytes are gone, and of the changes of names since the last sync of the \
             directory none is there"
        );
        let second = Crash {
            names: 0b10,
            ..Crash::KEPT
        };
        assert!(second.in_words().ends_with("only number 2 is there"));
        let some = Crash {
            names: 0b110,
            ..second
        };
        assert!(some.in_words().contains("those of 0b110 are there"));
    }
}
