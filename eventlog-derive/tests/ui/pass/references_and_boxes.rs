use std::num::NonZeroU64;

use eventlog::Versioned;

#[derive(Versioned)]
enum Event<'a> {
    Borrowed { version: &'a u64 },
    Boxed { version: Box<u32> },
    Both { version: &'a Box<NonZeroU64> },
    Static { version: &'static u8 },
}

fn main() {
    assert_eq!(Event::Borrowed { version: &1 }.version(), 1);
    assert_eq!(Event::Boxed { version: Box::new(2) }.version(), 2);
    assert_eq!(Event::Both { version: &Box::new(NonZeroU64::MAX) }.version(), u64::MAX);
    assert_eq!(Event::Static { version: &4 }.version(), 4);
}
