//! Law D03: the machine code of a derived `version()` is that of the hand-written match.

#![allow(clippy::expect_used)]

mod scratch;

use std::fs;

use scratch::Scratch;

const SUBJECT: &str = include_str!("machine_code/subject.rs");

#[test]
fn d03_the_machine_code_is_that_of_the_hand_written_match() {
    let scratch = Scratch::new("machine_code");
    let derived = instructions(&scratch, "derived");
    let hand_written = instructions(&scratch, "hand_written");
    let lesser = instructions(&scratch, "lesser");

    for function in ["version_of_event:", "version_of_mixed:"] {
        let found = derived.iter().any(|line| line == function);
        assert!(found, "no {function} in {derived:#?}");
    }
    assert!(
        derived.len() > 20,
        "too little to match fifteen layouts: {derived:#?}"
    );
    assert_eq!(derived, hand_written);
    assert_ne!(lesser, hand_written, "the comparison is blind");
}

/// What the subject becomes under `--cfg way`.
fn instructions(scratch: &Scratch, way: &str) -> Vec<String> {
    // A fresh path, or cargo would find nothing to do the second time.
    let directory = tempfile::tempdir().expect("there is a place for temporary files");
    let path = directory.path().join("subject.s");
    let emit = format!("--emit=asm={}", path.display());
    let output = scratch.compile(SUBJECT, &[&emit, "--cfg", way]);
    assert!(
        output.status.success(),
        "{way}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let assembly = fs::read_to_string(path).expect("rustc writes what it is told to");
    normalised(&assembly)
}

/// Instructions, labels and jump tables, with functions by their short names. The other
/// directives are of the linker's and the debugger's concern.
fn normalised(assembly: &str) -> Vec<String> {
    const DATA: [&str; 7] = [
        ".byte", ".short", ".hword", ".word", ".long", ".xword", ".quad",
    ];
    assembly
        .lines()
        .map(|line| line.split_whitespace().map(short_name).collect::<Vec<_>>())
        .filter(|words| {
            words.first().is_some_and(|first| {
                !first.starts_with('.') || first.ends_with(':') || DATA.contains(&first.as_str())
            })
        })
        .map(|words| words.join(" "))
        .collect()
}

/// `_ZN7subject16version_of_event17h362a7eb8db961bd9E:` is `version_of_event:`. The hash at the
/// end of a symbol tells nothing of the code after it.
fn short_name(word: &str) -> String {
    for name in ["version_of_event", "version_of_mixed"] {
        if word.contains(name) {
            let colon = if word.ends_with(':') { ":" } else { "" };
            return format!("{name}{colon}");
        }
    }
    word.to_owned()
}
