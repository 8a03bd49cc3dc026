//! Writers, mirrors and readers of one stream, and what has to hold of them.

use super::{
    ATTEMPTS,
    reader::{Mirror, Reader},
    server::SimServer,
    state::{Fault, History},
    writer::Writer,
};
use crate::{coverage::Coverage, cursor::Start};

/// More events than any script has.
pub(super) const LARGE: usize = 4096;

/// Events that are handed over at once.
const BURST: usize = 3;

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// The writer hands over an event, whose first request has this fate.
    Write(Fault),
    /// It hands over some more at once, and is stopped before it hears of them; each has this fate.
    Burst(Fault),
    /// It hands over two at once, and is stopped before it hears of the second.
    Unheard,
    /// It has lost some, and hands over the gap that counts them.
    Lose,
    /// What is held on its way arrives.
    Arrive,
    /// The writer before, which was never ended, does.
    WriteOld,
    /// Another process writes from now on.
    Restart(Fault),
    /// A mirror hears of what there is; the next message may be lost on its way.
    Follow(usize),
    LoseDelivery,
    /// Mirrors are connected, and nothing is delivered to them.
    ForgetReaders,
    /// A mirror is started anew.
    Open(usize),
    Sync,
    /// The server is started anew; after a power cut; without its stream.
    RestartServer,
    CutPower,
    LoseAll,
    Trim,
}

pub(super) struct World {
    server: SimServer,
    writer: Writer,
    old: Option<Writer>,
    mirrors: [Mirror; 2],
    /// Those who ask at every mirror in turn.
    readers: Vec<Reader>,
    /// Wherever one of them has ever stood: from there another may go on, at any time.
    stood: Vec<Reader>,
    last_id: u64,
    acknowledged: Vec<u64>,
    /// Whether the server has lost something, and whether a limit has.
    fell_back: bool,
    trimmed: bool,
    /// The ids of gaps that were handed over.
    gaps: Vec<u64>,
}

impl World {
    /// With mirrors that keep so many events.
    pub(super) fn new(capacities: [usize; 2]) -> Self {
        let server = SimServer::default();
        let writer = Writer::open(&server);
        let open = |events| Mirror::open(&server, events).expect("there is a stream");
        let mirrors = capacities.map(open);
        let readers = mirrors.iter().map(Reader::new).collect();
        Self {
            server,
            writer,
            old: None,
            mirrors,
            readers,
            stood: Vec::new(),
            last_id: 0,
            acknowledged: Vec::new(),
            fell_back: false,
            trimmed: false,
            gaps: Vec::new(),
        }
    }

    /// What becomes of the next requests.
    pub(super) fn then(&self, faults: Vec<Fault>) {
        self.server.then(faults);
    }

    /// So many requests have this fate, if it is one.
    fn place(&self, fault: Fault, requests: usize) {
        if fault != Fault::None {
            self.then(vec![fault; requests]);
        }
    }

    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Write(fault) => {
                self.place(fault, 1);
                self.write(ATTEMPTS, |world| Some(&mut world.writer), Writer::append, 1);
            }
            Act::Lose => {
                self.gaps.push(self.last_id + 1);
                self.write(ATTEMPTS, |world| Some(&mut world.writer), Writer::lose, 1);
            }
            Act::Burst(fault) => {
                self.place(fault, BURST);
                self.write(1, |world| Some(&mut world.writer), Writer::append, BURST);
            }
            Act::Unheard => {
                self.then(vec![Fault::None, Fault::LoseAnswer]);
                self.write(1, |world| Some(&mut world.writer), Writer::append, 2);
            }
            Act::Arrive => self.server.arrive(),
            Act::WriteOld => self.write(ATTEMPTS, |world| world.old.as_mut(), Writer::append, 1),
            Act::Restart(fault) => {
                self.place(fault, 1);
                let writer = Writer::open(&self.server);
                self.old = Some(std::mem::replace(&mut self.writer, writer));
            }
            Act::Follow(mirror) => {
                self.mirrors[mirror].follow();
                self.note_known(mirror);
            }
            Act::LoseDelivery => self.server.lose_deliveries(1),
            Act::ForgetReaders => self.server.forget_readers(),
            Act::Open(mirror) => {
                if let Some(opened) = Mirror::open(&self.server, self.mirrors[mirror].capacity) {
                    self.mirrors[mirror] = opened;
                    self.note_known(mirror);
                }
            }
            Act::Sync => self.server.sync(),
            Act::RestartServer => self.server.restart(),
            Act::CutPower => self.server.cut_power(),
            Act::LoseAll => self.server.lose_all(),
            Act::Trim => self.server.trim(),
        }
        // A stream that was emptied has nothing that its next writer could go on from.
        self.fell_back |= matches!(act, Act::CutPower | Act::LoseAll) || self.server.is_empty();
        self.trimmed |= act == Act::Trim;
        self.read(false);
    }

    /// Notes what the writer knows of what a mirror has just heard.
    fn note_known(&mut self, mirror: usize) {
        self.mirrors[mirror].known = (self.writer.client, self.acknowledged.clone());
    }

    /// All is well from now on: everybody has to have everything.
    pub(super) fn end(&mut self) {
        self.server.lose_deliveries(0);
        if self.writer.is_fenced {
            self.act(Act::Restart(Fault::None));
        }
        self.act(Act::Write(Fault::None));
        for _ in 0..2 {
            self.mirrors.iter_mut().for_each(Mirror::follow);
        }
        self.read(true);
        for mirror in &self.mirrors {
            self.has_all(mirror);
            self.is_never_falsely_complete(mirror);
        }
        if self.fell_back {
            return;
        }
        let stored: Vec<_> = self.server.history().into_values().flatten().collect();
        let mut acknowledged = self.acknowledged.clone();
        acknowledged.retain(|id| !self.gaps.contains(id));
        let mut expected = stored.clone();
        expected.retain(|id| acknowledged.contains(id));
        assert_eq!(acknowledged, expected, "N01: once and in order");
        if !self.is_told_of_losses() {
            for reader in &self.readers {
                let seen: Vec<_> = reader.seen.iter().map(|(_, id)| *id).collect();
                assert_eq!(seen, stored, "N03: a reader has everything");
            }
        }
    }

    /// Whether a reader may be told that events are missing.
    fn is_told_of_losses(&self) -> bool {
        let is_small = |mirror: &Mirror| mirror.capacity < LARGE;
        self.mirrors.iter().any(is_small) || self.has_losses()
    }

    fn has_losses(&self) -> bool {
        self.trimmed || self.fell_back || !self.gaps.is_empty()
    }

    /// What the stream has is in the mirror, which knows that.
    fn has_all(&self, mirror: &Mirror) {
        let log = mirror.state.log();
        let replay = log.replay(Start::Oldest);
        let events: Vec<_> = replay.iter().map(|event| event.id).collect();
        let mut kept = self.server.kept();
        kept.drain(..kept.len().saturating_sub(mirror.capacity));
        assert!(events.ends_with(&kept), "{events:?} lacks some of {kept:?}");
        let stats = mirror.state.stats();
        assert_eq!(stats.newest, replay.cursor().seq());
        assert!(stats.is_connected, "{stats:?}");
        let is_undisturbed = self.old.is_none() && !self.has_losses();
        assert!(!is_undisturbed || stats.changes == 0, "{stats:?}");
    }

    /// Someone who knows a version alone is told of what is missing after it.
    fn is_never_falsely_complete(&self, mirror: &Mirror) {
        let (log, had) = (mirror.state.log(), self.server.versions());
        let newest = had.iter().map(|(_, version)| *version).max();
        for since in 0..=newest.unwrap_or(0) {
            let replay = log.replay(since);
            let has = |id: &Option<u64>| replay.iter().any(|event| Some(event.id) == *id);
            let has_all = had.iter().all(|(id, version)| *version <= since || has(id));
            let is_complete = replay.coverage() == Coverage::Complete;
            assert!(!is_complete || has_all, "{since}: {replay:?} of {had:?}");
        }
    }

    /// One of the writers makes so many records, and tries so often to hand them over.
    fn write(
        &mut self,
        attempts: usize,
        writer: impl Fn(&mut Self) -> Option<&mut Writer>,
        make: impl Fn(&mut Writer, u64),
        records: usize,
    ) {
        let ids = self.last_id + 1..=self.last_id + records as u64;
        self.last_id = *ids.end();
        let Some(writer) = writer(self) else { return };
        let client = writer.client;
        ids.for_each(|id| make(writer, id));
        let acknowledged = writer.write(attempts);
        if !acknowledged.is_empty() {
            let owner = self.server.owner().filter(|_| !self.trimmed);
            assert_eq!(owner.unwrap_or(client), client, "N02: two are acknowledged");
        }
        self.acknowledged.extend(acknowledged);
    }

    /// Everybody asks at every mirror.
    fn read(&mut self, is_calm: bool) {
        let faults = self.server.take_faults();
        let histories = self.server.histories();
        for mirror in &self.mirrors {
            for reader in &self.stood {
                self.ask(&mut reader.clone(), mirror, &histories, is_calm);
                let mut fetching = reader.clone();
                if fetching.fetch(mirror) {
                    fetching.check(&histories);
                    self.ask(&mut fetching, mirror, &histories, is_calm);
                }
            }
        }
        let mut readers = std::mem::take(&mut self.readers);
        for mirror in &self.mirrors {
            for reader in &mut readers {
                self.ask(reader, mirror, &histories, is_calm);
                let (writer, known) = &mirror.known;
                let is_known = reader.seen.last().is_some_and(|(_, id)| known.contains(id));
                reader.known_to = is_known.then_some(*writer);
                if !self.stood.contains(reader) {
                    self.stood.push(reader.clone());
                }
            }
        }
        self.readers = readers;
        self.then(faults);
    }

    /// Whether all that this reader has not seen is there, at mirrors that keep it, and the writer knows
    /// where it stands.
    fn misses_nothing(&self, reader: &Reader) -> bool {
        let is_small = |mirror: &Mirror| mirror.capacity < LARGE;
        let writer = Some(self.writer.client);
        let is_known = reader.known_to == writer && self.server.owner() == writer && !self.trimmed;
        let goes_on = |(number, id): &(u64, u64)| {
            *number == reader.cursor.seq().get() && self.server.goes_on_after(*number, *id)
        };
        is_known && !self.mirrors.iter().any(is_small) && reader.seen.last().is_some_and(goes_on)
    }

    fn ask(&self, reader: &mut Reader, mirror: &Mirror, had: &[History], is_calm: bool) {
        let misses_nothing = is_calm && self.misses_nothing(reader);
        let coverage = reader.read(&mirror.state.log());
        let is_right = !misses_nothing || coverage == Coverage::Complete;
        assert!(is_right, "N03: {coverage:?} at {} of all", reader.cursor);
        reader.check(had);
        let is_honoured = match coverage {
            Coverage::Complete => true,
            Coverage::Ahead { .. } => !is_calm,
            Coverage::Truncated { .. } => self.is_told_of_losses(),
            // A mirror that has not heard of a writer yet does not know its cursors, and one whose
            // claim is gone is not said to follow another.
            Coverage::Foreign => self.fell_back || self.trimmed || !is_calm,
        };
        assert!(is_honoured, "N03: {coverage:?} at {}", reader.cursor);
    }
}
