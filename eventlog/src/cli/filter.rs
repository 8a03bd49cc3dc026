//! Which events are shown. What a literal rules out is never parsed.

use eventlog::disk::Gap;
use memchr::memmem::Finder;
use regex::bytes::Regex;

use crate::clock::Moment;
use crate::event::Event;
use crate::when::Bound;

/// What an event must be.
#[derive(Default)]
pub(crate) struct Filter {
    types: Vec<String>,
    /// One of these stands in a line of the types; none where that is not sure.
    literals: Vec<Finder<'static>>,
    pattern: Option<Regex>,
    since: Option<Bound>,
    until: Option<Bound>,
}

impl Filter {
    pub(crate) fn new(
        types: Vec<String>,
        pattern: Option<Regex>,
        since: Option<Bound>,
        until: Option<Bound>,
    ) -> Self {
        // A name that JSON may spell in several ways is looked for by parsing.
        let is_plain = |name: &String| {
            name.bytes()
                .all(|byte| byte.is_ascii_graphic() && !b"\"\\/<>&'".contains(&byte))
        };
        let quoted = |name: &String| Finder::new(&format!("\"{name}\"")).into_owned();
        let literals = if types.iter().all(is_plain) {
            types.iter().map(quoted).collect()
        } else {
            Vec::new()
        };
        Self {
            types,
            literals,
            pattern,
            since,
            until,
        }
    }

    /// Whether it lets everything pass.
    pub(crate) fn is_empty(&self) -> bool {
        self.types.is_empty()
            && self.pattern.is_none()
            && self.since.is_none()
            && self.until.is_none()
    }

    /// What is in every line that may pass, and in those that count gaps, if there is such a thing.
    pub(crate) fn search(&self) -> Option<Search> {
        if self.literals.is_empty() {
            return None;
        }
        let gap = Finder::new("\"eventlog\"").into_owned();
        let finders = self.literals.iter().cloned().chain([gap]).collect();
        Some(Search { finders })
    }

    /// Whether it asks for times.
    pub(crate) fn has_times(&self) -> bool {
        time_of(self.since).is_some() || time_of(self.until).is_some()
    }

    /// Whether the line may pass, without parsing it.
    pub(crate) fn may_pass(&self, line: &[u8]) -> bool {
        let has_literal =
            self.literals.is_empty() || self.literals.iter().any(|one| one.find(line).is_some());
        has_literal
            && self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(line))
    }

    /// Whether the event of a line that may pass does.
    pub(crate) fn passes(&self, event: &Event<'_>) -> bool {
        let is_of_types = self.types.is_empty()
            || event
                .kind
                .as_deref()
                .is_some_and(|kind| self.types.iter().any(|one| one == kind));
        let since = version_of(self.since).is_none_or(|since| Some(since) <= event.version);
        let until = version_of(self.until)
            .is_none_or(|until| event.version.is_some_and(|version| version <= until));
        is_of_types && since && until
    }

    /// Whether anything at this time may pass. What nobody knows the time of is shown rather than
    /// hidden.
    pub(crate) fn passes_at(&self, moment: Option<Moment>) -> bool {
        let Some(moment) = moment else { return true };
        let since = time_of(self.since).is_none_or(|since| moment.may_be_since(since));
        let until = time_of(self.until).is_none_or(|until| moment.may_be_until(until));
        since && until
    }

    /// Whether events of the gap may have passed.
    pub(crate) fn passes_gap(&self, gap: &Gap) -> bool {
        let since = version_of(self.since).is_none_or(|since| since <= gap.max_version);
        let until = version_of(self.until).is_none_or(|until| gap.min_version <= until);
        since && until
    }
}

/// Some words, one of which is to be found.
pub(crate) struct Search {
    finders: Vec<Finder<'static>>,
}

impl Search {
    /// Where the first of them begins. Each is looked for by itself, and only before the others:
    /// faster than all at once, since they begin and end alike.
    pub(crate) fn find(&self, bytes: &[u8]) -> Option<usize> {
        let mut first = None;
        for finder in &self.finders {
            let end = first.map_or(bytes.len(), |first| first + finder.needle().len() - 1);
            let before = bytes.get(..end).unwrap_or(bytes);
            first = finder.find(before).or(first);
        }
        first
    }
}

fn version_of(bound: Option<Bound>) -> Option<u64> {
    match bound {
        Some(Bound::Version(version)) => Some(version),
        _ => None,
    }
}

fn time_of(bound: Option<Bound>) -> Option<std::time::SystemTime> {
    match bound {
        Some(Bound::Time(time)) => Some(time),
        _ => None,
    }
}
