#![allow(non_camel_case_types, non_upper_case_globals, unused_macros, dead_code)]

mod core {}
mod std {}
struct u64;
struct Versioned;
struct AsVersion;
struct Option;
type usize = u64;
trait version {}
fn as_version() {}
const FIELD: ::core::primitive::u64 = 0;
static __value: u64 = u64;

macro_rules! compile_error { ($($any:tt)*) => {}; }
macro_rules! unreachable { ($($any:tt)*) => { u64 }; }

#[derive(eventlog::Versioned)]
enum Result {
    Self_ { version: ::core::primitive::u64 },
    Ok { version: ::core::primitive::u64, r#u64: u64 },
    Err(#[version] ::core::primitive::u64),
    Some { version: ::core::primitive::u64, eventlog: () },
    None { #[version] __field: ::core::primitive::u64 },
    u64 { #[version] field: ::core::primitive::u64 },
    Versioned { version: ::core::primitive::u64 },
    AsVersion { version: ::core::primitive::u64 },
}

fn main() {
    let read = <Result as eventlog::Versioned>::version;
    ::core::assert_eq!(read(&Result::Self_ { version: 1 }), 1);
    ::core::assert_eq!(read(&Result::Ok { version: 2, r#u64: u64 }), 2);
    ::core::assert_eq!(read(&Result::Err(3)), 3);
    ::core::assert_eq!(read(&Result::Some { version: 4, eventlog: () }), 4);
    ::core::assert_eq!(read(&Result::None { __field: 5 }), 5);
    ::core::assert_eq!(read(&Result::u64 { field: 6 }), 6);
    ::core::assert_eq!(read(&Result::Versioned { version: 7 }), 7);
    ::core::assert_eq!(read(&Result::AsVersion { version: 8 }), 8);
}
