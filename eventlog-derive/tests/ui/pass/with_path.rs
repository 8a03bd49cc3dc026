use std::collections::BTreeMap;

use eventlog::Versioned;

struct Clock { ticks: i64 }

impl Clock {
    fn read(&self) -> u64 { self.ticks.unsigned_abs() }
}

trait Read { fn read(&self) -> u64; }

impl Read for i64 {
    fn read(&self) -> u64 { self.unsigned_abs() }
}

mod readers {
    pub fn length<T>(values: &[T]) -> u64 { values.len() as u64 }
    pub fn entries<K, V>(map: &super::BTreeMap<K, V>) -> u64 { map.len() as u64 }
}

#[derive(Versioned)]
enum Event<'a> {
    Method { #[version(with = Clock::read)] clock: Clock },
    Trait { #[version(with = <i64 as Read>::read)] at: i64 },
    Coerced { #[version(with = readers::length)] version: Vec<u8> },
    CommasInside { #[version(with = readers::entries::<u8, u16>,)] map: BTreeMap<u8, u16> },
    Tuple(#[version(with = crate::readers::length::<u8>)] &'a [u8], u64),
}

fn main() {
    assert_eq!(Event::Method { clock: Clock { ticks: -1 } }.version(), 1);
    assert_eq!(Event::Trait { at: -2 }.version(), 2);
    assert_eq!(Event::Coerced { version: vec![0; 3] }.version(), 3);
    assert_eq!(Event::CommasInside { map: BTreeMap::from([(1, 1)]) }.version(), 1);
    assert_eq!(Event::Tuple(&[0; 5], 0).version(), 5);
}
