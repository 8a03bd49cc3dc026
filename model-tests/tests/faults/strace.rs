//! System calls that fail because `strace` makes them.

use std::path::{Path, PathBuf};

use crate::{
    child::{Start, Word},
    system::{not_run, text},
    tools,
    writing::dense,
};

/// Runs a child to its 60th event while `inject` is done to it, on these files only. Returns how
/// many attempts have failed; `None` if there is no way to trace.
fn inject(test: &str, inject: &str, files: impl Fn(&Path) -> Vec<PathBuf>) -> Option<u64> {
    if let Err(why) = tools::strace() {
        not_run(test, &why);
        return None;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let calls = inject.split_once(':').unwrap().0;
    let (trace, inject) = (format!("trace={calls}"), format!("inject={inject}"));
    let files = files(&path);
    let mut under = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
    ]
    .to_vec();
    under.extend(files.iter().flat_map(|file| ["-P", text(file)]));
    let start = Start {
        under: &under,
        up_to: Some(60),
        max_bytes: Some(2000),
        ..Start::PLAIN
    };
    let mut child = start.spawn(&path);
    let done = child.until(|word| matches!(word, Word::Done { .. }));
    assert_eq!(dense(&path), 60, "each event once");
    let Word::Done { failures } = done else {
        unreachable!()
    };
    Some(failures)
}

/// Where each is met again while the failure before it is being mended.
#[test]
fn w06_failing_fdatasync_is_survived() {
    let test = "w06_failing_fdatasync_is_survived";
    let anywhere = |_: &Path| vec![];
    if let Some(failures) = inject(test, "fdatasync:error=EIO:when=3+5", anywhere) {
        assert!(failures >= 10, "{failures}");
    }
}

#[test]
fn w06_failing_fsync_of_the_directory_is_survived() {
    let test = "w06_failing_fsync_of_the_directory_is_survived";
    let anywhere = |_: &Path| vec![];
    if let Some(failures) = inject(test, "fsync:error=EIO:when=3+3", anywhere) {
        assert!(failures >= 2, "{failures}");
    }
}

#[test]
fn w07_failing_write_is_survived() {
    let test = "w07_failing_write_is_survived";
    let log = |path: &Path| vec![path.to_path_buf(), path.with_extension("log.tmp")];
    if let Some(failures) = inject(test, "write:error=ENOSPC:when=2+3", log) {
        assert!(failures >= 10, "{failures}");
    }
}

#[test]
fn w08_failing_rename_is_survived() {
    let test = "w08_failing_rename_is_survived";
    let anywhere = |_: &Path| vec![];
    if let Some(failures) = inject(test, "/^rename:error=EACCES:when=1+2", anywhere) {
        assert_eq!(failures, 0, "writing goes on in the full file");
    }
}

/// How often a child that acknowledges 60 events one by one, through rotations, syncs a file.
fn syncs(never_sync: bool) -> Result<usize, String> {
    tools::strace()?;
    let directory = tempfile::tempdir().unwrap();
    let calls = directory.path().join("calls");
    let under = [
        "strace",
        "-f",
        "-qq",
        "-o",
        text(&calls),
        "-e",
        "trace=fdatasync",
    ];
    let start = Start {
        under: &under,
        up_to: Some(60),
        max_bytes: Some(2000),
        never_sync,
    };
    let path = directory.path().join("x.log");
    let mut child = start.spawn(&path);
    child.until(|word| matches!(word, Word::Done { .. }));
    drop(child);
    assert_eq!(dense(&path), 60);
    let calls = std::fs::read_to_string(calls).unwrap();
    Ok(calls.lines().filter(|line| line.contains("= 0")).count())
}

#[test]
fn a_policy_of_never_syncs_only_to_rotate() {
    let counts = syncs(false).and_then(|each| Ok((each, syncs(true)?)));
    match counts {
        Err(why) => not_run("a_policy_of_never_syncs_only_to_rotate", &why),
        Ok((each, never)) => {
            assert!(each >= 60, "every batch: {each}");
            // To rotate, and for the marks of the opening and the rotation.
            assert!((1..=8).contains(&never), "never: {never}");
        }
    }
}
