use std::fmt::Debug;

use eventlog::{AsVersion, Versioned};

#[derive(Versioned)]
enum Event<'a, 'b: 'a, const N: usize, const FLAG: bool = true>
where
    [u8; N]: Debug,
{
    Borrowed { version: &'a &'b u64 },
    Array { version: u64, bytes: [u8; N] },
}

#[derive(Versioned)]
struct Bounded<T: Debug + ?Sized, V>
where
    T: Send,
    for<'x> &'x T: Debug,
    V: Clone,
{
    version: V,
    payload: Box<T>,
}

#[derive(Versioned)]
struct TrailingNothing<T>
where
{
    version: T,
}

#[derive(Versioned)]
struct Tuple<V>(#[version] V)
where
    V: AsVersion;

fn main() {
    let borrowed: Event<'_, '_, 0> = Event::Borrowed { version: &&1 };
    let array: Event<'_, '_, 2, false> = Event::Array { version: 2, bytes: [0; 2] };
    assert_eq!(borrowed.version(), 1);
    assert_eq!(array.version(), 2);
    assert_eq!(Bounded::<str, u8> { version: 3, payload: "".into() }.version(), 3);
    assert_eq!(TrailingNothing { version: 4_u16 }.version(), 4);
    assert_eq!(Tuple(5_u32).version(), 5);
}
