//! Checked input to tokens: one impl with one match.
//!
//! Every path is absolute and every call names its trait, so that nothing in the user's scope can
//! stand in for what is meant.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
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
    let ident = input.ident;
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let where_clause = where_clause(input);
    let arms = input.arms.iter().map(|arm| self::arm(arm, &input.library));
    let instead_of_wrong_arms = has_errors.then(|| quote!(_ => loop {},));
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
        }
    }
}

/// One variant an arm, and the call spanned to what the user wrote of it, a type or a path: the
/// compiler then reports every wrong one, and each in its place.
fn arm(arm: &Arm<'_>, library: &TokenStream) -> TokenStream {
    let variant = arm.variant.map(|variant| quote!(::#variant));
    let Source { member, ty, read } = &arm.source;
    let span = match read {
        Read::By(_) => ty.span(),
        Read::With(path) => path.span(),
    };
    let span = Span::mixed_site().located_at(span);
    let field = quote_spanned!(span=> __eventlog_field);
    let value = match read {
        Read::With(path) => quote_spanned!(span=> #path(#field)),
        Read::By(interface) => {
            let (path, method) = (interface.path(library), interface.method(span));
            quote_spanned!(span=> #path::#method(#field))
        }
    };
    quote!(Self #variant { #member: ref #field, .. } => #value,)
}
