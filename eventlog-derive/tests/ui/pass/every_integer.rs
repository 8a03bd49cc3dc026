use std::num::{NonZero, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};

use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Byte { version: u8 },
    Short { version: u16 },
    Word { version: u32 },
    Long { version: u64 },
    Size { version: usize },
    NonZeroByte { version: NonZeroU8 },
    NonZeroShort { version: NonZeroU16 },
    NonZeroWord { version: NonZeroU32 },
    NonZeroLong { version: NonZeroU64 },
    NonZeroSize { version: NonZeroUsize },
    Generic { version: NonZero<u32> },
}

fn main() {
    assert_eq!(Event::Byte { version: u8::MAX }.version(), 0xff);
    assert_eq!(Event::Short { version: u16::MAX }.version(), 0xffff);
    assert_eq!(Event::Word { version: u32::MAX }.version(), 0xffff_ffff);
    assert_eq!(Event::Long { version: u64::MAX }.version(), u64::MAX);
    assert_eq!(Event::Size { version: 5 }.version(), 5);
    assert_eq!(Event::NonZeroByte { version: NonZeroU8::MAX }.version(), 0xff);
    assert_eq!(Event::NonZeroShort { version: NonZeroU16::MAX }.version(), 0xffff);
    assert_eq!(Event::NonZeroWord { version: NonZeroU32::MAX }.version(), 0xffff_ffff);
    assert_eq!(Event::NonZeroLong { version: NonZeroU64::MAX }.version(), u64::MAX);
    assert_eq!(Event::NonZeroSize { version: NonZeroUsize::MIN }.version(), 1);
    assert_eq!(Event::Generic { version: NonZero::<u32>::MIN }.version(), 1);
}
