//! Reading a log back, beside the loop that everybody writes.

use std::{
    fs::{self, File},
    hint::black_box,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use eventlog::disk;
use tempfile::TempDir;

use crate::{
    directory,
    support::{
        event::Event,
        measure::{Pair, compare, ns_each},
    },
};

const EVENTS: usize = 100_000;

pub fn beside_a_bare_loop(rounds: usize) -> Pair {
    let (_directory, path) = log();
    compare(
        rounds,
        || ns_each(EVENTS, || assert_eq!(bare_loop(&path), EVENTS)),
        || {
            ns_each(EVENTS, || {
                let records = disk::read::<Event>(&path).map(Result::unwrap);
                assert_eq!(records.map(black_box).count(), EVENTS);
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
