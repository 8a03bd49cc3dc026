//! One crash, and what must hold after it.

use eventlog::disk::{Damage, DamageKind, Reader, Record};

use super::driver::Driver;
use super::ending::{Ending, endings};
use super::files::{PATH, files, numbers, path};
use super::floors::Floors;
use super::script::Script;
use crate::{
    model::disk::{Allowed, Broken, DiskModel, Numbered},
    sim_disk::{
        crash::Crash,
        disk::SimDisk,
        fault::{Fault, Op},
        random::Random,
        state::Picture,
    },
};

/// Runs a script, ends it after the operation of this number (from 1), and checks all laws.
///
/// ```
/// use model_tests::{crashes::{Ending, Script, check_one}, sim_disk::Crash};
///
/// // As a violation prints it: this history, and a power cut after its fifth operation.
/// let script = Script::generate(1, 1);
/// check_one(&script, 5, Ending::Power(Crash::LOST))?;
/// # Ok::<(), model_tests::disk_model::Broken>(())
/// ```
///
/// # Errors
/// The first law that is broken.
///
/// # Panics
/// If the script has fewer operations.
pub fn check_one(script: &Script, operation: u64, ending: Ending) -> Result<(), Broken> {
    let pictures = pictures(script)?;
    let picture = pictures
        .iter()
        .find(|picture| picture.operations == operation);
    let picture = picture.unwrap_or_else(|| panic!("only {} operations", pictures.len()));
    check(script, &Floors::of(script, &pictures), picture, ending)
}

/// Runs a script on a disk of its own, with a picture after every operation.
///
/// ```
/// # use model_tests::crashes::{Script, pictures};
/// let pictures = pictures(&Script::generate(1, 1))?;
/// assert!(pictures.is_sorted_by_key(|picture| picture.operations)); // one per operation
/// # Ok::<(), model_tests::disk_model::Broken>(())
/// ```
///
/// # Errors
/// W07 if the log does not come through.
pub fn pictures(script: &Script) -> Result<Vec<Picture>, Broken> {
    let disk = SimDisk::new();
    for (operation, fault) in &script.faults {
        disk.fail_at(*operation, *fault);
    }
    disk.record();
    let stuck = |error| Broken::new("W07", format!("the log does not come through: {error}"));
    let mut driver = Driver::detached(&disk, script).map_err(stuck)?;
    driver.run(&script.steps).map_err(stuck)?;
    Ok(disk.pictures())
}

/// Ends a life of the log and checks what the next ones find.
pub(super) fn check(
    script: &Script,
    floors: &Floors,
    picture: &Picture,
    ending: Ending,
) -> Result<(), Broken> {
    let note = picture.note;
    let disk = ending.of(picture);
    if may_lack_its_mark(script, picture) && disk.lies(&path("")) && !marked(&disk) {
        // Nothing tells that what is read is not on the disk.
        return Ok(());
    }
    bounded(script, floors, script.keep, &picture.disk())?;
    let floor = floors.after(note.handed);
    let allowed = Allowed {
        order: (1..=note.handed).collect(),
        must: (floor..=note.durable).collect(),
    };
    let (mut driver, found) = reopen(script, floors, &disk, &allowed, note.handed)?;
    if ending == Ending::Kill {
        // What the new process found and fsynced must not depend on the machine going on.
        same_reading("W02", &found, &disk.crash(&Crash::LOST))?;
    }
    again(script, floors, &disk, &mut driver, &found, picture)
}

/// Whether a sync may have failed right before the end, or leaving a mark of that.
fn may_lack_its_mark(script: &Script, picture: &Picture) -> bool {
    let refused = |(_, fault): &(u64, Fault)| matches!(fault, Fault::Refuse(_));
    picture.op == Op::Sync || script.faults.iter().any(refused)
}

fn marked(disk: &SimDisk) -> bool {
    disk.bytes(&path(".suspect")).is_some()
}

/// Appends to the log that was found, crashes once more, and checks what is left of both lives.
fn again(
    script: &Script,
    floors: &Floors,
    disk: &SimDisk,
    driver: &mut Driver,
    found: &[u64],
    picture: &Picture,
) -> Result<(), Broken> {
    let mut random = Random::new(picture.operations ^ picture.note.durable << 20);
    let (old, has_current) = files(disk);
    let len = if has_current {
        old.last().map(|current| current.len() as u64)
    } else {
        None
    };
    let old: Vec<_> = old.iter().map(|bytes| numbers(bytes)).collect();
    let before = picture.note.handed;
    let lens: Vec<_> = (0..3).map(|_| 26 + random.below(50)).collect();
    disk.record();
    let stuck = |error| Broken::new("W07", format!("cannot append after a crash: {error}"));
    for len in &lens {
        driver
            .append(&[*len])
            .and_then(|()| driver.sync())
            .map_err(stuck)?;
    }
    let pictures = disk.pictures();
    let picture = &pictures[random.below(pictures.len())];
    let endings = endings(picture, random.number());
    let Ending::Power(crash) = endings[random.below(endings.len() - 1)] else {
        return Ok(());
    };
    let disk = picture.disk().crash(&crash);

    let mut model = DiskModel::found(script.max_bytes, script.keep, old, len);
    let new = before + 1..=before + picture.note.handed;
    for (number, len) in new.clone().zip(&lens) {
        model.hand(number, Numbered::new(number, *len).line().len() as u64);
    }
    let durable = before + picture.note.durable;
    let allowed = Allowed {
        order: found.iter().copied().chain(new).collect(),
        must: model
            .retained()
            .filter(|number| *number <= durable)
            .collect(),
    };
    reopen(script, floors, &disk, &allowed, before + lens.len() as u64)
        .map(drop)
        .map_err(|broken| Broken {
            how: format!("after a second crash: {}", broken.how),
            ..broken
        })
}

/// Reads the log, opens it, and checks the repair.
fn reopen(
    script: &Script,
    floors: &Floors,
    disk: &SimDisk,
    allowed: &Allowed,
    before: u64,
) -> Result<(Driver, Vec<u64>), Broken> {
    let torn = allowed.judge(&read(disk))?;
    let current = disk.bytes(&path("")).unwrap_or_default();
    let (driver, opened) = Driver::open(disk, script, before)
        .map_err(|error| Broken::new("W07", format!("cannot open after a crash: {error}")))?;
    let items = read(disk);
    let found = allowed.judge(&items)?;
    if found != torn {
        return Err(Broken::new(
            "W05",
            format!("the repair made {found:?} of {torn:?}"),
        ));
    }
    whole_lines(disk, &items)?;
    kept_aside(&disk.crash(&Crash::LOST), &current, opened.torn_bytes)?;
    // Its removal may not have reached the disk.
    bounded(script, floors, script.keep + 1, disk)?;
    // On this boot nothing is certain but what has been synced since.
    same_reading("W02", &found, &disk.crash(&Crash::LOST))?;
    Ok((driver, found))
}

fn read(disk: &SimDisk) -> Vec<Result<Record<Numbered>, Damage>> {
    Reader::open(disk.clone(), PATH).collect()
}

fn same_reading(law: &'static str, found: &[u64], disk: &SimDisk) -> Result<(), Broken> {
    let items = read(disk)
        .into_iter()
        .flatten()
        .filter_map(Record::into_event);
    let again: Vec<_> = items.map(|event| event.version).collect();
    if again == found {
        return Ok(());
    }
    let how = format!("opening found {found:?}, of which a power cut left {again:?}");
    Err(Broken::new(law, how))
}

fn whole_lines(disk: &SimDisk, items: &[Result<Record<Numbered>, Damage>]) -> Result<(), Broken> {
    let torn_tail = |damage: &Damage| matches!(damage.kind, DamageKind::TornTail);
    let torn = items
        .iter()
        .filter_map(|item| item.as_ref().err())
        .any(torn_tail);
    let current = disk.bytes(&path("")).unwrap_or_default();
    if torn || !(current.is_empty() || current.ends_with(b"\n")) || ends_damaged(&current) {
        let text = String::from_utf8_lossy(&current).into_owned();
        return Err(Broken::new(
            "W04",
            format!("after the repair the file is {text:?}"),
        ));
    }
    Ok(())
}

fn ends_damaged(bytes: &[u8]) -> bool {
    let last = bytes.split_inclusive(|byte| *byte == b'\n').next_back();
    last.is_some_and(|line| numbers(line).is_empty())
}

fn kept_aside(disk: &SimDisk, before: &[u8], torn_bytes: u64) -> Result<(), Broken> {
    let after = disk.bytes(&path("")).unwrap_or_default();
    let Some(torn) = before.strip_prefix(&after[..]) else {
        return Err(Broken::new(
            "W05",
            "the repair changed the middle of the file",
        ));
    };
    if torn.len() as u64 != torn_bytes {
        return Err(Broken::new(
            "W05",
            format!("{torn_bytes} torn bytes reported: {torn:?}"),
        ));
    }
    let names = (1..).map(|k| match k {
        1 => path(".torn"),
        k => path(&format!(".torn.{k}")),
    });
    let set_aside = names.map_while(|name| disk.bytes(&name)).last();
    if torn_bytes > 0 && set_aside.as_deref() != Some(torn) {
        return Err(Broken::new("W05", format!("{torn:?} was not set aside")));
    }
    Ok(())
}

fn bounded(script: &Script, floors: &Floors, keep: u32, disk: &SimDisk) -> Result<(), Broken> {
    let (files, has_current) = files(disk);
    let full = files.len() - usize::from(has_current);
    if full > keep as usize {
        return Err(Broken::new("W08", format!("{full} full files are kept")));
    }
    let lines = |file: &[u8]| file.split_inclusive(|byte| *byte == b'\n').count();
    let too_large = files
        .iter()
        .find(|file| file.len() as u64 > script.max_bytes && lines(file) > 1);
    match too_large {
        Some(file) if !floors.was_refused => {
            let how = format!("a file has {} bytes", file.len());
            Err(Broken::new("W08", how))
        }
        _ => Ok(()),
    }
}
