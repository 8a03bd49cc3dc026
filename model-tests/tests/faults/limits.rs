//! W07: disks that are full, and files that may not grow, until they may.

use std::{fs, sync::Arc, time::Duration};

use eventlog::{EventLog, disk::DiskWriter};

use crate::{
    child::{Start, Word},
    system::{Mount, not_run},
    tools::{self, run},
    writing::{PATIENCE, config, dense, holds, step},
};

#[test]
fn w07_a_full_disk_that_is_enlarged_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mount = match Mount::tmpfs(directory.path(), "64k") {
        Ok(mount) => mount,
        Err(why) => return not_run("w07_a_full_disk_that_is_enlarged_loses_nothing", &why),
    };
    let path = directory.path().join("x.log");
    let log = Arc::new(EventLog::new(None));
    let writer = DiskWriter::spawn(&log, config(&path)).unwrap();
    let mut version = 0;
    while writer.stats().failing.is_none() {
        assert!(version < 10_000, "64 KiB do not hold that many");
        for _ in 0..10 {
            version += 1;
            log.append(step(version));
        }
        // Fails in the end, and says when; until then it keeps the test from running ahead.
        writer.blocking_flush(Duration::from_millis(100)).ok();
    }
    // What fits is on disk, and what was acknowledged is among it.
    let settled = writer.stats().settled.get();
    assert!(settled > 0, "the disk is filled to its last whole line");
    holds(&path, settled);
    for _ in 0..5000 {
        version += 1;
        log.append(step(version));
    }
    writer
        .blocking_flush(Duration::from_millis(10))
        .unwrap_err();
    holds(&path, settled);

    mount.resize("16m");
    assert_eq!(
        writer.blocking_shutdown(PATIENCE).map(eventlog::Seq::get),
        Ok(version)
    );
    assert_eq!(dense(&path), version);
    drop(log);
}

#[test]
fn w07_a_limit_on_the_files_size_that_is_raised_loses_nothing() {
    const TEST: &str = "w07_a_limit_on_the_files_size_that_is_raised_loses_nothing";
    if let Err(why) = tools::prlimit() {
        return not_run(TEST, &why);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    // Exceeding the limit is a signal, which kills unless it is ignored; then it is an error.
    let under = [
        "sh",
        "-c",
        "trap '' XFSZ; exec prlimit --fsize=10000: -- \"$0\" \"$@\"",
    ];
    let mut child = Start {
        under: &under,
        up_to: Some(300),
        ..Start::PLAIN
    }
    .spawn(&path);
    child.until(|word| matches!(word, Word::Stuck(_)));
    holds(&path, child.acknowledged);
    let len = fs::metadata(&path).unwrap().len();
    assert!(
        (9_800..=10_000).contains(&len),
        "filled to the last whole line: {len} bytes"
    );

    run("prlimit", &["--pid", &child.id(), "--fsize=1000000:"]).unwrap();
    let done = child.until(|word| matches!(word, Word::Done { .. }));
    assert!(
        matches!(done, Word::Done { failures } if failures > 0),
        "{done:?}"
    );
    assert_eq!(dense(&path), 300);
}
