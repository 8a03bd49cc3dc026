//! The kind of an event is the name in the code, whatever else is said of it.
#![cfg(feature = "derive")]
#![allow(dead_code, non_camel_case_types)]

use std::sync::Arc;

use eventlog::{Numbered, Versioned};

#[derive(Versioned)]
enum Window<T> {
    Opened {
        version: u64,
        payload: T,
    },
    Moved(#[version] u64, i32, i32),
    #[versioned(transparent)]
    Inner(Box<Window<T>>),
    #[versioned(transparent)]
    Other(T),
    #[cfg(any())]
    Never,
    r#Type {
        version: u8,
    },
    r#move {
        version: u8,
    },
}

#[derive(Versioned)]
struct Saved {
    version: u64,
}

#[derive(Versioned)]
struct Pair<'a>(#[version] &'a u64, ());

#[derive(Versioned)]
#[versioned(transparent)]
struct Envelope<E>(E);

#[derive(Versioned)]
#[repr(C, packed)]
struct Packed {
    tag: u8,
    version: u64,
}

#[derive(Versioned)]
#[versioned(field = at)]
enum Read {
    With {
        #[version(with = whole)]
        seconds: (u64, u32),
    },
    At {
        at: u64,
    },
}

fn whole(time: &(u64, u32)) -> u64 {
    time.0
}

#[derive(Versioned)]
enum Nothing {}

struct ByHand;
impl Versioned for ByHand {
    fn version(&self) -> u64 {
        1
    }
}

#[test]
fn it_is_the_name_of_the_variant() {
    let opened = || Window::Opened {
        version: 1,
        payload: Saved { version: 9 },
    };
    let kinds = [
        (opened(), "Opened"),
        (Window::Moved(1, 0, 0), "Moved"),
        (Window::Inner(Box::new(opened())), "Inner"),
        (Window::Other(Saved { version: 7 }), "Other"),
        (Window::r#Type { version: 1 }, "Type"),
        (Window::r#move { version: 1 }, "move"),
    ];
    for (event, kind) in &kinds {
        assert_eq!(event.kind(), *kind);
    }
    assert_eq!(Read::With { seconds: (3, 4) }.kind(), "With");
    assert_eq!(Read::At { at: 3 }.kind(), "At");
}

#[test]
fn it_is_the_name_of_a_struct_or_what_that_wraps() {
    assert_eq!(Saved { version: 1 }.kind(), "Saved");
    assert_eq!(Pair(&1, ()).kind(), "Pair");
    assert_eq!(Packed { tag: 0, version: 1 }.kind(), "Packed");
    assert_eq!(Envelope(Saved { version: 1 }).kind(), "Saved");
    assert_eq!(Envelope(Window::<Saved>::Moved(1, 0, 0)).kind(), "Moved");
    assert_eq!(Envelope(Arc::new(Saved { version: 1 })).kind(), "Saved");
    let shared: Box<dyn Versioned> = Box::new(Saved { version: 1 });
    assert_eq!(shared.kind(), "Saved");
}

/// An implementation from before there were kinds goes on as it is.
#[test]
fn it_is_empty_where_nobody_says() {
    assert_eq!(ByHand.kind(), "");
    assert_eq!(Envelope(ByHand).kind(), "");
    assert_eq!(Numbered::<_>::new(1, ByHand).kind(), "");
}

/// serde's names are for the wire.
#[test]
#[cfg(feature = "serde")]
fn serde_has_no_say_in_it() {
    #[derive(Versioned, serde::Serialize)]
    #[serde(rename_all = "snake_case", tag = "type")]
    enum Event {
        WindowOpened {
            version: u64,
        },
        #[serde(rename = "gone")]
        Closed {
            version: u64,
        },
        #[serde(untagged)]
        Other {
            version: u64,
        },
    }
    assert_eq!(Event::WindowOpened { version: 1 }.kind(), "WindowOpened");
    assert_eq!(Event::Closed { version: 1 }.kind(), "Closed");
    assert_eq!(Event::Other { version: 1 }.kind(), "Other");
}
