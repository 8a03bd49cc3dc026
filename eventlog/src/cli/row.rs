//! What is shown, one after the other.

use eventlog::disk::{Gap, MarkAt};

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
    /// Lines are left out here.
    Break,
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
