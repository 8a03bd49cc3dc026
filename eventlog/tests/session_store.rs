//! The example of a server's session store does what it says.
#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(not(shuttle))]

#[path = "../examples/session_store.rs"]
mod example;

use example::SessionStore;

#[test]
fn a_client_that_comes_back_gets_what_it_missed_and_is_told_if_that_is_not_all() {
    let store = SessionStore::default();
    let ids: Vec<_> = (1..=3)
        .map(|n| store.store("a", format!("message {n}")).unwrap())
        .collect();
    store.store("b", "of another session".into()).unwrap();

    let (missed, is_all) = store.replay_after("a", &ids[0]).unwrap();
    assert!(is_all);
    let expected = [
        (ids[1].clone(), "message 2".to_owned()),
        (ids[2].clone(), "message 3".to_owned()),
    ];
    assert_eq!(missed, expected);
    assert_eq!(store.replay_after("a", &ids[2]).unwrap(), (vec![], true));

    // An id of another session, of an ended one, or of nobody's making.
    for (session, id) in [("b", &*ids[0]), ("a", "17"), ("a", "")] {
        let (events, is_all) = store.replay_after(session, id).unwrap();
        assert!(!is_all && !events.is_empty(), "{session} {id:?}");
    }
    store.end("a");
    store.store("a", "of a new life".into()).unwrap();
    let (events, is_all) = store.replay_after("a", &ids[2]).unwrap();
    assert_eq!((events.len(), is_all), (1, false));

    // 256 KiB hold two of these.
    let first = store.store("b", "x".repeat(100 * 1024)).unwrap();
    for _ in 0..3 {
        store.store("b", "x".repeat(100 * 1024)).unwrap();
    }
    let (events, is_all) = store.replay_after("b", &first).unwrap();
    assert_eq!((events.len(), is_all), (2, false));
}

#[test]
fn it_is_short() {
    let text = include_str!("../examples/session_store.rs");
    assert!(text.lines().count() < 80);
}

#[test]
fn it_runs() {
    example::main().unwrap();
}
