//! `#[versioned(...)]` on types and variants, `#[version]` on fields.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, ExprPath, LitStr, Meta, Path, Result, Token};

use crate::errors::Errors;

/// Where a `#[versioned(...)]` stands. It decides which keys are known there.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Enum,
    Struct,
    Variant,
}

impl Place {
    fn knows(self, key: &str) -> bool {
        match self {
            Self::Enum => matches!(key, "field" | "crate"),
            Self::Struct => matches!(key, "field" | "transparent" | "crate"),
            Self::Variant => key == "transparent",
        }
    }

    fn known(self) -> &'static str {
        match self {
            Self::Enum => "on an enum `#[versioned(...)]` knows `field = name` and `crate = path`",
            Self::Struct => {
                "on a struct `#[versioned(...)]` knows `field = name`, `transparent` and \
                 `crate = path`"
            }
            Self::Variant => "on a variant `#[versioned(...)]` knows `transparent`",
        }
    }

    /// The refusal of a key that is not known here, though perhaps elsewhere.
    fn stray(self, key: &str) -> String {
        let belongs = match (self, key) {
            (Self::Enum, "transparent") => {
                "`transparent` belongs on the variants whose only field is `Versioned`"
            }
            (Self::Variant, "field") => {
                "`field` belongs on the enum; here, mark the field itself with `#[version]`"
            }
            (Self::Variant, "crate") => "`crate` belongs on the enum",
            (_, "with") => "`with` belongs on a field: `#[version(with = path)]`",
            _ => return format!("unknown key `{key}`: {}", self.known()),
        };
        format!("{belongs}; {}", self.known())
    }
}

/// The keys of all `#[versioned(...)]` in one place.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) field: Option<Ident>,
    /// The key's span.
    pub(crate) transparent: Option<Span>,
    pub(crate) library: Option<Path>,
    /// An attribute here was in error, and what it meant is not known.
    pub(crate) broken: bool,
}

impl Keys {
    pub(crate) fn read(attrs: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let before = errors.len();
        let mut keys = Self::default();
        for attr in attrs {
            if attr.path().is_ident("version") {
                errors.at(
                    attr.path().span(),
                    "`#[version]` belongs on the field that holds the version",
                );
            } else if attr.path().is_ident("versioned") {
                each_key(attr, place.known(), errors, |key, input| {
                    keys.read_one(key, place, input)
                });
            }
        }
        keys.broken = errors.len() > before;
        keys
    }

    pub(crate) fn field_name(&self) -> String {
        let given = self.field.as_ref().map(|field| field.unraw().to_string());
        given.unwrap_or_else(|| "version".to_owned())
    }

    fn read_one(&mut self, key: &Ident, place: Place, input: ParseStream<'_>) -> Result<()> {
        let name = key.to_string();
        if !place.knows(&name) {
            return Err(syn::Error::new(key.span(), place.stray(&name)));
        }
        match name.as_str() {
            "field" => {
                let field = value(key, "field = name", input, Ident::parse_any)?;
                set_once(&mut self.field, key, field)
            }
            "crate" => {
                let library = value(key, "crate = path", input, Path::parse_mod_style)?;
                set_once(&mut self.library, key, library)
            }
            _ if input.peek(Token![=]) => Err(input.error("`transparent` takes no value")),
            _ => set_once(&mut self.transparent, key, key.span()),
        }
    }
}

/// A field's `#[version]`.
pub(crate) struct Mark {
    pub(crate) span: Span,
    pub(crate) with: Option<ExprPath>,
}

impl Mark {
    const KNOWN: &str = "`#[version(...)]` knows `with = path`";

    /// The mark of one field, if it has any. A mark in error is still a mark.
    pub(crate) fn read(attrs: &[Attribute], errors: &mut Errors) -> Option<Self> {
        let mut mark: Option<Self> = None;
        for attr in attrs {
            if attr.path().is_ident("versioned") {
                errors.at(
                    attr.path().span(),
                    "`#[versioned(...)]` belongs on the type or the variant; \
                     on a field write `#[version]`",
                );
            } else if attr.path().is_ident("version") {
                if mark.is_some() {
                    errors.at(
                        attr.path().span(),
                        "`#[version]` is given twice on this field",
                    );
                }
                let with = Self::read_with(attr, errors);
                let span = attr.path().span();
                mark.get_or_insert(Self { span, with });
            }
        }
        mark
    }

    fn read_with(attr: &Attribute, errors: &mut Errors) -> Option<ExprPath> {
        if matches!(attr.meta, Meta::Path(_)) {
            return None;
        }
        let mut with = None;
        each_key(attr, Self::KNOWN, errors, |key, input| {
            if key != "with" {
                let message = format!("unknown key `{key}`: {}", Self::KNOWN);
                return Err(syn::Error::new(key.span(), message));
            }
            refuse_closure(input)?;
            let path = value(key, "with = path", input, ExprPath::parse)?;
            set_once(&mut with, key, path)
        });
        with
    }
}

/// Whether `#[repr(packed)]` is among them, in any of its forms.
pub(crate) fn is_packed(attrs: &[Attribute]) -> bool {
    let names_packed = |tree| matches!(tree, TokenTree::Ident(word) if word == "packed");
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if attr.path().is_ident("repr") => {
            list.tokens.clone().into_iter().any(names_packed)
        }
        _ => false,
    })
}

/// Reads `key, key = value, ...`. A key in error is reported, and reading goes on at the next.
fn each_key(
    attr: &Attribute,
    known: &str,
    errors: &mut Errors,
    mut read: impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) {
    let Meta::List(list) = &attr.meta else {
        return errors.at(
            attr.path().span(),
            format!("expected keys in parentheses: {known}"),
        );
    };
    if list.tokens.is_empty() {
        return errors.at(attr.path().span(), format!("there is no key here: {known}"));
    }
    let read_all = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = read_one(input, known, &mut read) {
                errors.push(error);
                skip_to_comma(input)?;
            }
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(())
    };
    if let Err(error) = attr.parse_args_with(read_all) {
        errors.push(error);
    }
}

/// Reads one key and stands before the comma that follows it.
fn read_one(
    input: ParseStream<'_>,
    known: &str,
    read: &mut impl FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    let Ok(key) = input.call(Ident::parse_any) else {
        return Err(input.error(format!("expected a key: {known}")));
    };
    read(&key, input)?;
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error(format!("expected `,` after `{key}`")))
}

fn skip_to_comma(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// Reads `= value` after `key`; `example` is what a correct one looks like.
fn value<T>(
    key: &Ident,
    example: &str,
    input: ParseStream<'_>,
    parse: fn(ParseStream<'_>) -> Result<T>,
) -> Result<T> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Err(syn::Error::new(
            key.span(),
            format!("`{key}` takes a value: `{example}`"),
        ));
    }
    if input.peek(LitStr) {
        return Err(input.error(format!("write the value without quotes: `{example}`")));
    }
    let at = input.span();
    parse(input).map_err(|_| syn::Error::new(at, format!("expected `{example}`")))
}

/// `= |field| …`, which many would expect after `with`.
fn refuse_closure(input: ParseStream<'_>) -> Result<()> {
    let is_closure = input.peek2(Token![|]) || input.peek2(Token![||]) || input.peek2(Token![move]);
    if !input.peek(Token![=]) || !is_closure {
        return Ok(());
    }
    input.parse::<Token![=]>()?;
    let at = input.span();
    // The commas in it are none between keys.
    input.parse::<TokenStream>()?;
    let message = "name a function instead of a closure: `with = path`, where the path leads to \
                   a `fn(&T) -> u64` and `T` is the field's type";
    Err(syn::Error::new(at, message))
}

fn set_once<T>(slot: &mut Option<T>, key: &Ident, value: T) -> Result<()> {
    if slot.is_some() {
        return Err(syn::Error::new(
            key.span(),
            format!("`{key}` is given twice; keep one"),
        ));
    }
    *slot = Some(value);
    Ok(())
}
