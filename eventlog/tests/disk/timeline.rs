//! What the marks say of the lines: when, which, and whether intact; and what is read by them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use eventlog::disk::{
    Damage, DamageKind, DiskConfig, DiskWriter, Follow, Lines, Stamp, Time, Timeline, follow, read,
    replay_after,
};
use eventlog::{Coverage, Cursor, EventLog, Seq, Versioned};
use serde::{Deserialize, Serialize};

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Versioned)]
struct Tick {
    version: u64,
}

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
    config: DiskConfig,
}

impl Place {
    /// Files of about seven lines, each batch with a mark.
    fn new(keep: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        Self {
            config: DiskConfig::new(&path)
                .max_bytes(100)
                .keep(keep)
                // What comes after a writer may need its lock.
                .drop_timeout(PATIENCE)
                .mark_every(Duration::ZERO),
            _directory: directory,
            path,
        }
    }

    fn log(&self) -> (EventLog<Tick>, DiskWriter<Tick>) {
        let log = EventLog::builder().capacity(4).build().unwrap();
        let writer = DiskWriter::spawn(&log, self.config.clone()).unwrap();
        (log, writer)
    }

    /// Appends these in batches of three.
    fn append(
        log: &EventLog<Tick>,
        writer: &DiskWriter<Tick>,
        versions: impl IntoIterator<Item = u64>,
    ) {
        for (count, version) in versions.into_iter().enumerate() {
            log.append(Tick { version });
            if count % 3 == 2 {
                writer.blocking_flush(PATIENCE).unwrap();
            }
        }
        writer.blocking_flush(PATIENCE).unwrap();
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path.parent().unwrap()).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let names = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name == "x.log" || name.starts_with("x.log.old")
        };
        paths.filter(names).collect()
    }
}

/// The clock stands at another millisecond than before.
fn later() -> SystemTime {
    let before = SystemTime::now();
    while before.elapsed().unwrap_or_default() < Duration::from_millis(3) {
        std::thread::yield_now();
    }
    SystemTime::now()
}

#[test]
fn m03_every_flipped_byte_in_a_marked_stretch_is_found() {
    let place = Place::new(2);
    let (log, writer) = place.log();
    Place::append(&log, &writer, 1..=20);
    drop(writer);
    assert_eq!(Timeline::of(&place.path).verify(), []);
    let mut flipped = 0;
    for file in place.files() {
        let sound = fs::read(&file).unwrap();
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 1;
            fs::write(&file, &bytes).unwrap();
            let damage = Timeline::of(&place.path).verify();
            let named = damage.iter().any(|damage| {
                let stretch = damage.offset..damage.offset + damage.len;
                matches!(damage.kind, DamageKind::Altered { .. })
                    && damage.file == fs::canonicalize(&file).unwrap()
                    && stretch.contains(&(at as u64))
            });
            // Where the newest mark does not fit, none of them counts.
            let is_newest = damage.is_empty() && stamps(&place.path).iter().all(Option::is_none);
            assert!(named || is_newest, "byte {at} of {file:?}: {damage:?}");
            flipped += 1;
        }
        fs::write(&file, &sound).unwrap();
    }
    assert!(flipped > 150, "{flipped}");
}

#[test]
fn m03_a_recovery_names_what_was_changed_if_it_is_asked() {
    let place = Place::new(2);
    let (log, writer) = place.log();
    Place::append(&log, &writer, 10..=30);
    drop((writer, log));
    let old = place.path.with_file_name("x.log.old");
    let text = fs::read_to_string(&old).unwrap();
    fs::write(&old, text.replacen("\"version\":2", "\"version\":9", 1)).unwrap();
    let recover = |verify| {
        let config = place.config.clone().verify(verify);
        let (log, recovery) = EventLog::<Tick>::recover(&config).unwrap();
        (log, recovery.damage)
    };
    assert_eq!(recover(false).1, [], "every line is an event");
    let (log, damage) = recover(true);
    assert!(
        matches!(damage[..], [ref one] if one.file.ends_with("x.log.old")),
        "{damage:?}"
    );
    assert!(!log.replay(10).coverage().is_complete());
}

fn stamps(path: &Path) -> Vec<Option<Stamp>> {
    let timeline = Timeline::of(path);
    read::<Tick>(path)
        .with_places()
        .map(|placed| timeline.stamp(&placed.ok()?.place))
        .collect()
}

#[test]
fn each_line_has_its_number_and_its_time() {
    let place = Place::new(3);
    let began = SystemTime::now() - Duration::from_millis(1);
    let (log, writer) = place.log();
    Place::append(&log, &writer, 1..=9);
    let middle = later();
    Place::append(&log, &writer, 10..=18);
    let ended = later();
    drop(writer);
    let stamps = stamps(&place.path);
    assert_eq!(stamps.len(), 18);
    for (number, stamp) in (1..).zip(stamps) {
        let stamp = stamp.unwrap();
        assert_eq!(stamp.seq, Some(Seq::new(number)));
        let time = stamp.time.best();
        assert!(began <= time && time <= ended, "{number}: {stamp:?}");
        if number <= 9 {
            assert!(time <= middle, "{number}: {stamp:?}");
        }
        if number % 3 == 0 {
            assert!(matches!(stamp.time, Time::Exact(_)), "{number}: {stamp:?}");
        }
    }
}

#[test]
fn a_time_leads_to_its_lines_and_to_no_others_but_those_of_one_mark() {
    let place = Place::new(9);
    let (log, writer) = place.log();
    Place::append(&log, &writer, 1..=30);
    let middle = later();
    later();
    Place::append(&log, &writer, 31..=60);
    drop(writer);
    let versions = |time| -> Vec<u64> {
        let records = Timeline::of(&place.path).since(time).records::<Tick>();
        records
            .map(|record| record.unwrap().into_event().unwrap().version)
            .collect()
    };
    assert_eq!(
        versions(SystemTime::UNIX_EPOCH),
        (1..=60).collect::<Vec<_>>()
    );
    assert_eq!(versions(middle), (31..=60).collect::<Vec<_>>());
    assert!(versions(later() + Duration::from_secs(9)).is_empty());
}

/// The versions that a follower gives now.
fn followed(follow: &mut Follow<Tick>) -> Vec<u64> {
    let records = follow.map(|record| record.unwrap());
    records
        .map(|record| record.into_event().unwrap().version)
        .collect()
}

#[test]
fn a_follower_that_starts_at_a_time_goes_on_with_what_comes() {
    let place = Place::new(9);
    let mut early = follow::<Tick>(&place.path).since(SystemTime::now());
    assert!(followed(&mut early).is_empty(), "there is no log yet");
    let (log, writer) = place.log();
    Place::append(&log, &writer, 1..=30);
    let middle = later();
    later();
    Place::append(&log, &writer, 31..=60);
    let mut since = follow::<Tick>(&place.path).since(middle);
    let mut none = follow::<Tick>(&place.path).since(later() + Duration::from_secs(9));
    assert_eq!(followed(&mut early), (1..=60).collect::<Vec<_>>());
    assert_eq!(followed(&mut since), (31..=60).collect::<Vec<_>>());
    assert!(followed(&mut none).is_empty());
    for mut follower in [early, since, none] {
        let position = follower.position();
        Place::append(&log, &writer, 61..=75);
        // As it goes on itself, so does a later one from its position.
        let mut resumed = follow::<Tick>(&place.path).resuming(&position).unwrap();
        assert_eq!(followed(&mut resumed), followed(&mut follower));
    }
}

#[test]
fn a_place_in_a_file_that_is_cut_or_gone_by_its_turn_is_none_in_another() {
    let place = Place::new(40);
    let (log, writer) = place.log();
    Place::append(&log, &writer, 1..=180);
    let begin = later();
    later();
    Place::append(&log, &writer, 181..=200);
    drop((writer, log));
    let timeline = || Timeline::of(&place.path);
    let expected: Vec<_> = (181..=200).collect();
    assert_eq!(versions(timeline().since(begin)), expected);
    // More files than are held open, so those in the middle are opened when their turn comes.
    let mut files = place.files();
    files.sort();
    assert!(files.len() > 24, "{}", files.len());
    let lines = timeline().after(Seq::new(130)).unwrap();
    let first = |lines: Lines| lines.records::<Tick>().next().unwrap();
    let record = first(timeline().after(Seq::new(130)).unwrap()).unwrap();
    assert_eq!(record.into_event().unwrap().version, 131);
    let of_131 = |file: &PathBuf| fs::read_to_string(file).unwrap().contains(":131}");
    let gone = files.iter().position(of_131).unwrap();
    let next = fs::read_to_string(&files[gone + 2]).unwrap();
    fs::remove_file(&files[gone + 1]).unwrap();
    let removed = files.remove(gone);
    fs::remove_file(&removed).unwrap();
    let mut told = 0;
    let mut seen = Vec::new();
    for item in lines.records::<Tick>() {
        match item {
            Ok(record) => seen.push(record.into_event().unwrap().version),
            Err(damage) => {
                assert!(matches!(damage.kind, DamageKind::Missed), "{damage}");
                told += 1;
            }
        }
    }
    assert!(told > 0);
    let first = next.lines().next().unwrap();
    let first = serde_json::from_str::<Tick>(first).unwrap().version;
    assert_eq!(seen, (first..=200).collect::<Vec<_>>());
}

fn versions(lines: Lines) -> Vec<u64> {
    let records = lines.records::<Tick>();
    let events = records.map(|record| record.unwrap().into_event().unwrap());
    events.map(|tick| tick.version).collect()
}

#[test]
fn m01_where_the_marks_cannot_be_read_everything_is_read_and_that_is_told() {
    let place = Place::new(9);
    let (log, writer) = place.log();
    Place::append(&log, &writer, 1..=30);
    drop(writer);
    let marks = place.path.with_file_name("x.log.marks");
    fs::remove_file(&marks).unwrap();
    fs::create_dir(&marks).unwrap();
    let now = later();
    let is_told = |damage: &Damage| damage.file.ends_with("x.log.marks");
    let (told, read): (Vec<_>, Vec<_>) = Timeline::of(&place.path)
        .since(now)
        .records::<Tick>()
        .partition(Result::is_err);
    assert_eq!(read.len(), 30);
    assert!(told.len() == 1 && is_told(told[0].as_ref().unwrap_err()));
    let followed: Vec<_> = follow::<Tick>(&place.path).since(now).collect();
    assert_eq!(followed.iter().filter(|item| item.is_ok()).count(), 30);
    assert_eq!(followed.len(), 31);
    assert!(Timeline::of(&place.path).verify().iter().any(is_told));
}

#[test]
fn no_number_is_given_past_a_file_that_cannot_be_read() {
    let place = Place::new(9);
    let (log, writer) = place.log();
    // Files of the same length: only by counting does one know which is which.
    Place::append(&log, &writer, 10..=90);
    drop(writer);
    let mut full = place.files();
    full.retain(|path| path.extension().unwrap() != "log");
    full.sort();
    let unread = &full[full.len() / 2];
    fs::remove_file(unread).unwrap();
    fs::create_dir(unread).unwrap();
    let timeline = Timeline::of(&place.path);
    let mut numbered = 0;
    for placed in read::<Tick>(&place.path).with_places() {
        let Ok(placed) = placed else { continue };
        let version = placed.record.into_event().unwrap().version;
        let seq = timeline.stamp(&placed.place).and_then(|stamp| stamp.seq);
        assert!(seq.is_none_or(|seq| seq.get() == version - 9), "{version}");
        numbered += u64::from(seq.is_some());
    }
    assert!(numbered > 10, "{numbered}");
    let damage = timeline.verify();
    let altered = |damage: &Damage| matches!(damage.kind, DamageKind::Altered { .. });
    assert!(!damage.iter().any(altered), "{damage:?}");
    let unread = fs::canonicalize(unread).unwrap();
    assert!(damage.iter().any(|damage| damage.file == unread));
}

#[test]
fn a_number_leads_to_the_line_after_it() {
    let place = Place::new(2);
    let (log, writer) = place.log();
    Place::append(&log, &writer, 1..=40);
    drop(writer);
    let oldest = read::<Tick>(&place.path).next().unwrap().unwrap();
    let oldest = oldest.into_event().unwrap().version;
    for seq in 0..=41 {
        let lines = Timeline::of(&place.path).after(Seq::new(seq));
        let Some(lines) = lines else {
            assert!(seq + 1 < oldest || seq >= 40, "{seq}");
            continue;
        };
        let record = lines.records::<Tick>().next().unwrap().unwrap();
        assert_eq!(record.into_event().unwrap().version, seq + 1);
    }
}

/// Everything after a cursor, from the disk as long as the ring does not have it; `None` where the
/// disk does not have it either.
fn catch_up(log: &EventLog<Tick>, mut cursor: Cursor) -> Option<Vec<u64>> {
    let mut seen = Vec::new();
    loop {
        let replay = log.replay(cursor);
        if replay.coverage() == Coverage::Complete {
            seen.extend(replay.iter().map(|tick| tick.version));
            return Some(seen);
        }
        let mut missed = replay_after(log, &cursor)?;
        for record in &mut missed {
            seen.extend(record.unwrap().into_event().map(|tick| tick.version));
        }
        cursor = missed.cursor().unwrap();
    }
}

#[test]
fn what_the_ring_has_evicted_comes_from_the_disk_without_a_gap_or_a_duplicate() {
    let place = Place::new(3);
    let (log, writer) = place.log();
    let mut cursors = vec![log.cursor()];
    for version in 1..=60 {
        log.append(Tick { version });
        cursors.push(log.cursor());
    }
    writer.blocking_flush(PATIENCE).unwrap();
    let oldest = read::<Tick>(&place.path).next().unwrap().unwrap();
    let oldest = oldest.into_event().unwrap().version;
    assert!(oldest > 10 && oldest < 50, "{oldest}");
    for (version, cursor) in (0..).zip(&cursors) {
        let expected = (version + 1 >= oldest).then(|| (version + 1..=60).collect::<Vec<_>>());
        assert_eq!(catch_up(&log, *cursor), expected, "after {version}");
    }
    let foreign = Cursor::from_parts(eventlog::Epoch::new(8), Seq::new(30), 30);
    assert_eq!(catch_up(&log, foreign), None);

    // Also after a restart, by a cursor of the life before.
    drop((writer, log));
    let builder = EventLog::<Tick>::builder().capacity(4);
    let (log, _) = builder.recover(&place.config).unwrap();
    let writer = DiskWriter::spawn(&log, place.config.clone()).unwrap();
    Place::append(&log, &writer, 61..=66);
    let newest = cursors[60];
    assert_eq!(catch_up(&log, newest), Some((61..=66).collect()));
    assert_eq!(
        catch_up(&log, cursors[30]),
        None,
        "the recovery did not look that far"
    );
}

/// A torn line may be one that the writer is in the middle of.
#[test]
fn a_replay_from_the_disk_ends_before_a_torn_line_and_after_damage() {
    let place = Place::new(9);
    let (log, writer) = place.log();
    let first = log.cursor();
    Place::append(&log, &writer, 1..=6);
    drop(writer);
    let text = fs::read_to_string(&place.path).unwrap();
    let replay = |tail: &str| {
        fs::write(&place.path, format!("{text}{tail}")).unwrap();
        let mut replay = replay_after(&log, &first).unwrap();
        assert_eq!(replay.by_ref().take(6).flatten().count(), 6);
        replay
    };
    let mut torn = replay("{\"vers");
    assert!(torn.next().is_none());
    assert_eq!(torn.cursor(), Some(log.cursor()));
    let shown = format!("DiskReplay {{ cursor: Some({:?})", log.cursor());
    assert!(format!("{torn:?}").starts_with(&shown), "{torn:?}");

    let mut damaged = replay("{\"vers\n{\"version\":8}\n");
    assert!(damaged.next().unwrap().is_err());
    assert_eq!(damaged.cursor(), None);
    assert!(damaged.next().is_none(), "what follows has no number");
}
