//! `serve`: a page in a real browser, and what the server answers to others.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::chromium::Browser;
use crate::{Log, tick, tool};

struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT/KEY/`
    address: String,
}

impl Server {
    fn of(log: &Log) -> Self {
        let mut child = tool()
            .arg("serve")
            .arg(log.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            child,
            address: address.trim().to_owned(),
        }
    }

    fn host(&self) -> &str {
        self.address
            .trim_start_matches("http://")
            .split('/')
            .next()
            .unwrap()
    }

    fn key(&self) -> &str {
        self.address.split('/').nth(3).unwrap()
    }

    fn ask(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.host()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    fn answer(&self, request: &str) -> String {
        let mut answer = Vec::new();
        self.ask(request).read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// The lines of the events' stream after `last`, up to the first that is like this.
    fn events(&self, last: &str, until: impl Fn(&str) -> bool) -> Vec<String> {
        let key = self.key();
        let stream = self.ask(&format!("GET /{key}/events HTTP/1.1\r\n{last}\r\n"));
        let mut lines = Vec::new();
        for line in BufReader::new(stream).lines() {
            lines.push(line.unwrap());
            if until(&lines[lines.len() - 1]) {
                return lines;
            }
        }
        panic!("it ended: {lines:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const GAP: &str =
    r#"{"eventlog":{"gap":{"count":3,"min_version":3,"max_version":5,"reason":"backlog"}}}"#;

#[test]
fn the_page_shows_what_is_written_and_what_is_missing() {
    let up = |version: u64, name: &str| {
        format!("{{\"type\":\"up\",\"name\":\"{name}\",\"version\":{version}}}\n")
    };
    let log = Log::of(up(1, "one") + &tick(2) + GAP + "\noops <img src=x onerror=alert(1)>\n");
    let server = Server::of(&log);
    let Some(mut browser) = Browser::start() else {
        eprintln!("NOT RUN: there is no Chromium");
        return;
    };
    let page = browser.open(&server.address);
    let rows = "[...document.querySelectorAll('#rows tr')].filter(row => !row.hidden)";
    let texts = format!("{rows}.map(row => row.cells[2].textContent)");
    let all = json!(["up", "tick", "gap here", "not_an_event"]);
    browser.wait_for(&page, &texts, &all);
    browser.wait_for(
        &page,
        "document.getElementById('state').textContent",
        &json!("live"),
    );
    let gap = "document.querySelector('tr.gap').textContent.includes('3 events never written')";
    browser.wait_for(&page, gap, &json!(true));
    browser.wait_for(&page, "document.querySelectorAll('img').length", &json!(0));

    // A line that is written shows up.
    log.append(&up(6, "two"));
    browser.wait_for(&page, &format!("{rows}.length"), &json!(5));
    // A text, then a type, narrows.
    let search = |text: &str| {
        format!(
            "(() => {{ const box = document.getElementById('text'); box.value = '{text}'; \
             box.dispatchEvent(new Event('input')); }})()"
        )
    };
    browser.value(&page, &search("two"));
    browser.wait_for(&page, &texts, &json!(["up"]));
    browser.value(&page, &search(""));
    browser.value(
        &page,
        "[...document.querySelectorAll('#types button')][0].click()",
    );
    browser.wait_for(&page, &texts, &json!(["tick", "gap here", "not_an_event"]));
    // What comes while it is paused waits.
    browser.value(&page, "document.getElementById('pause').click()");
    log.append(&tick(7));
    let waits = "document.getElementById('count').textContent.includes('1 waiting')";
    browser.wait_for(&page, waits, &json!(true));
    browser.wait_for(&page, &format!("{rows}.length"), &json!(3));
    browser.value(&page, "document.getElementById('pause').click()");
    browser.wait_for(&page, &format!("{rows}.length"), &json!(4));
    // Through a rotation.
    fs::rename(log.path(), log.file("x.log.old")).unwrap();
    fs::write(log.path(), tick(8)).unwrap();
    browser.wait_for(&page, &format!("{rows}.length"), &json!(5));
    assert!(browser.picture(&page, 900, 500).len() > 1_000);
}

/// A browser rounds numbers above 2^53.
#[test]
fn large_versions_are_shown_to_the_last_digit() {
    let most = u64::MAX;
    let gap = r#"{"eventlog":{"gap":{"count":9007199254740993,"min_version":9007199254740993,"max_version":18014398509481985,"reason":"backlog"}}}"#;
    let log = Log::of(format!("{gap}\n{}", tick(most)));
    let server = Server::of(&log);
    let sent = server.events("", |line| line == "event: live").join("\n");
    assert!(sent.contains(&format!("\"version\":\"{most}\"")), "{sent}");
    assert!(sent.contains("\"count\":\"9007199254740993\""), "{sent}");
    let Some(mut browser) = Browser::start() else {
        eprintln!("NOT RUN: there is no Chromium");
        return;
    };
    let page = browser.open(&server.address);
    let cells = "[...document.querySelectorAll('#rows tr')].map(row => row.cells[1].textContent)";
    browser.wait_for(&page, cells, &json!(["", most.to_string()]));
    let said = "document.querySelector('tr.gap').cells[3].textContent";
    let text = "9007199254740993 events never written, \
                versions 9007199254740993 to 18014398509481985 (backlog)";
    browser.wait_for(&page, said, &json!(text));
}

#[test]
fn what_is_written_is_sent_to_who_stays() {
    let log = Log::of(tick(1));
    let server = Server::of(&log);
    let key = server.key();
    let stream = server.ask(&format!("GET /{key}/events HTTP/1.1\r\n\r\n"));
    let mut lines = BufReader::new(stream).lines();
    let mut comes = |text: &str| lines.any(|line| line.unwrap().contains(text));
    assert!(comes("event: live"));
    log.append(&tick(2));
    assert!(comes("\"version\":2"));
    log.append(&tick(3));
    assert!(comes("\"version\":3"));
}

/// Only who sends learns that a browser is gone.
#[test]
fn in_silence_something_is_sent_now_and_then() {
    let server = Server::of(&Log::of(tick(1)));
    let sent = server.events("", |line| line == ":");
    assert!(sent.contains(&"event: live".to_owned()));
}

/// Of 64 browsers each has the events. One more is told to come again, and the page is there for
/// more than that.
#[test]
fn so_many_may_look_and_no_more() {
    let log = Log::of(tick(1));
    let server = Server::of(&log);
    let page = format!("GET /{}/ HTTP/1.1\r\n\r\n", server.key());
    let events = format!("GET /{}/events HTTP/1.1\r\n\r\n", server.key());
    for _ in 0..150 {
        assert!(server.answer(&page).contains("200 OK"), "each makes room");
    }
    let looking: Vec<_> = (0..64)
        .map(|_| {
            let mut lines = BufReader::new(server.ask(&events)).lines();
            assert!(lines.any(|line| line.unwrap() == "event: live"));
            lines
        })
        .collect();
    let one_more = server.answer(&events);
    assert!(one_more.ends_with("retry: 1000\n\n"), "{one_more}");
    let silent: Vec<_> = (0..8).map(|_| server.ask("")).collect();
    assert!(server.answer(&page).contains("200 OK"));
    drop((looking, silent));
}

/// A connection that comes again with the last id gets what came after it, and nothing twice.
#[test]
fn a_browser_that_comes_again_goes_on() {
    let log = Log::of(tick(1) + &tick(2));
    let server = Server::of(&log);
    let first = server.events("", |line| line == "event: live");
    let data = |lines: &[String]| {
        let rows = lines.iter().filter_map(|line| line.strip_prefix("data: "));
        let rows = rows.map(|row| serde_json::from_str::<serde_json::Value>(row).unwrap());
        rows.filter_map(|row| row["event"]["version"].as_u64())
            .collect::<Vec<_>>()
    };
    assert_eq!(data(&first), [1, 2]);
    let id = first.iter().rfind(|line| line.starts_with("id: ")).unwrap();
    log.append(&(tick(3) + "{ \"version\" : 4 ,\r\"type\":\"odd\"}\n"));
    let last = format!("Last-Event-ID: {}\r\n", id.trim_start_matches("id: "));
    let again = server.events(&last, |line| line == "event: live");
    assert_eq!(data(&again), [3, 4]);
    assert!(!again.iter().any(|line| line == "event: reset"));
    let other = server.events("Last-Event-ID: soon\r\n", |line| line == "event: live");
    assert_eq!(data(&other), [1, 2, 3, 4], "an id that is none begins anew");
}

#[test]
fn nobody_without_the_key_is_shown_anything() {
    let log = Log::of(tick(1));
    let server = Server::of(&log);
    assert!(server.address.starts_with("http://127.0.0.1:"));
    let key = server.key().to_owned();
    assert_eq!(key.len(), 32);
    let page = server.answer(&format!("GET /{key}/ HTTP/1.1\r\n\r\n"));
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("Content-Security-Policy"));
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "one file, no assets outside"
    );
    for path in [
        "/",
        "/events",
        "/x/events",
        &format!("/{key}"),
        &format!("/{key}/../x"),
    ] {
        let answer = server.answer(&format!("GET {path} HTTP/1.1\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(!answer.contains("tick"));
    }
    for request in [
        "POST / HTTP/1.1\r\n\r\n".to_owned(),
        "\r\n\r\n".to_owned(),
        "x".repeat(20_000),
    ] {
        let mut stream = TcpStream::connect(server.host()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
    assert_ne!(Server::of(&log).key(), key, "each server has its own");
}
