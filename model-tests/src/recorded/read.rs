//! Lines, read and understood, or refused with their numbers.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    io::{BufRead, Read as _},
};

use super::line::{Answered, From, Line, Outcome};

/// No line is longer.
const LONGEST: u64 = 1 << 20;
/// So many faults are told one by one.
const TOLD: usize = 20;

/// What keeps a recorded history from being judged: lines that are no such lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// The first faults: the number of the line, from 1, and what is wrong with it.
    pub faults: Vec<(usize, String)>,
    /// How many there are beside these.
    pub more: usize,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the history cannot be judged:")?;
        for (line, fault) in &self.faults {
            write!(f, "\n  line {line}: {fault}")?;
        }
        if self.more > 0 {
            write!(f, "\n  and {} more", self.more)?;
        }
        Ok(())
    }
}

impl Error for Unreadable {}

/// An event of the history.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) version: Option<u64>,
    /// The attempts to append it, in their order.
    pub(super) attempts: Vec<Attempt>,
    /// Its numbers, and where they were told. More than one is a fault of the log.
    pub(super) numbers: Vec<(u64, usize)>,
    /// Where it was read first.
    pub(super) read_at: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) line: usize,
    pub(super) client: usize,
    pub(super) outcome: Outcome,
}

impl Event {
    pub(super) fn is_done(&self) -> bool {
        let done = |attempt: &Attempt| attempt.outcome == Outcome::Done;
        self.attempts.iter().any(done)
    }

    /// It is certainly in the log.
    pub(super) fn is_there(&self) -> bool {
        self.is_done() || self.read_at.is_some()
    }

    /// It may be in the log.
    pub(super) fn may_be_there(&self) -> bool {
        let refused = |attempt: &Attempt| attempt.outcome == Outcome::Refused;
        self.read_at.is_some() || !self.attempts.iter().all(refused)
    }
}

/// What one client read from one start on.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) client: usize,
    pub(super) line: usize,
    pub(super) from: Start,
    pub(super) coverage: Option<Answered>,
    pub(super) missed: Option<u64>,
    /// The events, and where they were read.
    pub(super) events: Vec<(usize, usize)>,
    /// After how many events it was told of how many that are lost, and where.
    pub(super) lost: Vec<(usize, u64, usize)>,
    pub(super) end: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Start {
    Oldest,
    Now,
    After(usize),
    Since(u64),
}

/// What the clients did, in the order of the lines.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// The event, and which of its attempts.
    Append(usize, usize),
    /// The reading, and which of its events.
    Read(usize, usize),
}

/// A history that can be judged.
#[derive(Default, Debug)]
pub(super) struct History {
    pub(super) clients: Vec<String>,
    pub(super) events: Vec<Event>,
    pub(super) readings: Vec<Reading>,
    /// Per client.
    pub(super) acts: Vec<Vec<Act>>,
}

#[derive(Default)]
struct Reader {
    history: History,
    client_of: HashMap<String, usize>,
    event_of: HashMap<String, usize>,
    /// The reading that each client is at.
    current: HashMap<usize, usize>,
    faults: Vec<(usize, String)>,
    more: usize,
}

/// Reads all lines.
pub(super) fn read(mut lines: impl BufRead) -> Result<History, Unreadable> {
    let mut reader = Reader::default();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        match lines
            .by_ref()
            .take(LONGEST + 1)
            .read_until(b'\n', &mut bytes)
        {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                reader.fault(number, format!("it cannot be read: {error}"));
                break;
            }
        }
        if bytes.len() as u64 > LONGEST {
            // What follows would be taken for a line of its own.
            reader.fault(number, format!("it is longer than {LONGEST} bytes"));
            break;
        }
        if !bytes.trim_ascii().is_empty() {
            let understood = understand(&bytes).and_then(|line| reader.take(number, line));
            understood.unwrap_or_else(|fault| reader.fault(number, fault));
        }
    }
    reader.finish()
}

fn understand(bytes: &[u8]) -> Result<Line, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        // It knows of one line only: the column is what is of use.
        let text = error.to_string();
        let (what, _) = text.rsplit_once(" at line ").unwrap_or((&text, ""));
        match error.column() {
            0 => what.into(),
            column => format!("{what}, at column {column}"),
        }
    })
}

impl Reader {
    fn fault(&mut self, line: usize, fault: String) {
        if self.faults.len() < TOLD {
            self.faults.push((line, fault));
        } else {
            self.more += 1;
        }
    }

    fn take(&mut self, at: usize, line: Line) -> Result<(), String> {
        match line {
            Line::Append {
                client,
                event,
                outcome,
                number,
                version,
            } => {
                let client = self.client(client)?;
                let event = self.event(event)?;
                self.append(at, (client, event), outcome, version)?;
                self.number(event, number, at);
            }
            Line::Start {
                client,
                from,
                coverage,
                missed,
            } => {
                let client = self.client(client)?;
                self.start(at, client, from, coverage, missed)?;
            }
            Line::Read {
                client,
                event,
                number,
            } => {
                let reading = self.reading(client)?;
                let event = self.event(event)?;
                self.number(event, number, at);
                self.history.events[event].read_at.get_or_insert(at);
                let reading_of = &mut self.history.readings[reading];
                reading_of.events.push((event, at));
                let act = Act::Read(reading, reading_of.events.len() - 1);
                self.history.acts[reading_of.client].push(act);
            }
            Line::Lost { client, count } => {
                let reading = self.reading(client)?;
                if count == 0 {
                    return Err("a loss of 0 events is none".into());
                }
                let reading = &mut self.history.readings[reading];
                reading.lost.push((reading.events.len(), count, at));
            }
            Line::End { client } => {
                let reading = self.reading(client)?;
                self.history.readings[reading].end = Some(at);
            }
        }
        Ok(())
    }

    fn append(
        &mut self,
        at: usize,
        (client, event): (usize, usize),
        outcome: Outcome,
        version: Option<u64>,
    ) -> Result<(), String> {
        let known = &mut self.history.events[event];
        if let Some(before) = known.attempts.last() {
            let is_again = before.outcome == Outcome::Unknown && before.client == client;
            if !is_again {
                return Err(format!(
                    "event {:?} was appended in line {} already: only the same client may append \
                     it again, after the outcome \"unknown\"",
                    known.name, before.line
                ));
            }
        }
        if known.version.is_some() && known.version != version {
            return Err(format!("event {:?} had another version", known.name));
        }
        known.version = version;
        known.attempts.push(Attempt {
            line: at,
            client,
            outcome,
        });
        let act = Act::Append(event, known.attempts.len() - 1);
        self.history.acts[client].push(act);
        Ok(())
    }

    fn start(
        &mut self,
        at: usize,
        client: usize,
        from: From,
        coverage: Option<Answered>,
        missed: Option<u64>,
    ) -> Result<(), String> {
        if missed.is_some() && coverage != Some(Answered::Truncated) {
            return Err("`missed` belongs to the coverage \"truncated\"".into());
        }
        let from = match from {
            From::Oldest => Start::Oldest,
            From::Now => Start::Now,
            From::Since(version) => Start::Since(version),
            From::After(event) => Start::After(self.event(event)?),
        };
        self.current.insert(client, self.history.readings.len());
        self.history.readings.push(Reading {
            client,
            line: at,
            from,
            coverage,
            missed,
            events: Vec::new(),
            lost: Vec::new(),
            end: None,
        });
        Ok(())
    }

    fn client(&mut self, name: String) -> Result<usize, String> {
        if name.is_empty() {
            return Err("the client has no name".into());
        }
        let next = self.history.clients.len();
        let known = *self.client_of.entry(name.clone()).or_insert(next);
        if known == next {
            self.history.clients.push(name);
            self.history.acts.push(Vec::new());
        }
        Ok(known)
    }

    fn event(&mut self, name: String) -> Result<usize, String> {
        if name.is_empty() {
            return Err("the event has no name".into());
        }
        let next = self.history.events.len();
        let known = *self.event_of.entry(name.clone()).or_insert(next);
        if known == next {
            self.history.events.push(Event {
                name,
                version: None,
                attempts: Vec::new(),
                numbers: Vec::new(),
                read_at: None,
            });
        }
        Ok(known)
    }

    fn number(&mut self, event: usize, number: Option<u64>, at: usize) {
        let numbers = &mut self.history.events[event].numbers;
        if let Some(number) = number
            && !numbers.iter().any(|(known, _)| *known == number)
        {
            numbers.push((number, at));
        }
    }

    /// The reading that a client is at.
    fn reading(&mut self, name: String) -> Result<usize, String> {
        let client = self.client(name)?;
        let name = &self.history.clients[client];
        let Some(reading) = self.current.get(&client).copied() else {
            return Err(format!("client {name:?} has no `start` before this line"));
        };
        match self.history.readings[reading].end {
            None => Ok(reading),
            Some(end) => Err(format!("client {name:?} had its `end` in line {end}")),
        }
    }

    fn finish(mut self) -> Result<History, Unreadable> {
        if self.history.acts.iter().all(Vec::is_empty) && self.faults.is_empty() {
            self.fault(1, "nothing is appended or read anywhere".into());
        }
        let read_somewhere = |event: usize| self.history.events[event].read_at.is_some();
        let unknown: Vec<_> = self
            .history
            .readings
            .iter()
            .filter_map(|reading| {
                let Start::After(event) = reading.from else {
                    return None;
                };
                (!read_somewhere(event) && self.history.events[event].attempts.is_empty()).then(
                    || {
                        (
                            reading.line,
                            format!(
                                "event {:?} is neither appended nor read anywhere",
                                self.history.events[event].name
                            ),
                        )
                    },
                )
            })
            .collect();
        for (line, fault) in unknown {
            self.fault(line, fault);
        }
        if self.faults.is_empty() {
            return Ok(self.history);
        }
        Err(Unreadable {
            faults: self.faults,
            more: self.more,
        })
    }
}
