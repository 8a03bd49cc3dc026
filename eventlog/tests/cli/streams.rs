//! Streams of servers that are not ours: their bytes, their ends, and what they try.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;

use crate::feed::{VERSIONS, kinds};
use crate::follow::Tail;
use crate::{Ran, nobody, run, show_endless, until};

/// A server of somebody else's: what it says to each that comes, one after the other, with the
/// head of the request of each. It hangs up then.
fn server(says: Vec<Vec<u8>>) -> (PathBuf, thread::JoinHandle<Vec<String>>) {
    let (listener, path) = listen();
    let says = says.into_iter();
    let served = thread::spawn(move || says.map(|said| answer(&listener, &said).1).collect());
    (path, served)
}

fn listen() -> (TcpListener, PathBuf) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let path = format!("http://{}/", listener.local_addr().unwrap()).into();
    (listener, path)
}

/// What it says to the next that comes. The connection is there yet, and the head of the request.
fn answer(listener: &TcpListener, said: &[u8]) -> (TcpStream, String) {
    listener.set_nonblocking(true).unwrap();
    let stream = until("somebody comes", || listener.accept().ok()).0;
    stream.set_nonblocking(false).unwrap();
    reply(stream, said)
}

fn reply(mut stream: TcpStream, said: &[u8]) -> (TcpStream, String) {
    let lines = BufReader::new(&stream).lines().map(Result::unwrap);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    // Who has enough hangs up first.
    let _ = stream.write_all(said);
    (stream, head.join("\n"))
}

/// The answer of a feed.
fn stream(body: &[u8]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\r\n";
    [head.as_bytes(), body].concat()
}

const LIVE: &str = "event: live\nid: 9f86d081884c7d65.9.9\ndata: {\"newest\":\"9\"}\n\n";

fn event(seq: u64, data: &str) -> String {
    format!("id: 9f86d081884c7d65.{seq}.{seq}\ndata: {data}\n\n")
}

#[test]
fn bytes_are_read_as_the_standard_has_it() {
    let text = [
        "\u{feff}id: 9f86d081884c7d65.1.1\nretry: 12x\ndata: {\"version\":1}\n\n",
        ": a comment\nnobody: knows\nevent\ndata:{\"version\":\ndata\ndata: 2}\n",
        "id: 9f86d081884c7d65.2.2\nid: 9f86d081884c7d65.7.7\0\n\n",
        "event: other\ndata: {\"version\":77}\n\n\n\n",
        // The id before holds.
        "event: message\ndata:{\"version\":3}\n\n",
        " data: {\"version\":78}\n\n",
        "\u{feff}data: {\"version\":79}\n\n",
        LIVE,
    ]
    .concat();
    for end in ["\n", "\r", "\r\n"] {
        let (path, _) = server(vec![stream(text.replace('\n', end).as_bytes())]);
        let rows = run("show", &["-o", "json"], &path);
        let event = |version| ("event".to_owned(), Some(version));
        let live = ("live".to_owned(), None);
        assert_eq!(
            kinds(&rows.out),
            [event(1), event(2), event(3), live],
            "{end:?}: {rows:?}"
        );
        let cursors = rows.out.matches("\"9f86d081884c7d65.2.2\"").count();
        assert_eq!(cursors, 2, "{rows:?}");
        let raw = run(
            "show",
            &["-o", "raw"],
            &server(vec![stream(text.as_bytes())]).0,
        );
        let events = "{\"version\":1}\n{\"version\":  2}\n{\"version\":3}\n";
        assert_eq!(raw.out, events, "{raw:?}");
    }
}

/// The half of an event that was told does not count, nor its id.
#[test]
fn a_stream_that_breaks_is_gone_on_with_by_one_who_follows() {
    let half = "id: 9f86d081884c7d65.2.2\ndata: {\"version\":22}\n";
    let bookmark = "retry: 1\nid: 9f86d081884c7d65.1.5\n\n";
    let first = [&event(1, "{\"version\":1}"), bookmark, half].concat();
    let second = [&event(2, "{\"version\":2}"), LIVE].concat();
    let finished = "HTTP/1.1 204 No Content\r\n\r\n";
    let says = vec![
        stream(first.as_bytes()),
        stream(second.as_bytes()),
        finished.into(),
    ];
    let (path, served) = server(says);
    let mut tail = Tail::at(&VERSIONS, &path);
    tail.expect([1, 2]);
    assert_eq!(tail.child.wait().unwrap().code(), Some(0));
    let heads = served.join().unwrap();
    let accepts = |head: &String| {
        let head = head.to_ascii_lowercase();
        head.contains("\naccept: text/event-stream")
    };
    assert!(heads.iter().all(accepts), "{heads:?}");
    let asked: Vec<_> = heads.iter().map(|head| last_event_id(head)).collect();
    assert_eq!(
        asked,
        ["", "9f86d081884c7d65.1.5", "9f86d081884c7d65.9.9"],
        "{heads:?}"
    );
    // Who only shows what is there does not come back, and shows what was heard.
    for flags in [&["show"][..], &["show", "-n9"], &["tail", "-nall"]] {
        let (path, _) = server(vec![stream(first.as_bytes())]);
        let flags = [flags, &VERSIONS].concat();
        let shown = run(flags[0], &flags[1..], &path);
        assert_eq!((&*shown.out, shown.code), ("1\n", Some(5)), "{shown:?}");
        assert!(shown.err.contains("the stream has ended"), "{shown:?}");
    }
}

#[test]
fn who_follows_is_told_that_a_connection_is_lost() {
    let (listener, path) = listen();
    let mut tail = Tail::at(&VERSIONS, &path);
    let begin = [&event(1, "{\"version\":1}"), LIVE].concat();
    drop(answer(&listener, &stream(begin.as_bytes())));
    tail.expect([1]);
    let told = tail.complaint();
    let why = "the stream has ended: ";
    assert!(
        told.contains(why) && told.ends_with("; trying again\n"),
        "{told}"
    );
    let _second = answer(&listener, &stream(event(2, "{\"version\":2}").as_bytes()));
    tail.expect([2]);
}

#[test]
fn a_stream_that_ends_before_its_length_is_an_error() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n";
    let said = head.to_owned() + &event(1, "{\"version\":1}");
    let shown = run("show", &VERSIONS, &server(vec![said.into()]).0);
    assert_eq!((&*shown.out, shown.code), ("1\n", Some(5)), "{shown:?}");
    assert!(shown.err.contains("the connection was lost: "), "{shown:?}");
}

fn last_event_id(head: &str) -> String {
    let head = head.to_ascii_lowercase();
    let mut lines = head.lines();
    let id = lines.find_map(|line| line.strip_prefix("last-event-id: "));
    id.unwrap_or_default().to_owned()
}

#[test]
fn an_event_that_is_damaged_or_too_long_is_told() {
    let long = format!("\"{}\"", "x".repeat(17 << 20));
    let lines = "data: \"1234567\"\n".repeat(2 << 20);
    let said = [
        &event(1, &long),
        &event(2, "\"oops\ndata: \u{9b}2J\""),
        &event(3, &format!("[\n{lines}data: ]")),
        // This is no place, and the one before holds.
        &event(4, &format!("{{\"version\":4}}\nid: {long}")),
        "event: reset\nid: 9f86d081884c7d65.5.5\ndata: {\"coverage\":\"later\"}\n\n",
        LIVE,
    ];
    let (path, _) = server(vec![stream(said.concat().as_bytes())]);
    let rows = run("show", &["-o", "json"], &path);
    let kinds: Vec<_> = kinds(&rows.out).into_iter().map(|row| row.0).collect();
    let expected = ["damage", "damage", "damage", "event", "reset", "live"];
    assert_eq!(kinds, expected, "{rows:?}");
    let too_long = rows.out.matches("\"too_long\"").count();
    assert_eq!((too_long, rows.code), (2, Some(0)));
    assert!(rows.out.contains("\"foreign\"") && rows.out.contains("\"not_an_event\""));
}

#[test]
fn the_longest_event_comes_whole() {
    let longest = format!("\"{}\"", "x".repeat((16 << 20) - 2));
    let comment = format!(":{}\n", "x".repeat((64 << 20) - 1));
    let said = [
        &format!("\u{feff}data: {longest}\nid: 9f86d081884c7d65.1.1\n\n"),
        &comment,
        &event(2, "2"),
        LIVE,
    ];
    let (path, _) = server(vec![stream(said.concat().as_bytes())]);
    let shown = run("show", &["-o", "raw"], &path);
    assert!(shown.out == longest + "\n2\n", "{}", shown.err);
}

/// What is no number says nothing.
#[test]
fn the_server_says_after_how_long_to_come_back() {
    let hour = "retry: 3600000\nretry: 1x\nretry:\n\n".to_owned() + LIVE;
    let (later, path) = listen();
    let mut patient = Tail::at(&VERSIONS, &path);
    drop(answer(&later, &stream(hour.as_bytes())));
    assert!(patient.complaint().contains("trying again"));
    // Meanwhile another comes back many times.
    let (soon, path) = listen();
    let tail = Tail::at(&VERSIONS, &path);
    let begin = "retry: 1\nretry: +3600000\n\n".to_owned() + LIVE;
    drop(answer(&soon, &stream(begin.as_bytes())));
    for seq in 1..=3 {
        let said = event(seq, &format!("{{\"version\":{seq}}}")) + LIVE;
        drop(answer(&soon, &stream(said.as_bytes())));
    }
    tail.expect(1..=3);
    let nobody = later.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

/// It takes connections, and says nothing to them, or only the beginning.
#[test]
fn a_server_that_never_answers_is_left() {
    let (_silent, silent) = listen();
    let (begun, address) = listen();
    // This one has answered once, and will again.
    let (listener, path) = listen();
    let tail = Tail::at(&VERSIONS, &path);
    drop(answer(&listener, &stream(LIVE.as_bytes())));
    let _unanswered = answer(&listener, b"");
    thread::spawn(move || {
        let mut kept = Vec::new();
        while let Ok((mut connection, _)) = begun.accept() {
            let _ = connection.write_all(&stream(b": hello\n"));
            kept.push(connection);
        }
    });
    let asked = [
        (&silent, "-n2"),
        (&silent, "-f"),
        (&address, "-n2"),
        (&address, "-f"),
    ];
    let asked = asked.map(|(path, flag)| {
        let path = path.clone();
        thread::spawn(move || run("tail", &[flag], &path))
    });
    for asked in asked {
        let left: Ran = asked.join().unwrap();
        assert_eq!((&*left.out, left.code), ("", Some(5)), "{left:?}");
        assert!(left.err.contains("no feed has answered"), "{left:?}");
    }
    // It may have given up again meanwhile, and each that comes is another try.
    listener.set_nonblocking(false).unwrap();
    thread::spawn(move || {
        let said = stream(event(10, "{\"version\":10}").as_bytes());
        let mut kept = Vec::new();
        while let Ok((connection, _)) = listener.accept() {
            kept.push(reply(connection, &said));
        }
    });
    tail.expect([10]);
}

/// Neither of them is kept in memory.
#[test]
#[cfg(target_os = "linux")]
fn what_has_no_end_takes_no_memory() {
    for (begin, word) in [
        ("HTTP/1.1 200 OK\r\nX: ".into(), "see that it is a feed's"),
        (stream(b"data: "), "more than 64 MiB"),
        (stream(b": "), "more than 64 MiB"),
        (stream(b"nobody"), "more than 64 MiB"),
    ] {
        let ran = show_endless("http://", begin);
        assert_eq!(ran.code, Some(5), "{ran:?}");
        assert!(ran.err.contains(word), "{ran:?}");
    }
}

#[test]
fn what_is_no_feed_is_an_error_for_all() {
    let says = |answer: &[u8]| server(vec![answer.to_vec()]).0;
    for (answer, word) in [
        (
            &b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"[..],
            "302 Found",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Type: \"\x1b[2J\r\n\r\n", ""),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no `text/event-stream`"),
        (b"{\"error\":\"\x1b[2J\"}\n", "see that it is a feed's"),
    ] {
        let ran = run("tail", &["-f"], &says(answer));
        assert_eq!((&*ran.out, ran.code), ("", Some(5)), "{ran:?}");
        assert!(
            ran.err.contains(word) && !ran.err.contains('\x1b'),
            "{ran:?}"
        );
    }
    let nameless = run(
        "tail",
        &["-f"],
        &says(&stream(b"data: {\"version\":1}\n\n")),
    );
    assert_eq!(nameless.code, Some(5), "{nameless:?}");
    assert!(nameless.err.contains("no cursor as its id"), "{nameless:?}");
    let deaf = nobody();
    let nobody = PathBuf::from(format!("http://{}/", deaf.local_addr().unwrap()));
    let refused = run("show", &[], &nobody);
    assert_eq!(refused.code, Some(5));
    assert!(refused.err.contains("efused"), "{refused:?}");
}
