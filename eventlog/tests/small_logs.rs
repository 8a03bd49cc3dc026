//! A program may have a log per session: what an empty one takes, and one of a few events.
#![cfg(not(shuttle))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use allocation_counter::measure;
use eventlog::{EventLog, Numbered, Versioned};

/// As large as an event with three strings.
struct Event {
    version: u64,
    _strings: [usize; 9],
}

impl Versioned for Event {
    fn version(&self) -> u64 {
        self.version
    }
}

fn event(version: u64) -> Event {
    Event {
        version,
        _strings: [0; 9],
    }
}

/// Bytes that are allocated by this and not given back.
fn bytes(run: impl FnOnce()) -> u64 {
    u64::try_from(measure(run).bytes_current).unwrap()
}

/// Takes what a process makes once, for the first log of all, such as the system's randomness.
fn warm_up() {
    drop(EventLog::<Event>::new(None));
}

#[test]
fn an_empty_log_takes_no_more_than_512_bytes() {
    warm_up();
    let mut log = None;
    let allocated = bytes(|| log = Some(EventLog::<Event>::new(None)));
    let all = allocated + size_of::<EventLog<Event>>() as u64;
    println!("an empty log: {all} bytes, {allocated} of them allocated");
    assert!(all <= 512, "{all} bytes");
}

#[test]
fn a_log_of_limited_weight_takes_little_more() {
    warm_up();
    let mut log = None;
    let allocated = bytes(|| {
        let builder = EventLog::<Numbered<Vec<u8>>>::builder();
        let builder = builder.max_bytes(1 << 20, |event| event.len() as u64);
        let builder = builder.max_age(std::time::Duration::from_secs(60));
        log = Some(builder.build().unwrap());
    });
    println!("an empty log with limits: {allocated} bytes allocated");
    assert!(allocated <= 768, "{allocated} bytes");
}

#[test]
fn the_first_events_take_no_more_than_their_number_asks_for() {
    warm_up();
    let log = EventLog::<Event>::new(None);
    let slot = size_of::<Event>() as u64 + 16;
    let mut all = 0;
    for version in 1..=1_000_u64 {
        all += bytes(|| {
            log.append(event(version));
        });
        if [1, 7, 8, 100, 1_000].contains(&version) {
            println!(
                "{version} events of {} bytes: {all} bytes",
                size_of::<Event>()
            );
        }
        // At most twice as many slots as events, from the first eight on.
        let most = slot * (2 * version).max(8) + 1_024;
        assert!(all <= most, "{all} bytes for {version} events");
    }
}
