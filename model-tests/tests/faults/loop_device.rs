//! A file system whose disk refuses what was promised to it: the writes of the page cache fail
//! unseen by the writer, and a sync that is tried again calls them fine.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use eventlog::{EventLog, disk::DiskWriter};

use crate::{
    system::{Mount, not_run, text},
    tools::run,
    writing::{PATIENCE, config, holds, sized},
};

/// A sparse image of 256 MiB in a tmpfs of 40 MiB, formatted and attached.
struct Device(String);

impl Device {
    fn attach(image: &Path) -> Result<Self, String> {
        File::create(image).unwrap().set_len(256 << 20).unwrap();
        let format = ["-q", "-F", "-b", "4096", "-J", "size=4"];
        let eager = ["-E", "lazy_itable_init=0,lazy_journal_init=0", text(image)];
        run("mkfs.ext4", &[&format[..], &eager].concat())?;
        run("losetup", &["--find", "--show", text(image)]).map(Self)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Err(error) = run("losetup", &["--detach", &self.0]) {
            eprintln!("{error}");
        }
    }
}

#[test]
fn w06_pages_that_ext4_drops_are_written_anew() {
    if let Err(why) = drops_pages() {
        not_run("w06_pages_that_ext4_drops_are_written_anew", &why);
    }
}

fn drops_pages() -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let [below, above] = ["below", "above"].map(|name| directory.path().join(name));
    fs::create_dir(&below).unwrap();
    fs::create_dir(&above).unwrap();
    let space = Mount::tmpfs(&below, "40m")?;
    let device = Device::attach(&below.join("image"))?;
    let mounted = Mount::device(&device.0, &above)?;
    let path: PathBuf = above.join("x.log");

    let log = Arc::new(EventLog::new(None));
    let config = config(&path).keep(100).max_bytes(4 << 20);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    let mut version = 0;
    // Up to four events of a block each are under way at a time, as in the experiment.
    while writer.stats().failing.is_none() {
        assert!(version < 20_000, "40 MiB do not hold that many");
        version += 1;
        let seq = log.append(sized(version, 4000));
        if version % 4 == 0 {
            writer.blocking_flush(Duration::from_millis(200)).ok();
        }
        assert_eq!(seq.get(), version);
    }
    let while_full = writer.stats();
    space.resize("400m");
    let flushed = writer.blocking_flush(PATIENCE);
    let acknowledged = writer.stats().settled.get();
    drop(writer);
    // What the page cache shows proves nothing; what is read after mounting again was on the disk.
    mounted.unmount();
    let mounted = Mount::device(&device.0, &above)?;
    holds(&path, acknowledged);
    assert!(while_full.settled.get() <= acknowledged && acknowledged > 0);
    if let Err(error) = flushed {
        return Err(format!(
            "acknowledged events held, but ext4 gave up: {error}"
        ));
    }
    assert_eq!(acknowledged, version);
    mounted.unmount();
    Ok(())
}
