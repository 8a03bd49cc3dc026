//! W16: the last moments of a writer, of a runtime and of events.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::Duration,
};

use eventlog::disk::{DiskConfig, DiskWriter, run_disk_writer, run_disk_writer_with};
use eventlog::{EventLog, Versioned};
use serde::Serialize;
use tokio::sync::broadcast;

use crate::account::{Event, PATIENCE, append_all, config, event, scripted, stick};
use crate::warnings;

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

/// The drop of its writer waits for the disk, however slow that is.
fn lasting(path: &Path) -> DiskConfig {
    DiskConfig::new(path).drop_timeout(PATIENCE)
}

/// A program that returned from `main` lost what it had just appended: of 60 runs 24 were
/// incomplete.
#[test]
fn w16_what_was_appended_before_the_end_of_a_scope_is_stored() {
    for round in 0..20 {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        {
            let log = EventLog::new(None);
            let _writer = DiskWriter::spawn(&log, lasting(&path)).unwrap();
            append_all(&log, (1..=20).map(event));
        }
        assert_eq!(lines(&path), 20, "round {round}");
    }
}

#[test]
fn w16_a_panic_that_unwinds_past_the_writer_stores_what_came_before() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let ended = catch_unwind(|| {
        let log = EventLog::new(None);
        let _writer = DiskWriter::spawn(&log, lasting(&path)).unwrap();
        append_all(&log, (1..=20).map(event));
        panic!("a bug in the program");
    });
    assert!(ended.is_err());
    assert_eq!(lines(&path), 20);
}

/// One of 50 was refused, because the writer before still had the path.
#[test]
fn w16_after_the_drop_the_path_is_free() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let log = EventLog::new(None);
    for round in 1..=50 {
        let writer = DiskWriter::spawn(&log, lasting(&path)).unwrap();
        let first = log.append(event(round));
        append_all(&log, (0..100).map(event));
        writer.blocking_durable(first).unwrap();
        drop(writer);
        assert_eq!(lines(&path) as u64, log.stats().appended);
    }
}

#[test]
fn w16_dropping_after_a_shutdown_does_not_wait() {
    let config = config("w16-shutdown").drop_timeout(PATIENCE);
    let (log, writer, remote) = scripted(64, &config);
    stick(&log, &remote, event(1));
    writer
        .blocking_shutdown(Duration::ZERO)
        .expect_err("the destination is stuck");
    drop(writer); // would wait for as long as this test may take
    remote.release();
    remote.wait("the line", |state| state.durable.len() == 1);
}

/// An event that has the last handle of a writer drops it on the writer's own thread.
#[test]
fn w16_a_writer_that_is_dropped_on_its_own_thread_does_not_wait_for_itself() {
    #[derive(Clone)]
    struct Holder(Arc<std::sync::Mutex<Option<Box<dyn Send>>>>);
    impl Versioned for Holder {
        fn version(&self) -> u64 {
            1
        }
    }
    impl Serialize for Holder {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            drop(self.0.lock().unwrap().take());
            serializer.serialize_u64(1)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let log = EventLog::new(None);
    let config = DiskConfig::new(&path).drop_timeout(PATIENCE * 10);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    let last = writer.stored(eventlog::Seq::new(1));
    let holder = Holder(Arc::default());
    *holder.0.lock().unwrap() = Some(Box::new(writer));
    log.append(holder);
    assert!(crate::handles::block_on(last).is_ok());
}

/// Of 200 events none was written when the runtime ended before the task had run.
#[test]
fn w16_a_runtime_that_ends_before_the_task_ran_leaves_nothing_unwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let log = Arc::new(EventLog::new(Some(path.clone())));
    let (sender, receiver) = broadcast::channel(64);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.spawn(run_disk_writer_with(log.clone(), receiver, lasting(&path)));
    for version in 1..=200 {
        log.append(event(version));
        sender.send(event(version)).unwrap();
    }
    drop(runtime);
    assert_eq!(
        lines(&path),
        200,
        "the channel lost most, the ring has them"
    );
}

/// The second of two processes never wrote a line, also after the first had ended.
#[tokio::test]
async fn w10_a_channel_waits_for_its_turn_at_a_path() {
    warnings::listen();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let first_log = EventLog::<Event>::new(None);
    let first = DiskWriter::spawn(&first_log, DiskConfig::new(&path)).unwrap();
    let seq = first_log.append(event(1));
    first.durable(seq).await.unwrap();

    let log = Arc::new(EventLog::new(Some(path.clone())));
    let (sender, receiver) = broadcast::channel(64);
    let second = tokio::spawn(run_disk_writer(log.clone(), receiver));
    log.append(event(2));
    sender.send(event(2)).unwrap();
    let refused = |said: Vec<String>| said.iter().any(|text| text.contains("another writer"));
    while !refused(warnings::said(&path)) {
        tokio::task::yield_now().await;
    }
    first.shutdown().await.unwrap();
    drop(sender);
    second.await.unwrap();
    assert_eq!(lines(&path), 2);
}

#[test]
fn a_log_with_a_path_that_nobody_writes_says_so_once() {
    warnings::listen();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("never.log");
    drop(EventLog::<Event>::new(Some(path.clone())));
    assert_eq!(
        warnings::said(&path),
        Vec::<String>::new(),
        "nothing was lost"
    );
    let log = EventLog::new(Some(path.clone()));
    log.append(event(1));
    drop(log);
    let said = warnings::said(&path);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("DiskWriter::spawn"), "{said:?}");
}

/// The first such event ended the writer: of 20,000 events none was on disk.
#[test]
fn w09_an_event_whose_drop_panics_never_ends_the_writer() {
    struct Grenade(u64);
    impl Versioned for Grenade {
        fn version(&self) -> u64 {
            self.0
        }
    }
    impl Serialize for Grenade {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u64(self.0)
        }
    }
    impl Drop for Grenade {
        fn drop(&mut self) {
            assert!(!self.0.is_multiple_of(10), "a bug in the user's Drop");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let log = EventLog::builder().capacity(64).build().unwrap();
    let writer = DiskWriter::spawn(&log, lasting(&path)).unwrap();
    for version in 1..=2000 {
        let appended = catch_unwind(AssertUnwindSafe(|| log.append(Grenade(version))));
        drop(appended);
    }
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(lines(&path), 2000);
    drop(catch_unwind(AssertUnwindSafe(|| drop((writer, log)))));
}

/// The panic's own payload may panic when it is dropped.
#[test]
fn w09_a_panic_within_a_panic_of_serialize_is_a_gap() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("a bug in a payload");
        }
    }
    struct Bad;
    impl Versioned for Bad {
        fn version(&self) -> u64 {
            1
        }
    }
    impl Serialize for Bad {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            std::panic::panic_any(Payload)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let log = EventLog::new(None);
    let writer = DiskWriter::spawn(&log, lasting(&path)).unwrap();
    log.append(Bad);
    writer.blocking_flush(PATIENCE).unwrap_err();
    log.append(Bad);
    writer.blocking_flush(PATIENCE).unwrap_err();
    assert_eq!(
        lines(&path),
        2,
        "each is a gap line, and the writer goes on"
    );
}
