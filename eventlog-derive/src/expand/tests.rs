//! The output as tokens, without a compiler.

use std::str::FromStr;

use super::*;

fn expansion_of(source: &str) -> String {
    let tokens = TokenStream::from_str(source).expect("the test's source is tokens");
    expand(Trait::Versioned, tokens.clone());
    expand(Trait::AsVersion, tokens.clone());
    expand(Trait::Versioned, tokens).to_string()
}

fn count(haystack: &str, needle: &str) -> usize {
    haystack.matches(needle).count()
}

#[test]
fn the_output_is_one_impl_with_two_matches() {
    let output = expansion_of(
        "enum Event<T: Copy> where T: Send { \
             A { version: T }, B(#[version] u64), C { version: T } \
         }",
    );
    let expected = quote! {
        #[automatically_derived]
        impl<T: Copy> ::eventlog::Versioned for Event<T>
        where
            T: Send,
            T: ::eventlog::AsVersion
        {
            #[inline]
            fn version(&self) -> ::core::primitive::u64 {
                match *self {
                    Self::A { version: ref __eventlog_field, .. } =>
                        ::eventlog::AsVersion::as_version(__eventlog_field),
                    Self::B { 0: ref __eventlog_field, .. } =>
                        ::eventlog::AsVersion::as_version(__eventlog_field),
                    Self::C { version: ref __eventlog_field, .. } =>
                        ::eventlog::AsVersion::as_version(__eventlog_field),
                }
            }
            #[inline]
            fn kind(&self) -> &'static ::core::primitive::str {
                match *self {
                    Self::A { .. } => "A",
                    Self::B { .. } => "B",
                    Self::C { .. } => "C",
                }
            }
        }
    };
    assert_eq!(output, expected.to_string());
}

#[test]
fn an_impl_stands_beside_the_errors_and_keeps_the_arms_that_are_right() {
    let output = expansion_of("enum Event { Ping, Right { version: u64 }, Pong }");
    assert_eq!(count(&output, "compile_error"), 2);
    assert_eq!(count(&output, "impl :: eventlog :: Versioned for Event"), 1);
    assert_eq!(count(&output, "Self :: Right"), 1);
    assert_eq!(count(&output, "_ => loop { }"), 1);
    assert_eq!(count(&output, "fn kind"), 0);
}

#[test]
fn no_arm_catches_what_is_right_or_comes_later() {
    let output = expansion_of("#[non_exhaustive] enum Event { Right { version: u64 } }");
    assert_eq!(count(&output, "_ =>"), 0);
    assert_eq!(count(&output, "compile_error"), 0);
}

#[test]
fn a_packed_field_is_copied() {
    for (repr, references) in [
        ("packed", 0),
        ("C, packed(2)", 0),
        ("C", 1),
        ("align(8)", 1),
    ] {
        let output = expansion_of(&format!("#[repr({repr})] struct E {{ version: u64 }}"));
        assert_eq!(count(&output, "ref __eventlog_field"), references, "{repr}");
    }
    let output = expansion_of("#[repr(packed)] struct E<T> { version: T }");
    assert_eq!(count(&output, ":: core :: marker :: Copy"), 1);
}

#[test]
fn a_version_that_is_the_event_again_adds_no_bound() {
    for (ty, bound) in [
        ("Box<Event<T>>", false),
        ("Arc<Many<(T, Event<T>)>>", false),
        ("Many<Self, T>", false),
        ("Box<r#Event<T>>", false),
        ("Box<other::Event<T>>", true),
        ("Box<Other<T>>", true),
    ] {
        let source = format!(
            "enum Event<T> {{ A {{ version: u64, t: T }}, #[versioned(transparent)] B({ty}) }}"
        );
        let output = expansion_of(&source);
        assert_eq!(count(&output, "where"), usize::from(bound), "{ty}");
    }
}

#[test]
fn only_a_version_of_a_parameters_type_adds_a_bound() {
    for (source, bound) in [
        ("struct Event<T> { version: T }", true),
        ("struct Event<T> { version: Box<T> }", true),
        ("struct Event<const T: usize> { version: Of<{ T }> }", true),
        ("struct Event<T> { version: u64, rest: T }", false),
        ("struct Event<T> { version: path::T, rest: T }", false),
        ("struct Event<'T, T> { version: &'T u64, rest: T }", false),
    ] {
        assert_eq!(
            count(&expansion_of(source), "where"),
            usize::from(bound),
            "{source}"
        );
    }
}

#[test]
fn what_is_no_type_is_refused_in_words() {
    for source in [
        "",
        "fn f() {}",
        "enum",
        "enum E {",
        "struct;",
        "trait T {}",
        "#[x]",
        "1 + 1",
    ] {
        let Ok(tokens) = TokenStream::from_str(source) else {
            continue;
        };
        let output = expand(Trait::Versioned, tokens).to_string();
        assert_eq!(
            count(&output, "compile_error"),
            1,
            "{source:?} gave {output}"
        );
    }
}

// A piece a line would be a page of commas.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "enum", "struct", "union", "Event", "{", "}", "(", ")", "[", "]", "<", ">", ",", ";", ":",
    "::", "=", "#", "!", "'a", "'T", "T", "const", "where", "version", "r#version",
    "versioned", "transparent", "field", "crate", "with", "pub", "u64", "&", "Self", "self",
    "super", "$", "\"text\"", "b'c'", "1", "1.5", "-", "_", "dyn", "impl", "for", "fn", "->",
    "=>", "..", "?", "@", "#[version]", "#[versioned]", "#[versioned()]",
    "#[versioned(transparent)]", "#[versioned(field = seq)]", "#[versioned(field = )]",
    "#[version(with = )]", "#[version(with = <)]", "#[version(with = a::<b, c>)]",
    "#[versioned(crate = ::)]", "#[versioned(= , ,)]", "#[versioned = 1]",
    "A { version: u64 }", "B(#[version] u64)", "C", "enum Event {", "struct S(",
];

/// Any tokens at all: pieces that mean something to the macro, in an order that mostly does
/// not. Each run is the same.
#[test]
fn no_tokens_make_it_panic() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut pick = |bound: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % bound as u64).expect("it is below a usize")
    };
    let (mut lexed, mut accepted) = (0, 0);
    for _ in 0..15_000 {
        let heads = ["", "enum E {", "struct S {", "struct S(", "#[versioned("];
        let tails = ["", "}", "}", ");", ")] struct S { version: u64 }"];
        let shape = pick(heads.len());
        let pieces: Vec<_> = (0..pick(9)).map(|_| PIECES[pick(PIECES.len())]).collect();
        let source = format!("{} {} {}", heads[shape], pieces.join(" "), tails[shape]);
        if let Ok(tokens) = TokenStream::from_str(&source) {
            lexed += 1;
            expand(Trait::AsVersion, tokens.clone());
            let output = expand(Trait::Versioned, tokens).to_string();
            let is_accepted = count(&output, "compile_error") == 0;
            assert!(
                is_accepted || output.starts_with(":: core :: compile_error"),
                "{source}"
            );
            accepted += usize::from(is_accepted);
        }
    }
    // Otherwise the pieces would be too wild, or too tame, to show anything.
    assert!(lexed > 5_000, "only {lexed} were tokens");
    assert!(
        (100..lexed / 2).contains(&accepted),
        "{accepted} of {lexed} were accepted"
    );
}
