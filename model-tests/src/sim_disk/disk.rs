//! The disk, as a test has it in hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fault::{Fault, Op};
use super::node::{Dir, File, Node};
use super::state::{Note, Picture, State};

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
    hooks: Mutex<Hooks>,
}

/// What is called before operations that change something, and before the others.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) change: Option<Arc<dyn Fn(Op) + Send + Sync>>,
    pub(super) look: Option<Arc<dyn Fn() + Send + Sync>>,
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
            looks: 0,
            refusals: 0,
            faults: BTreeMap::new(),
            lasting: Vec::new(),
            forbidden: BTreeMap::new(),
            meagre: None,
            reads: 0,
            shuffle: 0,
            recording: None,
            note: Note::default(),
        })
    }

    pub(super) fn from_state(state: State) -> Self {
        let shared = Shared {
            state: Mutex::new(state),
            hooks: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hooks(&self) -> MutexGuard<'_, Hooks> {
        self.shared
            .hooks
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

    /// Lets a file be neither opened nor read from now on, wherever it is renamed to, or a
    /// directory not be listed.
    ///
    /// # Panics
    /// If there is neither at `path`.
    pub fn forbid(&self, path: &Path, error: io::ErrorKind) {
        let mut state = self.state();
        let node = state
            .resolve(path)
            .unwrap_or_else(|error| panic!("{error}"));
        state.forbidden.insert(node, error);
    }

    /// Lets every other read be interrupted and each give at most so many bytes, at least one, as
    /// a signal may do.
    pub fn disturb_reads(&self, most: usize) {
        self.state().meagre = Some(most.max(1));
    }

    /// Lists names in another order, which means as little as any.
    pub fn shuffle(&self, seed: u64) {
        self.state().shuffle = seed;
    }

    /// Ends all faults that were asked for.
    pub fn heal(&self) {
        self.state().heal();
    }

    /// Sets how many bytes all files together may have; `None` for no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Calls `hook` before each operation that changes something, outside of any lock: it may
    /// block, and the operation stalls with it.
    pub fn set_hook(&self, hook: impl Fn(Op) + Send + Sync + 'static) {
        self.hooks().change = Some(Arc::new(hook));
    }

    /// Calls `hook` before each operation that only looks (opening, reading, listing and the
    /// like), outside of any lock: what it changes happens between two looks.
    pub fn set_look_hook(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.hooks().look = Some(Arc::new(hook));
    }

    /// How many operations that change something were tried.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How many operations that only look were tried.
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.state().looks
    }

    /// How many writes have found no room.
    pub(crate) fn refusals(&self) -> u64 {
        self.state().refusals
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

    /// Takes one more picture of the disk as it is.
    pub(crate) fn picture(&self) {
        let mut state = self.state();
        if let Some(mut pictures) = state.recording.take() {
            pictures.push(Picture {
                op: Op::SyncDir,
                operations: state.operations,
                note: state.note,
                state: state.clone(),
            });
            state.recording = Some(pictures);
        }
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
