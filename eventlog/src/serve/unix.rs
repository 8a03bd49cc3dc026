//! A Unix socket in its place, for this user only.

use std::{
    fs, io,
    os::unix::{
        fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt},
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
};

/// A socket that was put in its place, and is removed from it at the end.
pub(super) struct Bound {
    path: PathBuf,
    /// Device and number of the file, since another one may be there by then.
    file: (u64, u64),
}

/// Listens at `path`. Others could connect between the making of a socket and the change of its
/// permissions, so it is made in a directory that they cannot enter, and moved to its place.
pub(super) fn bind(path: PathBuf) -> io::Result<(UnixListener, Bound)> {
    make_room(&path)?;
    let mut apart = path.clone().into_os_string();
    apart.push(".new");
    let apart = PathBuf::from(apart);
    let new = apart.join("s");
    // One that was killed here left them.
    fs::remove_file(&new).ok();
    fs::remove_dir(&apart).ok();
    fs::DirBuilder::new().mode(0o700).create(&apart)?;
    let made = UnixListener::bind(&new).and_then(|listener| {
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
        fs::rename(&new, &path)?;
        let file = file_at(&path)?;
        Ok((listener, file))
    });
    fs::remove_file(&new).ok();
    fs::remove_dir(&apart)?;
    let (listener, file) = made?;
    Ok((listener, Bound { path, file }))
}

/// Only what a killed process left is taken away.
fn make_room(path: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !found.file_type().is_socket() {
        let why = "there is something else than a socket in this place; name another one";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    if UnixStream::connect(path).is_ok() {
        let why = "another process listens on this socket; name another one, or end that process";
        return Err(io::Error::new(io::ErrorKind::AddrInUse, why));
    }
    Ok(())
}

fn file_at(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Bound {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Wakes who waits for a client.
    pub(super) fn knock(&self) {
        if file_at(&self.path).is_ok_and(|file| file == self.file) {
            UnixStream::connect(&self.path).ok();
        }
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if file_at(&self.path).is_ok_and(|file| file == self.file) {
            fs::remove_file(&self.path).ok();
        }
    }
}
