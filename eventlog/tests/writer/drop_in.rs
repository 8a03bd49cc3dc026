//! `run_disk_writer`: the baseline's call shape.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use eventlog::disk::{Gap, GapReason, run_disk_writer};
use eventlog::{EventLog, Versioned};
use serde::{Serialize, Serializer};
use tempfile::TempDir;
use tokio::{
    sync::{
        broadcast,
        mpsc::{UnboundedSender, unbounded_channel},
    },
    task::JoinHandle,
    time::timeout,
};

use crate::account::{Event, GATES, HELD, PATIENCE, account, event, exited, line};
use crate::warnings;

struct Bench {
    _directory: TempDir,
    path: PathBuf,
    log: Arc<EventLog<Event>>,
    sender: broadcast::Sender<Event>,
    receiver: Option<broadcast::Receiver<Event>>,
}

impl Bench {
    fn new(ring: usize, channel: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        let log = EventLog::builder()
            .capacity(ring)
            .disk_path(&path)
            .build()
            .unwrap();
        let (sender, receiver) = broadcast::channel(channel);
        Self {
            _directory: directory,
            path,
            log: Arc::new(log),
            sender,
            receiver: Some(receiver),
        }
    }

    fn publish(&self, event: &Event) {
        self.log.append(event.clone());
        self.sender.send(event.clone()).unwrap();
    }

    fn publish_all(&self, events: &[Event]) {
        for event in events {
            self.publish(event);
        }
    }

    fn start(&mut self) -> JoinHandle<()> {
        let receiver = self.receiver.take().unwrap();
        tokio::spawn(run_disk_writer(self.log.clone(), receiver))
    }

    /// Runs the writer to its end, and gives back the lines.
    async fn write(mut self) -> Vec<String> {
        let writer = self.start();
        self.end(writer).await
    }

    /// Closes the channel, waits for the writer's end, and gives back the lines.
    async fn end(self, writer: JoinHandle<()>) -> Vec<String> {
        let Self {
            path,
            log,
            sender,
            _directory,
            ..
        } = self;
        drop((sender, log));
        timeout(PATIENCE, writer).await.unwrap().unwrap();
        let text = fs::read_to_string(path).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn w13_leaves_the_baselines_bytes_and_ends_with_the_channel() {
    let bench = Bench::new(64, 64);
    let history: Vec<_> = (1..=30).map(event).collect();
    bench.publish_all(&history);
    let lines = bench.write().await;
    assert_eq!(lines, history.iter().map(line).collect::<Vec<_>>());
}

#[tokio::test]
async fn events_that_were_sent_but_never_appended_are_written() {
    let bench = Bench::new(64, 64);
    bench.publish(&event(1));
    bench.sender.send(event(2)).unwrap();
    bench.publish(&event(3));
    assert_eq!(
        account(&bench.write().await, &[event(1), event(2), event(3)]),
        []
    );
}

#[tokio::test]
async fn what_the_channel_drops_is_taken_from_the_ring() {
    let bench = Bench::new(4096, 4);
    let history: Vec<_> = (1..=1000).map(|n| event(3 * n)).collect();
    bench.publish_all(&history);
    assert_eq!(account(&bench.write().await, &history), []);
}

#[tokio::test]
async fn what_the_ring_has_lost_too_is_counted() {
    let bench = Bench::new(10, 4);
    let history: Vec<_> = (1..=100).map(event).collect();
    bench.publish_all(&history);
    let lines = bench.write().await;
    let gap = Gap::parse(lines[0].trim_end().as_bytes()).unwrap();
    let reason = GapReason::Missed;
    assert_eq!(gap, Gap::new(90, 0, 90, reason));
    assert_eq!(account(&lines[1..], &history[90..]), []);
}

/// What was dropped was never appended, so the ring has something else in its place: the events
/// before it, which have their lines already.
#[tokio::test(flavor = "multi_thread")]
async fn a_ring_with_another_history_is_no_substitute() {
    let mut bench = Bench::new(64, 4);
    let writer = bench.start();
    let second = exited(2, HELD);
    bench.publish_all(&[event(1), second.clone()]);
    GATES.wait_held(HELD);
    bench.log.append(event(9));
    for version in 3..=11 {
        bench.sender.send(event(version)).unwrap();
    }
    bench.publish(&event(12));
    GATES.open(HELD);
    let lines = bench.end(writer).await;
    let mut history: Vec<_> = (1..=12).map(event).collect();
    history[1] = second;
    assert_eq!(account(&lines, &history), [(3..=8, GapReason::Missed)]);
}

async fn written(path: &Path, lines: usize) {
    while fs::read_to_string(path).unwrap_or_default().lines().count() < lines {
        tokio::task::yield_now().await;
    }
}

/// A channel that is empty has not ended.
#[tokio::test]
async fn what_is_sent_after_a_pause_is_written() {
    let mut bench = Bench::new(64, 4);
    let writer = bench.start();
    let history: Vec<_> = (1..=10).map(event).collect();
    for (lines, event) in (1..).zip(&history) {
        bench.publish(event);
        timeout(PATIENCE, written(&bench.path, lines))
            .await
            .unwrap();
    }
    assert_eq!(account(&bench.end(writer).await, &history), []);
}

/// The channel goes on with version 9, which the ring has twice. What was dropped stands before the
/// one that is as far from the last event written as so many were dropped.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_channel_drops_is_told_from_what_looks_like_it() {
    const GATE: i32 = HELD - 1;
    let mut bench = Bench::new(64, 4);
    let writer = bench.start();
    let mut history = [8, 1, 2, 3, 4, 9, 5, 6, 9].map(event);
    history[1] = exited(1, GATE);
    bench.publish_all(&history[..2]);
    GATES.wait_held(GATE);
    bench.publish_all(&history[2..]);
    GATES.open(GATE);
    let lines = bench.end(writer).await;
    assert_eq!(lines, history.iter().map(line).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_path_it_returns_at_once() {
    let (_sender, receiver) = broadcast::channel(4);
    let log = Arc::new(EventLog::<Event>::new(None));
    timeout(PATIENCE, run_disk_writer(log, receiver))
        .await
        .unwrap();
}

/// It used to return only with the next event, which may never come.
#[tokio::test]
async fn a_path_that_cannot_be_opened_is_one_warning_and_a_return() {
    warnings::listen();
    let bench = Bench::new(64, 64);
    fs::create_dir(&bench.path).unwrap();
    let (sender, receiver) = broadcast::channel(4);
    timeout(PATIENCE, run_disk_writer(bench.log.clone(), receiver))
        .await
        .unwrap();
    assert_eq!(sender.receiver_count(), 0);
    bench.publish(&event(1));
    let said = warnings::said(&bench.path);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].contains("move it away or choose another path"),
        "{said:#?}"
    );
    assert_eq!(bench.log.events_since(0), [event(1)]);
}

/// A writer with one event that cannot be written, because a directory stands in place of the log,
/// and that has said so.
async fn stuck() -> (Bench, JoinHandle<()>) {
    warnings::listen();
    let mut bench = Bench::new(64, 64);
    let writer = bench.start();
    bench.publish(&event(1));
    timeout(PATIENCE, written(&bench.path, 1)).await.unwrap();
    fs::remove_file(&bench.path).unwrap();
    fs::create_dir(&bench.path).unwrap();
    bench.publish(&event(2));
    let spoken = async {
        while warnings::said(&bench.path).len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, spoken).await.unwrap();
    (bench, writer)
}

/// Only after the channel's end does it give up.
#[tokio::test]
async fn a_disk_that_fails_for_long_does_not_end_the_writer() {
    let (bench, writer) = stuck().await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    fs::remove_dir(&bench.path).unwrap();
    let path = bench.path.clone();
    timeout(PATIENCE, written(&path, 1)).await.unwrap();
    bench.publish(&event(3));
    let lines = bench.end(writer).await;
    assert!(
        lines.ends_with(&[line(&event(2)), line(&event(3))]),
        "{lines:?}"
    );
}

#[tokio::test]
async fn what_can_be_written_shortly_after_the_end_is() {
    let (began, mut is_late) = (Instant::now(), true);
    // It has five seconds; where the machine took them, nothing is to be said.
    while is_late {
        assert!(began.elapsed() < 5 * PATIENCE, "it was late each time");
        let (mut bench, writer) = stuck().await;
        let closed = Instant::now();
        bench.sender = broadcast::channel(1).0;
        fs::remove_dir(&bench.path).unwrap();
        timeout(PATIENCE, writer).await.unwrap().unwrap();
        is_late = closed.elapsed() >= Duration::from_secs(5);
        // The first event went with its file, unless that was not durable yet.
        let text = fs::read_to_string(&bench.path).unwrap_or_default();
        assert!(is_late || text.ends_with(&line(&event(2))), "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_after_the_end_is_given_up_with_a_word() {
    // Before the channel's end, after which it has little time.
    let (mut bench, writer) = stuck().await;
    let began = Instant::now();
    bench.sender = broadcast::channel(1).0;
    timeout(PATIENCE, writer).await.unwrap().unwrap();
    assert!(
        began.elapsed() > Duration::from_secs(2),
        "it tries for a while"
    );
    let said = warnings::said(&bench.path);
    let last = said.last().unwrap();
    assert!(
        last.contains("1 lines could not be stored in time"),
        "{said:#?}"
    );
}

/// A runtime of one thread goes on while the writer is busy, here with an event that cannot be
/// serialised before the runtime has done something else.
#[tokio::test(flavor = "current_thread")]
async fn the_runtime_is_never_blocked() {
    #[derive(Clone)]
    struct Slow {
        entered: UnboundedSender<()>,
        gate: Arc<Mutex<mpsc::Receiver<()>>>,
    }
    impl Versioned for Slow {
        fn version(&self) -> u64 {
            1
        }
    }
    impl Serialize for Slow {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.entered.send(()).unwrap();
            let opened = self.gate.lock().unwrap().recv_timeout(PATIENCE / 2);
            opened.map_err(serde::ser::Error::custom)?;
            serializer.serialize_u64(1)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x.log");
    let log = Arc::new(EventLog::new(Some(path.clone())));
    let (open, gate) = mpsc::channel();
    let (sender, receiver) = broadcast::channel(4);
    let writer = tokio::spawn(run_disk_writer(log.clone(), receiver));
    let (entered, mut busy) = unbounded_channel();
    let gate = Arc::new(Mutex::new(gate));
    sender.send(Slow { entered, gate }).ok().unwrap();
    busy.recv().await.unwrap();
    open.send(()).unwrap();
    drop(sender);
    timeout(PATIENCE, writer).await.unwrap().unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "1\n");
}
