//! `EventLog::recover`: the newest events are in memory again, and subscribers are told the truth
//! across the restart.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use eventlog::disk::{DamageKind, DiskConfig, DiskWriter, Gap, GapReason, RecoverError, Recovery};
use eventlog::{BuildError, Coverage, Epoch, EventLog, Start, Versioned};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// Events of one version are told apart by their number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Versioned)]
enum Event {
    Moved { version: u64, number: usize },
}

fn event(version: u64, number: usize) -> Event {
    Event::Moved { version, number }
}

fn number_of(event: &Event) -> usize {
    let Event::Moved { number, .. } = event;
    *number
}

fn dense(count: u64) -> Vec<Event> {
    (1..=count).map(|version| event(version, 0)).collect()
}

fn lines(events: &[Event]) -> String {
    events
        .iter()
        .map(|event| serde_json::to_string(event).unwrap() + "\n")
        .collect()
}

/// Rises by 0 to 3 an event.
fn rising(steps: &[u64]) -> Vec<Event> {
    let mut version = 2;
    let next = |(number, step): (usize, &u64)| {
        version += step;
        event(version, number)
    };
    steps.iter().enumerate().map(next).collect()
}

struct Place {
    _directory: TempDir,
    config: DiskConfig,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = DiskConfig::new(directory.path().join("x.log"));
        Self {
            _directory: directory,
            config,
        }
    }

    fn with(text: impl AsRef<[u8]>) -> Self {
        let place = Self::new();
        fs::write(place.config.path(), text).unwrap();
        place
    }

    fn path(&self) -> &Path {
        self.config.path()
    }

    fn old(&self) -> PathBuf {
        self.path().with_extension("log.old")
    }

    fn recover(&self, capacity: usize) -> (Arc<EventLog<Event>>, Recovery) {
        let (log, found) = EventLog::builder()
            .capacity(capacity)
            .recover(&self.config)
            .unwrap();
        (Arc::new(log), found)
    }

    /// Appends under a writer, which ends with everything durable.
    fn write(&self, log: &Arc<EventLog<Event>>, events: &[Event]) {
        let writer = DiskWriter::spawn(log, self.config.clone().drop_timeout(PATIENCE)).unwrap();
        for event in events {
            let seq = log.append(event.clone());
            writer.blocking_durable(seq).unwrap();
        }
        writer.blocking_shutdown(PATIENCE).unwrap();
    }
}

fn log(capacity: usize) -> Arc<EventLog<Event>> {
    Arc::new(EventLog::builder().capacity(capacity).build().unwrap())
}

/// All versions at which an answer can change, and the ends of the range.
fn questions(events: &[Event]) -> Vec<u64> {
    let around = |event: &Event| [event.version() - 1, event.version(), event.version() + 1];
    let mut all: Vec<_> = events
        .iter()
        .flat_map(around)
        .chain([0, 1, u64::MAX])
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The answers that a subscriber at each of these versions gets.
fn answers(log: &EventLog<Event>, questions: &[u64]) -> Vec<(u64, Coverage, Vec<Event>)> {
    let answer = |since: &u64| {
        (
            *since,
            log.replay(*since).coverage(),
            log.events_since(*since),
        )
    };
    questions.iter().map(answer).collect()
}

/// A subscriber that is told `Complete` gets exactly what it has not seen of the history.
fn never_falsely_complete(log: &EventLog<Event>, history: &[Event]) -> Result<(), TestCaseError> {
    for (since, coverage, events) in answers(log, &questions(history)) {
        if coverage.is_complete() {
            let owed = history.iter().filter(|event| event.version() > since);
            let owed: Vec<_> = owed.cloned().collect();
            prop_assert_eq!(events, owed, "since {}", since);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// A log that was restarted answers as one that was not, before and after more events, whether
    /// its capacity is above or below what is in the file, and its writer goes on after them.
    #[test]
    fn r04_r08_hold_across_a_restart(
        steps in vec(0..4_u64, 0..40),
        more in vec(0..4_u64, 0..20),
        capacity in 1..50_usize,
    ) {
        let place = Place::new();
        let history = rising(&[steps.clone(), more].concat());
        let (before, after) = history.split_at(steps.len());
        let unbroken = log(capacity);
        place.write(&unbroken, before);
        let (restarted, found) = place.recover(capacity);
        prop_assert_eq!(found.events, before.len().min(capacity) as u64);
        prop_assert!(found.damage.is_empty() && found.torn_bytes == 0 && found.lost == 0);
        let questions = questions(&history);
        prop_assert_eq!(answers(&restarted, &questions), answers(&unbroken, &questions));

        place.write(&restarted, after);
        for event in after {
            unbroken.append(event.clone());
        }
        prop_assert_eq!(answers(&restarted, &questions), answers(&unbroken, &questions));
        prop_assert_eq!(fs::read_to_string(place.path()).unwrap_or_default(), lines(&history));
    }

    /// Rotation has removed the oldest events, and the ring has room for more than is left. The
    /// first event left may have the version of the last one removed.
    #[test]
    fn r04_what_rotation_removed_is_never_promised(
        steps in vec(0..3_u64, 1..60),
        capacity in 1..80_usize,
        keep in 1..3_u32,
    ) {
        let mut place = Place::new();
        place.config = place.config.clone().max_bytes(200).keep(keep);
        let history = rising(&steps);
        place.write(&log(4096), &history);
        let (restarted, _) = place.recover(capacity);
        never_falsely_complete(&restarted, &history)?;
        prop_assert_eq!(restarted.newest_version(), history.last().map(Versioned::version));
        let newest = history.last().unwrap().version();
        prop_assert_eq!(restarted.replay(newest).coverage(), Coverage::Complete);
    }

    /// Where versions fall, the files do not tell which were gone before the restart. What the new
    /// life has had, and evicted since, it knows.
    #[test]
    fn r04_holds_for_all_that_the_new_life_has_had(
        before in vec(1..7_u64, 0..12),
        after in vec(1..7_u64, 0..24),
        capacity in 1..8_usize,
    ) {
        let place = Place::new();
        let history = [before.clone(), after].concat();
        let numbered = history.iter().enumerate().map(|(number, version)| event(*version, number));
        let history: Vec<_> = numbered.collect();
        let (before, after) = history.split_at(before.len());
        place.write(&log(capacity), before);
        let (restarted, found) = place.recover(capacity);
        let gone = before.len() - usize::try_from(found.events).unwrap();
        for event in after {
            restarted.append(event.clone());
            never_falsely_complete(&restarted, &history[gone..=number_of(event)])?;
        }
    }

    /// One line, anywhere, is no event any more; or its file ends in the middle of it.
    #[test]
    fn damage_is_reported_and_never_hidden_by_a_complete(
        steps in vec(0..3_u64, 1..20),
        hit in any::<prop::sample::Index>(),
        capacity in 1..30_usize,
        in_old in any::<bool>(),
        cut in any::<bool>(),
    ) {
        let place = Place::new();
        let history = rising(&steps);
        let hit = hit.index(history.len());
        let text = lines(&history);
        let mut parts: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
        let (half, bytes) = (parts[hit].len() / 2, parts[hit].len());
        let damaged = if cut { half..bytes } else { half..half + 1 };
        parts[hit].replace_range(damaged, if cut { "" } else { "\u{7f}" });
        if cut && !in_old && hit + 1 == history.len() {
            return Ok(()); // a torn tail, which was never acknowledged
        }
        let split = if in_old { hit + 1 } else { 0 };
        if in_old {
            fs::write(place.old(), parts[..split].concat()).unwrap();
        }
        fs::write(place.path(), parts[split..].concat()).unwrap();
        let (restarted, _) = place.recover(capacity);
        never_falsely_complete(&restarted, &history)?;
    }
}

#[test]
fn only_the_end_of_the_file_is_read() {
    let history = dense(100_000);
    let place = Place::with(lines(&history));
    let size = fs::metadata(place.path()).unwrap().len();
    let (log, found) = place.recover(1000);
    assert_eq!(log.events_since(0), history[99_000..]);
    let needed = lines(&history[98_999..]).len() as u64;
    assert!(
        found.bytes_read <= needed + 128 * 1024,
        "{} of {size}",
        found.bytes_read
    );
    assert!(
        found.bytes_read * 10 < size,
        "{} of {size}",
        found.bytes_read
    );
}

#[test]
fn the_ring_is_filled_from_the_full_files_too() {
    let mut place = Place::new();
    place.config = place.config.clone().max_bytes(2000).keep(5);
    place.write(&log(4), &dense(200));
    assert!(place.old().exists());
    let (log, found) = place.recover(150);
    assert_eq!(
        (log.events_since(0), found.events),
        (dense(200)[50..].to_vec(), 150)
    );
    assert_eq!(log.replay(50).coverage(), Coverage::Complete);
    assert!(log.replay_truncated(49));
}

#[test]
fn w05_a_torn_tail_is_counted_and_set_aside_by_the_next_writer() {
    let whole = lines(&dense(3));
    let place = Place::with(whole.clone() + "{\"Moved\":{\"ver");
    let (log, found) = place.recover(10);
    assert_eq!(
        (found.events, found.torn_bytes, found.damage.len()),
        (3, 14, 1)
    );
    assert!(matches!(found.damage[0].kind, DamageKind::TornTail));
    assert_eq!(
        log.replay(0).coverage(),
        Coverage::Complete,
        "it was never acknowledged"
    );

    place.write(&log, &[event(4, 0)]);
    assert_eq!(fs::read_to_string(place.path()).unwrap(), lines(&dense(4)));
    let torn = fs::read_to_string(place.path().with_extension("log.torn")).unwrap();
    assert_eq!(torn, "{\"Moved\":{\"ver");
}

#[test]
fn a_damaged_line_is_reported_with_its_place_and_left_alone() {
    let text = lines(&dense(2)) + "oops\n" + &lines(&[event(4, 0)]);
    let place = Place::with(&text);
    let (log, found) = place.recover(10);
    assert_eq!((found.events, found.damage.len()), (3, 1));
    let damage = &found.damage[0];
    assert_eq!(
        (damage.file.as_path(), damage.offset),
        (place.path(), lines(&dense(2)).len() as u64)
    );
    assert!((0..=3).all(|since| log.replay_truncated(since)));

    place.write(&log, &[event(5, 0)]);
    assert_eq!(
        fs::read_to_string(place.path()).unwrap(),
        text + &lines(&[event(5, 0)])
    );
    assert_eq!(log.replay(5).coverage(), Coverage::Complete);
}

#[test]
fn gap_lines_are_counted_and_whoever_stands_before_one_is_told() {
    let gap = Gap::new(5, 3, 9, GapReason::Backlog);
    let place = Place::with(lines(&dense(2)) + &gap.to_line() + &lines(&[event(10, 0)]));
    let (log, found) = place.recover(10);
    assert_eq!((found.events, found.lost), (3, 5));
    assert!((0..=8).all(|since| log.replay_truncated(since)));
    assert_eq!(log.replay(9).coverage(), Coverage::Complete);
    assert_eq!(log.events_since(9), [event(10, 0)]);
}

/// A subscriber between the lowest and the highest version of a gap has missed some of it, wherever
/// the gap stands: before the first event that the ring takes, or among them.
#[test]
fn a_gap_counts_up_to_its_highest_version() {
    let gap = r#"{"eventlog":{"gap":{"count":3,"first":2,"min_version":7,"max_version":9,"reason":"backlog"}}}"#;
    for capacity in [1, 2, 10] {
        let place = Place::new();
        let (before, after) = (lines(&[event(6, 0)]), lines(&[event(10, 0)]));
        fs::write(place.path(), format!("{before}{gap}\n{after}")).unwrap();
        let (log, _) = place.recover(capacity);
        for since in [7, 8] {
            assert!(log.replay_truncated(since), "{since} with {capacity}");
        }
        assert!(!log.replay_truncated(9), "with {capacity}");
    }
}

#[test]
fn a_path_without_a_file_is_an_empty_log() {
    let place = Place::new();
    let (log, found) = place.recover(10);
    assert_eq!((found.events, found.bytes_read), (0, 0));
    assert_eq!(log.replay(0).coverage(), Coverage::Complete);
    assert_eq!(log.replay(1).coverage(), Coverage::Ahead { newest: 0 });
    assert_eq!(log.disk_path(), Some(place.path()));
    assert!(!place.path().exists());
}

/// The base version was forgotten when there was nothing to recover.
#[test]
fn without_a_file_the_base_version_counts() {
    let place = Place::new();
    let builder = EventLog::<Event>::builder().base_version(100);
    let (log, _) = builder.recover(&place.config).unwrap();
    assert!(log.replay_truncated(99));
    assert_eq!(log.replay(100).coverage(), Coverage::Complete);
    assert!(!log.replay(101).coverage().is_complete());
}

#[test]
fn without_marks_a_cursor_of_before_the_restart_is_foreign() {
    let place = Place::new();
    let before = log(10);
    place.write(&before, &dense(3));
    let mut marks = place.path().as_os_str().to_owned();
    marks.push(".marks");
    fs::remove_file(marks).unwrap();
    let (after, _) = place.recover(10);
    assert_eq!(after.replay(before.cursor()).coverage(), Coverage::Foreign);
}

/// A life without an id of its own leaves marks like any other, and its cursors are known nowhere.
#[test]
fn a_cursor_of_a_life_without_an_epoch_is_foreign_to_the_next() {
    let place = Place::new();
    let nameless = EventLog::builder().epoch(Epoch::new(0)).build().unwrap();
    let nameless = Arc::new(nameless);
    place.write(&nameless, &dense(3));
    let cursor = nameless.cursor();
    drop(nameless);
    let (next, _) = place.recover(8);
    assert_eq!(next.replay(cursor).coverage(), Coverage::Foreign);
    place.write(&next, &[event(4, 0)]);
    let cursor = next.cursor();
    drop(next);
    let (last, _) = place.recover(8);
    assert_eq!(last.replay(cursor).coverage(), Coverage::Complete);
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    for old in [false, true] {
        let place = Place::new();
        let bad = if old {
            place.old()
        } else {
            place.path().to_path_buf()
        };
        fs::create_dir(&bad).unwrap();
        let error = EventLog::<Event>::recover(&place.config).unwrap_err();
        assert!(error.to_string().contains(bad.to_str().unwrap()), "{error}");
    }
    let place = Place::new();
    let error = EventLog::<Event>::builder()
        .capacity(0)
        .recover(&place.config)
        .unwrap_err();
    assert_eq!(error, RecoverError::Build(BuildError::ZeroCapacity));
}

/// What a recovery had left on the disk counted as never having been: everything retained called
/// itself the whole history, and one append later it missed one event, of thousands.
#[test]
fn what_a_recovery_retains_is_not_called_the_whole_history() {
    let place = Place::with(lines(&dense(10)));
    let builder = EventLog::<Event>::builder().capacity(4);
    let (log, _) = builder.recover(&place.config).unwrap();
    let missing_through = |missed_through| Coverage::Truncated {
        missed_through,
        missed: None,
    };
    assert_eq!(log.replay(Start::Oldest).coverage(), missing_through(6));
    log.append(event(11, 0));
    assert_eq!(log.replay(Start::Oldest).coverage(), missing_through(7));
    assert_eq!(log.replay(Start::Oldest).len(), 4);
}

#[test]
fn what_a_recovery_of_everything_retains_is_the_whole_history() {
    let place = Place::with(lines(&dense(4)));
    let (log, _) = EventLog::<Event>::recover(&place.config).unwrap();
    assert_eq!(log.replay(Start::Oldest).coverage(), Coverage::Complete);
}
