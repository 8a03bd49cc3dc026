//! What a user builds for the derive's sake.

use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn the_derive_is_built_from_four_crates() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            "versioned-eventlog-derive",
            "--edges",
            "normal,build",
        ])
        .args(["--prefix", "none", "--format", "{lib}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("crate names are text");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let crates: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let expected = [
        "eventlog_derive",
        "proc_macro2",
        "quote",
        "syn",
        "unicode_ident",
    ];
    assert_eq!(crates, BTreeSet::from(expected));
}
