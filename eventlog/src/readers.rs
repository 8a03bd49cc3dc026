//! The live subscriptions: where each stands, for `stats` to see.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    seldom::Seldom,
    sync::{AtomicU64, Mutex, Ordering},
};

/// The places of all live subscriptions.
#[derive(Default)]
pub(crate) struct Readers(Mutex<Seldom<Places>>);

#[derive(Default)]
struct Places {
    next_id: u64,
    by_id: BTreeMap<u64, Arc<AtomicU64>>,
}

impl Readers {
    /// A reader's id and the place that it keeps up to date.
    pub(crate) fn add(&self, place: u64) -> (u64, Arc<AtomicU64>) {
        let place = Arc::new(AtomicU64::new(place));
        let mut places = self.0.lock();
        let places = places.made();
        places.next_id += 1;
        let id = places.next_id;
        places.by_id.insert(id, place.clone());
        (id, place)
    }

    pub(crate) fn remove(&self, id: u64) {
        if let Some(places) = self.0.lock().get_mut() {
            places.by_id.remove(&id);
        }
    }

    /// How many there are, and the place of the slowest.
    pub(crate) fn summary(&self) -> (usize, Option<u64>) {
        let places = self.0.lock();
        let Some(places) = places.get() else {
            return (0, None);
        };
        let each = places.by_id.values();
        let slowest = each.map(|place| place.load(Ordering::Relaxed)).min();
        (places.by_id.len(), slowest)
    }
}
