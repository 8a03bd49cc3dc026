//! What the machine lets a test do.

use std::{io::Write as _, path::Path, time::Instant};

use crate::{tools::run, writing::PATIENCE};

/// Says that a test could not run. The harness swallows what a passing test prints, so this goes
/// past it.
pub fn not_run(test: &str, why: &str) {
    let line = format!("NOT RUN: {test}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// A file system that is unmounted in the end.
pub struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    pub fn tmpfs(at: &'a Path, size: &str) -> Result<Self, String> {
        let options = format!("size={size}");
        run("mount", &["-t", "tmpfs", "-o", &options, "tmpfs", text(at)])?;
        Ok(Self(at))
    }

    pub fn device(device: &str, at: &'a Path) -> Result<Self, String> {
        run("mount", &[device, text(at)])?;
        Ok(Self(at))
    }

    pub fn resize(&self, size: &str) {
        let options = format!("remount,size={size}");
        run("mount", &["-o", &options, text(self.0)]).unwrap();
    }
}

impl Mount<'_> {
    /// Unmounts for good. A process that another test starts has this test's open files for as
    /// long as it takes to begin its own program, so this is tried again.
    pub fn unmount(self) {
        let began = Instant::now();
        while let Err(error) = run("umount", &[text(self.0)]) {
            assert!(began.elapsed() < PATIENCE, "{error}");
        }
        std::mem::forget(self);
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // Out of sight now, and gone when the last file in it is closed.
        if let Err(error) = run("umount", &["--lazy", text(self.0)]) {
            eprintln!("{error}");
        }
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str()
        .expect("temporary directories have plain names")
}
