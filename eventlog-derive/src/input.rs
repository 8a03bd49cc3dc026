//! What the derive was put on, checked: for each pattern of the match, where its version is.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Data, DataEnum, DeriveInput, Fields, Generics, Variant};

use crate::attr::{Keys, Place, is_packed};
use crate::errors::Errors;
use crate::source::{Owner, Source};
use crate::traits::Trait;

/// A checked input. What was in error has left its mistake, and no arm.
pub(crate) struct Input<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// The path of the `eventlog` crate.
    pub(crate) library: TokenStream,
    /// The fields may stand where no reference to them is allowed.
    pub(crate) is_packed: bool,
    pub(crate) arms: Vec<Arm<'a>>,
}

/// One arm of the match: a variant, or the struct itself.
pub(crate) struct Arm<'a> {
    pub(crate) variant: Option<&'a Ident>,
    pub(crate) source: Source<'a>,
}

impl<'a> Input<'a> {
    pub(crate) fn check(interface: Trait, input: &'a DeriveInput, errors: &mut Errors) -> Self {
        match interface {
            Trait::Versioned => Self::event(input, errors),
            Trait::AsVersion => Self::newtype(input, errors),
        }
    }

    fn event(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        match &input.data {
            Data::Enum(data) => {
                let keys = Keys::read(&input.attrs, Place::Enum, errors);
                let arms = variant_arms(data, &keys, errors);
                Self::new(input, keys, arms)
            }
            Data::Struct(data) => {
                let keys = Keys::read(&input.attrs, Place::Struct, errors);
                let arm = struct_arm(&input.ident, &data.fields, &keys, errors);
                Self::new(input, keys, arm.into_iter().collect())
            }
            Data::Union(data) => {
                errors.at(
                    data.union_token.span,
                    "nothing says which field of a union is alive: make it an enum or a struct",
                );
                Self::new(input, Keys::default(), Vec::new())
            }
        }
    }

    fn newtype(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let keys = Keys::read(&input.attrs, Place::Struct, errors);
        let source = match &input.data {
            Data::Struct(data) => Source::newtype(&data.fields, errors),
            Data::Enum(_) | Data::Union(_) => None,
        };
        if source.is_none() {
            let name = &input.ident;
            errors.at(
                name.span(),
                format!(
                    "`AsVersion` is derived for a struct of exactly one field; \
                     write `impl AsVersion for {name}` by hand"
                ),
            );
        }
        let arm = source.map(|source| Arm {
            variant: None,
            source,
        });
        Self::new(input, keys, arm.into_iter().collect())
    }

    fn new(input: &'a DeriveInput, keys: Keys, arms: Vec<Arm<'a>>) -> Self {
        Self {
            ident: &input.ident,
            generics: &input.generics,
            is_packed: is_packed(&input.attrs),
            library: keys
                .library
                .map_or_else(|| quote!(::eventlog), ToTokens::into_token_stream),
            arms,
        }
    }
}

fn struct_arm<'a>(
    ident: &'a Ident,
    fields: &'a Fields,
    keys: &Keys,
    errors: &mut Errors,
) -> Option<Arm<'a>> {
    if let (Some(_), Some(field)) = (keys.transparent, &keys.field) {
        errors.at(
            field.span(),
            "`field` and `transparent` exclude each other; keep one",
        );
    }
    let owner = Owner {
        ident,
        fields,
        field_name: keys.field_name(),
        transparent: keys.transparent,
        broken: keys.broken,
    };
    let source = Source::find(&owner, errors)?;
    Some(Arm {
        variant: None,
        source,
    })
}

fn variant_arms<'a>(data: &'a DataEnum, keys: &Keys, errors: &mut Errors) -> Vec<Arm<'a>> {
    let arm = |variant| variant_arm(variant, keys, errors);
    data.variants.iter().filter_map(arm).collect()
}

fn variant_arm<'a>(variant: &'a Variant, keys: &Keys, errors: &mut Errors) -> Option<Arm<'a>> {
    let own_keys = Keys::read(&variant.attrs, Place::Variant, errors);
    let owner = Owner {
        ident: &variant.ident,
        fields: &variant.fields,
        field_name: keys.field_name(),
        transparent: own_keys.transparent,
        broken: keys.broken || own_keys.broken,
    };
    let source = Source::find(&owner, errors)?;
    Some(Arm {
        variant: Some(&variant.ident),
        source,
    })
}
