//! W03: order, and a line for every hole.

use std::{sync::Arc, time::Duration};

use eventlog::disk::{self, DiskConfig, DiskWriter, Gap, GapReason, NotStored, Record};
use eventlog::{EventLog, Seq, Versioned};
use proptest::{collection::vec, prelude::*};

use crate::account::{PANICS, PATIENCE, REFUSES, account, append_all, config, event, exited, line};
use crate::account::{SYNCED, missing_of, range, scripted, stick};
use crate::handles::block_on;
use crate::script::{Script, Step};
use crate::warnings;

#[test]
fn w03_what_outgrows_the_backlog_is_one_exact_gap_line() {
    let history: Vec<_> = (1..=100).map(|n| event(1000 + 7 * n)).collect();
    let (log, writer, remote) = scripted(4, &config("w03-events").backlog_events(8));
    stick(&log, &remote, history[0].clone());
    append_all(&log, history[1..].iter().cloned());
    remote.release();

    // Of what the ring evicted 8 are kept, and the ring has 4: 12 of the 99 that came meanwhile.
    let missing = vec![range(2, 88)];
    assert_eq!(missing_of(writer.blocking_flush(PATIENCE)), missing);
    let holes = account(&remote.durable(), &history);
    assert_eq!(holes, [(2..=88, GapReason::Backlog)]);
    let stats = writer.stats();
    assert_eq!((stats.lost, stats.gap_lines, stats.events), (87, 1, 13));
    assert_eq!(writer.blocking_durable(Seq::new(1)), Ok(SYNCED));
    for lost in [2, 88] {
        let seq = Seq::new(lost);
        assert_eq!(writer.blocking_durable(seq), Err(NotStored::Lost { seq }));
    }
    assert_eq!(writer.blocking_durable(Seq::new(89)), Ok(SYNCED));
}

#[test]
fn w03_the_backlog_is_bounded_in_bytes_too() {
    // All of one length.
    let history: Vec<_> = (1001..=1100).map(event).collect();
    let bytes = 10 * line(&history[0]).len();
    let (log, writer, remote) = scripted(4, &config("w03-bytes").backlog_bytes(bytes));
    stick(&log, &remote, history[0].clone());
    append_all(&log, history[1..].iter().cloned());
    remote.release();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    // 10 events' worth of bytes after the ring's 4.
    assert_eq!(
        account(&remote.durable(), &history),
        [(2..=86, GapReason::Backlog)]
    );
}

/// The writer was there in time, and had something else to do.
#[test]
fn w03_what_a_writer_loses_before_its_first_event_is_the_backlogs() {
    let history: Vec<_> = (1..=100).map(event).collect();
    let log = EventLog::builder().capacity(4).build().unwrap();
    let (script, remote) = Script::new();
    remote.then(Step::StallIdle);
    let config = config("w03-first").backlog_events(8).writer().clone();
    let writer = DiskWriter::spawn_to(&log, config, script).unwrap();
    remote.wait_stalled();
    append_all(&log, history.iter().cloned());
    remote.release();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    let holes = account(&remote.durable(), &history);
    assert_eq!(holes, [(1..=88, GapReason::Backlog)]);
}

#[test]
fn w03_what_was_gone_when_the_writer_started_is_told_from_what_it_lost() {
    let history: Vec<_> = (1..=300).map(event).collect();
    let log = EventLog::builder().capacity(4).build().unwrap();
    append_all(&log, history[..100].iter().cloned());
    let (script, remote) = Script::new();
    let config = config("w03-late").backlog_events(8).writer().clone();
    let writer = DiskWriter::spawn_to(&log, config, script).unwrap();
    writer.blocking_flush(PATIENCE).unwrap_err();
    stick(&log, &remote, history[100].clone());
    append_all(&log, history[101..].iter().cloned());
    remote.release();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    let [(missed, GapReason::Missed), (lost, GapReason::Backlog)] =
        &account(&remote.durable(), &history)[..]
    else {
        panic!("{:#?}", remote.durable());
    };
    assert_eq!((missed, lost), (&(1..=96), &(102..=288)));
}

/// Once the writer knows how long lines are, the bound in bytes is one of so many events.
#[test]
fn w03_a_backlog_that_fits_its_bytes_loses_no_line() {
    let history: Vec<_> = (1..=3000).map(event).collect();
    let bytes = 2000 * line(&history[0]).len();
    let (log, writer, remote) = scripted(4, &config("w03-fits").backlog_bytes(bytes));
    for event in &history[..2000] {
        let seq = log.append(event.clone());
        if seq.get() % 100 == 0 {
            writer.blocking_durable(seq).unwrap();
        }
    }
    stick(&log, &remote, history[2000].clone());
    append_all(&log, history[2001..].iter().cloned());
    remote.release();
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(account(&remote.durable(), &history), []);
}

/// Each hole is told with its own reason, also where they touch.
#[test]
fn w03_holes_of_two_kinds_have_two_lines() {
    let mut history: Vec<_> = (1..=9).map(event).collect();
    history[7] = exited(8, REFUSES);
    let (log, writer, remote) = scripted(2, &config("w03-two").backlog_events(0));
    stick(&log, &remote, history[0].clone());
    log.append_batch(history[1..].iter().cloned()); // of these the ring keeps 8 and 9
    remote.release();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    assert_eq!(
        account(&remote.durable(), &history),
        [
            (2..=7, GapReason::Backlog),
            (8..=8, GapReason::Unserializable)
        ]
    );
}

/// Where the first of the missing events is gone, its version is not known; the gap line then says
/// less than it could, and nothing that is not so.
#[test]
fn w03_what_a_cut_off_writer_left_is_counted_by_the_next() {
    let (log, writer, remote) = scripted(
        4,
        &config("w03-left")
            .backlog_events(0)
            .drop_timeout(Duration::ZERO),
    );
    let seq = log.append(event(1));
    writer.blocking_durable(seq).unwrap();
    stick(&log, &remote, event(2));
    append_all(&log, (3..=600).map(event));
    let last = writer.durable(Seq::new(600));
    drop(writer);
    remote.then(Step::FailSync);
    remote.release();
    assert!(
        block_on(last).is_err(),
        "resolves when the thread has ended"
    );
    let (script, next) = Script::new();
    let writer = DiskWriter::spawn_to(&log, config("w03-left").writer().clone(), script).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    let lines = next.durable();
    let gap = Gap::parse(lines[0].trim_end().as_bytes()).unwrap();
    let written = remote.durable().len() as u64;
    assert_eq!((gap.count, gap.max_version), (596 - written, 596));
    assert!(
        (1..596).contains(&written) && gap.min_version <= written + 1,
        "{gap:?}"
    );
}

#[test]
fn what_cannot_be_serialised_is_spoken_of_once() {
    warnings::listen();
    let config = config("w03-spoken-of");
    let (log, writer, _remote) = scripted(64, &config);
    log.append_batch((1..=5).map(|version| exited(version, REFUSES)));
    writer.blocking_flush(PATIENCE).unwrap_err();
    let said = warnings::said(config.path());
    let refused = said.iter().filter(|text| text.contains("cannot serialise"));
    assert_eq!(refused.count(), 1, "{said:#?}");
}

#[test]
fn w03_only_the_event_that_cannot_be_serialised_is_a_gap() {
    let (log, writer, remote) = scripted(64, &config("w03-serialise"));
    let history = [
        exited(1, 0),
        exited(9, REFUSES),
        exited(3, PANICS),
        exited(4, 0),
        exited(5, PANICS),
    ];
    log.append_batch(history.clone());
    let missing = vec![range(2, 3), range(5, 5)];
    assert_eq!(missing_of(writer.blocking_flush(PATIENCE)), missing);
    let reason = GapReason::Unserializable;
    let holes = account(&remote.durable(), &history);
    assert_eq!(holes, [(2..=3, reason), (5..=5, reason)]);

    let seq = log.append(exited(6, 0));
    assert_eq!(
        writer.blocking_durable(seq),
        Ok(SYNCED),
        "the writer goes on"
    );
}

/// A log that lived without a writer for a while has evicted events that no writer will ever see.
/// They were neither counted on disk nor refused an acknowledgement.
#[test]
fn w03_events_gone_before_the_writer_are_counted_not_durable() {
    let log = Arc::new(EventLog::builder().capacity(4).build().unwrap());
    let history: Vec<_> = (1..=10).map(|n| event(10 * n)).collect();
    append_all(&log, history.iter().cloned());
    let (script, remote) = Script::new();
    let writer = DiskWriter::spawn_to(&log, config("w03-before").writer().clone(), script).unwrap();
    let missing = vec![range(1, 6)];
    assert_eq!(missing_of(writer.blocking_flush(PATIENCE)), missing);
    for seq in (1..=6).map(Seq::new) {
        assert_eq!(writer.blocking_durable(seq), Err(NotStored::Lost { seq }));
    }
    assert_eq!(writer.blocking_durable(Seq::new(7)), Ok(SYNCED));
    let lines = remote.durable();
    let gap = Gap::parse(lines[0].trim_end().as_bytes()).unwrap();
    assert_eq!((gap.count, gap.reason), (6, GapReason::Missed));
    assert_eq!((gap.min_version, gap.max_version), (10, 60));
    assert_eq!(account(&lines[1..], &history[6..]), []);
}

/// The same between two writers: what the ring evicted meanwhile was a hole without a line.
#[test]
fn w03_what_was_evicted_between_two_writers_is_counted() {
    let log = Arc::new(EventLog::builder().capacity(4).build().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let config = DiskConfig::new(directory.path().join("x.log"));
    let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
    append_all(&log, (1..=3).map(event));
    assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(3)));
    append_all(&log, (4..=20).map(event));
    let writer = DiskWriter::spawn(&log, config.clone()).unwrap();
    let missing = vec![range(4, 16)];
    assert_eq!(missing_of(writer.blocking_shutdown(PATIENCE)), missing);

    let text = std::fs::read_to_string(config.path()).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
    let history: Vec<_> = (1..=20).map(event).collect();
    assert_eq!(account(&lines, &history), [(4..=16, GapReason::Missed)]);
}

/// One thing that happens to a writer.
#[derive(Clone, Debug)]
enum Op {
    Append(Vec<(u64, i32)>),
    /// These many events come while the destination stalls.
    Stall(usize),
}

fn op() -> impl Strategy<Value = Op> {
    let code = prop_oneof![8 => Just(0), 1 => Just(REFUSES)];
    prop_oneof![
        vec((0..50_u64, code), 1..20).prop_map(Op::Append),
        (0..60_usize).prop_map(Op::Stall),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Versions repeat and fall, events refuse to be serialised, the destination stalls and the
    /// backlog overflows: whatever happens, the lines account for the whole history, and an event
    /// is acknowledged exactly if it has a line.
    #[test]
    fn w03_lines_account_for_any_history(
        ops in vec(op(), 1..12),
        capacity in 1..20_usize,
        backlog in 0..20_usize,
    ) {
        let (log, writer, remote) = scripted(capacity, &config("w03-any").backlog_events(backlog));
        let mut history = Vec::new();
        for op in ops {
            match op {
                Op::Append(events) => {
                    let events = events.into_iter().map(|(version, code)| exited(version, code));
                    for event in events {
                        history.push(event.clone());
                        log.append(event);
                    }
                }
                Op::Stall(count) => {
                    stick(&log, &remote, event(7));
                    history.push(event(7));
                    for n in 0..count as u64 {
                        history.push(event(n));
                        log.append(event(n));
                    }
                    remote.release();
                }
            }
        }
        let flushed = writer.blocking_flush(PATIENCE);
        let holes = account(&remote.durable(), &history);
        let lost: u64 = holes.iter().map(|(range, _)| range.end() - range.start() + 1).sum();
        prop_assert_eq!(flushed.is_ok(), lost == 0);
        prop_assert_eq!(writer.stats().lost, lost);
        for (seq, event) in (1..).zip(&history) {
            let in_hole = holes.iter().any(|(range, _)| range.contains(&seq));
            let acknowledged = writer.blocking_durable(Seq::new(seq)).is_ok();
            prop_assert_eq!(acknowledged, !in_hole, "event {} of version {}", seq, event.version());
        }
    }
}

/// The lines of another log, passed on.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct Relayed(serde_json::Value);

impl Versioned for Relayed {
    fn version(&self) -> u64 {
        1
    }
}

/// An event whose JSON is that of a gap line was once read back as events lost.
#[test]
fn w03_an_event_that_looks_like_a_gap_line_is_still_an_event() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("relay.log");
    let gap = Gap::new(3, 7, 9, GapReason::Backlog);
    let event = Relayed(serde_json::from_str(&gap.to_line()).unwrap());
    let log = Arc::new(EventLog::new(None));
    let config = DiskConfig::new(&path);
    let writer = DiskWriter::spawn(&log, config).unwrap();
    let seq = log.append(event.clone());
    assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(seq));
    let records: Vec<_> = disk::read::<Relayed>(&path).map(Result::unwrap).collect();
    assert_eq!(records, [Record::Event(event)]);
}
