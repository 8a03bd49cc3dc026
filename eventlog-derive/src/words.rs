//! The words of every refusal, without a compiler.
//!
//! `tests/ui.rs` has the compiler print them where they belong, which takes it a while and works
//! with one version of it only. What the derive itself says is the same with any.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::expand::expand;
use crate::traits::Trait;

#[test]
fn the_refusals_are_those_that_the_compiler_was_seen_to_print() {
    let mut words = 0;
    for source in cases("fail") {
        let said = refusals(&read(&source));
        let printed = printed(&read(&source.with_extension("stderr")));
        assert_eq!(said, printed, "{}", source.display());
        words += said.len();
    }
    assert!(words > 40, "only {words} refusals");
}

#[test]
fn nothing_is_refused_that_the_compiler_was_seen_to_take() {
    let mut cases = cases("pass");
    // Only the compiler takes away what is configured away, and expands other macros first.
    let plain = |source: &str| !source.contains("cfg(") && !source.contains("macro_rules!");
    cases.retain(|source| plain(&read(source)));
    for source in &cases {
        assert_eq!(refusals(&read(source)), [""; 0], "{}", source.display());
    }
    assert!(cases.len() > 15, "only {} cases", cases.len());
}

fn cases(kind: &str) -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/ui")
        .join(kind);
    let entries = fs::read_dir(cases).expect("the cases");
    let paths = entries.map(|entry| entry.expect("a case").path());
    let sources = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    paths.filter(sources).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a text")
}

/// What the derives of a file say, in a fixed order.
fn refusals(source: &str) -> Vec<String> {
    let mut refusals = Vec::new();
    for (interface, item) in derives(source.parse().expect("tokens")) {
        messages(expand(interface, item), &mut refusals);
    }
    refusals.sort();
    refusals
}

/// The items with a derive of ours, as the compiler hands them over.
fn derives(tokens: TokenStream) -> Vec<(Trait, TokenStream)> {
    let mut found = Vec::new();
    let (mut derived, mut item) = (Vec::new(), Vec::new());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(tree) = tokens.next() {
        match &tree {
            TokenTree::Punct(hash) if hash.as_char() == '#' => {
                let attribute = tokens.peek().map(ToString::to_string).unwrap_or_default();
                if attribute == "!" {
                    // One of the whole file.
                    tokens.nth(1);
                    continue;
                }
                if attribute.starts_with("[derive") {
                    tokens.next();
                    let ours = [
                        ("Versioned", Trait::Versioned),
                        ("AsVersion", Trait::AsVersion),
                    ];
                    let named = |(name, _): &(&str, Trait)| attribute.contains(name);
                    derived.extend(ours.into_iter().filter(named).map(|(_, ours)| ours));
                    continue;
                }
            }
            TokenTree::Group(body)
                if derived.is_empty() && body.delimiter() == Delimiter::Brace =>
            {
                found.extend(derives(body.stream()));
            }
            _ => {}
        }
        let ends = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == ';')
            || matches!(&tree, TokenTree::Group(body) if body.delimiter() == Delimiter::Brace);
        item.push(tree);
        if ends {
            let item: TokenStream = item.drain(..).collect();
            found.extend(derived.drain(..).map(|interface| (interface, item.clone())));
        }
    }
    found
}

/// The texts of all `compile_error!`.
fn messages(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter();
    while let Some(tree) = tokens.next() {
        match tree {
            TokenTree::Ident(name) if name == "compile_error" => {
                let text = tokens.nth(1).expect("the text after the exclamation mark");
                let TokenTree::Group(text) = text else {
                    panic!("{text}");
                };
                let text: syn::LitStr = syn::parse2(text.stream()).expect("a text");
                found.push(one_line(&text.value()));
            }
            TokenTree::Group(group) => messages(group.stream(), found),
            _ => {}
        }
    }
}

/// The errors without a code, which are those of macros.
fn printed(stderr: &str) -> Vec<String> {
    let errors = stderr
        .split("\n\n")
        .filter_map(|error| error.strip_prefix("error: "));
    let text = |error: &str| one_line(error.split("-->").next().unwrap_or_default());
    let mut printed: Vec<_> = errors.map(text).collect();
    printed.sort();
    printed
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
