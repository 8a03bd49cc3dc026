//! All that a disk is at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::{Component, Path};
use std::sync::Arc;

use super::fault::{Fault, Op};
use super::node::{Dir, File, Node};

/// What a driver knew when an operation was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Note {
    /// How many records had been handed over.
    pub handed: u64,
    /// How many records were known to be durable.
    pub durable: u64,
}

/// The disk after one operation.
#[derive(Clone)]
pub struct Picture {
    /// The operation.
    pub op: Op,
    /// How many operations had been tried, this one included.
    pub operations: u64,
    /// What the driver knew while it ran.
    pub note: Note,
    pub(super) state: State,
}

#[derive(Clone)]
pub(super) struct State {
    /// The file and directory numbers are indices; 0 is the root. Shared until changed, so that a
    /// picture of the whole disk costs little.
    pub(super) nodes: Vec<Arc<Node>>,
    pub(super) locks: BTreeSet<usize>,
    pub(super) sector: usize,
    pub(super) capacity: Option<u64>,
    /// How many operations that change something were tried.
    pub(super) operations: u64,
    /// How many operations that change nothing were tried.
    pub(super) looks: u64,
    /// How many writes found no room.
    pub(super) refusals: u64,
    pub(super) faults: BTreeMap<u64, Fault>,
    /// Operations of these kinds fail until healed.
    pub(super) lasting: Vec<(Op, io::ErrorKind)>,
    /// Files and directories that cannot be read until healed.
    pub(super) forbidden: BTreeMap<usize, io::ErrorKind>,
    /// How many bytes a read gives at most, where it is set; every other one is interrupted.
    pub(super) meagre: Option<usize>,
    /// How many reads there were since that was set.
    pub(super) reads: usize,
    /// What the order of a listing depends on.
    pub(super) shuffle: u64,
    pub(super) recording: Option<Vec<Picture>>,
    pub(super) note: Note,
}

impl State {
    pub(super) fn end_process(&mut self) {
        self.locks.clear();
        self.heal();
        self.recording = None;
        self.operations = 0;
        self.looks = 0;
        self.note = Note::default();
    }

    pub(super) fn heal(&mut self) {
        self.faults.clear();
        self.lasting.clear();
        self.forbidden.clear();
        self.meagre = None;
    }

    /// How many of these bytes the next read gives.
    pub(super) fn serve(&mut self, wanted: usize) -> io::Result<usize> {
        let Some(most) = self.meagre else {
            return Ok(wanted);
        };
        self.reads += 1;
        if self.reads.is_multiple_of(2) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(wanted.min(most))
    }

    pub(super) fn may_read(&self, node: usize) -> io::Result<()> {
        self.forbidden
            .get(&node)
            .map_or(Ok(()), |error| Err((*error).into()))
    }

    /// Where a name comes in a listing.
    pub(super) fn place(&self, name: &OsStr) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.shuffle, name).hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn add(&mut self, node: Node) -> usize {
        self.nodes.push(Arc::new(node));
        self.nodes.len() - 1
    }

    pub(super) fn resolve(&self, path: &Path) -> io::Result<usize> {
        let mut node = 0;
        for component in path.components() {
            if let Component::Normal(name) = component {
                let names = &self.dir(node)?.cache;
                node = *names.get(name).ok_or(io::ErrorKind::NotFound)?;
            }
        }
        Ok(node)
    }

    /// The directory that a path's last name is in, and that name.
    pub(super) fn parent<'p>(&self, path: &'p Path) -> io::Result<(usize, &'p OsStr)> {
        let invalid = io::ErrorKind::InvalidInput;
        let node = self.resolve(path.parent().ok_or(invalid)?)?;
        self.dir(node)?;
        Ok((node, path.file_name().ok_or(invalid)?))
    }

    pub(super) fn dir(&self, node: usize) -> io::Result<&Dir> {
        match &*self.nodes[node] {
            Node::Dir(dir) => Ok(dir),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    pub(super) fn file(&self, node: usize) -> io::Result<&File> {
        match &*self.nodes[node] {
            Node::File(file) => Ok(file),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    pub(super) fn dir_mut(&mut self, node: usize) -> &mut Dir {
        match Arc::make_mut(&mut self.nodes[node]) {
            Node::Dir(dir) => dir,
            Node::File(_) => unreachable!("checked to be a directory"),
        }
    }

    pub(super) fn file_mut(&mut self, node: usize) -> &mut File {
        match Arc::make_mut(&mut self.nodes[node]) {
            Node::File(file) => file,
            Node::Dir(_) => unreachable!("handles are of files only"),
        }
    }

    pub(super) fn links(&self, node: usize) -> u64 {
        let dirs = self.nodes.iter().filter_map(|node| match &**node {
            Node::Dir(dir) => Some(dir),
            Node::File(_) => None,
        });
        dirs.flat_map(|dir| dir.cache.values())
            .filter(|named| **named == node)
            .count() as u64
    }

    /// How many bytes may still be written.
    pub(super) fn free(&self) -> u64 {
        let Some(capacity) = self.capacity else {
            return u64::MAX;
        };
        let linked = (0..self.nodes.len()).filter(|node| self.links(*node) > 0);
        let used: usize = linked
            .filter_map(|node| Some(self.file(node).ok()?.cache.len()))
            .sum();
        capacity.saturating_sub(used as u64)
    }
}
