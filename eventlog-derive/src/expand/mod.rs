//! Checked input to tokens: one impl with one match for the version, and one for the kind.
//!
//! Every path is absolute and every call names its trait, so that nothing in the user's scope can
//! stand in for what is meant.

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::errors::Errors;
use crate::generics::where_clause;
use crate::input::{Arm, Input};
use crate::source::{Read, Source};
use crate::traits::Trait;

/// Expands the derive of `interface`. Any mistake comes back as a `compile_error!` of its own.
pub(crate) fn expand(interface: Trait, tokens: TokenStream) -> TokenStream {
    let input = match syn::parse2(tokens) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let checked = Input::check(interface, &input, &mut errors);
    // The impl stands beside the errors too: without it, every use of the trait would be one more.
    let implementation = implementation(&checked, interface, !errors.is_empty());
    quote!(#errors #implementation)
}

fn implementation(input: &Input<'_>, interface: Trait, has_errors: bool) -> TokenStream {
    let path = interface.path(&input.library);
    let method = interface.method(Span::call_site());
    let ident = in_the_derive(input.ident);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let where_clause = where_clause(input);
    let mut spans = Spans::default();
    let arms = input.arms.iter();
    let arms = arms.map(|arm| self::arm(arm, spans.of(&arm.source), input));
    let instead_of_wrong_arms = has_errors.then(|| quote!(_ => loop {},));
    let has_kinds = matches!(interface, Trait::Versioned) && !has_errors;
    let kind = has_kinds.then(|| kind(input));
    quote! {
        #[automatically_derived]
        impl #impl_generics #path for #ident #ty_generics #where_clause {
            #[inline]
            fn #method(&self) -> ::core::primitive::u64 {
                match *self {
                    #(#arms)*
                    #instead_of_wrong_arms
                }
            }
            #kind
        }
    }
}

/// The name of each variant, or of the struct, unless that is transparent. An empty enum has none.
fn kind(input: &Input<'_>) -> TokenStream {
    let arms = input
        .arms
        .iter()
        .map(|arm| match (arm.variant, &arm.source.read) {
            (None, Read::By(Trait::Versioned)) => {
                let path = Trait::Versioned.path(&input.library);
                let span = arm.source.ty.span();
                read_arm(
                    arm,
                    span,
                    input,
                    |field| quote_spanned!(span=> #path::kind(#field)),
                )
            }
            (variant, _) => {
                let name = variant.unwrap_or(input.ident).unraw().to_string();
                let variant = variant.map(|variant| quote!(::#variant));
                quote!(Self #variant { .. } => #name,)
            }
        });
    quote! {
        #[inline]
        fn kind(&self) -> &'static ::core::primitive::str {
            match *self {
                #(#arms)*
            }
        }
    }
}

/// The compiler is silent about a deprecated type inside of a derive, and only there.
fn in_the_derive(ident: &Ident) -> Ident {
    let mut ident = ident.clone();
    ident.set_span(Span::call_site().located_at(ident.span()));
    ident
}

/// Where the calls stand for the compiler: at what the user wrote of each, a type or a path.
#[derive(Default)]
struct Spans(HashMap<String, Span>);

impl Spans {
    /// Through a trait, the place of the first version whose type has the same spelling. Of errors
    /// that are equal also in their place the compiler tells one, so that a type that is no version
    /// is one mistake, however many variants have it. If the variants shared an arm, that would be
    /// so too, but the machine code another.
    fn of(&mut self, source: &Source<'_>) -> Span {
        let Source { ty, read, .. } = source;
        match read {
            Read::With(path) => path.span(),
            Read::By(interface) => {
                let path = interface.path(&TokenStream::new());
                let key = format!("{}: {path}", ty.to_token_stream());
                *self.0.entry(key).or_insert(ty.span())
            }
        }
    }
}

/// One variant an arm, and the call spanned to what the user wrote: the compiler then reports every
/// wrong one, and each in its place.
fn arm(arm: &Arm<'_>, span: Span, input: &Input<'_>) -> TokenStream {
    let span = Span::mixed_site().located_at(span);
    read_arm(arm, span, input, |reference| match &arm.source.read {
        // Of its own type first, so that the compiler says which function is expected, and only
        // then called, so that the reference may coerce.
        Read::With(path) => quote_spanned! {span=> {
            let __eventlog_read: fn(&_) -> ::core::primitive::u64 = #path;
            __eventlog_read(#reference)
        }},
        Read::By(interface) => {
            let (path, method) = (interface.path(&input.library), interface.method(span));
            quote_spanned!(span=> #path::#method(#reference))
        }
    })
}

/// An arm that does something with a reference to the field that holds the version.
fn read_arm(
    arm: &Arm<'_>,
    span: Span,
    input: &Input<'_>,
    read: impl FnOnce(TokenStream) -> TokenStream,
) -> TokenStream {
    let variant = arm.variant.map(|variant| quote!(::#variant));
    let member = &arm.source.member;
    let span = Span::mixed_site().located_at(span);
    let field = quote_spanned!(span=> __eventlog_field);
    // There is no reference to a packed field: it is copied.
    let (binding, reference) = if input.is_packed {
        (quote!(#field), quote_spanned!(span=> &#field))
    } else {
        (quote!(ref #field), quote!(#field))
    };
    let value = read(reference);
    quote!(Self #variant { #member: #binding, .. } => #value,)
}

#[cfg(test)]
mod tests;
