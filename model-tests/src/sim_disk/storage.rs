//! The operations, as the log asks for them.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::MutexGuard;

use eventlog::disk::{FileId, Stat, Storage};

use super::disk::SimDisk;
use super::fault::{Fault, Op};
use super::node::{Dir, DirOp, File, Node};
use super::random::Random;
use super::state::{Picture, State};

/// An open file of a [`SimDisk`]. Dropping it frees its lock.
pub struct SimFile {
    disk: SimDisk,
    node: usize,
    locked: bool,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimFile")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        if self.locked {
            self.disk.state().locks.remove(&self.node);
        }
    }
}

impl SimDisk {
    fn handle(&self, node: usize) -> SimFile {
        SimFile {
            disk: self.clone(),
            node,
            locked: false,
        }
    }

    /// Counts an operation, lets it stall or fail, runs it, and takes its picture.
    fn change<T>(
        &self,
        op: Op,
        run: impl FnOnce(&mut State, Option<Fault>) -> io::Result<T>,
    ) -> io::Result<T> {
        let hook = self.hooks().change.clone();
        if let Some(hook) = hook {
            hook(op);
        }
        let mut state = self.state();
        let number = state.operations;
        state.operations += 1;
        let lasting = state.lasting.iter().find(|(kind, _)| *kind == op);
        let fault = match lasting {
            Some((_, error)) => Some(Fault::Refuse(*error)),
            None => state.faults.get(&number).copied(),
        };
        let result = match fault {
            Some(Fault::Refuse(error)) => Err(error.into()),
            fault => run(&mut state, fault),
        };
        if let Some(mut pictures) = state.recording.take() {
            let (note, operations) = (state.note, state.operations);
            pictures.push(Picture {
                op,
                operations,
                note,
                state: state.clone(),
            });
            state.recording = Some(pictures);
        }
        result
    }

    /// Writes at a place of the file that has this name.
    pub(crate) fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Op::Write, |state, _| {
            let node = state.resolve(path)?;
            state.file(node)?;
            state.file_mut(node).write_at(offset as usize, bytes);
            Ok(())
        })
    }

    /// Cuts the file that has this name, or has it grow.
    pub(crate) fn resize(&self, path: &Path, len: u64) -> io::Result<()> {
        self.change(Op::Truncate, |state, _| {
            let node = state.resolve(path)?;
            state.file(node)?;
            state.file_mut(node).cut(len as usize);
            Ok(())
        })
    }

    /// Syncs the file that has this name.
    pub(crate) fn sync_path(&self, path: &Path) -> io::Result<()> {
        let mut file = self.open(path)?;
        self.sync(&mut file)
    }

    /// The disk for an operation that only looks.
    fn look(&self) -> MutexGuard<'_, State> {
        let hook = self.hooks().look.clone();
        if let Some(hook) = hook {
            hook();
        }
        let mut state = self.state();
        state.looks += 1;
        state
    }

    fn open(&self, path: &Path) -> io::Result<SimFile> {
        let state = self.look();
        let node = state.resolve(path)?;
        state.file(node)?;
        state.may_read(node)?;
        drop(state);
        Ok(self.handle(node))
    }
}

impl State {
    fn create(&mut self, path: &Path, node: Node) -> io::Result<usize> {
        let (dir, name) = self.parent(path)?;
        if self.dir(dir)?.cache.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let node = self.add(node);
        self.dir_mut(dir).change(DirOp::Add {
            name: name.to_owned(),
            node,
        });
        Ok(node)
    }

    fn stat(&self, node: usize) -> Stat {
        let file = self.file(node).ok();
        Stat {
            id: Some(FileId {
                device: 1,
                number: node as u64,
            }),
            len: file.map_or(0, |file| file.cache.len() as u64),
            links: self.links(node),
            is_file: file.is_some(),
        }
    }
}

impl Storage for SimDisk {
    type File = SimFile;

    fn open_read(&self, path: &Path) -> io::Result<SimFile> {
        self.open(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<SimFile> {
        self.open(path)
    }

    fn create_new(&self, path: &Path, _mode: u32) -> io::Result<SimFile> {
        let create = |state: &mut State, _| state.create(path, Node::File(File::default()));
        self.change(Op::CreateNew, create)
            .map(|node| self.handle(node))
    }

    fn try_lock(&self, path: &Path, _mode: u32) -> io::Result<Option<SimFile>> {
        let lock = |state: &mut State, _| {
            let node = match state.resolve(path) {
                Ok(node) => node,
                Err(_) => state.create(path, Node::File(File::default()))?,
            };
            Ok(state.locks.insert(node).then_some(node))
        };
        let node = self.change(Op::Lock, lock)?;
        Ok(node.map(|node| SimFile {
            disk: self.clone(),
            node,
            locked: true,
        }))
    }

    fn unlock(&self, file: SimFile) {
        drop(file);
    }

    fn write(&self, file: &mut SimFile, bytes: &[u8]) -> io::Result<usize> {
        self.change(Op::Write, |state, fault| {
            let free = usize::try_from(state.free()).unwrap_or(usize::MAX);
            state.refusals += u64::from(free < bytes.len());
            if free == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let most = match fault {
                Some(Fault::Short(count)) => count.max(1),
                _ => usize::MAX,
            };
            let count = bytes.len().min(free).min(most);
            state.file_mut(file.node).append(&bytes[..count]);
            Ok(count)
        })
    }

    fn read_at(&self, file: &SimFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.look();
        state.may_read(file.node)?;
        let most = state.serve(buffer.len())?;
        let bytes = &state.file(file.node)?.cache;
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let count = most.min(bytes.len() - start);
        buffer[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn truncate(&self, _path: &Path, file: &mut SimFile, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.change(Op::Truncate, |state, _| {
            state.file_mut(file.node).cut(len);
            Ok(())
        })
    }

    fn sync(&self, file: &mut SimFile) -> io::Result<()> {
        self.change(Op::Sync, |state, fault| {
            let sector = state.sector;
            let node = state.file_mut(file.node);
            match fault {
                Some(Fault::SyncDrops(seed)) => {
                    node.sync_dropping(sector, &mut Random::new(seed));
                    Err(io::Error::other(
                        "simulated I/O error; unsynced bytes were dropped",
                    ))
                }
                Some(Fault::SyncReverts(seed)) => {
                    node.sync_dropping(sector, &mut Random::new(seed));
                    node.revert();
                    Err(io::Error::other(
                        "simulated I/O error; unsynced bytes were reverted",
                    ))
                }
                _ => {
                    node.sync();
                    Ok(())
                }
            }
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change(Op::SyncDir, |state, _| {
            let node = state.resolve(dir)?;
            state.dir(node)?;
            state.dir_mut(node).sync();
            Ok(())
        })
    }

    fn stat(&self, file: &SimFile) -> io::Result<Stat> {
        Ok(self.look().stat(file.node))
    }

    fn stat_path(&self, path: &Path) -> io::Result<Stat> {
        let state = self.look();
        state.resolve(path).map(|node| state.stat(node))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(Op::Rename, |state, _| {
            let node = state.resolve(from)?;
            let ((dir, from), (other, to)) = (state.parent(from)?, state.parent(to)?);
            if dir != other {
                // The log never needs it, and a crash could then leave a file with two names.
                return Err(io::ErrorKind::Unsupported.into());
            }
            let (from, to) = (from.to_owned(), to.to_owned());
            state.dir_mut(dir).change(DirOp::Rename { from, to, node });
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(Op::Remove, |state, _| {
            state.resolve(path)?;
            let (dir, name) = state.parent(path)?;
            state.dir_mut(dir).change(DirOp::Remove {
                name: name.to_owned(),
            });
            Ok(())
        })
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let create = |state: &mut State, _| state.create(path, Node::Dir(Dir::default()));
        self.change(Op::CreateDir, create).map(drop)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        // One name per look: a file that is renamed meanwhile, from a name that is still to come to
        // one that would have come before, is found under neither, as on a real disk.
        let mut met: Option<(u64, OsString)> = None;
        let mut names = Vec::new();
        loop {
            let state = self.look();
            let node = state.resolve(dir)?;
            state.may_read(node)?;
            let place = |name: &OsString| (state.place(name), name.clone());
            let places = state.dir(node)?.cache.keys().map(place);
            met = places.filter(|place| Some(place) > met.as_ref()).min();
            match &met {
                Some((_, name)) => names.push(name.clone()),
                None => return Ok(names),
            }
        }
    }
}
