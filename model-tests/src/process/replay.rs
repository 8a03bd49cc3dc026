//! What a process did to its directory, played on a simulated disk, whose power can be cut.
//!
//! What the kernel would keep of unsynced changes is not looked at: the simulated disk says what it
//! may lose. Files are found by the paths that a call's descriptors had, so what is done to a file
//! without a name goes by.

use std::{
    collections::HashMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use super::{
    child::MARK,
    files::Found,
    trace::{Call, parse},
};
use crate::sim_disk::{Fault, Note, Picture, SimDisk, Storage as _};

/// An open file of the process.
#[derive(Clone, Copy, Default)]
struct Open {
    position: u64,
    append: bool,
    /// Each write is a sync as well.
    synced: bool,
}

/// A process that is played again.
struct Replay<'a> {
    disk: SimDisk,
    dir: &'a Path,
    open: HashMap<i64, Open>,
    /// What was known to be acknowledged when so many answers had been given.
    acknowledged: &'a [u64],
    answers: usize,
}

/// The disk after every change that a process made in `dir`, by the trace of its calls.
/// `acknowledged[n]` is the newest event that had been acknowledged with its `n`-th answer. The disk
/// is empty at first but for `found`: files that stand there, and are not on the platter.
///
/// Says why where the process did what cannot be played.
pub(crate) fn pictures(
    trace: &Path,
    dir: &Path,
    acknowledged: &[u64],
    found: &Found,
) -> Result<Vec<Picture>, String> {
    let text = fs::read(trace).map_err(|error| format!("no trace: {error}"))?;
    let disk = SimDisk::new();
    found.put(&disk).map_err(|error| error.to_string())?;
    disk.record();
    let mut replay = Replay {
        disk,
        dir,
        open: HashMap::new(),
        acknowledged,
        answers: 0,
    };
    for call in parse(&String::from_utf8_lossy(&text)) {
        replay.play(&call)?;
    }
    if replay.answers == 0 {
        return Err("the trace does not show what the process said".into());
    }
    replay.disk.picture();
    Ok(replay.disk.pictures())
}

/// Whether a thread is in a sync that stalls: one after its first few. A call stands in the trace
/// as soon as it has begun.
pub(crate) fn stalls(trace: &Path, after: usize) -> bool {
    let text = fs::read(trace).unwrap_or_default();
    let mut begun: HashMap<&str, usize> = HashMap::new();
    let text = String::from_utf8_lossy(&text);
    for line in text.lines().filter(|line| line.contains("sync(")) {
        let thread = line.split(' ').next().unwrap_or_default();
        *begun.entry(thread).or_default() += 1;
    }
    begun.values().any(|syncs| *syncs > after)
}

/// How many syncs a trace shows.
pub(crate) fn syncs(trace: &Path) -> Result<usize, String> {
    let text = fs::read(trace).map_err(|error| format!("no trace: {error}"))?;
    let calls = parse(&String::from_utf8_lossy(&text));
    let syncs = calls
        .iter()
        .filter(|call| ["fsync", "fdatasync"].contains(&&call.name[..]));
    Ok(syncs.count())
}

type Played = Result<(), String>;

impl Replay<'_> {
    /// Where a path of the process is on the simulated disk; `None` outside of its directory.
    fn place(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix(self.dir).ok()?;
        let mut place = PathBuf::from("/");
        for component in inside.components() {
            match component {
                Component::Normal(name) => place.push(name),
                Component::ParentDir => {
                    place.pop();
                }
                _ => {}
            }
        }
        Some(place)
    }

    fn is_dir(&self, place: &Path) -> bool {
        self.disk.list(place).is_ok()
    }

    fn play(&mut self, call: &Call) -> Played {
        let name = &call.name[..];
        match name {
            "write" if self.says(call) => return Ok(()),
            "fsync" | "fdatasync" => return self.sync(call),
            _ => {}
        }
        if call.result < 0 {
            return Ok(());
        }
        match name {
            "open" | "creat" => self.opened(call, 0),
            "openat" | "openat2" => self.opened(call, 1),
            "close" => {
                if let Some((descriptor, _)) = call.file(0) {
                    self.open.remove(&descriptor);
                }
                Ok(())
            }
            "dup" | "dup2" | "dup3" => {
                let from = call.file(0).and_then(|(from, _)| self.open.get(&from));
                if let Some(open) = from.copied() {
                    self.open.insert(call.result, open);
                }
                Ok(())
            }
            "lseek" => {
                if let Some(open) = call.file(0).and_then(|(file, _)| self.open.get_mut(&file)) {
                    open.position = call.result.unsigned_abs();
                }
                Ok(())
            }
            "write" | "writev" => self.write(call, None),
            "pwrite64" | "pwritev" | "pwritev2" => self.write(call, call.number(3)),
            "truncate" => self.resize(call.path(0), call.number(1)),
            "ftruncate" => self.resize(call.file(0).map(|(_, path)| path.clone()), call.number(1)),
            "fallocate" => self.grow(call),
            "rename" => self.rename(call.path(0), call.path(1)),
            "renameat" | "renameat2" => self.rename(call.path(1), call.path(3)),
            "unlink" | "rmdir" => self.remove(call.path(0)),
            "unlinkat" => self.remove(call.path(1)),
            "mkdir" => self.make_dir(call.path(0)),
            "mkdirat" => self.make_dir(call.path(1)),
            "sync" | "syncfs" => Err("it syncs whole file systems".into()),
            "mmap" if call.has(2, "PROT_WRITE") && call.has(3, "MAP_SHARED") => {
                self.unseen(call, 4)
            }
            "io_uring_setup" => Err("it writes through io_uring, which no trace shows".into()),
            "link" | "symlink" | "linkat" => Err("it makes links".into()),
            "copy_file_range" | "splice" => self.unseen(call, 2),
            "sendfile" => self.unseen(call, 0),
            _ => Ok(()),
        }
    }

    /// Whether the call is an answer of the child; if so, it counts.
    fn says(&mut self, call: &Call) -> bool {
        let is_output = call.file(0).is_some_and(|(file, _)| file == 1);
        let says = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            text.lines().any(|line| line.starts_with(MARK))
        };
        if !is_output || !call.bytes(1).is_some_and(says) {
            return false;
        }
        let durable = self.acknowledged.get(self.answers).copied();
        self.answers += 1;
        if let Some(durable) = durable {
            let handed = u64::MAX;
            self.disk.note(Note { handed, durable });
        }
        true
    }

    /// The file may be changed in a way that no trace shows.
    fn unseen(&self, call: &Call, at: usize) -> Played {
        match call.file(at).and_then(|(_, path)| self.place(path)) {
            Some(_) => Err(format!(
                "it changes files by `{}`, which no trace shows",
                call.name
            )),
            None => Ok(()),
        }
    }

    fn opened(&mut self, call: &Call, at: usize) -> Played {
        let Some(place) = call.path(at).and_then(|path| self.place(&path)) else {
            return Ok(());
        };
        if self.is_dir(&place) {
            return Ok(());
        }
        let has = |word| call.has(at + 1, word);
        if self.disk.bytes(&place).is_none() {
            self.done(self.disk.create_new(&place, 0o600).map(drop))?;
        } else if has("O_TRUNC") || call.name == "creat" {
            self.done(self.disk.resize(&place, 0))?;
        }
        self.open.insert(
            call.result,
            Open {
                position: 0,
                append: has("O_APPEND"),
                synced: has("O_SYNC") || has("O_DSYNC"),
            },
        );
        Ok(())
    }

    fn write(&mut self, call: &Call, offset: Option<i64>) -> Played {
        let Some((descriptor, path)) = call.file(0) else {
            return Ok(());
        };
        let Some(place) = self.place(path) else {
            return Ok(());
        };
        let count = call.result.unsigned_abs();
        let bytes = call.bytes(1).unwrap_or_default();
        let bytes = bytes
            .get(..count as usize)
            .ok_or("the trace has not all that was written")?;
        let end = self
            .disk
            .bytes(&place)
            .map_or(0, |bytes| bytes.len() as u64);
        let open = self.open.entry(descriptor).or_default();
        let at = match offset {
            _ if open.append => end,
            Some(offset) => offset.unsigned_abs(),
            None => {
                open.position += count;
                open.position - count
            }
        };
        let synced = open.synced;
        self.done(self.disk.write_at(&place, at, bytes))?;
        if synced {
            self.done(self.disk.sync_path(&place))?;
        }
        Ok(())
    }

    fn sync(&mut self, call: &Call) -> Played {
        let Some(place) = call.file(0).and_then(|(_, path)| self.place(path)) else {
            return Ok(());
        };
        let failed = call.result < 0;
        if self.is_dir(&place) {
            return if failed {
                Ok(())
            } else {
                self.done(self.disk.sync_dir(&place))
            };
        }
        if failed {
            // The kernel has dropped what was to be written, and calls it clean.
            self.disk.fail_next(Fault::SyncDrops(u64::MAX));
            let _ = self.disk.sync_path(&place);
            return Ok(());
        }
        self.done(self.disk.sync_path(&place))
    }

    fn resize(&mut self, path: Option<PathBuf>, len: Option<i64>) -> Played {
        let place = path.and_then(|path| self.place(&path));
        match (place, len) {
            (Some(place), Some(len)) => self.done(self.disk.resize(&place, len.unsigned_abs())),
            _ => Ok(()),
        }
    }

    fn grow(&mut self, call: &Call) -> Played {
        let place = call.file(0).and_then(|(_, path)| self.place(path));
        let (Some(place), Some(offset), Some(len)) = (place, call.number(2), call.number(3)) else {
            return Ok(());
        };
        if call.number(1) != Some(0) {
            return Err("it uses `fallocate` in a way that is not known here".into());
        }
        let end = self
            .disk
            .bytes(&place)
            .map_or(0, |bytes| bytes.len() as u64);
        let len = end.max((offset + len).unsigned_abs());
        self.done(self.disk.resize(&place, len))
    }

    fn rename(&mut self, from: Option<PathBuf>, to: Option<PathBuf>) -> Played {
        let place = |path: Option<PathBuf>| path.and_then(|path| self.place(&path));
        match (place(from), place(to)) {
            (Some(from), Some(to)) => self.done(self.disk.rename(&from, &to)),
            (None, None) => Ok(()),
            _ => Err("it moves files into or out of its directory".into()),
        }
    }

    fn remove(&mut self, path: Option<PathBuf>) -> Played {
        match path.and_then(|path| self.place(&path)) {
            Some(place) => self.done(self.disk.remove(&place)),
            None => Ok(()),
        }
    }

    fn make_dir(&mut self, path: Option<PathBuf>) -> Played {
        match path.and_then(|path| self.place(&path)) {
            Some(place) if place != Path::new("/") => self.done(self.disk.create_dir(&place)),
            _ => Ok(()),
        }
    }

    /// What worked there works here, or is not understood.
    #[allow(clippy::unused_self, reason = "it reads as a step of the replay")]
    fn done(&self, result: io::Result<()>) -> Played {
        result.map_err(|error| format!("its system calls cannot be played again: {error}"))
    }
}
