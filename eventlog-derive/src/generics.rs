//! Which bounds the implementation needs beyond those that the user wrote.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{GenericParam, Generics};

use crate::input::Input;
use crate::source::{Read, Source};

/// The user's where clause, and a bound for each version whose type names a parameter. Any other
/// type has the trait or has it not, whatever the parameters are.
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
    let mut seen = HashSet::new();
    input
        .arms
        .iter()
        .filter(|arm| names_any(arm.source.ty.to_token_stream(), &parameters))
        .filter_map(|arm| bound(&arm.source, &input.library))
        .filter(|bound| seen.insert(bound.to_string()))
        .collect()
}

fn bound(source: &Source<'_>, library: &TokenStream) -> Option<TokenStream> {
    let Read::By(interface) = source.read else {
        return None;
    };
    let (ty, path) = (source.ty, interface.path(library));
    Some(quote!(#ty: #path))
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

/// Whether any identifier in `tokens` is one of `parameters`. In `path::T` the `T` is another's,
/// and in `'T` a lifetime's.
fn names_any(tokens: TokenStream, parameters: &HashSet<Ident>) -> bool {
    let mut after_punct = ' ';
    for token in tokens {
        let found = match &token {
            TokenTree::Ident(ident) => {
                !matches!(after_punct, ':' | '\'') && parameters.contains(&ident.unraw())
            }
            TokenTree::Group(group) => names_any(group.stream(), parameters),
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
