//! What is said on the good path, to an operator who asks which file, and how much.

use std::sync::Arc;

use eventlog::EventLog;
use eventlog::disk::{DiskConfig, DiskWriter};

use crate::account::{Event, PATIENCE, event, line};
use crate::warnings::{listen, said, whispered};

#[test]
fn opening_rotation_recovery_and_the_end_of_a_writer_are_told_at_debug_level() {
    listen();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let config = DiskConfig::new(&path)
        .drop_timeout(PATIENCE)
        .max_bytes(2 * line(&event(1)).len() as u64);
    let log = Arc::new(EventLog::new(None));
    let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
    log.append_batch([1, 2, 3].map(event));
    drop(writer);
    let heard = whispered(&path);
    let is_told = |words: &[&str]| {
        let told = |line: &String| words.iter().all(|word| line.contains(word));
        assert!(heard.iter().any(told), "{words:?} in {heard:?}");
    };
    is_told(&["an event log was opened"]);
    is_told(&["a full file was put aside"]);
    is_told(&["settled=3", "ended"]);

    let (_log, recovery) = EventLog::<Event>::recover(&config).unwrap();
    let recovered = whispered(&path);
    let counts = format!(
        "events=3 lost=0 torn_bytes=0 bytes_read={}",
        recovery.bytes_read
    );
    assert!(
        recovered
            .iter()
            .any(|line| line.contains(&counts) && line.contains("recovered")),
        "{counts} in {recovered:?}"
    );
    assert_eq!(said(&path), [""; 0]);
}
