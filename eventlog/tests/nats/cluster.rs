//! Three servers: the leader killed, then all of them.

use std::time::{Duration, Instant};

use eventlog::{
    EventLog, Seq,
    nats::{self, JetStreamConfig, MirrorConfig},
    writer::{Level, Writer},
};

use crate::{
    Tick, answered,
    mirror::opened,
    server::{Server, cluster, urls},
    tick, versions, wait_until,
};

/// Starts once the servers answer in time, and have found each other if they are several.
pub fn spawn(log: &EventLog<Tick>, config: &JetStreamConfig) -> Writer<Tick> {
    answered(|| nats::blocking_spawn(log, config.clone()))
}

fn leader(nodes: &[Server]) -> usize {
    let leader = nodes[0].with(async |context| {
        let stream = context.get_stream("orders").await.unwrap();
        stream
            .cached_info()
            .cluster
            .clone()
            .unwrap()
            .leader
            .unwrap()
    });
    leader.trim_start_matches('n').parse().unwrap()
}

#[test]
fn n01_a_killed_leader_and_a_killed_cluster_lose_and_double_nothing() {
    let Some(mut nodes) = cluster() else { return };
    let log = EventLog::new(None);
    let config = JetStreamConfig::new(urls(&nodes), "orders")
        .ack_timeout(Duration::from_secs(2))
        .replicas(3);
    let writer = spawn(&log, &config);
    assert_eq!(writer.level(), Level::new(3, false));
    let mirror = MirrorConfig::new(urls(&nodes), "orders").capacity(50_000);
    let mirror = opened(&mirror);
    let mut next = 1;
    let mut append = |count: u64| {
        log.append_batch((next..next + count).map(tick));
        next += count;
        Seq::new(next - 1)
    };
    writer.blocking_stored(append(1_000)).unwrap();

    let killed = leader(&nodes);
    append(5_000);
    nodes[killed].kill();
    let began = Instant::now();
    writer.blocking_stored(append(5_000)).unwrap();
    println!("without its leader for {:?}", began.elapsed());
    nodes[killed].restart();

    append(1_000);
    for node in &mut nodes {
        node.kill();
    }
    append(1_000);
    for node in &mut nodes {
        node.restart();
    }
    let began = Instant::now();
    let last = append(1_000);
    writer.blocking_stored(last).unwrap();
    println!("without all of them for {:?}", began.elapsed());

    wait_until(|| mirror.stats().newest == last);
    let mirrored: Vec<_> = mirror
        .log()
        .replay(0)
        .iter()
        .map(|tick| tick.version)
        .collect();
    assert_eq!(mirrored.len() as u64, last.get());
    assert_eq!(mirror.stats().changes, 0);
    let versions = versions(&nodes[0].lines());
    assert!(
        versions.iter().copied().eq(1..=last.get()),
        "{} lines",
        versions.len()
    );
}
