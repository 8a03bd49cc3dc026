//! The numbers, for people and for programs.

use serde_json::json;

use super::Stats;
use crate::lock::Holder;
use crate::outcome::Stop;
use crate::output::Output;
use crate::text::Fitted;

/// How many types are listed.
const LISTED: usize = 20;
/// Parts of the time, each with its bar.
const PARTS: usize = 60;

pub(super) fn print(stats: &Stats, is_json: bool) -> Result<(), Stop> {
    let mut output = Output::new();
    if is_json {
        output.line(&json(stats))?;
    } else {
        print_text(stats, &mut output)?;
    }
    output.flush()?;
    Ok(())
}

/// The types, the commonest first.
fn types(stats: &Stats) -> Vec<(&str, u64)> {
    let mut types: Vec<_> = stats
        .types
        .iter()
        .map(|(name, count)| (&**name, *count))
        .collect();
    types.sort_by(|(name, count), (other, than)| than.cmp(count).then(name.cmp(other)));
    types
}

fn print_text(stats: &Stats, output: &mut Output) -> Result<(), Stop> {
    let found = stats.found;
    let mut line = |name: &str, text: &str| output.line(&format!("{name:<10} {text}"));
    line(
        "events",
        &format!("{} in {} bytes", found.events, stats.bytes),
    )?;
    if let Some((low, high)) = stats.versions {
        line("versions", &format!("{low} to {high}"))?;
    }
    line(
        "gaps",
        &format!("{} ({} events were never written)", found.gaps, stats.lost),
    )?;
    line(
        "damage",
        &format!("{} places, {} unfinished lines", found.damage, found.torn),
    )?;
    if stats.openings > 0 {
        let restarts = stats.restarts;
        line(
            "opened",
            &format!("{} times, {restarts} of them after a crash", stats.openings),
        )?;
    }
    if let Some(holder) = stats.holder {
        let killed = stats.is_closed == Some(false) && matches!(holder, Holder::Nobody);
        let end = if killed {
            "; the last one was killed, or the power cut"
        } else {
            ""
        };
        line("writer", &format!("{}{end}", holder.text()))?;
    }
    if let Some((from, to)) = stats.rate.span() {
        let clock = &stats.clock;
        for (name, time) in [("from", from), ("to", to)] {
            let (day, time) = clock.day_and_time(time);
            line(name, &format!("{day} {time}"))?;
        }
        line("rate", &format!("|{}|", stats.rate.line(PARTS)))?;
    }
    let types = types(stats);
    let most = types.first().map_or(1, |(_, count)| *count).max(1);
    output.line("")?;
    for (name, count) in types.iter().take(LISTED) {
        let bar = "█".repeat(usize::try_from(count * 30 / most).unwrap_or(0));
        let mut name_column = Fitted::new(32);
        name_column.push(name);
        let padding = 32 - name_column.columns().min(32);
        let name = name_column.finish();
        output.line(format!("{name}{:padding$}  {count:>10}  {bar}", "").trim_end())?;
    }
    let rest = types
        .iter()
        .skip(LISTED)
        .map(|(_, count)| count)
        .sum::<u64>()
        + stats.other;
    if rest > 0 {
        output.line(&format!("{:32}  {rest:>10}", "all others"))?;
    }
    Ok(())
}

fn json(stats: &Stats) -> String {
    let clock = &stats.clock;
    let types = types(stats)
        .into_iter()
        .map(|(name, count)| json!({"name": name, "events": count}));
    json!({
        "events": stats.found.events,
        "bytes": stats.bytes,
        "versions": stats.versions.map(|(low, high)| [low, high]),
        "gaps": stats.found.gaps,
        "lost": stats.lost,
        "damaged": stats.found.damage,
        "torn": stats.found.torn,
        "openings": stats.openings,
        "restarts": stats.restarts,
        "writer": stats.holder.and_then(Holder::pid),
        "from": stats.rate.span().map(|(from, _)| clock.full(from)),
        "to": stats.rate.span().map(|(_, to)| clock.full(to)),
        "rate": stats.rate.parts(PARTS),
        "types": types.collect::<Vec<_>>(),
        "other_types": stats.other,
    })
    .to_string()
}
