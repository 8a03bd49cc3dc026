//! A disk in memory that tells the truth about crashes.
//!
//! Files, names and open handles are three things. Beside what programs see, each file and each
//! directory knows what of it is on the platter and which changes are not there yet, as a list.
//! [`SimDisk::crash`] decides for each of those changes whether it made it.
//!
//! What it assumes of a real disk, and nothing more: a synced byte stays unless it is overwritten
//! or cut off; of an unsynced write any sector may arrive, be missing or hold garbage, in any
//! order, and the file may have grown without the bytes; of unsynced changes to a directory any
//! may be missing, but each is whole. Syncing a file says nothing of its name.

mod crash;
mod fault;
mod node;
mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::crash::{Crash, DataLoss, Random};
pub use self::fault::{Fault, Op};
use self::node::{Dir, File, Node};
pub use self::storage::SimFile;

/// Size of a sector in bytes unless [`SimDisk::with_sector`] says otherwise. Smaller than a real
/// one, so that small files have many.
pub const SECTOR: usize = 16;

/// A simulated disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    hook: Mutex<Option<Hook>>,
}

type Hook = Arc<dyn Fn(Op) + Send + Sync>;

#[derive(Clone)]
struct State {
    /// The file and directory numbers are indices; 0 is the root. Shared until changed, so that a
    /// picture of the whole disk costs little.
    nodes: Vec<Arc<Node>>,
    locks: BTreeSet<usize>,
    sector: usize,
    capacity: Option<u64>,
    /// How many operations that change something were tried.
    operations: u64,
    faults: BTreeMap<u64, Fault>,
    /// Operations of these kinds fail until healed.
    lasting: Vec<(Op, io::ErrorKind)>,
    recording: Option<Vec<Picture>>,
    note: Note,
}

/// What a driver knew when an operation was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Note {
    /// How many records had been handed over.
    pub handed: u64,
    /// How many were known to be durable.
    pub durable: u64,
}

/// The disk behind one operation.
#[derive(Clone)]
pub struct Picture {
    /// The operation.
    pub op: Op,
    /// How many operations had been tried, this one included.
    pub operations: u64,
    /// What the driver knew while it ran.
    pub note: Note,
    state: State,
}

impl Picture {
    /// The disk as it was, as one of its own.
    #[must_use]
    pub fn disk(&self) -> SimDisk {
        SimDisk::from_state(self.state.clone())
    }
}

impl Default for SimDisk {
    fn default() -> Self {
        Self::with_sector(SECTOR)
    }
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty disk whose sectors have this many bytes.
    #[must_use]
    pub fn with_sector(sector: usize) -> Self {
        Self::from_state(State {
            nodes: vec![Arc::new(Node::Dir(Dir::default()))],
            locks: BTreeSet::new(),
            sector,
            capacity: None,
            operations: 0,
            faults: BTreeMap::new(),
            lasting: Vec::new(),
            recording: None,
            note: Note::default(),
        })
    }

    fn from_state(state: State) -> Self {
        let shared = Shared {
            state: Mutex::new(state),
            hook: Mutex::new(None),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the operation of this number (counted from 0 over all that change something) go wrong.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.state().faults.insert(operation, fault);
    }

    /// Lets the next operation go wrong.
    pub fn fail_next(&self, fault: Fault) {
        let next = self.operations();
        self.fail_at(next, fault);
    }

    /// Lets every operation of a kind fail from now on, without effect.
    pub fn fail_all(&self, op: Op, error: io::ErrorKind) {
        self.state().lasting.push((op, error));
    }

    /// Ends all faults that were asked for.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.lasting.clear();
    }

    /// Sets how many bytes all files together may have; `None` for no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Calls `hook` before each operation that changes something, outside of any lock: it may
    /// block, and the operation stalls with it.
    pub fn set_hook(&self, hook: impl Fn(Op) + Send + Sync + 'static) {
        *self
            .shared
            .hook
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    /// How many operations that change something were tried.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Takes a picture after every operation from now on.
    pub fn record(&self) {
        self.state().recording = Some(Vec::new());
    }

    /// The pictures since [`record`](Self::record), which ends with this.
    #[must_use]
    pub fn pictures(&self) -> Vec<Picture> {
        self.state().recording.take().unwrap_or_default()
    }

    /// Tells what the next pictures are to remember.
    pub fn note(&self, note: Note) {
        self.state().note = note;
    }

    /// The process dies, the machine goes on: locks are free, faults have ended, and what was
    /// written is seen, synced or not.
    #[must_use]
    pub fn kill(&self) -> Self {
        let mut state = self.state().clone();
        state.end_process();
        Self::from_state(state)
    }

    /// What programs see of a file.
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let node = state.resolve(path).ok()?;
        state.file(node).ok().map(|file| file.cache.clone())
    }

    /// Whether a file shows bytes that no sync will bring to the platter.
    #[must_use]
    pub fn lies(&self, path: &Path) -> bool {
        let state = self.state();
        let node = state.resolve(path);
        node.is_ok_and(|node| state.file(node).is_ok_and(File::lies))
    }

    /// Turns a range of a file into garbage, on the platter and for readers.
    ///
    /// # Panics
    /// If there is no such file or range.
    pub fn ruin(&self, path: &Path, range: Range<usize>) {
        let mut state = self.state();
        let node = state
            .resolve(path)
            .unwrap_or_else(|error| panic!("{error}"));
        let file = state.file_mut(node);
        file.durable[range.clone()].fill(0xff);
        file.cache[range].fill(0xff);
    }

    /// Overwrites what is on the platter, and is seen: damage, or a file of another making.
    ///
    /// # Panics
    /// If the path's directory does not exist.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state();
        let file = File::on_disk(bytes.to_vec());
        if let Ok(node) = state.resolve(path) {
            state.nodes[node] = Arc::new(Node::File(file));
            return;
        }
        let node = state.add(Node::File(file));
        let (dir, name) = state.parent(path).unwrap_or_else(|error| panic!("{error}"));
        state.dir_mut(dir).add_durable(name, node);
    }
}

impl State {
    fn end_process(&mut self) {
        self.locks.clear();
        self.faults.clear();
        self.lasting.clear();
        self.recording = None;
        self.operations = 0;
        self.note = Note::default();
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(Arc::new(node));
        self.nodes.len() - 1
    }

    fn resolve(&self, path: &Path) -> io::Result<usize> {
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
    fn parent<'p>(&self, path: &'p Path) -> io::Result<(usize, &'p OsStr)> {
        let invalid = io::ErrorKind::InvalidInput;
        let node = self.resolve(path.parent().ok_or(invalid)?)?;
        self.dir(node)?;
        Ok((node, path.file_name().ok_or(invalid)?))
    }

    fn dir(&self, node: usize) -> io::Result<&Dir> {
        match &*self.nodes[node] {
            Node::Dir(dir) => Ok(dir),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn file(&self, node: usize) -> io::Result<&File> {
        match &*self.nodes[node] {
            Node::File(file) => Ok(file),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn dir_mut(&mut self, node: usize) -> &mut Dir {
        match Arc::make_mut(&mut self.nodes[node]) {
            Node::Dir(dir) => dir,
            Node::File(_) => unreachable!("checked to be a directory"),
        }
    }

    fn file_mut(&mut self, node: usize) -> &mut File {
        match Arc::make_mut(&mut self.nodes[node]) {
            Node::File(file) => file,
            Node::Dir(_) => unreachable!("handles are of files only"),
        }
    }

    fn links(&self, node: usize) -> u64 {
        let dirs = self.nodes.iter().filter_map(|node| match &**node {
            Node::Dir(dir) => Some(dir),
            Node::File(_) => None,
        });
        dirs.flat_map(|dir| dir.cache.values())
            .filter(|named| **named == node)
            .count() as u64
    }

    /// How many bytes may still be written.
    fn free(&self) -> u64 {
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

impl fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        let mut map = f.debug_map();
        for node in &state.nodes {
            if let Node::Dir(dir) = &**node {
                for (name, named) in &dir.cache {
                    let text = state.file(*named).map(|file| {
                        let seen = String::from_utf8_lossy(&file.cache).into_owned();
                        (seen, file.durable.len(), file.pending.len())
                    });
                    map.entry(name, &text.ok());
                }
            }
        }
        map.finish()
    }
}
