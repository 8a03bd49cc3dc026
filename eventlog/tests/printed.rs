//! What somebody sees who prints a log's types while looking for a fault.

#![cfg(feature = "derive")]
#![allow(clippy::unwrap_used)]

use std::fmt::Debug;
use std::path::Path;

#[cfg(feature = "disk")]
use eventlog::disk::{DiskConfig, DiskWriter, follow, read};
use eventlog::{EventLog, Seq, Versioned};

/// The smallest event.
#[derive(Versioned, Debug)]
#[cfg_attr(feature = "disk", derive(serde::Serialize, serde::Deserialize))]
struct Tick {
    version: u64,
}

#[track_caller]
fn shows(value: &impl Debug, parts: &[&str]) {
    let text = format!("{value:?}");
    for part in parts {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// A log of three events that retains two.
fn log() -> EventLog<Tick> {
    let log = EventLog::builder().capacity(2).build().unwrap();
    log.append_batch([1, 2, 3].map(|version| Tick { version }));
    log
}

#[test]
fn a_log_shows_its_settings_and_its_state() {
    let builder = EventLog::<Tick>::builder();
    let builder = builder.capacity(3).base_version(7).disk_path("x.log");
    shows(&builder, &["Builder", "capacity: 3", "7", "x.log"]);
    let log = log();
    shows(&log, &["EventLog", "retained: 2", "disk_path: None"]);
    let path = Path::new("x.log");
    assert_eq!(builder.build().unwrap().disk_path(), Some(path));
    assert_eq!(Seq::new(12).to_string(), "12");
}

#[test]
fn a_replay_shows_its_events_and_what_they_cover() {
    let log = log();
    let replay = log.replay(0);
    let newest = format!("{:?}", Tick { version: 3 });
    shows(
        &replay,
        &["Replay", "Truncated", "newest: Some(3)", &newest],
    );
    shows(&replay.iter(), &[&newest]);
    shows(
        &replay.with_cursors(),
        &[&newest, &format!("{:?}", log.cursor())],
    );
}

#[test]
fn a_page_shows_what_it_holds() {
    let page = log().replay(0).take_page(1);
    let oldest = format!("{:?}", Tick { version: 2 });
    shows(&page, &["Page", "Truncated", &oldest, "has_more: true"]);
}

#[test]
fn a_cursor_and_an_epoch_show_the_texts_that_stand_in_files() {
    let log = log();
    let (cursor, epoch) = (log.cursor(), log.epoch());
    assert_eq!(format!("{cursor:?}"), format!("Cursor({cursor})"));
    assert_eq!(format!("{epoch:?}"), format!("Epoch({epoch})"));
}

/// What a person reads for whom an event did not reach the disk, or no writer started.
#[cfg(feature = "disk")]
#[test]
fn a_notice_and_an_error_say_in_words_what_is_the_matter() {
    use eventlog::disk::{Gap, GapReason, Notice};
    let notice = |count| {
        let (name, gap) = (
            "x.log".to_owned(),
            Gap::new(count, 1, 1, GapReason::Unfaithful),
        );
        Notice::Gap { name, gap }.to_string()
    };
    assert_eq!(
        notice(1),
        "1 event never reached the event log x.log (JSON would not give it back as it was); a gap \
         line counts it"
    );
    assert!(notice(2).starts_with("2 events never"), "{}", notice(2));
    let nowhere = DiskWriter::spawn(&log(), DiskConfig::new("")).unwrap_err();
    assert_eq!(
        nowhere.to_string(),
        "the path of the log is empty: give it the name of a file"
    );
    assert!(!nowhere.is_locked());
}

/// What failed stands in a chain of causes, which reporters of errors walk.
#[cfg(feature = "disk")]
#[test]
fn errors_of_a_destination_say_their_cause_once() {
    use eventlog::disk::DiskError;
    use eventlog::writer::{DestinationError, StartError};
    use std::{error::Error, io};

    let failed = || {
        DestinationError::from(DiskError::Io {
            action: "write to",
            path: "x.log".into(),
            source: io::ErrorKind::TimedOut.into(),
        })
    };
    let is_told = |error: &dyn Error| {
        let cause = error.source().unwrap();
        error.to_string().starts_with("cannot write to") && cause.to_string() == "timed out"
    };
    assert!(is_told(&failed()), "{}", failed());
    assert!(is_told(&StartError::Destination(failed())));
    let refused = StartError::Thread(io::ErrorKind::WouldBlock.into());
    assert!(refused.to_string().contains("raise the limit of threads"));
    assert!(refused.source().unwrap().is::<io::Error>());
}

#[cfg(feature = "disk")]
#[test]
fn an_answer_about_missing_events_names_some_and_counts_the_rest() {
    use eventlog::SeqRange;
    use eventlog::writer::{Level, NotStored, WriterConfig};
    let missing = |ranges: u64| {
        let range = |n| SeqRange::new(Seq::new(10 * n), Seq::new(10 * n + 1)).unwrap();
        NotStored::Incomplete {
            missing: (1..=ranges).map(range).collect(),
            failing: None,
            timeout: None,
        }
        .to_string()
    };
    let two = "these events are not stored: 10..=11, 20..=21; those";
    assert!(missing(2).starts_with(two), "{}", missing(2));
    let seven = "40..=41, 50..=51 and 2 more ranges;";
    assert!(missing(7).contains(seven), "{}", missing(7));
    assert_eq!(Level::new(1, true).to_string(), "1 replica, synced");
    assert_eq!(Level::new(3, false).to_string(), "3 replicas, not synced");

    let plain = WriterConfig::new("x");
    shows(&plain, &["notices: none", "bridges: none"]);
    let told = plain.forward_from::<Tick>("x.log").on_notice(|_| ());
    shows(&told, &["notices: listener", "bridges: disk"]);
}

#[test]
fn what_filters_keeps_or_numbers_shows_what_it_has() {
    let log = log();
    let cursor = format!("{:?}", log.cursor());
    let filtered = log.subscribe(eventlog::Start::Now).filter(|_| true);
    shows(&filtered, &["Filtered", &cursor]);
    shows(&log.lease(1), &["Lease", &cursor, "is_revoked: false"]);
    let numbered = eventlog::Numbered::<_>::new(7, "opened");
    shows(
        &numbered,
        &["Numbered", "version: 7", "payload: \"opened\""],
    );
}

#[test]
fn a_subscription_shows_where_it_stands() {
    let log = log();
    let mut subscription = log.subscribe(2);
    let cursor = format!("{:?}", subscription.cursor());
    shows(&subscription, &["Subscription", &cursor, "Complete"]);
    let event = subscription.try_recv().unwrap();
    assert_eq!(format!("{event:?}"), format!("{:?}", Tick { version: 3 }));
}

#[test]
#[cfg(feature = "disk")]
fn a_writer_and_its_readers_show_how_far_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let log = std::sync::Arc::new(log());
    let writer = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
    let wait = writer.durable(Seq::new(3));
    shows(&wait, &["Stored", "3"]);
    shows(&writer.flush(), &["Flush", "to: 3"]);
    writer.blocking_durable(Seq::new(3)).unwrap();
    shows(&writer, &["Writer", "settled: Seq(3)"]);
    drop(writer);

    let len = format!("offset: Some({})", std::fs::metadata(&path).unwrap().len());
    let mut reader = read::<Tick>(&path);
    shows(&reader, &["Reader", "files_left: 1"]);
    assert!(reader.next().is_some());
    shows(&reader, &["x.log", "files_left: 0"]);
    let mut follow = follow::<Tick>(&path);
    assert_eq!(follow.by_ref().count(), 3);
    shows(&follow, &["Follow", "x.log", &len]);
}

#[test]
#[cfg(feature = "unstable-storage")]
fn a_file_log_shows_how_far_it_is() {
    use eventlog::disk::{FileLog, RealStorage};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let file_log = FileLog::detached(RealStorage, &DiskConfig::new(&path)).unwrap();
    shows(&file_log, &["FileLog", "x.log", "Detached", "durable: 0"]);
}
