//! W07, W09: directories that cannot be written, and directories that go away.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
    sync::Arc,
    time::Instant,
};

use eventlog::{EventLog, disk::DiskWriter};

use crate::{
    child::{Start, Word},
    system::not_run,
    tools::run,
    writing::{PATIENCE, Step, config, dense, step},
};

/// Somebody whom permissions bind: they do not bind root.
const NOBODY: u32 = 65534;

/// What a child of a user whom permissions bind is started under; the directory is made its own.
fn bound(directory: &Path) -> Result<Vec<&'static str>, String> {
    if run("id", &["-u"]).as_deref() != Ok("0") {
        return Ok(vec![]);
    }
    let under = vec![
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
    ];
    let program = std::env::current_exe().unwrap();
    run(
        "setpriv",
        &[&under[1..], &["test", "-x", program.to_str().unwrap()]].concat(),
    )?;
    chown(directory, Some(NOBODY), Some(NOBODY)).unwrap();
    Ok(under)
}

fn allow(directory: &Path, mode: u32) {
    fs::set_permissions(directory, Permissions::from_mode(mode)).unwrap();
}

/// The files of the log are there and may be written, and their directory may not: the file was
/// full, and nothing more was written.
#[test]
fn w17_a_directory_that_became_read_only_does_not_end_the_log() {
    const TEST: &str = "w17_a_directory_that_became_read_only_does_not_end_the_log";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let under = match bound(directory.path()) {
        Ok(under) => under,
        Err(why) => return not_run(TEST, &why),
    };
    let mut child = Start {
        under: &under,
        up_to: Some(500),
        max_bytes: Some(2000),
        ..Start::PLAIN
    }
    .spawn(&path);
    child.acks(1);
    allow(directory.path(), 0o555);
    child.until(|word| matches!(word, Word::Done { .. }));
    allow(directory.path(), 0o755);
    assert_eq!(dense(&path), 500);
    let len = fs::metadata(&path).unwrap().len();
    assert!(len > 10_000, "{len} bytes");
}

/// The writer once started, and its first event was never durable.
#[test]
fn w14_a_directory_that_cannot_be_written_is_told_at_the_start() {
    const TEST: &str = "w14_a_directory_that_cannot_be_written_is_told_at_the_start";
    let directory = tempfile::tempdir().unwrap();
    let under = match bound(directory.path()) {
        Ok(under) => under,
        Err(why) => return not_run(TEST, &why),
    };
    allow(directory.path(), 0o555);
    let start = Start {
        under: &under,
        up_to: Some(1),
        ..Start::PLAIN
    };
    let mut child = start.spawn(&directory.path().join("x.log"));
    let Some(Word::Refused(text)) = child.next() else {
        panic!("it was not refused");
    };
    assert!(text.contains("let this user write"), "{text}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn w07_a_read_only_directory_made_writable_loses_nothing() {
    const TEST: &str = "w07_a_read_only_directory_made_writable_loses_nothing";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let under = match bound(directory.path()) {
        Ok(under) => under,
        Err(why) => return not_run(TEST, &why),
    };
    let allow = |mode| allow(directory.path(), mode);
    // Of an earlier writer: without it, and unable to make it, this one is refused.
    let lock = directory.path().join("x.log.lock");
    fs::write(&lock, "").unwrap();
    if !under.is_empty() {
        chown(&lock, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    allow(0o555);
    let mut child = Start {
        under: &under,
        up_to: Some(20),
        ..Start::PLAIN
    }
    .spawn(&path);
    assert_eq!(child.next(), Some(Word::Stuck(1)));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    allow(0o755);
    let done = child.until(|word| matches!(word, Word::Done { .. }));
    assert!(
        matches!(done, Word::Done { failures } if failures > 0),
        "{done:?}"
    );
    assert_eq!(dense(&path), 20);
}

#[test]
fn w07_a_directory_removed_and_put_back_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    let path = logs.join("x.log");
    let log = Arc::new(EventLog::<Step>::new(None));
    let writer = DiskWriter::spawn(&log, config(&path)).unwrap();
    let append = |version| writer.blocking_durable(log.append(step(version)));
    append(1).unwrap();
    assert_eq!(dense(&path), 1);

    // Put aside, and a file is in its place: there is nowhere to write to.
    fs::rename(&logs, directory.path().join("aside")).unwrap();
    fs::write(&logs, "").unwrap();
    let seq = log.append(step(2));
    while writer.stats().failing.is_none() {
        std::thread::yield_now();
    }
    fs::remove_file(&logs).unwrap();
    fs::rename(directory.path().join("aside"), &logs).unwrap();
    writer.blocking_durable(seq).unwrap();
    assert_eq!(dense(&path), 2);

    // Removed with all that is in it: those events are gone, and a new file begins.
    fs::remove_dir_all(&logs).unwrap();
    append(3).unwrap();
    append(4).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
    assert_eq!(writer_can_follow(&path), 5);
}

/// Another writer finds the new file in order. Returns the version that it appended.
fn writer_can_follow(path: &Path) -> u64 {
    let (log, _) = EventLog::<Step>::recover(&config(path)).unwrap();
    let log = Arc::new(log);
    let writer = spawn_when_free(&log, path);
    log.append_with(|newest| step(newest.unwrap() + 1));
    writer.blocking_shutdown(PATIENCE).unwrap();
    let (again, _) = EventLog::<Step>::recover(&config(path)).unwrap();
    again.newest_version().unwrap()
}

/// A process that another test starts shares this one's open files, and the lock with them, for as
/// long as it takes to begin its own program.
fn spawn_when_free(log: &Arc<EventLog<Step>>, path: &Path) -> DiskWriter<Step> {
    let began = Instant::now();
    loop {
        match DiskWriter::spawn(log, config(path)) {
            Err(error) if error.is_locked() && began.elapsed() < PATIENCE => {}
            result => return result.unwrap(),
        }
    }
}
