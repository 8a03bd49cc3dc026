//! `#[derive(Versioned)]` for the `eventlog` crate.

use proc_macro::TokenStream;

mod attr;
mod errors;
mod expand;
mod generics;
mod input;
mod source;
mod traits;

use expand::expand;
use traits::Trait;

/// A version here is an event's sequence in time, not the version of a schema.
#[proc_macro_derive(Versioned, attributes(versioned, version))]
pub fn versioned(input: TokenStream) -> TokenStream {
    expand(Trait::Versioned, input.into()).into()
}

/// Reads a newtype as the version that is its only field.
#[proc_macro_derive(AsVersion, attributes(versioned, version))]
pub fn as_version(input: TokenStream) -> TokenStream {
    expand(Trait::AsVersion, input.into()).into()
}
