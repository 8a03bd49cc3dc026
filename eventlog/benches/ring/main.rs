//! The ring beside the log that every program writes by hand: `cargo bench --bench ring`.
//!
//! Prints each ratio beside its target, how the costs grow, and the first table once more as
//! Markdown; draws a chart into `benches/ring.svg`, or where `EVENTLOG_BENCH_CHART` says. With words
//! after `--bench`, only the rows with one of them in their name are measured.
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
mod growth;
mod latency;
mod replay;
mod sides;
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod tasks;

use std::{env, fs, path::PathBuf};

use growth::Growth;
use support::table;
use targets::Chosen;

/// Events of the rings that are measured, unless the row says otherwise.
const CAPACITY: usize = 4096;
/// Where costs that grow with the capacity show.
const LARGEST: usize = 1 << 20;
/// Events of a timed batch. They are made before the clock starts.
const BATCH: usize = 4096;

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
    if !chosen.words.is_empty() {
        return;
    }

    let growth = Growth::measure();
    for (title, rows) in growth.tables() {
        table::print(title, &rows);
    }

    println!();
    table::print_markdown(&chosen.rows);
    let path = chart_path();
    fs::write(&path, growth.chart()).unwrap();
    println!("\nchart: {}", path.display());
}

fn chart_path() -> PathBuf {
    env::var_os("EVENTLOG_BENCH_CHART").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/ring.svg"),
        PathBuf::from,
    )
}
