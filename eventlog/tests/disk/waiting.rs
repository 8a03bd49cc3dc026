//! Followers that wait, on a thread or as a stream.

use std::fs::{self, OpenOptions};
use std::future::poll_fn;
use std::io::Write as _;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use eventlog::disk::{Follow, FollowStream, follow};
use futures_core::Stream;

/// Longer than any machine needs, so that a wake-up that does not come is seen as a failure.
const PATIENCE: Duration = Duration::from_secs(60);

fn append(path: &Path, number: u64) {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    writeln!(file, "{number}").unwrap();
}

fn numbers(follow: &mut Follow<u64>) -> Vec<u64> {
    follow
        .map(|item| item.unwrap().into_event().unwrap())
        .collect()
}

#[test]
fn who_has_not_looked_does_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let mut follow = follow::<u64>(&path);
    assert!(follow.wait(Duration::MAX));
    append(&path, 1);
    append(&path, 2);
    assert!(follow.next().is_some());
    assert!(follow.wait(Duration::MAX), "there is another");
    assert_eq!(numbers(&mut follow), [2]);
    assert!(!follow.wait(Duration::ZERO));
}

#[test]
fn an_unfinished_line_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    fs::write(&path, "1\n2").unwrap();
    let mut follow = follow::<u64>(&path);
    assert_eq!(numbers(&mut follow), [1]);
    assert!(!follow.wait(Duration::from_millis(1)));
    append(&path, 3);
    assert!(follow.wait(PATIENCE));
    assert_eq!(numbers(&mut follow), [23]);
}

#[test]
fn between_two_files_the_next_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    append(&path, 1);
    let mut follow = follow::<u64>(&path);
    assert_eq!(numbers(&mut follow), [1]);
    fs::rename(&path, dir.path().join("x.log.old")).unwrap();
    assert!(follow.wait(PATIENCE));
    assert!(numbers(&mut follow).is_empty());
    assert!(!follow.wait(Duration::from_millis(1)));
    append(&path, 2);
    assert!(follow.wait(PATIENCE));
    assert_eq!(numbers(&mut follow), [2]);
}

/// The directory is not there at first, so that it cannot be watched, and the log is rotated.
#[test]
fn whoever_waits_is_woken_whatever_comes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("later/x.log");
    let (go, told) = mpsc::channel::<u64>();
    let writer = thread::spawn({
        let path = path.clone();
        move || {
            for number in told {
                if number == 1 {
                    fs::create_dir(path.parent().unwrap()).unwrap();
                }
                if number % 3 == 0 {
                    fs::rename(&path, path.with_extension("log.old")).unwrap();
                }
                append(&path, number);
            }
        }
    });
    let mut follow = follow::<u64>(&path);
    assert!(numbers(&mut follow).is_empty());
    for number in 1..20 {
        go.send(number).unwrap();
        let mut seen = Vec::new();
        while seen.is_empty() {
            assert!(follow.wait(PATIENCE), "{number}");
            seen = numbers(&mut follow);
        }
        assert_eq!(seen, [number]);
    }
    drop(go);
    writer.join().unwrap();
}

async fn next<E>(stream: &mut FollowStream<E>) -> Option<E> {
    let item = poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await;
    item.map(|item| item.unwrap().into_event().unwrap())
}

#[tokio::test]
async fn a_stream_gives_what_comes_and_says_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    let mut stream = follow::<u64>(&path).into_stream().unwrap();
    // More than it reads ahead.
    for number in 1..=1_000 {
        append(&path, number);
    }
    for number in 1..=700 {
        assert_eq!(next(&mut stream).await, Some(number));
    }
    let position = stream.position();
    let shown = format!("{stream:?}");
    assert!(shown.contains(&format!("{position:?}")), "{shown}");
    drop(stream);
    let resumed = follow::<u64>(&path).resuming(&position).unwrap();
    let mut stream = resumed.into_stream().unwrap();
    assert_eq!(stream.position(), position);
    for number in 701..=1_000 {
        assert_eq!(next(&mut stream).await, Some(number));
    }
    append(&path, 1_001);
    assert_eq!(next(&mut stream).await, Some(1_001));
}

/// An event that cannot be read without a panic.
#[derive(Debug)]
struct Panics;

impl<'de> serde::Deserialize<'de> for Panics {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("on purpose")
    }
}

#[tokio::test]
async fn a_stream_whose_thread_panics_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.log");
    append(&path, 1);
    let mut stream = follow::<Panics>(&path).into_stream().unwrap();
    assert!(next(&mut stream).await.is_none());
}
