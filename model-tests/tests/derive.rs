//! Laws D01 and D02: what the derive reads, and what it lets nobody forget.

#![allow(clippy::expect_used)]

mod scratch;
#[path = "derive/sixty_two.rs"]
#[rustfmt::skip]
mod sixty_two;

use std::collections::HashSet;
use std::mem::discriminant;

use eventlog::Versioned;
use proptest::prelude::*;
use scratch::Scratch;
use sixty_two::{by_hand, one_of_each};

/// The widths at which a narrower type would show, and their neighbours.
const EDGES: [u64; 11] = [
    0,
    1,
    0xff,
    0x100,
    0xffff,
    0x1_0000,
    0xffff_ffff,
    0x1_0000_0000,
    u64::MAX / 2,
    u64::MAX - 1,
    u64::MAX,
];

#[test]
fn d01_equals_a_hand_written_match_on_sixty_two_variants() {
    for version in EDGES {
        equals_the_match_by_hand(version);
    }
}

proptest! {
    #[test]
    fn d01_equals_a_hand_written_match_at_any_version(version: u64) {
        equals_the_match_by_hand(version);
    }

    #[test]
    fn d01_equals_a_hand_written_match_on_the_only_variant(version: u64) {
        #[derive(Versioned)]
        enum Event {
            Only { version: u64 },
        }

        let event = Event::Only { version };
        let Event::Only { version: by_hand } = &event;
        prop_assert_eq!(event.version(), *by_hand);
    }
}

fn equals_the_match_by_hand(version: u64) {
    let boxed = Box::new(version);
    let reference = &version;
    let events = one_of_each(reference, &reference, &boxed);
    let variants: HashSet<_> = events.iter().map(discriminant).collect();
    assert_eq!(variants.len(), 62, "one of each");
    for (place, event) in events.iter().enumerate() {
        assert_eq!(
            event.version(),
            by_hand(event),
            "variant {place}, version {version}"
        );
    }
    let whole = events
        .iter()
        .filter(|event| event.version() == version)
        .count();
    assert!(whole >= 20, "{whole} variants hold all of {version}");
}

#[test]
fn d02_each_variant_that_is_forgotten_is_an_error_in_its_place() {
    let none_forgotten = compile("none", |_| false);
    assert_eq!(none_forgotten, [""; 0]);

    let three_forgotten = compile("three", |variant| [10, 30, 59].contains(&variant));
    assert_eq!(three_forgotten, [10, 30, 59].map(error_of));

    let all_forgotten = compile("all", |_| true);
    let sixty_errors: Vec<_> = (0..60).map(error_of).collect();
    assert_eq!(all_forgotten, sixty_errors);
}

/// The errors of an enum of sixty variants, where those that `is_forgotten` have no version.
fn compile(name: &str, is_forgotten: fn(usize) -> bool) -> Vec<String> {
    let variant = |variant| {
        let version = if is_forgotten(variant) {
            ""
        } else {
            "version: u64, "
        };
        format!("    E{variant} {{ {version}id: u32 }},\n")
    };
    let variants: String = (0..60).map(variant).collect();
    let source = format!(
        "#[derive(eventlog::Versioned)]\npub enum Event {{\n{variants}}}\n\
         pub fn used(event: &Event) -> u64 {{ eventlog::Versioned::version(event) }}\n",
    );
    let output = Scratch::new(&format!("forgotten_{name}")).compile(&source, &[]);
    let stderr = String::from_utf8(output.stderr).expect("cargo writes text");
    let errors = stderr.lines().filter_map(|line| line.split_once("lib.rs:"));
    let errors: Vec<_> = errors.map(|(_, error)| error.to_owned()).collect();
    assert_eq!(output.status.success(), errors.is_empty(), "{stderr}");
    errors
}

/// The first variant is on the third line, and names begin in the fifth column.
fn error_of(variant: usize) -> String {
    format!(
        "{}:5: error: `E{variant}` carries no version: add `version: u64`, \
         or mark the field that holds it with `#[version]`",
        variant + 3
    )
}
