//! Reading while a writer rotates: what it does between any two looks of a reader at the disk
//! neither hides an event nor moves it.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use eventlog::disk::{Damage, DamageKind, Follow, Reader, Record, Storage as _, Tail};
use model_tests::sim_disk::{Random, SimDisk};

const LOG: &str = "/x.log";

/// What a writer does to its files, one after the other.
#[derive(Clone)]
enum Step {
    Remove(String),
    Rename(String, String),
    /// Begins a file with this one event.
    Begin(u64),
}

const OLD: &str = "/x.log.old";

/// The path of the full file of this number.
fn numbered(number: usize) -> String {
    format!("{OLD}.{number:010}")
}

/// Puts down a log that has so many files with numbers, one that is full, and one more, with an
/// event each, from 1 on.
fn begin(disk: &SimDisk, with_numbers: usize) {
    let paths = (1..=with_numbers).map(numbered);
    let others = [OLD, LOG].map(str::to_owned);
    for (event, path) in (1..).zip(paths.chain(others)) {
        disk.put(path.as_ref(), format!("{event}\n").as_bytes());
    }
}

/// Rotations of that log, if it keeps so many full files; the lowest numbers go first.
fn rotations(with_numbers: usize, keep: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lowest = 1;
    for number in with_numbers + 1..=with_numbers + ROTATIONS {
        if keep > 1 {
            while lowest + keep <= number + 1 {
                steps.push(Step::Remove(numbered(lowest)));
                lowest += 1;
            }
            steps.push(Step::Rename(OLD.to_string(), numbered(number)));
        }
        steps.push(Step::Rename(LOG.to_string(), OLD.to_string()));
        steps.push(Step::Begin(number as u64 + 2));
    }
    steps
}

/// More than any reader comes to see in one walk.
const ROTATIONS: usize = 4;

fn run(disk: &SimDisk, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Remove(path) => disk.remove(path.as_ref()).unwrap(),
            Step::Rename(from, to) => disk.rename(from.as_ref(), to.as_ref()).unwrap(),
            Step::Begin(event) => disk.put(LOG.as_ref(), format!("{event}\n").as_bytes()),
        }
    }
}

/// The events; `None` where the reader says that it missed some.
fn events(items: impl IntoIterator<Item = Result<Record<u64>, Damage>>) -> Vec<Option<u64>> {
    let event = |item: Result<Record<u64>, Damage>| match item {
        Ok(record) => record.into_event(),
        Err(damage) if matches!(damage.kind, DamageKind::Missed) => None,
        Err(damage) => panic!("{damage}"),
    };
    items.into_iter().map(event).collect()
}

/// Somebody who reads: brings the disk from two files to where `before` leads, and says what was
/// read after that, or all along.
type Read = fn(&SimDisk, before: &dyn Fn()) -> Vec<Option<u64>>;

fn reader(disk: &SimDisk, before: &dyn Fn()) -> Vec<Option<u64>> {
    before();
    events(Reader::open(disk.clone(), LOG))
}

fn tail(disk: &SimDisk, before: &dyn Fn()) -> Vec<Option<u64>> {
    before();
    let tail = Tail::read(disk, LOG, 2 * MANY);
    let missed = tail
        .damage
        .iter()
        .filter(|damage| matches!(damage.kind, DamageKind::Missed));
    let (missed, all) = (missed.count(), tail.damage.len());
    assert_eq!(missed, all, "{:?}", tail.damage);
    let mut found = Vec::new();
    for event in events(tail.records.into_iter().map(Ok)) {
        // Where it says that some may be missing, it does not say where.
        if let (Some(Some(last)), Some(next)) = (found.last(), event)
            && missed > 0
            && next > last + 1
        {
            found.push(None);
        }
        found.push(event);
    }
    found
}

fn newcomer(disk: &SimDisk, before: &dyn Fn()) -> Vec<Option<u64>> {
    before();
    let mut follow = Follow::open(disk.clone(), LOG);
    let mut found = events(&mut follow);
    found.extend(events(&mut follow));
    found
}

fn follower(disk: &SimDisk, before: &dyn Fn()) -> Vec<Option<u64>> {
    let mut follow = Follow::open(disk.clone(), LOG);
    let mut found = events(&mut follow);
    before();
    found.extend(events(&mut follow));
    found.extend(events(&mut follow));
    found
}

/// When the writer does what.
#[derive(Debug)]
struct Schedule {
    /// How many files have a number at the beginning.
    with_numbers: usize,
    /// How many full files it keeps.
    keep: usize,
    /// How many steps it has made before the first look.
    before: usize,
    /// At which look it goes on.
    look: usize,
    /// How many steps it makes a look then.
    pace: Pace,
    /// How many steps it makes in all.
    steps: usize,
}

/// How many steps a writer makes at each look, once it has begun.
#[derive(Clone, Copy, Debug)]
enum Pace {
    Steady(usize),
    /// None mostly, and then some, as this seed has it: the writer stops in the middle of a rotation
    /// and goes on in the middle of the reader's next walk.
    Halting(u64),
}

impl Pace {
    /// The steps of each look.
    fn of(self, mut steps: &[Step]) -> Vec<Vec<Step>> {
        let mut random = match self {
            Self::Steady(count) => return steps.chunks(count).map(<[_]>::to_vec).collect(),
            Self::Halting(seed) => Random::new(seed),
        };
        let mut looks = Vec::new();
        while !steps.is_empty() {
            let count = if random.below(3) == 0 {
                1 + random.below(3)
            } else {
                0
            };
            let (now, later) = steps.split_at(count.min(steps.len()));
            looks.push(now.to_vec());
            steps = later;
        }
        looks
    }
}

impl Schedule {
    /// What is read, and how many looks that took.
    fn run(&self, read: Read) -> (Vec<Option<u64>>, usize) {
        let steps = rotations(self.with_numbers, self.keep);
        let (before, meanwhile) = steps[..self.steps].split_at(self.before);
        let disk = SimDisk::new();
        disk.shuffle(self.look as u64);
        begin(&disk, self.with_numbers);
        let looks = Arc::new(AtomicUsize::new(0));
        let found = read(&disk, &|| {
            run(&disk, before);
            let (looks, writer, look) = (looks.clone(), disk.clone(), self.look);
            let steps = self.pace.of(meanwhile);
            disk.set_look_hook(move || {
                let since = looks.fetch_add(1, Relaxed).checked_sub(look);
                if let Some(now) = since.and_then(|since| steps.get(since)) {
                    run(&writer, now);
                }
            });
        });
        (found, looks.load(Relaxed))
    }

    fn check(&self, found: &[Option<u64>]) {
        let begun = |step: &&Step| matches!(step, Step::Begin(_));
        let before = &rotations(self.with_numbers, self.keep)[..self.before];
        let newest = (self.with_numbers + 2) as u64 + before.iter().filter(begun).count() as u64;
        assert!(found.last() >= Some(&Some(newest)), "{self:?}: {found:?}");
        for pair in found.windows(2) {
            if let [Some(one), Some(next)] = pair {
                assert_eq!(*next, one + 1, "{self:?}: {found:?}");
            }
        }
        let nothing_removed = self.keep > self.with_numbers + ROTATIONS + 1;
        if nothing_removed {
            assert_eq!(found[0], Some(1), "{self:?}: {found:?}");
            assert!(!found.contains(&None), "{self:?}: {found:?}");
        }
    }
}

/// Lets the writer go on at the first look, or the second, until there are no more.
fn every_look(mut schedule: Schedule, read: Read) {
    loop {
        let (found, looks) = schedule.run(read);
        schedule.check(&found);
        if looks <= schedule.look {
            return;
        }
        schedule.look += 1;
    }
}

fn every_moment(read: Read) {
    for keep in [1, 2, 3, ROTATIONS + 2] {
        let all = rotations(0, keep).len();
        for before in 0..=all {
            for steps in before..=all {
                every_pace(0, keep, before, steps, read);
            }
        }
    }
    // More files than are held open at once.
    for keep in [2, MANY + 1, MANY + ROTATIONS + 2] {
        let all = rotations(MANY, keep).len();
        for before in 0..=all {
            every_pace(MANY, keep, before, all, read);
        }
    }
}

/// Somewhat more files than readers hold open.
const MANY: usize = 20;

fn every_pace(with_numbers: usize, keep: usize, before: usize, steps: usize, read: Read) {
    for pace in [1, 2, rotations(with_numbers, keep).len()] {
        let schedule = Schedule {
            with_numbers,
            keep,
            before,
            look: 0,
            pace: Pace::Steady(pace),
            steps,
        };
        every_look(schedule, read);
    }
}

/// Writers that stop anywhere and go on anywhere.
fn at_any_moments(read: Read) {
    let mut random = Random::new(7);
    for seed in 0..12_000 {
        let (with_numbers, keep) = if random.below(4) > 0 {
            (0, [1, 2, 3, ROTATIONS + 2][random.below(4)])
        } else {
            (MANY, [2, MANY + 1, MANY + ROTATIONS + 2][random.below(3)])
        };
        let steps = rotations(with_numbers, keep).len();
        let schedule = Schedule {
            with_numbers,
            keep,
            before: random.below(steps),
            look: random.below(12),
            pace: Pace::Halting(seed),
            steps,
        };
        let (found, _) = schedule.run(read);
        schedule.check(&found);
    }
}

/// A reader that came, and looked for the last time, when one file was full and the next not yet
/// begun had the files between in the wrong order; and one that had listed the names before it
/// opened the current file knew nothing of the names that the files got in between.
#[test]
fn a_reader_finds_what_was_there() {
    every_moment(reader);
    at_any_moments(reader);
}

#[test]
fn the_newest_records_are_those_that_were_there() {
    every_moment(tail);
    at_any_moments(tail);
}

#[test]
fn a_new_follower_begins_with_what_was_there() {
    every_moment(newcomer);
    at_any_moments(newcomer);
}

#[test]
fn a_follower_misses_nothing_unsaid() {
    every_moment(follower);
    at_any_moments(follower);
}

/// Lines that were appended between the look that found the end and the renaming of the file never
/// came: 1 2 3 4 5 8.
#[test]
fn a_follower_reads_a_file_to_its_end_before_it_leaves_it() {
    let disk = SimDisk::new();
    disk.put(OLD.as_ref(), b"1\n");
    disk.put(LOG.as_ref(), b"2\n3\n4\n5\n");
    let mut follow = Follow::open(disk.clone(), LOG);
    assert_eq!(events(&mut follow), [1, 2, 3, 4, 5].map(Some));
    // The disk is looked at several times for what comes next; at which, matters not.
    for look in 0..12 {
        let disk = SimDisk::new();
        disk.put(OLD.as_ref(), b"1\n");
        disk.put(LOG.as_ref(), b"2\n3\n4\n5\n");
        let mut follow = Follow::open(disk.clone(), LOG);
        let mut found = events(&mut follow);
        let looks = AtomicUsize::new(0);
        let other = disk.clone();
        disk.set_look_hook(move || {
            if looks.fetch_add(1, Relaxed) == look {
                other.put(LOG.as_ref(), b"2\n3\n4\n5\n6\n7\n");
                other.rename(LOG.as_ref(), "/x.log.1".as_ref()).unwrap();
                other.put(LOG.as_ref(), b"8\n");
            }
        });
        for _ in 0..20 {
            found.extend(events(&mut follow));
        }
        let told: Vec<_> = found.iter().flatten().copied().collect();
        assert_eq!(told, (1..=8).collect::<Vec<_>>(), "at look {look}");
    }
}
