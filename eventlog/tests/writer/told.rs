//! The end of a writer, W16, and what `on_notice` tells.

use std::{
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Wake, Waker},
    time::Duration,
};

use eventlog::disk::{DiskWriter, GapReason, Notice};
use eventlog::{EventLog, Seq};

use crate::account::{
    Event, PATIENCE, REFUSES, SYNCED, account, config, event, exited, listening, missing_of, range,
    scripted, stick,
};
use crate::handles::block_on;
use crate::script::{Remote, Script, Step};

/// Longer than anybody runs a test.
const HOUR: Duration = Duration::from_secs(3600);

fn fails(remote: &Remote, times: usize) {
    for _ in 0..times {
        remote.then(Step::FailWrite);
    }
}

#[test]
fn w16_dropping_the_writer_waits_until_what_was_appended_is_stored() {
    let config = config("w16-drop").drop_timeout(HOUR);
    let (log, writer, remote) = scripted(64, &config);
    fails(&remote, 10);
    let history: Vec<_> = (1..=50).map(event).collect();
    log.append_batch(history.clone());
    drop(writer);
    assert_eq!(account(&remote.durable(), &history), []);
}

#[test]
fn w16_a_program_that_unwinds_has_its_last_events_stored() {
    let config = config("w16-unwinds").drop_timeout(HOUR);
    let (log, writer, remote) = scripted(64, &config);
    fails(&remote, 10);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        let _writer = writer;
        log.append(event(1));
        panic!("a bug in the user's program");
    }));
    assert!(unwound.is_err());
    assert_eq!(account(&remote.durable(), &[event(1)]), []);
}

/// These would take an hour.
#[test]
fn w16_dropping_the_writer_does_not_wait_for_nothing() {
    let config = config("w16-nothing").drop_timeout(HOUR);
    let (log, writer, _remote) = scripted(64, &config);
    log.append(event(1));
    writer.blocking_flush(PATIENCE).unwrap();
    drop(writer);

    let (_log, writer, _remote) = scripted(64, &config);
    drop(writer);

    let (log, writer, remote) = scripted(64, &config);
    stick(&log, &remote, event(1));
    let shutdown = writer.shutdown();
    drop(writer);
    remote.release();
    assert_eq!(
        block_on(shutdown),
        Ok(Seq::new(1)),
        "somebody waits for it already"
    );
}

/// The thread would wait for its own end.
#[test]
fn w16_a_writer_may_be_dropped_on_its_own_thread() {
    type Slot = Mutex<Option<DiskWriter<Event>>>;
    struct Drops(Arc<Slot>);
    impl Wake for Drops {
        fn wake(self: Arc<Self>) {
            drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
    let config = config("w16-own").drop_timeout(HOUR);
    let (log, writer, remote) = scripted(64, &config);
    let seq = stick(&log, &remote, event(1));
    log.append(event(2));
    let mut stored = Box::pin(writer.stored(seq));
    let never = writer.stored(Seq::new(3));
    let slot = Arc::new(Mutex::new(Some(writer)));
    let waker = Waker::from(Arc::new(Drops(slot.clone())));
    let polled = stored.as_mut().poll(&mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    remote.release();
    block_on(never).unwrap_err();
    assert!(slot.lock().unwrap().is_none());
    assert_eq!(account(&remote.durable(), &[event(1), event(2)]), []);
}

fn take(told: &Mutex<Vec<Notice>>) -> Vec<Notice> {
    std::mem::take(&mut *told.lock().unwrap())
}

#[test]
fn each_change_of_state_is_told_once_and_by_name() {
    let (config, told) = listening(config("told-once"));
    let name = config.writer().name().to_owned();
    let (log, writer, remote) = scripted(64, &config);
    for trouble in 0..2 {
        fails(&remote, 5);
        log.append(event(1));
        writer.blocking_flush(PATIENCE).unwrap();
        // The end of the trouble is told before the flush is answered.
        let told = take(&told);
        let [
            Notice::Failing {
                name: failing,
                error,
            },
            Notice::Resumed { name: resumed },
        ] = &told[..]
        else {
            panic!("trouble {trouble}: {told:?}");
        };
        assert_eq!((failing, resumed), (&name, &name));
        assert!(error.contains("/scripted"), "{error}");
        let texts: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert!(
            texts.iter().all(|text| text.contains("told-once.log")),
            "{texts:?}"
        );
    }
    log.append_batch([exited(2, REFUSES), exited(3, REFUSES), event(4)]);
    writer.blocking_flush(PATIENCE).unwrap_err();
    let told = take(&told);
    let [
        Notice::Unserializable { seq, version, .. },
        Notice::Gap { gap, .. },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((*seq, *version), (Seq::new(3), 2));
    assert_eq!(
        (gap.count, gap.first, gap.reason),
        (2, Some(*seq), GapReason::Unserializable)
    );
    drop(writer);
}

#[test]
fn an_end_that_leaves_events_unwritten_is_told_once() {
    let (config, told) = listening(config("told-end").drop_timeout(Duration::ZERO));
    let (log, writer, remote) = scripted(64, &config);
    stick(&log, &remote, event(1));
    let never = writer.stored(Seq::new(1));
    remote.then(Step::FailWrite);
    drop(writer);
    remote.release();
    block_on(never).unwrap_err();
    let told = take(&told);
    let [Notice::Failing { .. }, Notice::Ended { reason, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(reason.contains("1 lines could not be stored"), "{reason}");
}

#[test]
fn a_panic_of_the_destination_is_told_once_and_a_good_end_is_not() {
    for panics in [true, false] {
        let (config, told) = listening(config("told-panic"));
        let (log, writer, remote) = scripted(64, &config);
        if panics {
            remote.then(Step::Panic);
        }
        let seq = log.append(event(1));
        assert_eq!(writer.blocking_stored(seq).is_err(), panics);
        let shut = writer.blocking_shutdown(PATIENCE);
        if panics {
            assert_eq!(missing_of(shut), [range(1, 1)]);
        }
        drop(writer);
        let told = take(&told);
        match &told[..] {
            [Notice::Ended { reason, .. }] if panics => {
                assert!(
                    reason.contains("panicked") && reason.contains("another writer"),
                    "{reason}"
                );
            }
            told => assert!(!panics && told.is_empty(), "{told:?}"),
        }
    }
}

/// It is the user's code, and so is the drop of what it panics with.
#[test]
fn a_listener_that_panics_harms_nothing() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a bug in the payload's drop");
        }
    }
    let calls = Arc::new(Mutex::new(0));
    let config = config("told-panics").on_notice({
        let calls = calls.clone();
        move |_| {
            *calls.lock().unwrap() += 1;
            panic_any(Bomb);
        }
    });
    let log = Arc::new(EventLog::new(None));
    let (script, remote) = Script::new();
    let writer = DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
    fails(&remote, 3);
    let history = [event(1), exited(2, REFUSES), event(3)];
    log.append_batch(history.clone());
    assert_eq!(missing_of(writer.blocking_flush(PATIENCE)), [range(2, 2)]);
    assert_eq!(writer.blocking_stored(Seq::new(3)), Ok(SYNCED));
    assert_eq!(account(&remote.durable(), &history).len(), 1);
    // Failing, resumed, what cannot be serialised, and its gap.
    assert_eq!(*calls.lock().unwrap(), 4);
}
