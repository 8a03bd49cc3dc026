//! Answers as they are compared, and as they are written down.

use super::made::Made;
use crate::subject::log::Received;

/// Whether the log's events are those of the model.
pub(super) fn same<E: PartialEq>(ours: &[Made<E>], theirs: &[E]) -> bool {
    ours.iter().map(|made| &made.event).eq(theirs)
}

/// The bare events.
pub(super) fn events<E: Clone>(made: &[Made<E>]) -> Vec<E> {
    made.iter().map(|made| made.event.clone()).collect()
}

/// Whether `answer` is a part of `history` in its order; if not, its events in the right order
/// (events that never were are left out).
pub(super) fn in_order<E: PartialEq + Clone>(
    history: &[Made<E>],
    answer: &[E],
) -> Result<(), Vec<Made<E>>> {
    let mut rest = history.iter();
    if answer
        .iter()
        .all(|event| rest.any(|made| made.event == *event))
    {
        return Ok(());
    }
    let appended = history.iter().filter(|made| answer.contains(&made.event));
    Err(appended.cloned().collect())
}

/// A list of events as code.
pub(super) fn list<E>(made: &[Made<E>]) -> String {
    let events: Vec<_> = made.iter().map(Made::code).collect();
    format!("[{}]", events.join(", "))
}

/// An assertion that `answer` is these events. An empty list has no type of its own.
pub(super) fn assert_events<E>(answer: &str, expected: &[Made<E>]) -> String {
    if expected.is_empty() {
        format!("assert!({answer}.is_empty());")
    } else {
        format!("assert_eq!({answer}, {});", list(expected))
    }
}

/// What a reader gets, as code.
pub(super) fn received_code<E>(received: &Received<Made<E>>) -> String {
    match received {
        Received::Event(made) => format!("Event({})", made.code()),
        Received::Empty => "Empty".into(),
        Received::Lagged(events) => format!("Lagged({events})"),
        Received::Closed => "Closed".into(),
    }
}

/// A reader's name.
pub(super) fn reader(number: usize) -> String {
    format!("reader{number}")
}
