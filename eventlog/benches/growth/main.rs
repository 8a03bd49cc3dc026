//! How costs grow: `cargo bench --bench growth`.
//!
//! Prints what each costs over a range of sizes, and whether it is flat or linear as it should be.
//! With `--write` after `--`, that also becomes `docs/growth.md`, and a chart beside it. With
//! `--quick`, the small sizes alone are measured in few rounds, and a cost that is four times what
//! it should have become is an error: so much no busy machine explains. With words, only the tables
//! with one of them in their title are printed.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark's figures are approximate, and it may stop at any surprise"
)]

mod bytes;
mod capacity;
mod chart;
mod keep;
mod producers;
mod report;
mod series;
mod sizes;
mod subscribers;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod verdict;

use std::{env, process::ExitCode};

use series::{Effort, Group};
use tempfile::TempDir;

type Measure = fn(&Effort) -> Group;

/// Each table by its title, and what measures it.
const TABLES: [(&str, Measure); 7] = [
    ("Capacity: appends", capacity::appends),
    ("Capacity: questions", capacity::questions),
    ("Subscribers", subscribers::all),
    ("Producers", producers::all),
    ("Size of an event: appends", sizes::all),
    ("Size of an event: the disk", bytes::all),
    ("Full files kept", keep::all),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let is_given = |flag| arguments.iter().any(|argument| argument == flag);
    // `cargo test --all-targets` starts benchmarks too, without this flag.
    if !is_given("--bench") {
        println!("nothing measured: run it with `cargo bench --bench growth`");
        return ExitCode::SUCCESS;
    }
    let words: Vec<&String> = arguments.iter().filter(|a| !a.starts_with("--")).collect();
    let effort = Effort {
        quick: is_given("--quick"),
    };
    let mut groups = Vec::new();
    for (title, measure) in TABLES {
        if words.is_empty() || words.iter().any(|word| title.contains(*word)) {
            let group = measure(&effort);
            print!("\n{}", report::table(title, &group));
            groups.push((title, group));
        }
    }
    if is_given("--write") {
        report::write(&groups);
    }
    if effort.quick && groups.iter().any(|(_, group)| !group.is_sane()) {
        println!("a cost has grown by four times more than it may");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// A directory on the disk where cargo builds.
fn directory() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}
