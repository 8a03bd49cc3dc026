//! Rows beside their targets: for a terminal of 80 columns, or with `--json` a line per row for
//! `figures`, which writes them into the documentation.

use std::env;

use serde_json::json;

use super::measure::Pair;

/// What a row must reach.
#[derive(Clone, Copy)]
pub enum Target {
    /// At least so many times as fast as the baseline.
    Faster(f64),
    /// At most so many times the baseline's cost.
    CostAtMost(f64),
    /// At most so many nanoseconds, whatever the baseline takes.
    NanosAtMost(f64),
    /// Measured to be known.
    None,
}

pub struct Row {
    pub what: String,
    pub pair: Pair,
    pub target: Target,
}

impl Row {
    pub fn new(what: impl Into<String>, pair: Pair, target: Target) -> Self {
        Self {
            what: what.into(),
            pair,
            target,
        }
    }

    /// What, baseline, ours, ratio, target, and whether it was met.
    fn cells(&self) -> [String; 6] {
        let Pair {
            baseline_ns,
            ours_ns,
            speedup,
        } = self.pair;
        let cost = 1.0 / speedup;
        let either = if speedup < 1.0 {
            times(cost, "cost")
        } else {
            times(speedup, "faster")
        };
        let (ratio, target, met) = match self.target {
            Target::Faster(by) => (times(speedup, "faster"), format!("≥ {by}"), speedup >= by),
            Target::CostAtMost(most) => (times(cost, "cost"), format!("≤ {most}"), cost <= most),
            Target::NanosAtMost(most) => (either, format!("≤ {most} ns"), ours_ns <= most),
            Target::None => (either, "–".into(), true),
        };
        let verdict = match self.target {
            Target::None => "–",
            _ if met => "met",
            _ => "MISSED",
        };
        [
            self.what.clone(),
            nanos(baseline_ns),
            nanos(ours_ns),
            ratio,
            target,
            verdict.into(),
        ]
    }
}

const HEAD: [&str; 6] = ["what", "by hand", "ours", "ratio", "target", ""];

/// Whether the rows are for a program.
pub fn is_json() -> bool {
    env::args().any(|argument| argument == "--json")
}

pub fn print(title: &str, rows: &[Row]) {
    if is_json() {
        return rows.iter().for_each(|row| print_json(title, row));
    }
    println!("\n{title}");
    print_line(HEAD.map(str::to_owned));
    for row in rows {
        print_line(row.cells());
    }
}

fn print_json(table: &str, row: &Row) {
    let target = match row.target {
        Target::Faster(by) => json!({ "faster": by }),
        Target::CostAtMost(most) => json!({ "cost": most }),
        Target::NanosAtMost(most) => json!({ "ns": most }),
        Target::None => json!({}),
    };
    let line = json!({
        "table": table,
        "what": row.what,
        "by_hand_ns": row.pair.baseline_ns,
        "ours_ns": row.pair.ours_ns,
        "speedup": row.pair.speedup,
        "target": target,
    });
    println!("{line}");
}

/// Figures that have nothing beside them: each by the name of its column.
pub fn print_cells(table: &str, what: &str, cells: &[(&str, String)]) {
    if is_json() {
        let line = json!({ "table": table, "what": what, "cells": cells });
        return println!("{line}");
    }
    print!("{what:<44}");
    for (_, cell) in cells {
        print!("{cell:>11}");
    }
    println!();
}

/// What stands above such rows on a terminal.
pub fn print_head(table: &str, columns: &[&str]) {
    if is_json() {
        return;
    }
    print!("\n{table:<44}");
    for column in columns {
        print!("{column:>11}");
    }
    println!();
}

fn print_line([what, baseline, ours, ratio, target, met]: [String; 6]) {
    println!("{what:<33}{baseline:>9}{ours:>9}{ratio:>14}{target:>8} {met:<6}");
}

fn times(ratio: f64, unit: &str) -> String {
    match ratio {
        10_000.0.. => format!("{:.0}k× {unit}", ratio / 1e3),
        1_000.0.. => format!("{:.1}k× {unit}", ratio / 1e3),
        10.0.. => format!("{ratio:.0}× {unit}"),
        0.1.. => format!("{ratio:.2}× {unit}"),
        _ => format!("{ratio:.4}× {unit}"),
    }
}

/// A duration with two or three digits and its unit.
pub fn nanos(ns: f64) -> String {
    let (value, unit) = match ns {
        ..1e3 => (ns, "ns"),
        ..1e6 => (ns / 1e3, "µs"),
        _ => (ns / 1e6, "ms"),
    };
    if value < 10.0 {
        format!("{value:.2} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}
