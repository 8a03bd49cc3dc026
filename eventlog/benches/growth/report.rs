//! The figures as Markdown of 80 columns, and the page that they are written to.

use std::{fs, path::Path, process::Command, thread};

use crate::{
    chart,
    series::{Expected, Group, Series},
    verdict::Verdict,
};

const HEAD: &str = "\
# How costs grow

Written by `cargo bench -p versioned-eventlog --bench growth -- --write`.

![The figures of this page as charts, both axes logarithmic](growth.svg)
";

const METHOD: &str = "\
Medians of at least 31 rounds and five seconds; in each round every cost of a table was
measured at every size, every other round backwards. What one thread does is in CPU time
of that thread, unless the row says otherwise; events are made before the clock starts.
*By hand* is a `Mutex<VecDeque>`, *broadcast* is `tokio::sync::broadcast`; both were
measured in the same rounds, to show what the machine itself adds at a size. Each
measurement finds the caches as the one before has left them, so small figures are higher
than those of the README, which are of one thing over and over.

The last column is `x` in size^x, over all sizes, or over the larger half where that is
steeper: 0 where a cost is flat, 1 where it is linear. *flat* and *linear* say what a
cost should be at most. ✓: it is, give or take 0.1. ~: it is not, but neither is what
the next row compares it with, by as much: so grows the machine, where more memory is
slower memory and more threads than cores take turns. ✗: it is not.
";

pub fn table(title: &str, group: &Group) -> String {
    let sizes = group.series[0].points.iter();
    let sizes: Vec<_> = sizes.map(|(size, _)| sized(*size)).collect();
    let (left, right) = ("-".repeat(15), "-".repeat(13));
    let mut lines = vec![
        format!("## {title}\n"),
        line(group.axis, &sizes, "as size^x"),
        format!("| {left} |{} {right} |", " -----: |".repeat(sizes.len())),
    ];
    for (at, series) in group.series.iter().enumerate() {
        let points = series.points.iter();
        let cells: Vec<_> = points.map(|(_, ns)| brief(*ns)).collect();
        let growth = growth(series, group.verdict(at));
        lines.push(line(series.name, &cells, &growth));
    }
    lines.push(String::new());
    let named = group
        .series
        .iter()
        .filter(|series| !series.means.is_empty());
    lines.extend(named.map(|series| format!("* {}: {}", series.name.trim(), series.means)));
    lines.join("\n") + "\n"
}

fn line(name: &str, cells: &[String], last: &str) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>6}")).collect();
    format!("| {name:<15} | {} | {last:<13} |", cells.join(" | "))
}

/// What it should be, whether it is, and what it is.
fn growth(series: &Series, verdict: Option<Verdict>) -> String {
    let expected = match series.expected {
        Expected::Flat | Expected::FlatFrom(_) => "flat",
        Expected::Linear => "linear",
        Expected::Compared | Expected::Replaced => "",
    };
    let verdict = verdict.map_or("", |verdict| match verdict {
        Verdict::Met => "✓",
        Verdict::AsCompared => "~",
        Verdict::Missed => "✗",
    });
    // Without the sign that a zero may have.
    let exponent = (100.0 * series.exponent()).round() / 100.0 + 0.0;
    let growth = format!("{expected} {verdict} {exponent:.2}");
    growth.trim_start().to_owned()
}

/// A duration of two or three digits.
fn brief(ns: f64) -> String {
    let (value, unit) = match ns {
        ..999.5 => (ns, "ns"),
        ..999.5e3 => (ns / 1e3, "µs"),
        _ => (ns / 1e6, "ms"),
    };
    let digits = usize::from(value < 9.95);
    format!("{value:.digits$} {unit}")
}

/// Powers of ten in full, others of two as such.
pub fn sized(size: usize) -> String {
    if size >= 1 << 10 && size.is_power_of_two() {
        format!("2^{}", size.ilog2())
    } else {
        size.to_string()
    }
}

/// Writes the page and the chart.
pub fn write(groups: &[(&str, Group)]) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let tables: Vec<_> = groups.iter().map(|(title, it)| table(title, it)).collect();
    let page = [HEAD, &machine(), METHOD, &tables.join("\n")].join("\n");
    fs::write(docs.join("growth.md"), page).unwrap();
    fs::write(docs.join("growth.svg"), chart::render(groups)).unwrap();
}

/// Where, when and of which commit.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("a processor", |name| {
        name.trim_start_matches(['\t', ':', ' '])
    });
    let cores = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Measured on {}, at commit {}, on {model}\n({cores} cores, shared), {}, {}.\n",
        said_by("date", &["-u", "+%F"]),
        said_by("git", &["rev-parse", "--short", "HEAD"]),
        said_by("uname", &["-sr"]),
        said_by("rustc", &["--version"]),
    )
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    said.unwrap_or_else(|_| format!("no {program}"))
}
