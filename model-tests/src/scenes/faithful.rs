//! Judges law W15: what is acknowledged is read back equal, whatever kind of value it has.

use super::{
    files::{CAPACITY, open, works},
    history::short,
};
use crate::{
    evidence::Evidence,
    report::{Class, Report},
    subject::{
        adapter::{Line, Subject},
        capability::Capability,
        case::Case,
        log::Log,
    },
    trial::{Parted, Trial, guarded},
};

/// Enough for each kind of event that the subject makes, several times over.
const PICKS: u32 = 300;

pub(crate) fn every_kind<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let events = (1..=PICKS).map(|pick| trial.subject.event(u64::from(pick), pick));
    told_or_equal(trial, &events.collect::<Vec<_>>(), "event", report)?;
    report.stands_on(Evidence::RealFiles);
    if !trial.budget.has(Capability::Extremes) {
        report.leaves_out("what a format cannot carry", "lacks Extremes");
        return Ok(());
    }
    let mut extremes = Vec::new();
    for pick in 0..1_000 {
        // One that is plain comes after each, and has to be read whatever came before it.
        let version = 1 + 2 * u64::from(pick);
        let Some(event) = trial.subject.extreme_event(version, pick) else {
            break;
        };
        extremes.extend([event, trial.subject.event(version + 1, 1)]);
    }
    if extremes.is_empty() {
        let why = "the subject makes no such events: see `Sample`";
        report.leaves_out("what a format cannot carry", why);
        return Ok(());
    }
    told_or_equal(trial, &extremes, "extreme event", report)
}

/// Each is stored, in its place, and equal; or it is not acknowledged, and the rest is as it was; or
/// a gap line counts it.
fn told_or_equal<S: Subject>(
    trial: &Trial<'_, S>,
    events: &[S::Event],
    kind: &str,
    report: &mut Report,
) -> Result<(), Parted> {
    let case = Case::new(CAPACITY).with_files_of(1 << 40);
    let log = open(trial, &case, "for events of every kind")?;
    let mut refused = Vec::new();
    for (event, number) in events.iter().zip(1..) {
        let step = format!("append {kind} {number}: {}", brief(event));
        guarded(&step, || log.append(event.clone()))?;
        let answer = guarded(&step, || log.flush())?;
        refused.push(answer.is_err());
        report.visit(Class::Acknowledged);
    }
    // What was refused may be told once more.
    let _ = guarded("shutdown", || log.shutdown())?;
    let step = format!("read back {kind}s of every kind");
    let lines = works(&step, || trial.subject.read_back(&case))?;
    report.visit(Class::Reopened);
    let mut lines = lines.into_iter().peekable();
    let mut counted = 0;
    for ((event, refused), number) in events.iter().zip(refused).zip(1..) {
        if counted == 0
            && let Some(Line::Gap(events)) = lines.next_if(|line| matches!(line, Line::Gap(_)))
        {
            counted = events;
        }
        if counted > 0 {
            counted -= 1;
            continue;
        }
        let is_it = |line: &Line<S::Event>| matches!(line, Line::Event(found) if found == event);
        let is_damage = |line: &Line<S::Event>| matches!(line, Line::Damage(_));
        if lines.next_if(is_it).is_some() || refused && lines.next_if(is_damage).is_some() {
            continue;
        }
        if refused && follows(lines.peek(), events, number) {
            continue;
        }
        let step = format!("read back {kind} {number}, which was acknowledged");
        let step = if refused { step + " not" } else { step };
        let expected = format!("{}, or word that it is missing", brief(event));
        let actual = lines.next().map_or("the end".into(), |line| short(&line));
        return Err(Parted::said(step, expected, actual));
    }
    Ok(())
}

/// Whether the next line is the event after this one: this one was left out.
fn follows<E: PartialEq>(line: Option<&Line<E>>, events: &[E], number: usize) -> bool {
    match (line, events.get(number)) {
        (Some(Line::Event(found)), Some(event)) => found == event,
        (None, None) => true,
        _ => false,
    }
}

fn brief(event: &impl std::fmt::Debug) -> String {
    let text = format!("{event:?}");
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
