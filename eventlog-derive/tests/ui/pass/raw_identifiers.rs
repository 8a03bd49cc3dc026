#![allow(non_camel_case_types)]

use eventlog::Versioned;

#[derive(Versioned)]
enum r#enum {
    r#struct { r#version: u64 },
    r#match { version: u64, r#type: u8 },
    r#fn(#[version] u64),
    r#mod { #[version] r#loop: u64 },
}

#[derive(Versioned)]
struct Generic<r#type> {
    version: r#type,
}

fn main() {
    assert_eq!(r#enum::r#struct { version: 1 }.version(), 1);
    assert_eq!(r#enum::r#match { version: 2, r#type: 0 }.version(), 2);
    assert_eq!(r#enum::r#fn(3).version(), 3);
    assert_eq!(r#enum::r#mod { r#loop: 4 }.version(), 4);
    assert_eq!(Generic { version: 5_u8 }.version(), 5);
}
