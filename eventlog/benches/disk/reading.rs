//! Reading a log back, beside the loop that everybody writes.

use std::{
    fs::{self, File},
    hint::black_box,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use eventlog::disk;
use tempfile::TempDir;

use crate::{
    directory,
    support::{
        event::Event,
        measure::{Pair, compare, cpu_each},
    },
};

const EVENTS: usize = 100_000;

/// As events, in CPU time.
pub fn beside_a_bare_loop(rounds: usize) -> Pair {
    let (_directory, path) = log();
    compare(
        rounds,
        || cpu_each(EVENTS, || assert_eq!(bare_loop(&path), EVENTS)),
        || {
            cpu_each(EVENTS, || {
                let records = disk::read::<Event>(&path).map(Result::unwrap);
                assert_eq!(records.map(black_box).count(), EVENTS);
            })
        },
    )
}

/// As lines that nobody parses, in CPU time.
pub fn lines_beside_a_bare_loop(rounds: usize) -> Pair {
    let (_directory, path) = log();
    compare(
        rounds,
        || cpu_each(EVENTS, || assert_eq!(bare_lines(&path), EVENTS)),
        || {
            cpu_each(EVENTS, || {
                let (mut lines, mut count) = (disk::lines(&path), 0);
                while let Some(line) = lines.next_line() {
                    black_box(line.unwrap().bytes);
                    count += 1;
                }
                assert_eq!(count, EVENTS);
            })
        },
    )
}

fn log() -> (TempDir, PathBuf) {
    let directory = directory();
    let path = directory.path().join("x.log");
    let mut text = Vec::new();
    for version in 1..=EVENTS as u64 {
        serde_json::to_writer(&mut text, &Event::new(version)).unwrap();
        text.push(b'\n');
    }
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn bare_loop(path: &Path) -> usize {
    let mut file = BufReader::with_capacity(128 << 10, File::open(path).unwrap());
    let (mut line, mut count) = (Vec::new(), 0);
    while file.read_until(b'\n', &mut line).unwrap() > 0 {
        black_box(serde_json::from_slice::<Event>(&line).unwrap());
        line.clear();
        count += 1;
    }
    count
}

/// Newlines in a buffer that is filled again and again.
fn bare_lines(path: &Path) -> usize {
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 128 << 10];
    let (mut held, mut count) = (0, 0);
    loop {
        let read = file.read(&mut buffer[held..]).unwrap();
        if read == 0 {
            return count;
        }
        let filled = held + read;
        let mut start = 0;
        while let Some(at) = memchr::memchr(b'\n', &buffer[start..filled]) {
            black_box(&buffer[start..start + at]);
            start += at + 1;
            count += 1;
        }
        buffer.copy_within(start..filled, 0);
        held = filled - start;
    }
}
