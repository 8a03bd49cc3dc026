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
mod state;
mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::crash::{Crash, DataLoss, Random};
pub use self::fault::{Fault, Op};
use self::node::{Dir, File, Node};
use self::state::State;
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
    hooks: Mutex<Hooks>,
}

/// What is called before operations that change something, and before the others.
#[derive(Clone, Default)]
struct Hooks {
    change: Option<Arc<dyn Fn(Op) + Send + Sync>>,
    look: Option<Arc<dyn Fn() + Send + Sync>>,
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
            looks: 0,
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

    fn from_state(state: State) -> Self {
        let shared = Shared {
            state: Mutex::new(state),
            hooks: Mutex::default(),
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

    fn hooks(&self) -> MutexGuard<'_, Hooks> {
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

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use eventlog::disk::Storage;

    use super::*;

    const PATH: &str = "/x";

    /// A disk with a file whose name and first bytes are durable.
    fn disk() -> (SimDisk, SimFile) {
        let disk = SimDisk::with_sector(4);
        let mut file = disk.create_new(PATH.as_ref(), 0).unwrap();
        write(&disk, &mut file, "durable ");
        disk.sync(&mut file).unwrap();
        disk.sync_dir("/".as_ref()).unwrap();
        (disk, file)
    }

    fn write(disk: &SimDisk, file: &mut SimFile, text: &str) {
        assert_eq!(disk.write(file, text.as_bytes()).unwrap(), text.len());
    }

    fn seen(disk: &SimDisk) -> Option<String> {
        disk.bytes(PATH.as_ref())
            .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', "."))
    }

    fn after(disk: &SimDisk, data: DataLoss) -> String {
        seen(&disk.crash(&Crash { data, names: 0 })).unwrap()
    }

    #[test]
    fn unsynced_bytes_come_in_every_combination_of_sectors() {
        let (disk, mut file) = disk();
        write(&disk, &mut file, "12345678");
        assert_eq!(after(&disk, DataLoss::Lost), "durable ");
        assert_eq!(after(&disk, DataLoss::Kept), "durable 12345678");
        assert_eq!(after(&disk, DataLoss::Zeros), "durable ........");
        let all = |loss: fn(u64) -> DataLoss| {
            let mut all: Vec<_> = (0..200).map(|seed| after(&disk, loss(seed))).collect();
            all.sort();
            all.dedup();
            all
        };
        let prefixes = all(DataLoss::Prefix);
        assert_eq!(prefixes, ["durable ", "durable 1234", "durable 12345678"]);
        let subsets = all(DataLoss::Subset);
        for subset in [
            "durable ....5678",
            "durable 1234....",
            "durable ........",
            "durable 1234",
        ] {
            assert!(
                subsets.iter().any(|found| found == subset),
                "{subset} in {subsets:?}"
            );
        }
        let garbage = all(DataLoss::Garbage);
        assert!(
            garbage.iter().all(|text| text.starts_with("durable ")),
            "{garbage:?}"
        );
        assert!(garbage.len() > 50);
    }

    #[test]
    fn a_name_is_not_a_file() {
        let (disk, mut file) = disk();
        disk.rename(PATH.as_ref(), "/y".as_ref()).unwrap();
        let mut other = disk.create_new(PATH.as_ref(), 0).unwrap();
        write(&disk, &mut file, "old");
        write(&disk, &mut other, "new");
        disk.sync(&mut other).unwrap();
        assert_eq!(disk.bytes("/y".as_ref()).unwrap(), b"durable old");
        let names = |names| {
            let crashed = disk.crash(&Crash {
                data: DataLoss::Lost,
                names,
            });
            (seen(&crashed), crashed.bytes("/y".as_ref()).is_some())
        };
        assert_eq!(names(0b00), (Some("durable ".into()), false));
        assert_eq!(names(0b01), (None, true));
        assert_eq!(names(0b10), (Some("new".into()), false));
        assert_eq!(names(0b11), (Some("new".into()), true));
        disk.remove(PATH.as_ref()).unwrap();
        assert_eq!(disk.stat(&other).unwrap().links, 0);
    }

    #[test]
    fn what_a_failed_sync_dropped_is_seen_but_only_a_cut_brings_it_back() {
        let (disk, mut file) = disk();
        write(&disk, &mut file, "1234");
        // A seed that drops the only sector.
        disk.fail_next(Fault::SyncDrops(0));
        let dropped =
            disk.sync(&mut file).is_err() && after(&disk, DataLoss::Kept) != "durable 1234";
        assert!(dropped, "choose another seed");
        assert_eq!(seen(&disk).unwrap(), "durable 1234", "the cache lies");
        assert!(disk.lies(PATH.as_ref()));
        disk.sync(&mut file).unwrap();
        assert_eq!(
            after(&disk, DataLoss::Kept),
            "durable ....",
            "a retried sync proves nothing"
        );
        write(&disk, &mut file, "5678");
        disk.sync(&mut file).unwrap();
        assert_eq!(after(&disk, DataLoss::Lost), "durable ....5678");
        disk.truncate(&mut file, 8).unwrap();
        write(&disk, &mut file, "1234");
        disk.sync(&mut file).unwrap();
        assert_eq!(after(&disk, DataLoss::Lost), "durable 1234");
    }

    #[test]
    fn a_full_disk_takes_what_fits_and_then_refuses() {
        let (disk, mut file) = disk();
        disk.set_capacity(Some(11));
        assert_eq!(disk.write(&mut file, b"12345").unwrap(), 3);
        let full = disk.write(&mut file, b"45").unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        disk.set_capacity(None);
        disk.fail_next(Fault::Short(1));
        assert_eq!(disk.write(&mut file, b"45").unwrap(), 1);
    }

    #[test]
    fn a_dead_process_frees_its_lock_and_leaves_its_bytes() {
        let (disk, mut file) = disk();
        let lock = disk.try_lock("/lock".as_ref(), 0).unwrap();
        assert!(lock.is_some());
        assert!(disk.try_lock("/lock".as_ref(), 0).unwrap().is_none());
        write(&disk, &mut file, "more");
        let killed = disk.kill();
        assert!(killed.try_lock("/lock".as_ref(), 0).unwrap().is_some());
        assert_eq!(seen(&killed).unwrap(), "durable more");
        assert_eq!(after(&killed, DataLoss::Lost), "durable ");
        drop(lock);
        assert!(disk.try_lock("/lock".as_ref(), 0).unwrap().is_some());
    }
}
