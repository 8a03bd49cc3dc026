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
    ///
    /// ```
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.record();
    /// disk.create_new("/x".as_ref(), 0o600)?;
    /// let then = disk.pictures()[0].disk();
    /// disk.put("/x".as_ref(), b"later");
    /// assert_eq!(then.bytes("/x".as_ref()).as_deref(), Some(&b""[..])); // as it was
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// ```
    /// # use model_tests::sim_disk::SimDisk;
    /// assert_eq!(SimDisk::new().bytes("/x".as_ref()), None);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty disk whose sectors have this many bytes.
    ///
    /// ```
    /// # use model_tests::sim_disk::SimDisk;
    /// // Small sectors, so that a short record is already torn in the middle.
    /// assert_eq!(SimDisk::with_sector(4).operations(), 0);
    /// ```
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
    ///
    /// ```
    /// # use std::io::ErrorKind;
    /// # use model_tests::sim_disk::{Fault, SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.fail_at(1, Fault::Refuse(ErrorKind::StorageFull)); // the second one
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// assert_eq!(disk.write(&mut file, b"1").unwrap_err().kind(), ErrorKind::StorageFull);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.state().faults.insert(operation, fault);
    }

    /// Lets the next operation go wrong.
    ///
    /// ```
    /// # use model_tests::sim_disk::{Fault, SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// disk.fail_next(Fault::Short(1));
    /// assert_eq!(disk.write(&mut file, b"123")?, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fail_next(&self, fault: Fault) {
        let next = self.operations();
        self.fail_at(next, fault);
    }

    /// Lets every operation of a kind fail from now on, without effect.
    ///
    /// ```
    /// # use std::io::ErrorKind;
    /// # use model_tests::sim_disk::{Op, SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// disk.fail_all(Op::Sync, ErrorKind::Other);
    /// assert!(disk.sync(&mut file).is_err() && disk.sync(&mut file).is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fail_all(&self, op: Op, error: io::ErrorKind) {
        self.state().lasting.push((op, error));
    }

    /// Lets a file be neither opened nor read from now on, wherever it is renamed to, or a
    /// directory not be listed.
    ///
    /// ```
    /// # use std::io::ErrorKind;
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let (disk, path) = (SimDisk::new(), "/x".as_ref());
    /// disk.put(path, b"1\n");
    /// disk.forbid(path, ErrorKind::PermissionDenied);
    /// assert!(disk.open_read(path).is_err());
    /// ```
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
    ///
    /// ```
    /// # use eventlog::disk::Reader;
    /// # use model_tests::sim_disk::SimDisk;
    /// let (disk, path) = (SimDisk::new(), "/x");
    /// disk.put(path.as_ref(), b"1\n2\n");
    /// disk.disturb_reads(1); // byte by byte
    /// assert_eq!(Reader::<u64, _>::open(disk, path).count(), 2); // it goes on
    /// ```
    pub fn disturb_reads(&self, most: usize) {
        self.state().meagre = Some(most.max(1));
    }

    /// Lists names in another order, which means as little as any.
    ///
    /// ```
    /// # use eventlog::disk::Reader;
    /// # use model_tests::sim_disk::SimDisk;
    /// let disk = SimDisk::new();
    /// for (file, text) in [("/x", "3\n"), ("/x.old", "2\n"), ("/x.old.0000000001", "1\n")] {
    ///     disk.put(file.as_ref(), text.as_bytes());
    /// }
    /// disk.shuffle(7);
    /// let read = Reader::<u64, _>::open(disk, "/x").filter_map(|record| record.ok()?.into_event());
    /// assert!(read.eq([1, 2, 3])); // by their names, and not as they are listed
    /// ```
    pub fn shuffle(&self, seed: u64) {
        self.state().shuffle = seed;
    }

    /// Ends all faults that were asked for.
    ///
    /// ```
    /// # use std::io::ErrorKind;
    /// # use model_tests::sim_disk::{Op, SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// disk.fail_all(Op::Write, ErrorKind::StorageFull);
    /// assert!(disk.write(&mut file, b"1").is_err());
    /// disk.heal();
    /// assert!(disk.write(&mut file, b"1").is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn heal(&self) {
        self.state().heal();
    }

    /// Sets how many bytes all files together may have; `None` for no limit.
    ///
    /// ```
    /// # use std::io::ErrorKind;
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.set_capacity(Some(0));
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// assert_eq!(disk.write(&mut file, b"1").unwrap_err().kind(), ErrorKind::StorageFull);
    /// disk.set_capacity(None); // somebody has freed some room
    /// assert!(disk.write(&mut file, b"1").is_ok());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state().capacity = bytes;
    }

    /// Calls `hook` before each operation that changes something, outside of any lock: it may
    /// block, and the operation stalls with it.
    ///
    /// ```
    /// # use std::sync::mpsc;
    /// # use model_tests::sim_disk::{Op, SimDisk, Storage};
    /// let (disk, (sender, seen)) = (SimDisk::new(), mpsc::channel());
    /// disk.set_hook(move |op| _ = sender.send(op));
    /// disk.create_new("/x".as_ref(), 0o600)?;
    /// assert_eq!(seen.try_recv(), Ok(Op::CreateNew));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_hook(&self, hook: impl Fn(Op) + Send + Sync + 'static) {
        self.hooks().change = Some(Arc::new(hook));
    }

    /// Calls `hook` before each operation that only looks (opening, reading, listing and the
    /// like), outside of any lock: what it changes happens between two looks.
    ///
    /// ```
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.put("/x".as_ref(), b"1\n");
    /// let hand = disk.clone();
    /// disk.set_look_hook(move || hand.put("/x".as_ref(), b"")); // somebody cuts it at each look
    /// assert!(disk.open_read("/x".as_ref()).is_ok());
    /// ```
    pub fn set_look_hook(&self, hook: impl Fn() + Send + Sync + 'static) {
        self.hooks().look = Some(Arc::new(hook));
    }

    /// How many operations that change something were tried.
    ///
    /// ```
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// disk.write(&mut file, b"1")?;
    /// assert_eq!(disk.operations(), 2); // so there are two places to crash after
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// How many operations that only look were tried.
    ///
    /// ```
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.put("/x".as_ref(), b"1\n");
    /// disk.open_read("/x".as_ref())?;
    /// assert_eq!((disk.looks(), disk.operations()), (1, 0)); // a reader changes nothing
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.state().looks
    }

    /// How many writes have found no room.
    pub(crate) fn refusals(&self) -> u64 {
        self.state().refusals
    }

    /// Takes a picture after every operation from now on.
    ///
    /// ```
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.record();
    /// disk.create_new("/x".as_ref(), 0o600)?;
    /// assert_eq!(disk.pictures().len(), 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn record(&self) {
        self.state().recording = Some(Vec::new());
    }

    /// The pictures since [`record`](Self::record), which ends with this.
    ///
    /// ```
    /// # use model_tests::sim_disk::{Crash, Op, SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.record();
    /// disk.create_new("/x".as_ref(), 0o600)?;
    /// for picture in disk.pictures() {
    ///     assert_eq!(picture.op, Op::CreateNew);
    ///     let left = picture.disk().crash(&Crash::LOST); // open the log on it, and look
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
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
    ///
    /// ```
    /// # use model_tests::sim_disk::{Note, SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// disk.record();
    /// disk.note(Note { handed: 3, durable: 2 });
    /// disk.create_new("/x".as_ref(), 0o600)?;
    /// assert_eq!(disk.pictures()[0].note.durable, 2); // two have to survive from here on
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn note(&self, note: Note) {
        self.state().note = note;
    }

    /// The process dies, the machine goes on: locks are free, faults have ended, and what was
    /// written is seen, synced or not.
    ///
    /// ```
    /// # use model_tests::sim_disk::{SimDisk, Storage};
    /// let disk = SimDisk::new();
    /// let mut file = disk.create_new("/x".as_ref(), 0o600)?;
    /// disk.write(&mut file, b"1")?;
    /// assert!(disk.kill().bytes("/x".as_ref()).is_some()); // the machine still has it
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn kill(&self) -> Self {
        let mut state = self.state().clone();
        state.end_process();
        Self::from_state(state)
    }

    /// What programs see of a file.
    ///
    /// ```
    /// # use model_tests::sim_disk::SimDisk;
    /// let disk = SimDisk::new();
    /// disk.put("/x".as_ref(), b"1\n");
    /// assert_eq!(disk.bytes("/x".as_ref()).as_deref(), Some(&b"1\n"[..]));
    /// ```
    #[must_use]
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        let node = state.resolve(path).ok()?;
        state.file(node).ok().map(|file| file.cache.clone())
    }

    /// Whether a file shows bytes that no sync will bring to the platter.
    ///
    /// ```
    /// # use model_tests::sim_disk::{Fault, SimDisk, Storage};
    /// let (disk, path) = (SimDisk::with_sector(1), "/x".as_ref());
    /// let mut file = disk.create_new(path, 0o600)?;
    /// disk.write(&mut file, b"some bytes that are dropped")?;
    /// disk.fail_next(Fault::SyncDrops(7));
    /// assert!(disk.sync(&mut file).is_err());
    /// assert!(disk.sync(&mut file).is_ok() && disk.lies(path)); // the second one proves nothing
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn lies(&self, path: &Path) -> bool {
        let state = self.state();
        let node = state.resolve(path);
        node.is_ok_and(|node| state.file(node).is_ok_and(File::lies))
    }

    /// Turns a range of a file into garbage, on the platter and for readers.
    ///
    /// ```
    /// # use model_tests::sim_disk::SimDisk;
    /// let (disk, path) = (SimDisk::new(), "/x".as_ref());
    /// disk.put(path, b"1234567890");
    /// disk.ruin(path, 2..8);
    /// assert_ne!(disk.bytes(path).as_deref(), Some(&b"1234567890"[..]));
    /// ```
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
    /// ```
    /// # use model_tests::sim_disk::{Crash, SimDisk};
    /// let disk = SimDisk::new();
    /// disk.put("/x".as_ref(), b"1\n");
    /// assert!(disk.crash(&Crash::LOST).bytes("/x".as_ref()).is_some()); // it is on the platter
    /// ```
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
