//! A follower's place as a text: whatever becomes of the files while nobody follows, the next
//! follower goes on after the last record that was given, or says that something may be missing.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use eventlog::disk::{DamageKind, Follow, Position, RealStorage, Record, Storage};
use model_tests::sim_disk::SimDisk;
use proptest::collection::vec;
use proptest::prelude::*;

/// What happens to the log.
#[derive(Clone, Debug)]
enum Step {
    /// So many events are appended.
    Append(usize),
    /// As the writer does it.
    Rotate,
    /// The current file is renamed to a name that the log does not know.
    RenameAway,
    /// The current file is removed.
    Remove,
    /// The current file is copied, to where the newest full file is or elsewhere, and emptied.
    CopyTruncate { to_old: bool },
    /// As many events are cut off the end of the current file, as a crash may do it.
    LoseEnd(usize),
    /// The follower takes so many items.
    Take(usize),
    /// The follower ends, and another one begins at its position.
    Restart,
}

use Step::{Append, CopyTruncate, LoseEnd, Remove, RenameAway, Restart, Rotate, Take};

/// Files that a test has in hand.
trait Hands: Storage + Clone {
    fn put(&self, path: &Path, bytes: &[u8]);
    fn bytes(&self, path: &Path) -> Option<Vec<u8>>;
}

impl Hands for SimDisk {
    fn put(&self, path: &Path, bytes: &[u8]) {
        Self::put(self, path, bytes);
    }

    fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        Self::bytes(self, path)
    }
}

impl Hands for RealStorage {
    fn put(&self, path: &Path, bytes: &[u8]) {
        fs::write(path, bytes).unwrap();
    }

    fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        fs::read(path).ok()
    }
}

/// A log, those who have it in hand, and somebody who follows it.
struct World<S: Hands> {
    storage: S,
    log: PathBuf,
    /// How many full files are kept.
    keep: usize,
    /// The numbers of full files, the oldest first.
    numbers: Vec<u32>,
    highest: u32,
    next_event: u64,
    follow: Option<Follow<u64, S>>,
    /// What was given; `None` for word that something may be missing or come again.
    given: Vec<Option<u64>>,
    /// Those that are no more because they were cut off.
    lost: Vec<u64>,
}

impl<S: Hands> World<S> {
    fn new(storage: S, log: PathBuf, keep: usize) -> Self {
        let follow = Some(Follow::open(storage.clone(), &log));
        Self {
            storage,
            log,
            keep,
            numbers: Vec::new(),
            highest: 0,
            next_event: 1,
            follow,
            given: Vec::new(),
            lost: Vec::new(),
        }
    }

    fn named(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.log.display()))
    }

    fn old(&self) -> PathBuf {
        self.named(".old")
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.named(&format!(".old.{number:010}"))
    }

    fn is_there(&self, path: &Path) -> bool {
        self.storage.stat_path(path).is_ok()
    }

    fn run(&mut self, step: &Step) {
        let log = self.log.clone();
        let current = self.storage.bytes(&log);
        match step {
            Append(count) => {
                let mut bytes = current.unwrap_or_default();
                for _ in 0..*count {
                    bytes.extend_from_slice(format!("{}\n", self.next_event).as_bytes());
                    self.next_event += 1;
                }
                self.storage.put(&log, &bytes);
            }
            Rotate if current.is_some() => self.rotate(),
            // A file of which nobody has seen anything leaves no trace, and neither would a law.
            RenameAway | Remove | CopyTruncate { .. } if !self.is_known(current.as_deref()) => {}
            RenameAway => {
                let away = self.named(".away");
                self.storage.rename(&log, &away).unwrap();
            }
            Remove => self.storage.remove(&log).unwrap(),
            CopyTruncate { to_old } => {
                if let Some(bytes) = current {
                    let to = if *to_old {
                        self.old()
                    } else {
                        self.named(".copy")
                    };
                    self.storage.put(&to, &bytes);
                    self.storage.put(&log, b"");
                }
            }
            LoseEnd(count) => {
                if let Some(bytes) = current {
                    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                    let kept = lines.len().saturating_sub(*count);
                    self.lost.extend(numbers(&lines[kept..].concat()));
                    self.storage.put(&log, &lines[..kept].concat());
                }
            }
            Take(count) => self.take(*count),
            Restart => {
                let position = self.follow.take().unwrap().position().to_string();
                let position: Position = position.parse().unwrap();
                let follow = Follow::open(self.storage.clone(), &log);
                self.follow = Some(follow.resuming(&position).unwrap());
            }
            Rotate => {}
        }
    }

    /// Whether the follower has seen something of this file.
    fn is_known(&self, file: Option<&[u8]>) -> bool {
        let first = file.and_then(|file| numbers(file).first().copied());
        first.is_some_and(|first| self.given.iter().flatten().any(|seen| *seen >= first))
    }

    fn rotate(&mut self) {
        let (log, old) = (self.log.clone(), self.old());
        if self.keep > 1 {
            while self.numbers.len() + 2 > self.keep {
                let lowest = self.numbers.remove(0);
                self.storage.remove(&self.numbered(lowest)).unwrap();
            }
            if self.is_there(&old) {
                self.highest += 1;
                self.numbers.push(self.highest);
                self.storage
                    .rename(&old, &self.numbered(self.highest))
                    .unwrap();
            }
        }
        self.storage.rename(&log, &old).unwrap();
    }

    fn take(&mut self, count: usize) {
        for _ in 0..count {
            let Some(item) = self.follow.as_mut().unwrap().next() else {
                return;
            };
            self.given.push(match item {
                Ok(record) => Record::into_event(record),
                Err(damage) => match damage.kind {
                    DamageKind::Missed | DamageKind::Cut | DamageKind::PlaceGone { .. } => None,
                    _ => panic!("{damage}"),
                },
            });
        }
    }

    /// The last event comes, whatever happened.
    fn end(&mut self) {
        self.run(&Append(1));
        for _ in 0..5 {
            self.take(usize::MAX);
        }
    }

    /// Each event once, in order, or word that it may be otherwise.
    fn check(&self) -> Result<(), TestCaseError> {
        let newest = Some(self.next_event - 1);
        prop_assert_eq!(
            self.given.last().copied().flatten(),
            newest,
            "{:?}",
            self.given
        );
        let (mut newest, mut is_told) = (0, false);
        for given in &self.given {
            let Some(event) = *given else {
                is_told = true;
                continue;
            };
            // What comes again after a notice may come without what was between.
            let is_next = (newest + 1..event).all(|missed| self.lost.contains(&missed));
            let is_once = event > newest && is_next;
            prop_assert!(
                is_once || is_told,
                "{} after {} in {:?}",
                event,
                newest,
                self.given
            );
            if event > newest {
                (newest, is_told) = (event, false);
            }
        }
        Ok(())
    }
}

fn numbers(file: &[u8]) -> Vec<u64> {
    let lines = std::str::from_utf8(file).unwrap().lines();
    lines.map(|line| line.parse().unwrap()).collect()
}

/// The follower has seen the first event, and then all this happens.
fn play<S: Hands>(
    storage: S,
    log: PathBuf,
    keep: usize,
    steps: &[Step],
) -> Result<World<S>, TestCaseError> {
    let mut world = World::new(storage, log, keep);
    for step in [Append(1), Take(1)].iter().chain(steps) {
        world.run(step);
    }
    prop_assert_eq!(world.given.first(), Some(&Some(1)));
    world.end();
    world.check()?;
    Ok(world)
}

fn harmless() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_usize).prop_map(Append),
        2 => Just(Rotate),
        3 => (1..6_usize).prop_map(Take),
        3 => Just(Restart),
    ]
}

fn anything() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => harmless(),
        1 => Just(RenameAway),
        1 => Just(Remove),
        1 => any::<bool>().prop_map(|to_old| CopyTruncate { to_old }),
        1 => (1..4_usize).prop_map(LoseEnd),
    ]
}

fn sim() -> (SimDisk, PathBuf) {
    (SimDisk::new(), PathBuf::from("/x.log"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing is removed, so nothing may be missing, and nobody says so.
    #[test]
    fn w12_restarts_between_rotations_give_each_event_once(steps in vec(harmless(), 0..40)) {
        let (disk, log) = sim();
        let world = play(disk, log, 100, &steps)?;
        let all: Vec<_> = (1..world.next_event).map(Some).collect();
        prop_assert_eq!(world.given, all);
    }

    #[test]
    fn w12_restarts_between_anything_lose_nothing_unsaid(
        steps in vec(anything(), 0..40),
        keep in 1..4_usize,
    ) {
        let (disk, log) = sim();
        play(disk, log, keep, &steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Real files, whose inode numbers are given again.
    #[test]
    fn w12_restarts_on_real_files_lose_nothing_unsaid(
        steps in vec(anything(), 0..40),
        keep in 1..4_usize,
    ) {
        // In memory where there is such a place: many files are made.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        play(RealStorage, dir.path().join("x.log"), keep, &steps)?;
    }
}

/// The log is rotated at each look of the follower that goes on.
#[test]
fn w12_a_rotation_while_the_place_is_looked_for_loses_nothing_unsaid() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    for keep in [1, 2, 3, 9] {
        for look in 0.. {
            let (disk, log) = sim();
            let mut world = World::new(disk.clone(), log, keep);
            let steps = [
                [Append(1), Take(1), Rotate].as_slice(),
                &[Append(2), Take(2), Rotate],
                &[Append(2), Take(1), Restart],
            ];
            for step in steps.concat() {
                world.run(&step);
            }
            let looks = Arc::new(AtomicUsize::new(0));
            // Another hand on the same files, which knows what the first one did.
            let mut writer = World::new(disk.clone(), world.log.clone(), keep);
            writer.numbers.clone_from(&world.numbers);
            (writer.highest, writer.next_event) = (world.highest, world.next_event);
            let writer = std::sync::Mutex::new(writer);
            let counted = looks.clone();
            disk.set_look_hook(move || {
                if counted.fetch_add(1, Relaxed) == look {
                    let mut writer = writer.lock().unwrap();
                    for step in [Append(1), Rotate, Append(2), Rotate, Append(1)] {
                        writer.run(&step);
                    }
                }
            });
            world.take(usize::MAX);
            world.take(usize::MAX);
            disk.set_look_hook(|| {});
            if looks.load(Relaxed) <= look {
                assert!(look > 10, "it looks more often");
                break;
            }
            world.next_event = 10;
            world.end();
            world.check().unwrap();
            if keep == 9 {
                assert_eq!(
                    world.given,
                    (1..=10).map(Some).collect::<Vec<_>>(),
                    "{look}"
                );
            }
        }
    }
}
