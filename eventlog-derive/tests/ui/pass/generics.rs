#![allow(non_snake_case)]

use std::marker::PhantomData;

use eventlog::{AsVersion, Versioned};

/// Neither a version nor anything else.
struct Opaque;

#[derive(Versioned)]
enum Event<P, V = u64> {
    Payload { version: u64, payload: P },
    Version { version: V },
    Boxed { version: Box<V> },
    Again { version: V, payload: PhantomData<P> },
}

/// Its `T` is a lifetime and another type's name, so it needs no bound.
#[derive(Versioned)]
struct SameNames<'T, T> {
    version: &'T other::T,
    payload: T,
}

mod other {
    pub type T = u64;
}

#[derive(Versioned)]
struct Projected<I: Iterator> {
    version: I::Item,
}

#[derive(Versioned)]
struct Recursive<T> {
    version: u64,
    next: Option<Box<Recursive<T>>>,
    payload: T,
}

/// Only `Sized<4>` can be read, and the caller must know which one it has.
struct Sized<const N: usize>;

impl AsVersion for Sized<4> {
    fn as_version(&self) -> u64 { 4 }
}

#[derive(Versioned)]
struct Constant<const N: usize> {
    version: Sized<N>,
}

fn main() {
    assert_eq!(Event::<_, u8>::Payload { version: 1, payload: Opaque }.version(), 1);
    assert_eq!(Event::<Opaque, u8>::Version { version: 2 }.version(), 2);
    assert_eq!(Event::<Opaque>::Boxed { version: Box::new(3) }.version(), 3);
    assert_eq!(Event::<Opaque>::Again { version: 4, payload: PhantomData }.version(), 4);
    assert_eq!(SameNames { version: &5, payload: Opaque }.version(), 5);
    assert_eq!(Projected::<std::ops::Range<u32>> { version: 6 }.version(), 6);
    assert_eq!(Recursive { version: 7, next: None, payload: Opaque }.version(), 7);
    assert_eq!(Constant { version: Sized::<4> }.version(), 4);
}
