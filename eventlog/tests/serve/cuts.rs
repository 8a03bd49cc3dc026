//! Cut anywhere and resumed by its id, a subscriber has the same as one that was never cut.

use std::path::Path;

use eventlog::{
    EventLog,
    disk::{DiskConfig, DiskWriter},
    serve::Feed,
};

use crate::{
    Tick,
    client::{Connection, Message, Parser, Piece, resuming},
    tick,
};

/// Reproducible numbers, spread well enough.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A server's life: its log, its writer, its feeds.
struct Server {
    log: EventLog<Tick>,
    writer: DiskWriter<Tick>,
    feed: Feed<Tick>,
}

impl Server {
    fn start(path: &Path) -> Self {
        let config = DiskConfig::new(path);
        let (log, _) = EventLog::<Tick>::recover(&config).unwrap();
        let writer = DiskWriter::spawn(&log, config).unwrap();
        let feed = Feed::stored(&writer).filter(|tick| tick.version % 3 != 0);
        Self { log, writer, feed }
    }

    fn append(&self, versions: std::ops::Range<u64>) {
        if let Some(range) = self.log.append_batch(versions.map(tick)) {
            self.writer.blocking_stored(range.last()).unwrap();
        }
    }
}

/// A subscriber that is cut again and again.
struct Victim {
    parser: Parser,
    seen: Vec<u64>,
    cuts: u64,
}

impl Victim {
    fn hear(&mut self, messages: Vec<Message>) {
        for message in messages {
            match &*message.kind {
                "" => self.seen.push(message.json()["version"].as_u64().unwrap()),
                "live" => {}
                other => panic!("after {} cuts: {other}: {}", self.cuts, message.data),
            }
        }
    }

    /// Connects and is cut: after some whole blocks, in the middle of one, or where it waits.
    fn connect_and_cut(&mut self, feed: &Feed<Tick>, dice: &mut Dice) {
        let parser = std::mem::take(&mut self.parser);
        let asked = resuming(&parser.last_id);
        let mut connection = Connection::on(feed, asked, parser);
        let mut bytes = Vec::new();
        while let Piece::Bytes(piece) = connection.piece() {
            bytes.extend(piece);
        }
        let at = match dice.below(3) {
            0 => dice.below(bytes.len() as u64 + 1),
            1 => {
                let blocks = bytes.windows(2).enumerate();
                let blocks: Vec<_> = blocks.filter(|(_, two)| two == b"\n\n").collect();
                let block = usize::try_from(dice.below(blocks.len() as u64)).unwrap();
                blocks[block].0 as u64 + 2
            }
            _ => bytes.len() as u64,
        };
        let messages = connection
            .parser
            .feed(&bytes[..usize::try_from(at).unwrap()]);
        self.parser = connection.parser;
        self.cuts += 1;
        self.hear(messages);
    }
}

#[test]
fn f02_a_thousand_cuts_by_block_byte_and_server_lose_and_double_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.log");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut server = Server::start(&path);
    let mut victim = Victim {
        parser: Parser::default(),
        seen: Vec::new(),
        cuts: 0,
    };
    let mut next = 1;
    while victim.cuts < 1200 {
        let more = next + dice.below(9);
        server.append(next..more);
        next = more;
        victim.connect_and_cut(&server.feed, &mut dice);
        if dice.below(20) == 0 {
            drop(server);
            server = Server::start(&path);
        }
    }
    server.append(next..next + 5);
    server.log.close();
    let parser = std::mem::take(&mut victim.parser);
    let mut last = Connection::on(&server.feed, resuming(&parser.last_id), parser);
    let (messages, ended) = last.drain();
    assert!(ended);
    victim.hear(messages);
    let all: Vec<_> = (1..next + 5).filter(|version| version % 3 != 0).collect();
    assert_eq!(victim.seen, all);
}
