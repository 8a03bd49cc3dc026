//! Judges law M02: cursors are kept for ever, and shown to every later life.

use std::collections::VecDeque;

use eventlog::{Coverage, Versioned};

use super::files::{killed, open, shutdown, works};
use crate::{
    evidence::Evidence,
    report::{Class, Report},
    subject::{
        adapter::{Line, Subject},
        case::Case,
        log::Log as _,
    },
    trial::{Parted, Trial, guarded},
};

/// Nothing is evicted.
const CAPACITY: usize = 256;
const LIVES: u32 = 9;

/// Somebody with a cursor, and the version of the last event that it was handed; 0 for none.
struct Holder {
    cursor: String,
    saw: u64,
}

/// How a life ends.
#[derive(Clone, Copy)]
enum End {
    Shutdown,
    KilledAfterFlush,
    Killed,
    /// Killed, and the files of two lives ago are put back.
    Restored,
}

const ENDS: [End; 4] = [
    End::Shutdown,
    End::KilledAfterFlush,
    End::Killed,
    End::Restored,
];

/// No version is given twice, so that each event can be told from one that was lost.
pub(crate) fn cursors_of_earlier_lives<S: Subject>(
    trial: &Trial<'_, S>,
    report: &mut Report,
) -> Result<(), Parted> {
    let mut case = Case::new(CAPACITY);
    let mut holders = Vec::new();
    let mut version = 0;
    let mut earlier = VecDeque::new();
    for life in 1..=LIVES {
        let step = format!("for life {life}");
        let log = open(trial, &case, &step)?;
        let mut history = history(trial, &case, &step)?;
        all(&log, &holders, &history, &step)?;
        for _ in 0..=life % 4 {
            version += 1;
            log.append(trial.subject.event(version, life));
            history.push(version);
            holders.push(Holder {
                cursor: guarded("cursor", || log.cursor())?,
                saw: version,
            });
        }
        let step = format!("in life {life}, after event {version}");
        all(&log, &holders, &history, &step)?;
        let end = ENDS[life as usize % ENDS.len()];
        if matches!(end, End::KilledAfterFlush) {
            works("flush", || log.flush())?;
        }
        let left = killed(&case, "copying the files")?;
        if let End::Shutdown = end {
            shutdown::<S>(log, "at the end of a life")?;
        } else {
            drop(log);
            case = left;
        }
        earlier.push_back(killed(&case, "copying the files")?);
        if earlier.len() > 2 && matches!(end, End::Restored) {
            case = killed(&earlier[0], "putting older files back")?;
        }
        earlier.drain(..earlier.len().saturating_sub(2));
        report.visit(Class::Reopened);
    }
    report.stands_on(Evidence::CopiedFiles);
    Ok(())
}

/// The versions that the files have.
fn history<S: Subject>(trial: &Trial<'_, S>, case: &Case, step: &str) -> Result<Vec<u64>, Parted> {
    let lines = works(&format!("read back {step}"), || {
        trial.subject.read_back(case)
    })?;
    let versions = lines.iter().filter_map(|line| match line {
        Line::Event(event) => Some(event.version()),
        _ => None,
    });
    Ok(versions.collect())
}

/// Whoever is told that nothing is missing gets what came after the event that it saw last.
fn all<L, E>(log: &L, holders: &[Holder], history: &[u64], step: &str) -> Result<(), Parted>
where
    L: crate::Log<E>,
    E: crate::Event,
{
    for holder in holders {
        let call = format!(
            "replay_after({:?}), which saw event {}, {step}",
            holder.cursor, holder.saw
        );
        let replay = guarded(&call, || log.replay_after(&holder.cursor))?;
        if replay.coverage != Coverage::Complete {
            continue;
        }
        let after = history.iter().position(|version| *version == holder.saw);
        let Some(after) = after else {
            let expected = format!("anything but Complete: event {} was lost", holder.saw);
            return Err(Parted::said(call, expected, "Complete"));
        };
        let found: Vec<_> = replay.events.iter().map(Versioned::version).collect();
        if found != history[after + 1..] {
            let expected = format!("events {:?}", &history[after + 1..]);
            return Err(Parted::said(call, expected, format!("events {found:?}")));
        }
    }
    Ok(())
}
