//! `repair`: what opening the log would mend, and doing it without a program that opens it.

mod plan;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use self::plan::Plan;
use crate::args::RepairArgs;
use crate::lock::{Holder, beside};
use crate::outcome::{Outcome, Stop};
use crate::output::Output;
use crate::text::clean;

pub(crate) fn run(args: &RepairArgs) -> Result<Outcome, Stop> {
    let path = &args.path;
    let real = path
        .canonicalize()
        .map_err(|error| Stop::NoLog(format!("there is no log at {}: {error}", path.display())))?;
    let lock = if args.write {
        Some(take_lock(&real)?)
    } else {
        None
    };
    let plan = Plan::of(&real, args.drop_damaged)?;
    let mut output = Output::new();
    for line in plan.text(lock.is_some()) {
        output.line(&clean(&line))?;
    }
    if plan.is_empty() {
        output.line("there is nothing to mend")?;
    } else if lock.is_some() {
        let kept = mend(&real, &plan).map_err(|error| {
            let text = format!("{} could not be mended: {error}", real.display());
            Stop::NoLog(text)
        })?;
        output.line(&format!(
            "the file as it was is kept as {}",
            clean(&kept.to_string_lossy())
        ))?;
    } else {
        output.line("nothing was changed; --write does it")?;
    }
    output.flush()?;
    let is_left = !plan.is_empty() && lock.is_none();
    Ok(if is_left {
        Outcome::Damaged
    } else {
        Outcome::Clean
    })
}

/// Keeps writers away, as they keep each other away.
fn take_lock(path: &Path) -> Result<File, Stop> {
    let lock = beside(path, ".lock");
    let fails = |error: io::Error| {
        Stop::NoLog(format!(
            "the lock {} cannot be taken: {error}",
            lock.display()
        ))
    };
    let options = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock);
    let file = options.map_err(fails)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Stop::NoLog(format!(
            "{} is being written by {}; end that first, it mends the log by itself",
            path.display(),
            Holder::of(path).text()
        ))),
        Err(TryLockError::Error(error)) => Err(fails(error)),
    }
}

/// Does what was planned, with the lock held. Says under which name the file is kept.
fn mend(path: &Path, plan: &Plan) -> io::Result<PathBuf> {
    let kept = keep(path)?;
    if plan.dropped.is_empty() {
        let torn = read_from(path, plan.end)?;
        write_new(path, ".torn", &torn)?;
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(plan.end)?;
        file.sync_all()?;
    } else {
        rewrite(path, plan)?;
    }
    sync_directory(path)?;
    Ok(kept)
}

/// A copy of the file, under a name that nobody has.
fn keep(path: &Path) -> io::Result<PathBuf> {
    let (kept, mut copy) = create_numbered(path, ".bak")?;
    io::copy(&mut File::open(path)?, &mut copy)?;
    copy.set_permissions(path.metadata()?.permissions())?;
    copy.sync_all()?;
    sync_directory(path)?;
    Ok(kept)
}

/// Puts a file without the damaged lines in the place of the file.
fn rewrite(path: &Path, plan: &Plan) -> io::Result<()> {
    let torn = read_from(path, plan.end)?;
    if !torn.is_empty() {
        write_new(path, ".torn", &torn)?;
    }
    let tmp = beside(path, ".tmp");
    let _ = fs::remove_file(&tmp);
    let mut from = File::open(path)?;
    let to = OpenOptions::new().write(true).create_new(true).open(&tmp)?;
    to.set_permissions(path.metadata()?.permissions())?;
    let mut to = BufWriter::new(to);
    let holes = plan.dropped.iter().map(|hole| (hole.start, hole.end));
    let mut at = 0;
    for (start, end) in holes.chain([(plan.end, plan.end)]) {
        from.seek(SeekFrom::Start(at))?;
        io::copy(&mut Read::by_ref(&mut from).take(start - at), &mut to)?;
        at = end;
    }
    to.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    fs::rename(&tmp, path)
}

fn read_from(path: &Path, start: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn write_new(path: &Path, ending: &str, bytes: &[u8]) -> io::Result<()> {
    let (_, mut file) = create_numbered(path, ending)?;
    file.set_permissions(path.metadata()?.permissions())?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// `X.bak`, `X.bak.2`, …: none is overwritten.
fn create_numbered(path: &Path, ending: &str) -> io::Result<(PathBuf, File)> {
    let mut number = 1;
    loop {
        let ending = match number {
            1 => ending.to_owned(),
            _ => format!("{ending}.{number}"),
        };
        let name = beside(path, &ending);
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(file) => return Ok((name, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    // Elsewhere a directory is no file that can be opened.
    if cfg!(unix)
        && let Some(directory) = path.parent()
    {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
