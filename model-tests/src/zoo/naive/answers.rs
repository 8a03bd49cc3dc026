//! What a naive log answers: most bugs are here.

use std::sync::Arc;

use eventlog::Coverage;

use super::state::{Entry, Naive, State};
use crate::{subject::adapter::Event, zoo::bugs::Bug};

impl<E: Event> Naive<E> {
    /// What a replay since `since` has.
    pub(super) fn select(&self, state: &State<E>, since: u64) -> Vec<Arc<E>> {
        let all: Vec<&Entry<E>> = state.retained.iter().collect();
        let ahead = since > state.newest_or_base();
        let mut found: Vec<&Entry<E>> = match self.0.bug {
            Some(Bug::SinceInclusive) => all.into_iter().filter(|entry| entry.0 >= since).collect(),
            Some(Bug::SearchesFallingVersions) => {
                let from = all.partition_point(|entry| entry.0 <= since);
                all[from..].to_vec()
            }
            Some(Bug::IndexesByVersion) => {
                let oldest = all.first().map_or(0, |entry| entry.0);
                let seen = since.saturating_add(1).saturating_sub(oldest);
                all.into_iter()
                    .skip(usize::try_from(seen).unwrap_or(usize::MAX))
                    .collect()
            }
            Some(Bug::SignedVersions) => {
                let above = |entry: &&Entry<E>| entry.0.cast_signed() > since.cast_signed();
                all.into_iter().filter(above).collect()
            }
            Some(Bug::FutureGetsOldEvents) if ahead => all,
            _ => all.into_iter().filter(|entry| entry.0 > since).collect(),
        };
        if self.has(Bug::SortsByVersion) {
            found.sort_by_key(|entry| entry.0);
        }
        if self.has(Bug::NewestFirst) {
            found.reverse();
        }
        found.into_iter().map(|entry| entry.1.clone()).collect()
    }

    pub(super) fn truncated(&self, state: &State<E>, since: u64) -> bool {
        let oldest = state.retained.front().map(|entry| entry.0);
        let evicted = state.evicted_max.is_some_and(|version| version > since);
        match self.0.bug {
            Some(Bug::NeverTruncated) => false,
            Some(Bug::AlwaysTruncated) if state.evicted > 0 => true,
            Some(Bug::ForgetsBase) => evicted,
            Some(Bug::OldestVersionOnly) => {
                oldest.is_some_and(|oldest| oldest > since.saturating_add(1))
            }
            Some(Bug::OldestLessOneIsGap) => oldest.is_some_and(|oldest| oldest > since),
            Some(Bug::SinceOverflows) => {
                evicted || state.base.is_some_and(|base| base + 1 > since + 1)
            }
            _ => evicted || state.base.is_some_and(|base| base > since),
        }
    }

    pub(super) fn coverage(&self, state: &State<E>, since: u64) -> Coverage {
        let newest = state.newest_or_base();
        let complete = match self.0.bug {
            Some(Bug::FutureIsComplete) => true,
            Some(Bug::EmptyIsComplete) => state.newest.is_none(),
            _ => false,
        };
        if since > newest {
            return if complete {
                Coverage::Complete
            } else {
                Coverage::Ahead { newest }
            };
        }
        let missed_through = state.evicted_max.max(state.base).unwrap_or(0);
        if self.truncated(state, since) {
            Coverage::Truncated {
                missed_through,
                missed: None,
            }
        } else {
            Coverage::Complete
        }
    }
}

/// Everything after the first `seen` events.
pub(super) fn select_from<E>(state: &State<E>, seen: u64) -> Vec<Arc<E>> {
    let skip = usize::try_from(seen.saturating_sub(state.evicted)).unwrap_or(usize::MAX);
    let later = state.retained.iter().skip(skip);
    later.map(|entry| entry.1.clone()).collect()
}
