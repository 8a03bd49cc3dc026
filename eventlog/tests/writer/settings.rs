//! Settings of the disk that are honoured, and those that cannot be meant.

use std::{error::Error as _, fs, sync::Arc, time::Duration};

use eventlog::EventLog;
use eventlog::disk::{
    ConfigError, DiskConfig, DiskWriter, GapReason, Notice, RecoverError, SpawnError,
    run_disk_writer_with,
};
use tokio::sync::broadcast;

use crate::account::{Event, REFUSES, account, event, exited, listening};

/// Writes this history over a channel, and gives back what was told.
async fn write_over_a_channel(config: DiskConfig, history: &[Event]) -> Vec<Notice> {
    let (config, told) = listening(config);
    let log = Arc::new(EventLog::new(None));
    let (sender, receiver) = broadcast::channel(256);
    for event in history {
        log.append(event.clone());
        sender.send(event.clone()).unwrap();
    }
    drop(sender);
    run_disk_writer_with(log, receiver, config).await;
    let told = told.lock().unwrap();
    told.clone()
}

#[tokio::test]
async fn run_disk_writer_with_keeps_its_number_of_files_at_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let history: Vec<_> = (1..=40).map(event).collect();
    let config = DiskConfig::new(&path).max_bytes(500).keep(2);
    assert_eq!(write_over_a_channel(config, &history).await, []);
    let newest_full = directory.path().join("x.log.old");
    let full = fs::read_dir(directory.path()).unwrap();
    let mut files: Vec<_> = full
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("x.log.old.0"))
        .chain([newest_full, path])
        .collect();
    files.retain(|path| path.exists());
    assert_eq!(files.len(), 3, "two full files and the current one");
    let mut lines = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() <= 500, "{}", path.display());
        lines.extend(text.split_inclusive('\n').map(str::to_owned));
    }
    assert!(lines.len() < history.len(), "older files are gone");
    assert_eq!(account(&lines, &history[history.len() - lines.len()..]), []);
}

#[tokio::test]
async fn run_disk_writer_with_tells_its_listener() {
    let directory = tempfile::tempdir().unwrap();
    let config = DiskConfig::new(directory.path().join("x.log"));
    let history = [event(1), exited(2, REFUSES), event(3)];
    let told = write_over_a_channel(config, &history).await;
    let [Notice::Unserializable { .. }, Notice::Gap { gap, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!((gap.count, gap.reason), (1, GapReason::Unserializable));

    // A place where no log can be.
    let told = write_over_a_channel(DiskConfig::new(directory.path()), &history).await;
    let [Notice::Ended { reason, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(
        reason.contains("not a regular file: move it away"),
        "{reason}"
    );
}

/// Settings that cannot be meant, the error, and what it has to say: which setting, and a remedy.
fn senseless(path: &std::path::Path) -> Vec<(DiskConfig, ConfigError, [&'static str; 2])> {
    let config = || DiskConfig::new(path);
    let pauses = config()
        .retry_min(Duration::from_secs(2))
        .retry_max(Duration::from_secs(1));
    vec![
        (
            config().keep(0),
            ConfigError::KeepsNothing,
            ["`keep` is 0", "at least 1 file"],
        ),
        (
            config().max_bytes(0),
            ConfigError::NoRoom,
            ["`max_bytes` is 0", "at least 1 byte"],
        ),
        (
            config().mode(0o400),
            ConfigError::Mode { mode: 0o400 },
            ["`mode` is 0o400", "such as 0o600"],
        ),
        (
            config().mode(0o10_600),
            ConfigError::Mode { mode: 0o10_600 },
            ["`mode` is 0o10600", "such as 0o600"],
        ),
        (
            pauses,
            ConfigError::Pauses,
            ["`retry_max` is below `retry_min`", "raise it"],
        ),
    ]
}

#[tokio::test]
async fn settings_that_cannot_be_meant_are_refused_with_a_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    for (config, expected, parts) in senseless(&path) {
        let is_said = |text: &str| {
            for part in parts {
                assert!(text.contains(part), "{text:?} does not say {part:?}");
            }
        };
        let log = EventLog::<Event>::new(None);
        let error = DiskWriter::spawn(&log, config.clone()).unwrap_err();
        is_said(&error.to_string());
        assert!(
            error
                .to_string()
                .starts_with("cannot start the event log's writer: ")
        );
        assert!(error.source().is_none(), "it is in the text already");
        assert!(
            matches!(error, SpawnError::Config(error) if error == expected),
            "{expected:?}"
        );
        assert_eq!(log.disk_path(), None, "nothing was started");

        let error = EventLog::<Event>::recover(&config).unwrap_err();
        is_said(&error.to_string());
        assert!(
            error
                .to_string()
                .starts_with("cannot recover the event log: ")
        );
        assert_eq!(error, RecoverError::Config(expected));

        let told = write_over_a_channel(config, &[event(1)]).await;
        let [Notice::Ended { reason, .. }] = &told[..] else {
            panic!("{expected:?}: {told:?}");
        };
        is_said(reason);
    }
    let there = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(there, 0, "nothing was made");
}

#[test]
fn settings_at_the_edge_are_meant() {
    let directory = tempfile::tempdir().unwrap();
    let log = EventLog::<Event>::new(None);
    let pause = Duration::from_secs(1);
    let config = DiskConfig::new(directory.path().join("x.log"))
        .keep(1)
        .max_bytes(1)
        .mode(0o600)
        .retry_min(pause)
        .retry_max(pause);
    drop(DiskWriter::spawn(&log, config.clone()).unwrap());
    EventLog::<Event>::recover(&config).unwrap();
}
