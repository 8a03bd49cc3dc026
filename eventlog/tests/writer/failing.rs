//! W06, W07, W09: a destination that fails, fills up, stalls or panics.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use eventlog::disk::{NotStored, Stored};
use eventlog::{EventLog, Seq};

use crate::account::{
    PATIENCE, SYNCED, account, append_all, config, event, missing_of, range, scripted, stick,
};
use crate::script::Step;
use crate::warnings;

fn is_pending(durable: Stored) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    matches!(pin!(durable).poll(&mut context), Poll::Pending)
}

#[test]
fn w06_nothing_is_acknowledged_until_rewritten_bytes_are_synced() {
    let (log, writer, remote) = scripted(64, &config("w06-sync"));
    for _ in 0..3 {
        remote.then(Step::FailSync);
    }
    remote.then(Step::Stall);
    let history: Vec<_> = (1..=5).map(event).collect();
    log.append_batch(history.clone());
    remote.wait_stalled();
    assert!(
        (1..=5)
            .map(Seq::new)
            .all(|seq| is_pending(writer.durable(seq)))
    );
    assert_eq!(writer.stats().failures, 3);
    remote.release();
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(5)));
    assert_eq!(account(&remote.durable(), &history), []);
    assert_eq!(
        remote.lock().writes,
        4,
        "all lines are written again before each sync"
    );
}

#[test]
fn w06_what_was_durable_before_an_error_is_not_written_again() {
    let (log, writer, remote) = scripted(64, &config("w06-partly"));
    remote.then(Step::KeepThenFailWrite(2));
    remote.then(Step::Stall);
    let history: Vec<_> = (1..=5).map(event).collect();
    log.append_batch(history.clone());
    remote.wait_stalled();
    assert_eq!(writer.blocking_durable(Seq::new(2)), Ok(SYNCED));
    assert!(
        (3..=5)
            .map(Seq::new)
            .all(|seq| is_pending(writer.durable(seq)))
    );
    assert!(writer.stats().failing.is_some());
    let missing = vec![range(3, 5)];
    let flushed = writer.blocking_flush(Duration::ZERO);
    assert_eq!(missing_of(flushed), missing);
    remote.release();
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(5)));
    assert_eq!(account(&remote.durable(), &history), []);
    assert!(writer.stats().failing.is_none());
}

#[test]
fn w07_a_full_disk_loses_nothing_that_fits_and_is_reported_once() {
    warnings::listen();
    let config = config("w07-full");
    let (log, writer, remote) = scripted(16, &config);
    for step in 0..50 {
        remote.then(match step % 3 {
            0 => Step::FailWrite,
            1 => Step::KeepThenFailWrite(1),
            _ => Step::FailSync,
        });
    }
    let history: Vec<_> = (1..=1000).map(event).collect();
    // All at once, because a batch of one event that fails after it was kept leaves nothing to try
    // again, and the next success would end the trouble early.
    log.append_batch(history.iter().cloned());
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(1000)));
    assert_eq!(account(&remote.durable(), &history), []);
    assert_eq!(remote.lock().failures, 50);
    let said = warnings::said(config.path());
    assert_eq!(
        said.len(),
        2,
        "one warning when it begins, one when it ends: {said:#?}"
    );
    assert!(said[0].contains("free some space"), "{said:#?}");
    assert!(said[1].contains("written again"), "{said:#?}");
}

/// 10 s of stall at 20,000 events/s, with the default settings.
#[test]
fn w09_the_default_settings_carry_200_000_through_a_stall() {
    let log = std::sync::Arc::new(EventLog::new(None));
    let (script, remote) = crate::script::Script::new();
    let config = eventlog::disk::DiskConfig::new("/nowhere/w09-default.log");
    let writer =
        eventlog::disk::DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
    stick(&log, &remote, event(1));
    let history: Vec<_> = (1..=200_001).map(event).collect();
    // That this comes to an end shows that no append waits for the destination.
    append_all(&log, history[1..].iter().cloned());
    assert!(remote.lock().waiting, "the stall lasted all the while");
    remote.release();
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(200_001)));
    assert_eq!(account(&remote.durable(), &history), []);
}

#[test]
fn w09_a_panicking_destination_ends_the_writer_and_nothing_else() {
    warnings::listen();
    let config = config("w09-panic");
    let (log, writer, remote) = scripted(16, &config);
    let first = log.append(event(1));
    assert_eq!(writer.blocking_durable(first), Ok(SYNCED));
    remote.then(Step::Panic);
    let second = log.append(event(2));
    let stopped = NotStored::Stopped {
        seq: second,
        settled: first,
    };
    assert_eq!(writer.blocking_durable(second), Err(stopped));
    log.append(event(3));
    let missing = vec![range(2, 3)];
    assert_eq!(missing_of(writer.blocking_flush(PATIENCE)), missing);
    assert_eq!(log.events_since(0).len(), 3);
    assert_eq!(
        warnings::said(config.path()).len(),
        1,
        "the writer says that it has ended"
    );

    // Another writer goes on where it ended, and writes no event twice.
    let (script, other) = crate::script::Script::new();
    let writer =
        eventlog::disk::DiskWriter::spawn_to(&log, config.writer().clone(), script).unwrap();
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(Seq::new(3)));
    assert_eq!(account(&other.durable(), &[event(2), event(3)]), []);
}

/// Doubling the longest pause there is once ended the writer with a panic.
#[test]
fn w07_a_pause_without_end_lasts_until_somebody_flushes() {
    let config = config("w07-no-retry").retry_min(Duration::MAX);
    let (log, writer, remote) = scripted(16, &config);
    remote.then(Step::FailWrite);
    let seq = log.append(event(1));
    while remote.lock().failures == 0 {
        std::thread::yield_now();
    }
    assert_eq!(writer.blocking_flush(PATIENCE), Ok(seq));
}

/// A gap line takes the place of what is refused, and nothing is left to refuse where all is stored.
#[test]
fn what_a_destination_refuses_is_one_event() {
    for kept in 0..=1 {
        let (log, writer, remote) = scripted(64, &config("refused"));
        remote.then(Step::KeepThenRefuse(kept));
        log.append(event(1));
        let first = writer.blocking_durable(Seq::new(1));
        assert_eq!(first.is_ok(), kept == 1, "{first:?}");
        log.append(event(2));
        assert_eq!(writer.blocking_durable(Seq::new(2)), Ok(SYNCED));
        let holes = account(&remote.durable(), &[event(1), event(2)]);
        let lost = 1 - kept as u64;
        assert_eq!(holes.len() as u64, lost, "{holes:?}");
        let stats = writer.stats();
        assert_eq!((stats.events, stats.lost), (2 - lost, lost));
        let lines = remote.durable();
        let written = lines.iter().skip(1 - kept).map(|line| line.len() as u64);
        assert_eq!(stats.bytes, written.sum::<u64>());
    }
}
