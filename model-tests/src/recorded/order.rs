//! One order of all events that agrees with every chain, or the shortest circle that was found.

use super::chains::{Chains, Step};

/// How many steps the search for the shortest circle may take.
const EFFORT: usize = 50_000_000;

/// All events, each after those that it comes after; or steps that lead from an event to itself.
pub(super) fn order(chains: &Chains) -> Result<Vec<usize>, Vec<Step>> {
    let everything = vec![true; chains.places.len()];
    let order = sorted(&everything, Chains::last, Chains::next, chains);
    if order.len() == everything.len() {
        return Ok(order);
    }
    let mut core = everything;
    for event in order {
        core[event] = false;
    }
    for event in sorted(&core, Chains::next, Chains::last, chains) {
        core[event] = false;
    }
    Err(circle(chains, &core))
}

/// Those of `these` that are on no circle and after none, each after its neighbours `before` it.
fn sorted<'a, B, A>(
    these: &[bool],
    before: impl Fn(&'a Chains, usize) -> B,
    after: impl Fn(&'a Chains, usize) -> A,
    chains: &'a Chains,
) -> Vec<usize>
where
    B: Iterator<Item = usize>,
    A: Iterator<Item = usize>,
{
    let mut waits: Vec<usize> = (0..these.len())
        .map(|event| before(chains, event).filter(|other| these[*other]).count())
        .collect();
    let mut sorted: Vec<usize> = (0..these.len())
        .filter(|event| these[*event] && waits[*event] == 0)
        .collect();
    let mut at = 0;
    while let Some(event) = sorted.get(at).copied() {
        at += 1;
        for other in after(chains, event).filter(|other| these[*other]) {
            waits[other] -= 1;
            if waits[other] == 0 {
                sorted.push(other);
            }
        }
    }
    sorted
}

/// The shortest way from one of these back to itself.
fn circle(chains: &Chains, core: &[bool]) -> Vec<Step> {
    let size: usize = chains.all.iter().map(|chain| chain.items.len()).sum();
    let tries = (EFFORT / size.max(1)).max(1);
    let starts = (0..core.len()).filter(|event| core[*event]);
    let mut shortest: Option<Vec<Step>> = None;
    for start in starts.take(tries) {
        let Some(found) = way(chains, start, start, |event| core[event]) else {
            continue;
        };
        if shortest
            .as_ref()
            .is_none_or(|best| found.len() < best.len())
        {
            shortest = Some(found);
        }
        // No chain alone is a circle.
        if shortest.as_ref().is_some_and(|best| best.len() <= 2) {
            break;
        }
    }
    shortest.unwrap_or_default()
}

/// The way from one event to a later one with the fewest changes from chain to chain.
pub(super) fn way(
    chains: &Chains,
    from: usize,
    to: usize,
    through: impl Fn(usize) -> bool,
) -> Option<Vec<Step>> {
    // How an event was reached, and where each chain was reached first.
    let mut reached: Vec<Option<(usize, Step)>> = vec![None; chains.places.len()];
    let mut until: Vec<usize> = chains.all.iter().map(|chain| chain.items.len()).collect();
    let mut now = vec![from];
    while !now.is_empty() {
        let mut next = Vec::new();
        for event in now {
            for (chain, at) in chains.places[event].iter().copied() {
                let items = &chains.all[chain].items;
                for (place, (other, _)) in items.iter().enumerate().take(until[chain]).skip(at + 1)
                {
                    if reached[*other].is_some() || !through(*other) {
                        continue;
                    }
                    let (from, to) = (at, place);
                    reached[*other] = Some((event, Step { chain, from, to }));
                    next.push(*other);
                }
                until[chain] = until[chain].min(at + 1);
            }
        }
        if reached[to].is_some() {
            break;
        }
        now = next;
    }
    let mut way = Vec::new();
    let mut at = to;
    loop {
        let (before, step) = reached[at]?;
        way.push(step);
        at = before;
        if at == from {
            way.reverse();
            return Some(way);
        }
    }
}
