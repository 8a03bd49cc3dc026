//! Rows beside their targets, for a terminal of 80 columns and as Markdown.

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

const HEAD: [&str; 6] = ["what", "baseline", "ours", "ratio", "target", ""];

pub fn print(title: &str, rows: &[Row]) {
    println!("\n{title}");
    print_line(HEAD.map(str::to_owned));
    for row in rows {
        print_line(row.cells());
    }
}

fn print_line([what, baseline, ours, ratio, target, met]: [String; 6]) {
    println!("{what:<33}{baseline:>9}{ours:>9}{ratio:>14}{target:>8} {met:<6}");
}

pub fn print_markdown(rows: &[Row]) {
    println!("| {} |", HEAD.join(" | "));
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for row in rows {
        println!("| {} |", row.cells().join(" | "));
    }
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
