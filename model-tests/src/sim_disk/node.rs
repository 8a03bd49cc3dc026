//! A file or a directory: what is seen, what is on the platter, what is between.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Range;

use super::random::Random;

#[derive(Clone)]
pub(super) enum Node {
    File(File),
    Dir(Dir),
}

#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) durable: Vec<u8>,
    pub(super) cache: Vec<u8>,
    pub(super) pending: Vec<DataOp>,
    /// Ranges that a failed sync has dropped: writing there does not reach the platter.
    sick: Vec<Range<usize>>,
}

#[derive(Clone)]
pub(super) enum DataOp {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    /// The file has grown to this length; the bytes are zeros.
    Grow(usize),
    Cut(usize),
}

impl File {
    pub(super) fn on_disk(bytes: Vec<u8>) -> Self {
        Self {
            durable: bytes.clone(),
            cache: bytes,
            ..Self::default()
        }
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.write_at(self.cache.len(), bytes);
    }

    pub(super) fn write_at(&mut self, start: usize, bytes: &[u8]) {
        let stop = start + bytes.len();
        let whole = DataOp::Write {
            offset: start,
            bytes: bytes.to_vec(),
        };
        whole.apply(&mut self.cache);
        let mut offset = start;
        while offset < stop {
            let sick = self.sick.iter().find(|range| range.contains(&offset));
            let next_sick = self
                .sick
                .iter()
                .map(|range| range.start)
                .filter(|at| *at > offset);
            let end = sick.map_or(next_sick.min(), |range| Some(range.end));
            let end = end.unwrap_or(usize::MAX).min(stop);
            self.pending.push(match sick {
                Some(_) => DataOp::Grow(end),
                None => DataOp::Write {
                    offset,
                    bytes: bytes[offset - start..end - start].to_vec(),
                },
            });
            offset = end;
        }
    }

    /// Cuts the file, or has it grow by zeros.
    pub(super) fn cut(&mut self, len: usize) {
        self.cache.resize(len, 0);
        self.pending.push(DataOp::Cut(len));
        self.heal_from(len);
    }

    /// A range that is cut off gets new blocks when the file grows again.
    fn heal_from(&mut self, len: usize) {
        self.sick.retain_mut(|range| {
            range.end = range.end.min(len);
            range.start < range.end
        });
    }

    pub(super) fn sync(&mut self) {
        for op in std::mem::take(&mut self.pending) {
            op.apply(&mut self.durable);
        }
    }

    /// A sync that fails: what does not arrive is dropped, and is not tried again.
    pub(super) fn sync_dropping(&mut self, sector: usize, random: &mut Random) {
        for op in sectors(std::mem::take(&mut self.pending), sector) {
            match op {
                DataOp::Write { offset, bytes } if random.toss() => {
                    let end = offset + bytes.len();
                    DataOp::Grow(end).apply(&mut self.durable);
                    self.sick.push(offset..end);
                }
                op => {
                    if let DataOp::Cut(len) = op {
                        self.heal_from(len);
                    }
                    op.apply(&mut self.durable);
                }
            }
        }
    }

    pub(super) fn lies(&self) -> bool {
        let mut synced = self.clone();
        synced.sync();
        synced.durable != self.cache
    }

    pub(super) fn revert(&mut self) {
        self.cache.clone_from(&self.durable);
    }
}

impl DataOp {
    pub(super) fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                Self::Grow(end).apply(file);
                file[*offset..end].copy_from_slice(bytes);
            }
            Self::Grow(len) => file.resize(file.len().max(*len), 0),
            Self::Cut(len) => file.resize(*len, 0),
        }
    }
}

/// Splits writes where sectors end.
pub(super) fn sectors(ops: Vec<DataOp>, sector: usize) -> Vec<DataOp> {
    let mut pieces = Vec::new();
    for op in ops {
        let DataOp::Write { mut offset, bytes } = op else {
            pieces.push(op);
            continue;
        };
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(rest.len().min(sector - offset % sector));
            pieces.push(DataOp::Write {
                offset,
                bytes: piece.to_vec(),
            });
            offset += piece.len();
            rest = later;
        }
    }
    pieces
}

#[derive(Clone, Default)]
pub(super) struct Dir {
    pub(super) durable: BTreeMap<OsString, usize>,
    pub(super) cache: BTreeMap<OsString, usize>,
    pub(super) pending: Vec<DirOp>,
}

#[derive(Clone)]
pub(super) enum DirOp {
    Add {
        name: OsString,
        node: usize,
    },
    Remove {
        name: OsString,
    },
    Rename {
        from: OsString,
        to: OsString,
        node: usize,
    },
}

impl Dir {
    pub(super) fn change(&mut self, op: DirOp) {
        op.apply(&mut self.cache);
        self.pending.push(op);
    }

    pub(super) fn sync(&mut self) {
        self.durable.clone_from(&self.cache);
        self.pending.clear();
    }

    pub(super) fn add_durable(&mut self, name: &OsStr, node: usize) {
        self.cache.insert(name.to_owned(), node);
        self.durable.insert(name.to_owned(), node);
    }
}

impl DirOp {
    pub(super) fn apply(&self, names: &mut BTreeMap<OsString, usize>) {
        match self {
            Self::Add { name, node } => {
                names.insert(name.clone(), *node);
            }
            Self::Remove { name } => {
                names.remove(name);
            }
            Self::Rename { from, to, node } => {
                if names.get(from) == Some(node) {
                    names.remove(from);
                }
                names.insert(to.clone(), *node);
            }
        }
    }
}
