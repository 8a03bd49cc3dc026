//! `LAWS.md` says what the code says.

use std::collections::BTreeSet;

use model_tests::laws;

#[test]
fn the_page_is_printed_from_the_laws() {
    let page = include_str!("../LAWS.md");
    assert!(
        page == laws::to_markdown(),
        "LAWS.md is old: cargo run -p versioned-eventlog-tests --example laws > model-tests/LAWS.md"
    );
}

#[test]
fn ids_are_unique_and_in_order() {
    let ids: Vec<_> = laws::all().iter().map(|law| law.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert_eq!(ids.len(), 12 + 6 + 14 + 3);
}
