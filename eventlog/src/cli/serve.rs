//! `serve`: the log in a browser, as it is written.
//!
//! The page is one file. Its rows come as server-sent events, the objects of `-o json`, each followed
//! by a bookmark: the position after it, which the browser sends when it comes back.

mod request;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use eventlog::disk::{self, Position, Timeline};
use serde::de::IgnoredAny;

use self::request::Request;
use crate::args::ServeArgs;
use crate::format::Printer;
use crate::input::MAX_LINE_BYTES;
use crate::last_of::LastOf;
use crate::live::{LOOK, Marks, visit_next};
use crate::outcome::{Outcome, Stop};
use crate::output::Output;
use crate::scan::Scan;
use crate::story::Story;

const PAGE: &str = include_str!("serve/page.html");
/// More connections are told to come again.
const MAX_CONNECTIONS: usize = 64;
/// A browser that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn run(args: ServeArgs) -> Result<Outcome, Stop> {
    let fails = |error: io::Error| Stop::NoLog(format!("{}: {error}", args.listen));
    let listener = TcpListener::bind(args.listen).map_err(fails)?;
    let key = key();
    let address = listener.local_addr().map_err(fails)?;
    let mut output = Output::new();
    output.line(&format!("http://{address}/{key}/"))?;
    output.flush()?;
    let site = Arc::new(Site {
        args,
        key,
        connections: AtomicUsize::new(0),
    });
    for stream in listener.incoming() {
        // One that failed already is nobody's.
        let Ok(stream) = stream else { continue };
        if site.connections.fetch_add(1, Ordering::Relaxed) >= 2 * MAX_CONNECTIONS {
            site.connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let held = Held(site.clone());
        let thread = std::thread::Builder::new().name("connection".to_owned());
        // Where there is no thread for it, the connection is closed, and the browser comes again.
        let _ = thread.spawn(move || held.0.serve(&stream));
    }
    Ok(Outcome::Clean)
}

/// A connection that counts.
struct Held(Arc<Site>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What nobody guesses: two numbers from the randomness that hash tables are seeded with.
fn key() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", number(), number())
}

struct Site {
    args: ServeArgs,
    key: String,
    connections: AtomicUsize,
}

impl Site {
    fn serve(&self, stream: &TcpStream) -> Result<(), Stop> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let Some(request) = Request::read(stream)? else {
            return answer(stream, "400 Bad Request", "text/plain", "no request");
        };
        match request
            .path
            .strip_prefix('/')
            .and_then(|path| path.strip_prefix(&*self.key))
        {
            Some("/") => answer(stream, "200 OK", "text/html; charset=utf-8", PAGE),
            Some("/events") => self.send_events(stream, &request),
            _ => answer(
                stream,
                "404 Not Found",
                "text/plain",
                "there is nothing here",
            ),
        }
    }

    fn send_events(&self, mut stream: &TcpStream, request: &Request) -> Result<(), Stop> {
        stream.write_all(EVENTS_HEAD.as_bytes())?;
        if self.connections.load(Ordering::Relaxed) > MAX_CONNECTIONS {
            // A browser gives up for ever on anything but 200.
            return Ok(());
        }
        let mut marks = Marks::of(&self.args.path);
        let output = Output::to(Box::new(stream.try_clone()?));
        let timeline = Timeline::of(&self.args.path);
        let printer = Printer::sending(output);
        let mut scan = Scan::new(Some(timeline), &self.args.filter, true, printer);
        marks.has(&scan);
        let begin = || disk::follow::<IgnoredAny>(&self.args.path).max_line_bytes(MAX_LINE_BYTES);
        let mut follow = begin();
        let last = request.last_event_id.as_deref();
        if let Some(position) = last.and_then(|last| last.parse::<Position>().ok())
            && let Ok(resumed) = begin().resuming(&position)
        {
            follow = resumed;
            scan.story = Story::default();
        } else {
            scan.printer.text("event: reset\ndata: {}\n\n")?;
            let mut last = LastOf::new(self.args.lines, &mut scan);
            while visit_next(&mut follow, &mut last)? {}
            last.show()?;
        }
        let mut is_live = false;
        loop {
            let mut sent = Instant::now();
            while visit_next(&mut follow, &mut scan)? {
                bookmark(&mut scan, &follow.position())?;
            }
            scan.tell_turns()?;
            bookmark(&mut scan, &follow.position())?;
            if !std::mem::replace(&mut is_live, true) {
                scan.printer.text("event: live\ndata: {}\n\n")?;
            }
            scan.printer.finish(&scan.clock)?;
            while !follow.wait(LOOK) && !marks.look(&mut scan) {
                if sent.elapsed() > PATIENCE {
                    // Only who sends learns that nobody is there any more.
                    scan.printer.text(":\n\n")?;
                    scan.printer.finish(&scan.clock)?;
                    sent = Instant::now();
                }
            }
            marks.look(&mut scan);
        }
    }
}

const EVENTS_HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
    Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\nConnection: close\r\n\r\n\
    retry: 1000\n\n";

/// A block without data moves the browser's place, and is no event for the page.
fn bookmark(scan: &mut Scan, position: &Position) -> Result<(), Stop> {
    scan.printer.text(&format!("id: {position}\n\n"))?;
    Ok(())
}

fn answer(mut stream: &TcpStream, status: &str, kind: &str, body: &str) -> Result<(), Stop> {
    // What a log says can do nothing in the page but be read.
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Content-Security-Policy: default-src 'none'; connect-src 'self'; script-src \
         'unsafe-inline'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    Ok(())
}
