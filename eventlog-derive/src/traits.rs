//! The two traits of `eventlog` that the derives implement and call.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

#[derive(Clone, Copy)]
pub(crate) enum Trait {
    Versioned,
    AsVersion,
}

impl Trait {
    pub(crate) fn path(self, library: &TokenStream) -> TokenStream {
        match self {
            Self::Versioned => quote!(#library::Versioned),
            Self::AsVersion => quote!(#library::AsVersion),
        }
    }

    pub(crate) fn method(self, span: Span) -> TokenStream {
        match self {
            Self::Versioned => quote_spanned!(span=> version),
            Self::AsVersion => quote_spanned!(span=> as_version),
        }
    }
}
