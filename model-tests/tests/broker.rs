//! N01, N02, N04 and S07: a writer to a broker that loses requests and answers, refuses, is claimed
//! by another client, forgets and stalls.

#![allow(clippy::unwrap_used)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use eventlog::{
    EventLog, EventRef, RecvError, Seq, Start, TryRecvError, Versioned,
    disk::{DiskConfig, DiskWriter, Gap, GapReason, NotStored, Notice},
    writer::{Level, Writer, WriterConfig},
};
use model_tests::sim_broker::{Fault, SimBroker};
use serde::{Deserialize, Serialize, Serializer};

/// More than any correct run takes.
const PATIENCE: Duration = Duration::from_secs(60);
const SYNCED: Level = Level::new(1, true);
const REPLICATED: Level = Level::new(3, false);

#[derive(Clone, Debug, PartialEq, Versioned, Serialize, Deserialize)]
struct Tick {
    version: u64,
    #[serde(serialize_with = "name")]
    name: String,
}

fn name<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if name == "unserializable" {
        return Err(serde::ser::Error::custom("no form"));
    }
    serializer.serialize_str(name)
}

fn tick(version: u64) -> Tick {
    Tick {
        version,
        name: "tick".to_owned(),
    }
}

fn config() -> WriterConfig {
    WriterConfig::new("orders")
        .retry_min(Duration::ZERO)
        .retry_max(Duration::from_millis(1))
        .drop_timeout(Duration::ZERO)
}

fn log_of(versions: impl IntoIterator<Item = u64>) -> EventLog<Tick> {
    let log = EventLog::new(None);
    log.append_batch(versions.into_iter().map(tick));
    log
}

fn versions(broker: &SimBroker) -> Vec<u64> {
    let records = broker.records();
    records
        .iter()
        .map(|record| record.cursor.version())
        .collect()
}

/// All ways to place these faults among the first requests.
fn placements(requests: u32) -> impl Iterator<Item = Vec<Fault>> {
    const FAULTS: [Fault; 3] = [Fault::None, Fault::LoseRequest, Fault::LoseAnswer];
    (0..3_usize.pow(requests)).map(move |mut code| {
        let digit = |_| {
            let fault = FAULTS[code % 3];
            code /= 3;
            fault
        };
        (0..requests).map(digit).collect()
    })
}

#[test]
fn n01_wherever_requests_and_answers_are_lost_the_history_is_the_logs() {
    for faults in placements(6) {
        let broker = SimBroker::new();
        broker.then(faults.clone());
        let log = log_of(1..=4);
        let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
        assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(4)));
        assert_eq!(versions(&broker), [1, 2, 3, 4], "{faults:?}");
    }
}

/// The same faults, and a client that does not look.
#[test]
fn n01_a_client_that_sends_and_hopes_is_caught() {
    let is_wrong = |faults: Vec<Fault>| {
        let broker = SimBroker::new();
        broker.then(faults);
        let log = log_of(1..=4);
        let writer = Writer::spawn_to(&log, config(), broker.naive_destination()).unwrap();
        writer.blocking_shutdown(PATIENCE).unwrap();
        versions(&broker) != [1, 2, 3, 4]
    };
    assert!(placements(3).any(is_wrong));
}

/// Each restart handed a second destination everything again: 100, then 200, then 300 lines.
#[test]
fn n01_a_restart_hands_nothing_over_twice() {
    let broker = SimBroker::new();
    let log = log_of(1..=5);
    for round in 1..=3 {
        let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
        log.append(tick(5 + round));
        writer.blocking_shutdown(PATIENCE).unwrap();
    }
    assert_eq!(versions(&broker), (1..=8).collect::<Vec<_>>());
    // Another life, with events of before in its ring: recovered, say.
    let next = log_of(4..=10);
    let writer = Writer::spawn_to(&next, config(), broker.destination(SYNCED)).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap();
    assert_eq!(versions(&broker), (1..=10).collect::<Vec<_>>());
    let last = broker.records().pop().unwrap().cursor;
    assert_eq!((last.epoch(), last.seq().get()), (next.epoch(), 7));
}

#[test]
fn n01_what_was_evicted_between_two_lives_is_a_gap_in_its_place() {
    let broker = SimBroker::new();
    let log = EventLog::builder().capacity(3).build().unwrap();
    log.append(tick(1));
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap();
    log.append_batch((2..=9).map(tick));
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    let records = broker.records();
    let gaps: Vec<_> = records.iter().map(|record| record.is_gap).collect();
    assert_eq!(gaps, [false, true, false, false, false]);
    let gap = Gap::parse(records[1].line.as_bytes()).unwrap();
    assert_eq!((gap.count, gap.first), (5, Some(Seq::new(2))));
    assert_eq!(records[1].cursor.seq(), Seq::new(6));
    assert_eq!(versions(&broker)[2..], [7, 8, 9]);
}

/// A fenced writer tried again for ever, and nobody was told.
#[test]
fn n02_of_two_writers_the_first_is_fenced_and_ends() {
    let broker = SimBroker::new();
    let log = log_of([1]);
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = said.clone();
    let listening = config().on_notice(move |notice| heard.lock().unwrap().push(notice.clone()));
    let first = Writer::spawn_to(&log, listening, broker.destination(SYNCED)).unwrap();
    first.blocking_stored(Seq::new(1)).unwrap();

    let other = log_of([1]);
    let second = Writer::spawn_to(&other, config(), broker.destination(SYNCED)).unwrap();
    let seq = log.append(tick(2));
    let refused = first.blocking_stored(seq).unwrap_err();
    assert!(matches!(refused, NotStored::Fenced { .. }), "{refused}");
    assert!(refused.to_string().contains("orders"), "{refused}");
    assert!(first.blocking_shutdown(PATIENCE).is_err(), "it has ended");
    let said = said.lock().unwrap();
    let ended = |notice: &&Notice| matches!(notice, Notice::Ended { .. });
    assert_eq!(said.iter().filter(ended).count(), 1, "{said:?}");

    let seq = other.append(tick(3));
    assert_eq!(second.blocking_stored(seq), Ok(SYNCED));
    assert_eq!(versions(&broker), [1, 3], "nothing of the fenced one");
}

/// Whatever is lost on the way, and whenever the second one claims: what was acknowledged to either
/// is there once, and nothing to the first after the claim.
#[test]
fn n02_wherever_requests_and_answers_are_lost_one_writer_is_acknowledged() {
    for (faults, before) in placements(5).flat_map(|faults| [(faults.clone(), 0), (faults, 2)]) {
        let broker = SimBroker::new();
        broker.then(faults.clone());
        let log = log_of(1..=before);
        let first = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
        if before > 0 {
            first.blocking_flush(PATIENCE).unwrap();
        }
        let other = log_of(101..=101);
        let second = Writer::spawn_to(&other, config(), broker.destination(SYNCED)).unwrap();
        let fenced = first.blocking_stored(log.append(tick(50)));
        assert!(
            matches!(fenced, Err(NotStored::Fenced { .. })),
            "{faults:?}"
        );
        second.blocking_stored(other.append(tick(102))).unwrap();
        let expected: Vec<_> = (1..=before).chain(101..=102).collect();
        assert_eq!(versions(&broker), expected, "{faults:?}");
        assert!(first.blocking_shutdown(PATIENCE).is_err());
    }
}

#[test]
fn a_refused_record_gives_its_place_to_a_gap() {
    let broker = SimBroker::new();
    broker.limit(150);
    let log = log_of([1]);
    log.append(Tick {
        version: 2,
        name: "x".repeat(200),
    });
    log.append(tick(3));
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    writer.blocking_shutdown(PATIENCE).unwrap_err();
    let records = broker.records();
    let gap = Gap::parse(records[1].line.as_bytes()).unwrap();
    assert_eq!((gap.count, gap.reason), (1, GapReason::Refused));
    assert_eq!((gap.min_version, gap.max_version), (2, 2));
    assert_eq!(versions(&broker), [1, 2, 3]);
    let seq = Seq::new(2);
    assert_eq!(writer.blocking_stored(seq), Err(NotStored::Lost { seq }));
}

/// Losses are noted when events are taken, refusals when they are sent: an event that was refused
/// was called stored, because a later one of its batch was noted as lost before it.
#[test]
fn a_refused_event_before_one_without_a_form_is_not_called_stored() {
    let broker = SimBroker::new();
    broker.limit(150);
    let log = EventLog::new(None);
    let named = |version, name: &str| Tick {
        version,
        name: name.to_owned(),
    };
    let (huge, unserializable) = ("x".repeat(200), "unserializable");
    log.append_batch([
        tick(1),
        named(2, &huge),
        named(3, unserializable),
        tick(4),
        named(5, unserializable),
        named(6, &huge),
        tick(7),
    ]);
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    let mut reader = writer.subscribe(0);
    writer.blocking_flush(PATIENCE).unwrap_err();
    for seq in (1..=7).map(Seq::new) {
        let expected = match seq.get() {
            2 | 3 | 5 | 6 => Err(NotStored::Lost { seq }),
            _ => Ok(SYNCED),
        };
        assert_eq!(writer.blocking_stored(seq), expected);
    }
    let stats = writer.stats();
    assert_eq!((stats.events, stats.lost), (3, 4));
    let mut delivered = Vec::new();
    let end = loop {
        match reader.try_recv() {
            Ok(event) => delivered.push(Ok(event.version)),
            Err(TryRecvError::Lagged(lost)) => delivered.push(Err(lost)),
            Err(end) => break end,
        }
    };
    assert_eq!(end, TryRecvError::Empty);
    assert_eq!(delivered, [Ok(1), Err(2), Ok(4), Err(2), Ok(7)]);
}

/// The event that was refused was called lost, as if a gap line counted it, and the writer's
/// counters did not say why it had ended.
#[test]
fn a_destination_that_refuses_the_gap_as_well_ends_the_writer() {
    let broker = SimBroker::new();
    let log = log_of([1]);
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    writer.blocking_flush(PATIENCE).unwrap();
    broker.limit(1);
    let refused_seq = log.append(tick(2));
    for seq in [refused_seq, log.append(tick(3))] {
        let refused = writer.blocking_stored(seq).unwrap_err();
        assert!(matches!(refused, NotStored::Refused { .. }), "{refused}");
    }
    let failing = writer.stats().failing.unwrap();
    assert!(failing.contains("bytes are too many"), "{failing}");
}

/// Event 1 of 1,000 was told stored when all of them were, 1.25 s later.
#[test]
fn what_is_stored_is_acknowledged_before_the_rest_of_its_batch() {
    let broker = SimBroker::new();
    broker.stall_at(3);
    let log = log_of(1..=10);
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    broker.wait_stalled();
    for seq in 1..=3 {
        assert_eq!(writer.blocking_stored(Seq::new(seq)), Ok(SYNCED));
    }
    assert_eq!(writer.missing().map(eventlog::SeqRange::len), Some(7));
    broker.release();
    assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(10)));
}

#[test]
fn n04_what_is_not_synced_is_stored_and_never_durable() {
    let broker = SimBroker::new();
    let log = log_of([1]);
    let writer = Writer::spawn_to(&log, config(), broker.destination(REPLICATED)).unwrap();
    let seq = Seq::new(1);
    assert_eq!(writer.level(), REPLICATED);
    assert_eq!(writer.blocking_stored(seq), Ok(REPLICATED));
    let level = REPLICATED;
    assert_eq!(
        writer.blocking_durable(seq),
        Err(NotStored::NotSynced { seq, level })
    );
    // And indeed: the power goes, and the event with it. That is noticed and said.
    broker.restart();
    let next = log.append(tick(2));
    let refused = writer.blocking_stored(next).unwrap_err();
    assert!(
        refused.to_string().contains("forgotten 1 stored"),
        "{refused}"
    );
}

#[test]
fn s07_nothing_is_delivered_before_it_is_stored() {
    let broker = SimBroker::new();
    broker.stall_at(2);
    let log = log_of(1..=4);
    let before = log.cursor();
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    let starts = [
        (Start::Oldest, 1),
        (Start::After(1), 2),
        (Start::Cursor(before), 5),
        (Start::After(4), 5),
    ];
    let mut readers = starts.map(|(start, first)| (writer.subscribe(start), first));
    broker.wait_stalled();
    writer.blocking_stored(Seq::new(2)).unwrap();
    let mut now = writer.subscribe(Start::Now);
    for (reader, first) in &mut readers {
        assert!(reader.coverage().is_complete());
        for version in *first..=2 {
            assert_eq!(reader.try_recv().unwrap().version, version);
        }
        assert_eq!(reader.try_recv().err(), Some(TryRecvError::Empty));
    }
    assert_eq!(now.try_recv().err(), Some(TryRecvError::Empty));
    broker.release();
    log.append(tick(5));
    writer.blocking_flush(PATIENCE).unwrap();
    log.close();
    for (reader, first) in &mut readers {
        let versions: Vec<_> = std::iter::from_fn(|| reader.try_recv().ok())
            .map(|event| event.version)
            .collect();
        assert_eq!(versions, ((*first).max(3)..=5).collect::<Vec<_>>());
        assert_eq!(reader.blocking_recv().err(), Some(RecvError::Closed));
    }
    let batch = now.blocking_recv_batch().unwrap();
    assert_eq!(batch.len(), 3, "what was stored after the look, at once");
}

#[test]
fn s07_what_was_lost_is_counted_and_never_delivered() {
    let broker = SimBroker::new();
    let log = log_of([1]);
    for version in [2, 3] {
        log.append(Tick {
            version,
            name: "unserializable".to_owned(),
        });
    }
    log.append(tick(4));
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    let mut reader = writer.subscribe(0);
    assert_eq!(reader.blocking_recv().unwrap().version, 1);
    assert_eq!(reader.blocking_recv().err(), Some(RecvError::Lagged(2)));
    let next = reader.blocking_recv().unwrap();
    assert_eq!((next.version, EventRef::seq(&next)), (4, Seq::new(4)));
    drop(writer);
    assert_eq!(reader.blocking_recv().err(), Some(RecvError::Closed));
}

#[test]
fn s07_what_the_ring_evicts_while_it_waits_is_told_once_it_is_stored() {
    let broker = SimBroker::new();
    broker.stall_at(1);
    let log = EventLog::builder().capacity(4).build().unwrap();
    log.append(tick(1));
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    let mut reader = writer.subscribe(0);
    assert_eq!(reader.blocking_recv().unwrap().version, 1);
    log.append(tick(2));
    broker.wait_stalled();
    log.append_batch((3..=20).map(tick));
    assert_eq!(reader.try_recv().err(), Some(TryRecvError::Empty));
    broker.release();
    writer.blocking_flush(PATIENCE).unwrap();
    assert_eq!(versions(&broker), (1..=20).collect::<Vec<_>>());
    assert_eq!(reader.blocking_recv().err(), Some(RecvError::Lagged(15)));
    let rest: Vec<_> = std::iter::from_fn(|| reader.try_recv().ok())
        .map(|event| event.version)
        .collect();
    assert_eq!(rest, [17, 18, 19, 20]);
}

/// Many that wait, each in a way of its own; one store moves them all on.
#[tokio::test]
async fn s07_a_thousand_subscribers_are_woken_by_what_is_stored() {
    let broker = SimBroker::new();
    let log = EventLog::<Tick>::new(None);
    let writer = Writer::spawn_to(&log, config(), broker.destination(SYNCED)).unwrap();
    let tasks: Vec<_> = (0..1000)
        .map(|_| {
            let mut reader = writer.subscribe(Start::Now);
            tokio::spawn(async move { reader.recv().await.map(|event| event.version) })
        })
        .collect();
    tokio::task::yield_now().await;
    log.append(tick(7));
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(7));
    }
}

/// An outage that lasts longer than the backlog was a gap, although the events lay on the disk.
#[test]
fn n01_what_the_backlog_cannot_keep_is_forwarded_from_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let broker = SimBroker::new();
    let log = EventLog::builder().capacity(4).build().unwrap();
    let disk = DiskWriter::spawn(&log, DiskConfig::new(&path).max_bytes(2_000).keep(9)).unwrap();
    let forward = config().backlog_events(2).forward_from::<Tick>(&path);
    let writer = Writer::spawn_to(&log, forward, broker.destination(SYNCED)).unwrap();
    let mut next = 1;
    let mut append = |count| {
        for _ in 0..count {
            log.append(tick(next));
            next += 1;
            disk.blocking_flush(PATIENCE).unwrap();
        }
    };
    append(3);
    writer.blocking_flush(PATIENCE).unwrap();
    for _ in 0..3 {
        broker.stall_at(broker.records().len());
        append(1);
        broker.wait_stalled();
        append(50); // over several files
        broker.release();
        writer.blocking_flush(PATIENCE).unwrap();
        append(2);
    }
    assert_eq!(writer.blocking_shutdown(PATIENCE), Ok(Seq::new(162)));
    assert_eq!(versions(&broker), (1..=162).collect::<Vec<_>>());
    assert_eq!((writer.stats().lost, writer.stats().gap_lines), (0, 0));
}

/// What the disk does not have is a gap, in its place among what it has.
#[test]
fn n01_what_the_disk_does_not_have_either_is_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let broker = SimBroker::new();
    let log = EventLog::builder().capacity(4).build().unwrap();
    let disk = DiskWriter::spawn(&log, DiskConfig::new(&path)).unwrap();
    let forward = config().backlog_events(0).forward_from::<Tick>(&path);
    let writer = Writer::spawn_to(&log, forward, broker.destination(SYNCED)).unwrap();
    log.append(tick(1));
    writer.blocking_flush(PATIENCE).unwrap();
    broker.stall_at(1);
    log.append(tick(2));
    broker.wait_stalled();
    for version in 3..=10 {
        let name = if version == 6 {
            "unserializable"
        } else {
            "tick"
        };
        log.append(Tick {
            version,
            name: name.to_owned(),
        });
    }
    disk.blocking_flush(PATIENCE).unwrap_err();
    disk.blocking_shutdown(PATIENCE).unwrap();
    log.append_batch((11..=20).map(tick));
    broker.release();
    writer.blocking_flush(PATIENCE).unwrap_err();
    let records = broker.records();
    let gaps = records.iter().filter(|record| record.is_gap);
    let gaps: Vec<_> = gaps
        .map(|record| Gap::parse(record.line.as_bytes()).unwrap())
        .map(|gap| (gap.first.unwrap().get(), gap.count, gap.reason))
        .collect();
    let backlog = GapReason::Backlog;
    assert_eq!(gaps, [(6, 1, GapReason::Unserializable), (11, 6, backlog)]);
    let events = records.iter().filter(|record| !record.is_gap);
    let events: Vec<_> = events.map(|record| record.cursor.version()).collect();
    assert_eq!(events, [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 18, 19, 20]);
}
