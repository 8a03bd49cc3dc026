//! The ring beside the log that every program writes by hand: `cargo bench --bench ring`.
//!
//! Prints each ratio beside its target, and the table once more as Markdown. With words after
//! `--bench`, only the rows with one of them in their name are measured.
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

use support::table;
use targets::Chosen;

/// Where costs that grow with the capacity show.
const LARGEST: usize = 1 << 20;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // `cargo test --all-targets` starts benchmarks too, without this flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing measured: run it with `cargo bench --bench ring`");
        return;
    }
    let is_word = |argument: &String| !argument.starts_with("--");
    let mut chosen = Chosen {
        words: arguments.into_iter().filter(is_word).collect(),
        rows: Vec::new(),
    };
    targets::measure(&mut chosen);
    table::print("Targets (medians of interleaved rounds)", &chosen.rows);
    println!();
    table::print_markdown(&chosen.rows);
}
