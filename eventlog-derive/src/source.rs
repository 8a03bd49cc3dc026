//! Which field of a variant or struct holds the version.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{ExprPath, Field, Fields, Member, Type};

use crate::attr::Mark;
use crate::errors::Errors;
use crate::slip::distance;
use crate::traits::Trait;

/// The field a version is read from.
pub(crate) struct Source<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) read: Read,
}

/// How the field becomes a `u64`.
pub(crate) enum Read {
    /// Through the field's own trait.
    By(Trait),
    /// Through a function that the user named.
    With(ExprPath),
}

/// A variant, or a struct, and what its attributes say.
pub(crate) struct Owner<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) fields: &'a Fields,
    /// The name of the field that holds the version, where none is marked.
    pub(crate) field_name: String,
    /// The span of the key.
    pub(crate) transparent: Option<Span>,
    /// An attribute was in error. Without what it meant, there is no telling where the version is.
    pub(crate) broken: bool,
}

impl<'a> Source<'a> {
    /// Finds the version of `owner`, or reports why there is none.
    pub(crate) fn find(owner: &Owner<'a>, errors: &mut Errors) -> Option<Self> {
        let before = errors.len();
        let marked = owner.marked_field(errors);
        if let Some(key) = owner.transparent {
            let mark = marked.map(|(mark, _)| mark);
            return owner.only_field(key, mark, errors);
        }
        if owner.broken || errors.len() > before {
            return None;
        }
        let source = marked.map_or_else(|| owner.named_field(), |(_, source)| Some(source));
        if source.is_none() {
            match owner.slip() {
                Some(field) => errors.at(field.span(), owner.means_another_name(field)),
                None => errors.at(owner.ident.span(), owner.carries_no_version()),
            }
        }
        source
    }

    /// The field of a newtype, which must be its only one.
    pub(crate) fn newtype(fields: &'a Fields, errors: &mut Errors) -> Option<Self> {
        let (member, field) = only(fields)?;
        let mark = Mark::read(&field.attrs, errors);
        let read = mark.map_or(Read::By(Trait::AsVersion), Read::marked);
        Some(Self::new(member, field, read))
    }

    fn new(member: Member, field: &'a Field, read: Read) -> Self {
        Self {
            member,
            ty: &field.ty,
            read,
        }
    }
}

impl Read {
    fn marked(mark: Mark) -> Self {
        mark.with.map_or(Self::By(Trait::AsVersion), Self::With)
    }
}

impl<'a> Owner<'a> {
    /// The field with `#[version]`, and the span of that mark.
    fn marked_field(&self, errors: &mut Errors) -> Option<(Span, Source<'a>)> {
        let members = self.fields.members().zip(self.fields);
        let marked: Vec<_> = members
            .filter_map(|(member, field)| Some((Mark::read(&field.attrs, errors)?, member, field)))
            .collect();
        if let [_, (second, ..), ..] = marked.as_slice() {
            let fields: Vec<_> = marked
                .iter()
                .map(|(_, member, _)| format!("`{}`", member.to_token_stream()))
                .collect();
            let message = format!(
                "`{}` has a `#[version]` on {}; keep one",
                self.ident,
                fields.join(" and on "),
            );
            errors.at(second.span, message);
        }
        let (mark, member, field) = marked.into_iter().next()?;
        Some((mark.span, Source::new(member, field, Read::marked(mark))))
    }

    fn named_field(&self) -> Option<Source<'a>> {
        let is_it = |field: &Field| {
            let ident = field.ident.as_ref();
            ident.is_some_and(|ident| ident.unraw() == self.field_name)
        };
        let (member, field) = self
            .fields
            .members()
            .zip(self.fields)
            .find(|(_, field)| is_it(field))?;
        Some(Source::new(member, field, Read::By(Trait::AsVersion)))
    }

    /// The field that `transparent` delegates to.
    fn only_field(&self, key: Span, mark: Option<Span>, errors: &mut Errors) -> Option<Source<'a>> {
        if let Some(mark) = mark {
            errors.at(
                mark,
                "`transparent` already takes the only field; keep one of the two",
            );
        }
        let Some((member, field)) = only(self.fields) else {
            errors.at(key, self.has_no_only_field());
            return None;
        };
        Some(Source::new(member, field, Read::By(Trait::Versioned)))
    }

    fn has_no_only_field(&self) -> String {
        let (owner, name) = (self.ident, &self.field_name);
        let (fields, instead) = match self.fields.len() {
            0 => ("none".to_owned(), format!("add `{{ {name}: u64 }}`")),
            fields => (
                fields.to_string(),
                "mark the field that holds the version with `#[version]`".to_owned(),
            ),
        };
        format!(
            "`transparent` delegates to the only field, and `{owner}` has {fields}; {instead} instead"
        )
    }

    /// The field whose name is almost that of the version.
    fn slip(&self) -> Option<&'a Ident> {
        let names = self.fields.iter().filter_map(|field| field.ident.as_ref());
        names
            .filter_map(|name| Some((distance(&name.unraw().to_string(), &self.field_name)?, name)))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name)
    }

    fn means_another_name(&self, field: &Ident) -> String {
        let (owner, name) = (self.ident, &self.field_name);
        format!(
            "`{owner}` carries no version: did you mean `{name}` where it says `{field}`? If not, \
             add `{name}: u64`, or mark the field that holds it with `#[version]`"
        )
    }

    fn carries_no_version(&self) -> String {
        let (owner, name) = (self.ident, &self.field_name);
        match self.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => format!(
                "nothing says what the field of `{owner}` is: if it is the version, mark it with \
                 `#[version]`; if it is itself `Versioned`, write `#[versioned(transparent)]` on \
                 `{owner}`"
            ),
            Fields::Unnamed(fields) if !fields.unnamed.is_empty() => format!(
                "nothing says which field of `{owner}` is its version: mark it with `#[version]`"
            ),
            Fields::Named(fields) if !fields.named.is_empty() => format!(
                "`{owner}` carries no version: add `{name}: u64`, \
                 or mark the field that holds it with `#[version]`"
            ),
            _ => format!("`{owner}` carries no version: add `{{ {name}: u64 }}`"),
        }
    }
}

fn only(fields: &Fields) -> Option<(Member, &Field)> {
    let field = fields.iter().next()?;
    let member = fields.members().next()?;
    (fields.len() == 1).then_some((member, field))
}
