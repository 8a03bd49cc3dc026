//! `LAWS.md` says what the code says.

use std::collections::BTreeSet;

use model_tests::laws;

const PAGE: &str = include_str!("../LAWS.md");

#[test]
fn the_page_is_printed_from_the_laws() {
    assert!(
        PAGE == laws::to_markdown(),
        "LAWS.md is old: cargo run -p versioned-eventlog-tests --example laws > model-tests/LAWS.md"
    );
}

/// Read from the page itself, so that a law that the printing leaves out is found as well.
#[test]
fn the_page_and_the_list_have_the_same_laws() {
    let printed: BTreeSet<String> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(str::to_owned)
        .collect();
    let declared: BTreeSet<String> = laws::all()
        .iter()
        .map(|law| format!("{} {}", law.id, law.name))
        .collect();
    let only_printed: Vec<_> = printed.difference(&declared).collect();
    let only_declared: Vec<_> = declared.difference(&printed).collect();
    assert!(only_printed.is_empty(), "not declared: {only_printed:?}");
    assert!(only_declared.is_empty(), "not printed: {only_declared:?}");
}

#[test]
fn ids_are_unique_and_in_order() {
    let ids: Vec<_> = laws::all().iter().map(|law| law.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    for pair in ids.windows(2) {
        let same_family = pair[0][..1] == pair[1][..1];
        assert!(!same_family || pair[0] < pair[1], "{pair:?}");
    }
}
