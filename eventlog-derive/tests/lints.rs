//! The output is clean in a crate that denies every lint. The clippy ones are checked by
//! `cargo clippy --all-targets`.

#![deny(
    warnings,
    missing_docs,
    unused_qualifications,
    unused_results,
    unreachable_patterns
)]
#![deny(
    single_use_lifetimes,
    unused_lifetimes,
    elided_lifetimes_in_paths,
    let_underscore_drop
)]
#![deny(
    trivial_casts,
    trivial_numeric_casts,
    variant_size_differences,
    explicit_outlives_requirements
)]
#![deny(clippy::pedantic, clippy::nursery, clippy::style, clippy::complexity)]
#![deny(
    clippy::match_same_arms,
    clippy::use_self,
    clippy::pattern_type_mismatch
)]
#![deny(
    clippy::absolute_paths,
    clippy::ref_patterns,
    clippy::missing_inline_in_public_items
)]
#![deny(clippy::single_char_lifetime_names, clippy::arithmetic_side_effects)]

use std::convert::Infallible;

use eventlog::{AsVersion, Versioned};

/// Its version is in scope by its short name, so that a qualified path to it is needless.
#[derive(Versioned)]
pub enum Event<'event, T> {
    /// A plain variant.
    Opened {
        /// The version.
        version: u64,
    },
    /// The same type in the same place: the arms have one body.
    Closed {
        /// The version.
        version: u64,
    },
    /// Nobody may use it any more, but the match must.
    #[deprecated = "it is here to be matched"]
    Old {
        /// The version.
        #[deprecated = "so is it"]
        version: u64,
    },
    /// Nobody can make it.
    Impossible {
        /// The version.
        version: u64,
        /// What cannot be.
        never: Infallible,
    },
    /// A reference and a parameter.
    Borrowed(#[version] &'event T),
    /// Delegated.
    #[versioned(transparent)]
    Inner(Inner),
}

/// An event in an event.
#[derive(Versioned)]
#[deprecated = "matched all the same"]
pub struct Old {
    /// The version.
    pub version: Revision,
}

/// An event in an event.
#[derive(Versioned)]
pub struct Inner {
    /// The version.
    pub version: Revision,
}

/// A newtype.
#[derive(AsVersion, Clone, Copy)]
pub struct Revision(u64);

/// No event.
#[derive(Versioned)]
pub enum Never {}

/// Through a path in the user's own words.
#[derive(Versioned)]
#[versioned(crate = eventlog)]
pub struct Named {
    /// The version.
    #[version(with = length_of)]
    pub text: String,
}

fn length_of(text: &str) -> u64 {
    text.bytes().map(|_| 1).sum()
}

#[test]
fn derived_code_passes_the_lints_of_its_user() {
    let inner: Event<'_, u64> = Event::Inner(Inner {
        version: Revision(3),
    });
    assert_eq!(inner.version(), 3);
    assert_eq!(Event::Borrowed(&4_u8).version(), 4);
    let opened: Event<'_, u8> = Event::Opened { version: 5 };
    assert_eq!(opened.version(), 5);
    let text = "123456".to_owned();
    assert_eq!(Named { text }.version(), 6);
}
