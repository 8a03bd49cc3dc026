//! The list of mutants that survive, `mutants/reasons.txt`, does not speak of code that is gone.
//!
//! Whether they still survive takes `mutants.sh` hours. That their functions exist takes a look.

#![allow(clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

const WHAT_NOW: &str = "if it has another name now, or is gone: change model-tests/mutants/reasons.txt, \
                        then run `python3 model-tests/mutants/table.py`";

#[test]
fn the_functions_of_listed_mutants_exist() {
    let sources = sources();
    let listed = listed();
    assert!(!listed.is_empty(), "no mutants in reasons.txt");
    for (_, mutant) in &listed {
        let words = words(place(mutant));
        let name = words.last().expect("a function or constant");
        // The type may be named far from its method, but stands in the same file.
        let found = sources.iter().any(|text| {
            let here = |kind: &str| {
                let item = format!("{kind} {name}");
                text.match_indices(&item)
                    .any(|(at, _)| !text[at + item.len()..].starts_with(is_of_a_word))
            };
            (here("fn") || here("const") || here("static"))
                && words.iter().all(|word| text.contains(word))
        });
        assert!(
            found,
            "nothing in the sources is the place of\n    {mutant}\n{WHAT_NOW}"
        );
    }
}

#[test]
fn the_page_of_mutants_is_written_from_the_reasons() {
    let page = fs::read_to_string(here().join("mutants.md")).expect("mutants.md");
    let rows: Vec<_> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let listed = listed();
    for (reason, mutant) in &listed {
        let mutant = format!("`{}`", mutant.replace('|', "\\|"));
        let told = |row: &&str| row.contains(&mutant) && row.ends_with(&format!("| {reason} |"));
        assert!(
            rows.iter().any(told),
            "mutants.md lacks {mutant}: run `python3 model-tests/mutants/table.py`"
        );
    }
    let on_the_page: usize = rows.iter().map(|row| row.matches("<br>").count() + 1).sum();
    assert_eq!(
        on_the_page,
        listed.len(),
        "mutants.md lists others: run `python3 model-tests/mutants/table.py`"
    );
}

/// The reason of each mutant, and its name.
fn listed() -> Vec<(String, String)> {
    let text = fs::read_to_string(here().join("mutants/reasons.txt")).expect("reasons.txt");
    let (mut listed, mut reason) = (Vec::new(), "");
    for line in text.lines() {
        match line.strip_prefix("    ") {
            None if line.is_empty() || line.starts_with('#') => {}
            None => reason = line,
            Some(mutant) => {
                let times = mutant.split_once("x ");
                let counted = times.filter(|(times, _)| times.parse::<u32>().is_ok());
                let name = counted.map_or(mutant, |(_, name)| name);
                listed.push((reason.to_owned(), name.to_owned()));
            }
        }
    }
    listed
}

/// Where a mutant is, as in `replace < with <= in Ring<E>::push` and `replace len -> usize with 0`.
fn place(mutant: &str) -> &str {
    if let Some((_, place)) = mutant.rsplit_once(" in ") {
        return place;
    }
    let rest = mutant.strip_prefix("replace ").expect("a replaced body");
    let end = rest.find(" -> ").or_else(|| rest.find(" with "));
    &rest[..end.expect("what it is replaced with")]
}

/// The names in a path, the item's last: `FileLog`, `create` of `FileLog<S>::create`.
fn words(place: &str) -> Vec<&str> {
    let (path, name) = place.rsplit_once("::").unwrap_or(("", place));
    let names = path.split(|character| !is_of_a_word(character));
    // Parameters, which have a letter or so, can have any name.
    let mut words: Vec<_> = names
        .filter(|word| word.len() > 2 && *word != "impl" && *word != "for")
        .collect();
    words.push(name.trim_start_matches("const "));
    words
}

fn is_of_a_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts of all source files that are broken.
fn sources() -> Vec<String> {
    let mut folders: Vec<PathBuf> = ["eventlog/src", "eventlog-derive/src"]
        .map(|folder| here().join("..").join(folder))
        .into();
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("a source").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push(fs::read_to_string(path).expect("a text"));
            }
        }
    }
    texts
}
