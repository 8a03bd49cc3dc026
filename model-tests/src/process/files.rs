//! Files of the real disk on the simulated one, and back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    sim_disk::{SimDisk, Storage as _},
    subject::case::Case,
};

/// Files that a process finds in its directory.
#[derive(Default)]
pub(crate) struct Found(Vec<(PathBuf, Vec<u8>)>);

impl Found {
    /// All files of a directory.
    pub(crate) fn in_dir(dir: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_file() {
                let name = Path::new("/").join(path.file_name().unwrap_or_default());
                files.push((name, fs::read(&path)?));
            }
        }
        Ok(Self(files))
    }

    pub(super) fn put(&self, disk: &SimDisk) -> io::Result<()> {
        for (path, bytes) in &self.0 {
            disk.create_new(path, 0o600)?;
            disk.write_at(path, 0, bytes)?;
        }
        Ok(())
    }
}

/// What is seen of a simulated disk, as files of a case on the real one.
pub(crate) fn put_down(disk: &SimDisk, case: &Case) -> io::Result<Case> {
    let left = case.afresh();
    copy(disk, Path::new("/"), left.dir()?)?;
    Ok(left)
}

fn copy(disk: &SimDisk, from: &Path, to: &Path) -> io::Result<()> {
    for name in disk.list(from)? {
        let (place, path) = (from.join(&name), to.join(&name));
        if let Some(bytes) = disk.bytes(&place) {
            fs::write(path, bytes)?;
        } else {
            fs::create_dir(&path)?;
            copy(disk, &place, &path)?;
        }
    }
    Ok(())
}
