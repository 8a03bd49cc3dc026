use std::num::NonZeroU32;

use eventlog::{AsVersion, Versioned};

#[derive(Versioned)]
#[repr(packed)]
struct Event {
    kind: u8,
    version: u64,
}

#[derive(Versioned)]
#[repr(C, packed(2))]
struct Tuple(u8, #[version] NonZeroU32);

#[derive(Clone, Copy, AsVersion)]
#[repr(packed)]
struct Revision(u64);

#[derive(Versioned)]
#[repr(packed(1))]
struct Generic<V> {
    kind: u8,
    version: V,
}

#[derive(Versioned)]
#[repr(packed)]
struct By(u8, #[version(with = distance)] i64);

fn distance(row: &i64) -> u64 { row.unsigned_abs() }

#[derive(Versioned)]
#[versioned(transparent)]
#[repr(packed)]
struct Reference<'a>(&'a Event);

fn main() {
    let event = Event { kind: 0, version: 1 };
    assert_eq!(event.version(), 1);
    assert_eq!(Reference(&event).version(), 1);
    assert_eq!(Tuple(0, NonZeroU32::MIN.saturating_add(1)).version(), 2);
    assert_eq!(Generic { kind: 0, version: Revision(3) }.version(), 3);
    assert_eq!(By(0, -4).version(), 4);
}
