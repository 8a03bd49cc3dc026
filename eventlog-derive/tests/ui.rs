//! What a user sees: programs that must compile and run, and the words of every refusal.
//!
//! After a change of wording, `TRYBUILD=overwrite cargo test -p versioned-eventlog-derive --test ui` writes
//! the `.stderr` files anew. Read the difference before committing it.

#![allow(clippy::expect_used)]

use std::io::Write;
use std::process::Command;

/// The compiler whose wording the `.stderr` files hold.
const PINNED: &str = "rustc 1.95.";

#[test]
fn every_shape_compiles_and_every_mistake_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    if compiler().starts_with(PINNED) {
        cases.compile_fail("tests/ui/fail/*.rs");
    } else {
        // Not `eprintln!`, which a passing test hides.
        let notice = format!(
            "NOT RUN: tests/ui/fail, whose wording is that of {PINNED}x; this is {}",
            compiler()
        );
        writeln!(std::io::stderr(), "{notice}").expect("the notice is the point");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc runs");
    String::from_utf8(output.stdout).expect("a version is text")
}
