//! The examples do what they say. Cargo builds them together with the tests, beside them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

fn example(name: &str) -> Command {
    let mut target = std::env::current_exe().unwrap();
    target.pop();
    target.pop();
    Command::new(target.join("examples").join(name))
}

fn output(name: &str) -> String {
    let output = example(name).output();
    let output = output.unwrap_or_else(|error| panic!("`cargo build --examples` first: {error}"));
    assert!(output.status.success(), "{name}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A server that says its address in its first line.
struct Server {
    child: Child,
    place: String,
}

impl Server {
    fn start(name: &str, directory: PathBuf) -> Self {
        let mut child = example(name)
            .current_dir(directory)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let (_, place) = line.split_once("://").unwrap();
        let place = place.split('/').next().unwrap().to_owned();
        Self { child, place }
    }

    fn connect(&self, request: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(&self.place).unwrap();
        let timeout = Some(Duration::from_secs(60));
        stream.set_read_timeout(timeout).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        BufReader::new(stream)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Reads lines until one begins with this; the rest of it.
fn line_after(stream: &mut impl BufRead, start: &str) -> String {
    let mut line = String::new();
    while stream.read_line(&mut line).unwrap() > 0 {
        if let Some(rest) = line.strip_prefix(start) {
            return rest.trim().to_owned();
        }
        line.clear();
    }
    panic!("the end, and no {start:?}");
}

/// The next event that is no notice of being live, with its id.
fn next_event(stream: &mut impl BufRead) -> (String, String) {
    loop {
        let id = line_after(stream, "id: ");
        let data = line_after(stream, "data: ");
        if !data.starts_with("{\"newest\"") {
            return (id, data);
        }
    }
}

#[test]
fn those_that_end_by_themselves_end_well() {
    assert!(output("quickstart").contains("on disk: Event(Exited"));
    assert!(output("async_subscriber").contains("700 before it, 2300 after it"));
    assert!(output("mcp_store").contains("no other"));
    assert!(output("follow_process").contains("versions 51 to 100"));
}

/// Killed and started again, it goes on where a page was.
#[test]
fn sse_goes_on_after_a_kill_where_the_page_was() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start("sse", directory.path().to_owned());
    let page = "GET / HTTP/1.0\r\n\r\n";
    let mut text = String::new();
    server.connect(page).read_to_string(&mut text).unwrap();
    assert!(text.contains("new EventSource"), "{text}");
    let ask =
        |more: &str| format!("GET /events HTTP/1.0\r\nAccept: text/event-stream\r\n{more}\r\n");
    let mut events = server.connect(&ask(""));
    let mut id = String::new();
    for version in 1..=3 {
        let (place, data) = next_event(&mut events);
        assert_eq!(data, format!("{{\"version\":{version}}}"));
        id = place;
    }
    drop(server);
    let server = Server::start("sse", directory.path().to_owned());
    let mut events = server.connect(&ask(&format!("Last-Event-ID: {id}\r\n")));
    let (_, data) = next_event(&mut events);
    assert_eq!(data, "{\"version\":4}", "no reset, no gap");
}

#[test]
fn websocket_tells_the_lines_that_a_socket_tells() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start("websocket", directory.path().to_owned());
    let mut socket = server.connect(
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    // One masked message of text: `{}`, with a mask of zeros.
    let hello = [0x81, 0x82, 0, 0, 0, 0, b'{', b'}'];
    socket.get_mut().write_all(&hello).unwrap();
    let mut heard = Vec::new();
    let mut byte = [0];
    let wanted = b"\"event\":{\"version\":3}}";
    while !heard.ends_with(wanted) {
        socket.read_exact(&mut byte).unwrap();
        heard.push(byte[0]);
    }
    let heard = String::from_utf8_lossy(&heard);
    assert!(heard.starts_with("HTTP/1.1 101"), "{heard}");
    assert!(heard.contains("{\"open\":{\"cursor\":"), "{heard}");
}
