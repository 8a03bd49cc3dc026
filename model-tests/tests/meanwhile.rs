//! Reading while a writer rotates: what it does between any two looks of a reader at the disk
//! neither hides an event nor moves it.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use eventlog::disk::{Damage, DamageKind, Follow, Reader, Record, Storage as _, Tail};
use model_tests::sim_disk::SimDisk;

const LOG: &str = "/x.log";

/// What a writer does to its files, one after the other.
#[derive(Clone)]
enum Step {
    Remove(String),
    Rename(String, String),
    /// Begins a file with this one event.
    Begin(u64),
}

/// The path of the full file of this number.
fn old(number: usize) -> String {
    match number {
        1 => format!("{LOG}.old"),
        number => format!("{LOG}.old.{number}"),
    }
}

/// Three rotations of a log of two files, the events 1 and 2, that keeps so many full ones.
fn rotations(keep: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for rotation in 1..=3 {
        if rotation >= keep {
            steps.push(Step::Remove(old(keep)));
        }
        let kept = (1..=rotation.min(keep - 1)).rev();
        steps.extend(kept.map(|number| Step::Rename(old(number), old(number + 1))));
        steps.push(Step::Rename(LOG.to_string(), old(1)));
        steps.push(Step::Begin(rotation as u64 + 2));
    }
    steps
}

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
    let tail = Tail::read(disk, LOG, 9);
    assert!(tail.damage.is_empty(), "{:?}", tail.damage);
    events(tail.records.into_iter().map(Ok))
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

/// Reads over and over; each time the writer goes on as far as `before`, and then as far as
/// `meanwhile`, so many steps a look, from the first look after that on, or from the second, until
/// there are no more.
fn every_look(keep: usize, before: &[Step], meanwhile: &[Step], pace: usize, read: Read) {
    let newest = |steps: &[Step]| {
        let begun = |step: &Step| matches!(step, Step::Begin(_));
        2 + steps.iter().filter(|step| begun(step)).count() as u64
    };
    for look in 0.. {
        let disk = SimDisk::new();
        disk.shuffle(look as u64);
        disk.put(old(1).as_ref(), b"1\n");
        disk.put(LOG.as_ref(), b"2\n");
        let looks = Arc::new(AtomicUsize::new(0));
        let found = read(&disk, &|| {
            run(&disk, before);
            let (looks, writer, steps) = (looks.clone(), disk.clone(), meanwhile.to_vec());
            disk.set_look_hook(move || {
                let since = looks.fetch_add(1, Relaxed).checked_sub(look);
                if let Some(now) = since.and_then(|since| steps.chunks(pace).nth(since)) {
                    run(&writer, now);
                }
            });
        });
        let place = format!(
            "keep {keep}, {} steps, then {}, {pace} a look from look {look} on: {found:?}",
            before.len(),
            meanwhile.len()
        );
        assert!(*found.last().unwrap() >= Some(newest(before)), "{place}");
        for pair in found.windows(2) {
            if let [Some(one), Some(next)] = pair {
                assert_eq!(*next, one + 1, "{place}");
            }
        }
        if keep > 4 {
            assert!(found[0] == Some(1) && !found.contains(&None), "{place}");
        }
        if looks.load(Relaxed) <= look {
            return;
        }
    }
}

fn every_moment(read: Read) {
    for keep in [1, 2, 3, 5] {
        let steps = rotations(keep);
        for from in 0..=steps.len() {
            for to in from..=steps.len() {
                for pace in [1, 2, steps.len()] {
                    every_look(keep, &steps[..from], &steps[from..to], pace, read);
                }
            }
        }
    }
}

/// A reader that came, and looked for the last time, when one file was full and the next not yet
/// begun had the files between in the wrong order; and one that had listed the names before it
/// opened the current file knew nothing of the names that the files got in between.
#[test]
fn a_reader_finds_what_was_there() {
    every_moment(reader);
}

#[test]
fn the_newest_records_are_those_that_were_there() {
    every_moment(tail);
}

#[test]
fn a_new_follower_begins_with_what_was_there() {
    every_moment(newcomer);
}

#[test]
fn a_follower_misses_nothing_unsaid() {
    every_moment(follower);
}
