//! The ring beside the log that every program writes by hand: `cargo bench --bench ring`.
//!
//! Prints each ratio beside its target. With words after `--`, only the rows with one of them in
//! their name are measured; with `--quick`, each once; with `--json`, it prints a line per row for
//! `benches/figures`.
//!
//! What one thread does is measured in CPU time of that thread, because the machine may be busy;
//! where threads wait for each other, by the clock on the wall.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark's figures are approximate, and it may stop at any surprise"
)]

mod append;
mod fan_out;
mod latency;
mod limits;
mod replay;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod tasks;

use std::env;

use support::{measure::sized, table};
use targets::{Chosen, TABLES};

/// Where costs that grow with the capacity show.
fn largest() -> usize {
    sized(1 << 20, 1 << 14)
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // `cargo test --all-targets` starts benchmarks too, without this flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing measured: run it with `cargo bench --bench ring`");
        return;
    }
    let is_word = |argument: &String| !argument.starts_with("--");
    let words: Vec<_> = arguments.into_iter().filter(is_word).collect();
    for (title, measure) in TABLES {
        let mut chosen = Chosen {
            words: &words,
            rows: Vec::new(),
        };
        measure(&mut chosen);
        if !chosen.rows.is_empty() {
            table::print(title, &chosen.rows);
        }
    }
}
