//! Which bounds the implementation needs beyond those that the user wrote.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{GenericParam, Generics};

use crate::input::Input;
use crate::source::{Read, Source};

/// The user's where clause, and a bound for each version whose type names a parameter. Any other
/// type has the trait or has it not, whatever the parameters are. A type that names the event
/// itself needs none either: such a bound would ask for the very implementation that it stands on.
pub(crate) fn where_clause(input: &Input<'_>) -> Option<TokenStream> {
    let bounds = bounds(input);
    let clause = input.generics.where_clause.as_ref();
    let predicates = clause.into_iter().flat_map(|clause| &clause.predicates);
    let predicates: Vec<_> = predicates
        .map(ToTokens::to_token_stream)
        .chain(bounds)
        .collect();
    (!predicates.is_empty()).then(|| quote!(where #(#predicates),*))
}

fn bounds(input: &Input<'_>) -> Vec<TokenStream> {
    let parameters = parameters(input.generics);
    let itself = HashSet::from([input.ident.unraw(), Ident::new("Self", Span::call_site())]);
    let mut seen = HashSet::new();
    input
        .arms
        .iter()
        .filter(|arm| {
            let ty = arm.source.ty.to_token_stream();
            names_any(ty.clone(), &parameters) && !names_any(ty, &itself)
        })
        .filter_map(|arm| bound(&arm.source, input))
        .filter(|bound| seen.insert(bound.to_string()))
        .collect()
}

fn bound(source: &Source<'_>, input: &Input<'_>) -> Option<TokenStream> {
    let path = match source.read {
        Read::By(interface) => Some(interface.path(&input.library)),
        Read::With(_) => None,
    };
    let copy = input.is_packed.then(|| quote!(::core::marker::Copy));
    let bounds: Vec<_> = path.into_iter().chain(copy).collect();
    let ty = source.ty;
    (!bounds.is_empty()).then(|| quote!(#ty: #(#bounds)+*))
}

/// The names of the type and const parameters.
fn parameters(generics: &Generics) -> HashSet<Ident> {
    let name = |parameter: &GenericParam| match parameter {
        GenericParam::Lifetime(_) => None,
        GenericParam::Type(parameter) => Some(parameter.ident.unraw()),
        GenericParam::Const(parameter) => Some(parameter.ident.unraw()),
    };
    generics.params.iter().filter_map(name).collect()
}

/// Whether any identifier in `tokens` is one of `names`. In `path::T` the `T` is another's,
/// and in `'T` a lifetime's.
fn names_any(tokens: TokenStream, names: &HashSet<Ident>) -> bool {
    let mut after_punct = ' ';
    for token in tokens {
        let found = match &token {
            TokenTree::Ident(ident) => {
                !matches!(after_punct, ':' | '\'') && names.contains(&ident.unraw())
            }
            TokenTree::Group(group) => names_any(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        };
        if found {
            return true;
        }
        after_punct = match token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
    }
    false
}
