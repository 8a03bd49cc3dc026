use eventlog::{AsVersion, Versioned};

struct ByHand(u64);

impl AsVersion for ByHand {
    fn as_version(&self) -> u64 { self.0 }
}

#[derive(AsVersion)]
struct Derived(u32);

#[derive(AsVersion)]
struct Named {
    inner: Derived,
}

#[derive(AsVersion)]
struct Generic<T>(T);

#[derive(AsVersion)]
struct Through(#[version(with = absolute)] i64);

/// An event and a version at once.
#[derive(AsVersion, Versioned)]
struct Both(#[version] u64);

fn absolute(value: &i64) -> u64 { value.unsigned_abs() }

#[derive(Versioned)]
enum Event {
    ByHand { version: ByHand },
    Derived { version: Derived },
    Named { version: Named },
    Generic { version: Generic<u8> },
    Through { version: Through },
    Both { version: Both },
}

fn main() {
    assert_eq!(Event::ByHand { version: ByHand(1) }.version(), 1);
    assert_eq!(Event::Derived { version: Derived(2) }.version(), 2);
    assert_eq!(Event::Named { version: Named { inner: Derived(3) } }.version(), 3);
    assert_eq!(Event::Generic { version: Generic(4) }.version(), 4);
    assert_eq!(Event::Through { version: Through(-5) }.version(), 5);
    assert_eq!(Event::Both { version: Both(6) }.version(), 6);
    assert_eq!(Both(7).version(), 7);
}
