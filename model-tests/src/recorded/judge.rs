//! A recorded history before its laws.

use std::{collections::HashMap, fmt, io::BufRead};

use super::{
    chains::{Chains, Known, Step, client, name},
    contradiction::{Contradiction, RecordedLaw, Witness, witness},
    line::Outcome,
    loss::Readings,
    order::order,
    read::{History, Unreadable, read},
};

/// What became of a recorded history.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Judgement {
    /// How many clients there are.
    pub clients: usize,
    /// How many events were acknowledged.
    pub appended: usize,
    /// How many events have an outcome that nobody knows, and were read by nobody.
    pub unknown: usize,
    /// How many readings there are, from their start on.
    pub readings: usize,
    /// How often an event was read.
    pub read: usize,
    /// The laws that are broken, each with the fewest lines that were found to contradict it.
    pub broken: Vec<Contradiction>,
    /// What could not be judged, and why.
    pub not_judged: Vec<(RecordedLaw, &'static str)>,
}

/// Judges a recorded history; the [module](super) says how its lines look.
///
/// Memory grows with the number of lines, time with that of events and readings multiplied: a
/// million events that two readings got take some seconds.
///
/// ```
/// # use model_tests::recorded::{RecordedLaw, judge};
/// let history = r#"{"did":"append","client":"w","event":"a","outcome":"done"}
/// {"did":"start","client":"r","from":"oldest"}
/// {"did":"read","client":"r","event":"a"}
/// {"did":"read","client":"r","event":"a"}"#;
/// let judgement = judge(history.as_bytes())?;
/// assert_eq!(judgement.broken[0].law, RecordedLaw::Unique);
/// # Ok::<(), model_tests::recorded::Unreadable>(())
/// ```
///
/// # Errors
///
/// Lines that cannot be understood, with their numbers. Nothing is judged then.
pub fn judge(lines: impl BufRead) -> Result<Judgement, Unreadable> {
    let history = &read(lines)?;
    let chains = &Chains::of(history);
    let mut found = Vec::new();
    let mut not_judged = Vec::new();
    found.extend(invented(history));
    let twice = twice(history);
    let has_duplicates = |reading: usize| twice.iter().any(|(of, _)| *of == Some(reading));
    found.extend(twice.iter().map(|(_, broken)| broken.clone()));
    match order(chains) {
        Err(circle) => {
            found.push(out_of_order(history, chains, &circle));
            let why = "there is no order of the events that all agree on";
            not_judged.extend(
                [RecordedLaw::NothingLost, RecordedLaw::CoverageTrue].map(|law| (law, why)),
            );
        }
        Ok(order) => {
            let order = &order;
            let readings = Readings {
                history,
                chains,
                order,
            };
            for number in 0..history.readings.len() {
                if has_duplicates(number) {
                    not_judged.push((RecordedLaw::NothingLost, "a reading got an event twice"));
                } else {
                    found.extend(readings.judge(number));
                }
            }
        }
    }
    not_judged.extend(unmet(history));
    not_judged.dedup();
    let events = &history.events;
    Ok(Judgement {
        clients: history.clients.len(),
        appended: events.iter().filter(|event| event.is_done()).count(),
        unknown: events
            .iter()
            .filter(|event| event.may_be_there() && !event.is_there())
            .count(),
        readings: history.readings.len(),
        read: history
            .readings
            .iter()
            .map(|reading| reading.events.len())
            .sum(),
        broken: shortest(found),
        not_judged,
    })
}

/// Of each law the contradiction with the fewest lines.
fn shortest(mut found: Vec<Contradiction>) -> Vec<Contradiction> {
    found.sort_by_key(|broken| (broken.law, broken.lines.len()));
    found.dedup_by_key(|broken| broken.law);
    found
}

/// Events that were read and never appended.
fn invented(history: &History) -> Option<Contradiction> {
    let law = RecordedLaw::NothingInvented;
    let is_recorded = history
        .events
        .iter()
        .any(|event| !event.attempts.is_empty());
    history
        .events
        .iter()
        .enumerate()
        .find_map(|(number, event)| {
            let read_at = event.read_at?;
            let name = name(history, number);
            let read = witness(read_at, format!("{name} was read"));
            match event.attempts.last() {
                None if is_recorded => Some(Contradiction::new(
                    law,
                    format!("{name} was read, and nobody appended it"),
                    vec![read],
                )),
                Some(attempt) if !event.may_have_been_appended() => {
                    let who = client(history, attempt.client);
                    let refused = witness(attempt.line, format!("{who} was refused {name}"));
                    let what = format!("{name} was read, and had been refused");
                    Some(Contradiction::new(law, what, vec![refused, read]))
                }
                _ => None,
            }
        })
}

impl super::read::Event {
    fn may_have_been_appended(&self) -> bool {
        let refused = |outcome| outcome == Outcome::Refused;
        !self.attempts.iter().all(|attempt| refused(attempt.outcome))
    }
}

/// What came twice, and in which reading.
fn twice(history: &History) -> Vec<(Option<usize>, Contradiction)> {
    let mut found = Vec::new();
    for (number, reading) in history.readings.iter().enumerate() {
        let mut met: HashMap<usize, usize> = HashMap::new();
        let goes_on = reading.goes_on_after();
        met.extend(goes_on.map(|event| (event, reading.line)));
        for (event, line) in &reading.events {
            let Some(before) = met.insert(*event, *line) else {
                continue;
            };
            let (who, event_name) = (client(history, reading.client), name(history, *event));
            let (law, first) = if goes_on == Some(*event) && before == reading.line {
                (
                    RecordedLaw::Resumable,
                    format!("{who} goes on after {event_name}"),
                )
            } else {
                (RecordedLaw::Unique, format!("{who} read {event_name}"))
            };
            let lines = vec![
                witness(before, first),
                witness(*line, format!("{who} read {event_name} again")),
            ];
            let what = format!("{who} got {event_name} again");
            found.push((Some(number), Contradiction::new(law, what, lines)));
            break;
        }
    }
    let mut owner: HashMap<u64, (usize, usize)> = HashMap::new();
    for (event, of) in history.events.iter().enumerate() {
        let event_name = name(history, event);
        if let [(first, at), (second, later), ..] = of.numbers[..] {
            let what = format!("{event_name} has the numbers {first} and {second}");
            let lines = vec![
                witness(at, format!("{event_name} has number {first}")),
                witness(later, format!("{event_name} has number {second}")),
            ];
            found.push((None, Contradiction::new(RecordedLaw::Unique, what, lines)));
        }
        for (number, line) in &of.numbers {
            let Some((other, at)) = owner.insert(*number, (event, *line)) else {
                continue;
            };
            let other = name(history, other);
            let what = format!("{other} and {event_name} have the number {number}");
            let lines = vec![
                witness(at, format!("{other} has number {number}")),
                witness(*line, format!("{event_name} has number {number}")),
            ];
            found.push((None, Contradiction::new(RecordedLaw::Unique, what, lines)));
        }
    }
    found
}

/// Steps that lead from an event back to itself.
fn out_of_order(history: &History, chains: &Chains, circle: &[Step]) -> Contradiction {
    let resumed = circle
        .iter()
        .find_map(|step| match chains.all[step.chain].known {
            Known::Reading(number) if step.from == 0 => {
                let reading = &history.readings[number];
                reading.goes_on_after().map(|event| (reading, event))
            }
            _ => None,
        });
    let lines: Vec<Witness> = circle
        .iter()
        .flat_map(|step| chains.say(*step, history))
        .collect();
    let (law, what) = match resumed {
        Some((reading, event)) => (
            RecordedLaw::Resumable,
            format!(
                "{} goes on after {}, and got what comes before it",
                client(history, reading.client),
                name(history, event)
            ),
        ),
        None => (
            RecordedLaw::Ordered,
            "no order of the events agrees with these lines".into(),
        ),
    };
    Contradiction::new(law, what, lines)
}

/// What the history has nothing of.
fn unmet(history: &History) -> Vec<(RecordedLaw, &'static str)> {
    let readings = &history.readings;
    let mut unmet = Vec::new();
    if readings.iter().all(|reading| reading.events.is_empty()) {
        let why = "nothing was read";
        unmet.extend([RecordedLaw::Ordered, RecordedLaw::Unique].map(|law| (law, why)));
    }
    if history.events.iter().all(|event| event.attempts.is_empty()) {
        unmet.push((RecordedLaw::NothingInvented, "nothing was appended"));
    }
    if readings.iter().all(|reading| reading.end.is_none()) {
        let why = "no reading came to its end, so the last events are not looked for";
        unmet.push((RecordedLaw::NothingLost, why));
    }
    if readings
        .iter()
        .all(|reading| reading.goes_on_after().is_none())
    {
        unmet.push((RecordedLaw::Resumable, "no reading goes on after another"));
    }
    if readings.iter().all(|reading| reading.coverage.is_none()) {
        unmet.push((RecordedLaw::CoverageTrue, "no reading was told a coverage"));
    }
    unmet
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "clients: {}; events acknowledged: {}, with an unknown end: {}; readings: {}, events read: {}",
            self.clients, self.appended, self.unknown, self.readings, self.read
        )?;
        for law in RecordedLaw::ALL {
            let is_broken = self.broken.iter().any(|broken| broken.law == law);
            let mut why = self.not_judged.iter().filter(|(of, _)| *of == law);
            if let (false, Some((_, why))) = (is_broken, why.next()) {
                writeln!(f, "{}: not judged as a whole: {why}", law.name())?;
            } else if !is_broken {
                writeln!(f, "{}: kept", law.name())?;
            }
        }
        self.broken
            .iter()
            .try_for_each(|broken| write!(f, "\n{broken}"))
    }
}
