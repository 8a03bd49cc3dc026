//! What is shown, one after the other.

use eventlog::disk::{Gap, MarkAt};
use eventlog::{Coverage, Cursor};

use crate::at::Line;
use crate::clock::Moment;
use crate::event::Event;
use crate::trouble::Trouble;

pub(crate) enum Row<'a> {
    Event {
        line: Line<'a>,
        event: Event<'a>,
        moment: Option<Moment>,
    },
    Gap {
        line: Line<'a>,
        gap: Gap,
        moment: Option<Moment>,
    },
    /// What is no event, and its bytes as far as they are known.
    Trouble(&'a Trouble, &'a [u8]),
    /// The log was opened or closed.
    Life(&'a Life),
    /// What a feed says of itself.
    Word(Word),
    /// Lines are left out here.
    Break,
}

/// What a feed says between its events.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) said: Said,
    /// Where it goes on.
    pub(crate) cursor: Cursor,
    /// The version of the newest event.
    pub(crate) newest: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Said {
    /// Events are missing before what comes next.
    Reset(Coverage),
    /// All is told that was there when it was asked.
    Live,
}

impl Word {
    /// For people.
    pub(crate) fn text(&self) -> String {
        let events = |count: u64| if count == 1 { "event" } else { "events" };
        match self.said {
            Said::Live => {
                let newest = self
                    .newest
                    .map(|newest| format!("; the newest version is {newest}"));
                format!("live{}", newest.unwrap_or_default())
            }
            Said::Reset(Coverage::Truncated {
                missed_through,
                missed,
            }) => {
                let what = missed.map_or_else(
                    || "events are".to_owned(),
                    |missed| {
                        let be = if missed == 1 { "is" } else { "are" };
                        format!("{missed} {} {be}", events(missed))
                    },
                );
                format!(
                    "gap: {what} missing here, up to version {missed_through} at most (truncated)"
                )
            }
            Said::Reset(Coverage::Ahead { newest }) => format!(
                "gap: the feed has nothing above version {newest}: its history is another, or was \
                 rewound (ahead)"
            ),
            Said::Reset(_) => {
                "gap: the place to go on from is of another history: any number may be missing \
                 (foreign)"
                    .to_owned()
            }
        }
    }
}

/// What a mark tells of the processes that wrote the log.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    pub(crate) mark: MarkAt,
    pub(crate) turn: Turn,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// The first opening there is a mark of.
    Opened,
    /// Opened again, after a closing.
    Reopened,
    /// Opened again, and nobody had closed it.
    Restarted,
    Closed,
}
