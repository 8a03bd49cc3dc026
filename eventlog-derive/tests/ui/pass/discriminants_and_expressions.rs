use eventlog::Versioned;

const fn twice(value: usize) -> usize { value * 2 }

#[derive(Versioned)]
#[repr(u16)]
#[allow(unused_braces)]
#[doc = concat!("made ", "of", " parts")]
enum Event {
    Literal { version: u64 } = 1,
    Block { version: u64 } = if true { 20 } else { 30 },
    Match { version: u64 } = match twice(2) { 4 => 40, _ => 41 },
    Array { version: u64, bytes: [u8; { 1 + 1 }] },
    Call { version: u64, bytes: [u8; twice({ 1 })] },
    Function { version: u64, call: fn(&str, [u8; 2 * 2]) -> Box<dyn Fn(u8) -> u8 + Send> },
    Generic { version: u64, inner: Generic<{ twice(3) }> },
    Macro { version: number!() },
}

#[macro_export]
macro_rules! number { () => { u64 }; }

#[derive(Versioned)]
struct Generic<const N: usize = { twice(4) }> {
    version: u64,
}

fn main() {
    assert_eq!(Event::Literal { version: 1 }.version(), 1);
    assert_eq!(Event::Block { version: 2 }.version(), 2);
    assert_eq!(Event::Match { version: 3 }.version(), 3);
    assert_eq!(Event::Array { version: 4, bytes: [0; 2] }.version(), 4);
    assert_eq!(Event::Call { version: 5, bytes: [0; 2] }.version(), 5);
    assert_eq!(Event::Function { version: 6, call: |_, _| Box::new(|x| x) }.version(), 6);
    assert_eq!(Event::Generic { version: 7, inner: Generic { version: 0 } }.version(), 7);
    assert_eq!(Event::Macro { version: 8 }.version(), 8);
}
