//! In memory, in CPU time of the one thread that does everything.

mod channels;
mod histories;

use crate::measure::median;

/// What the rings retain.
const CAPACITY: usize = 4096;

/// A way to measure that returns nanoseconds.
type Probe = Box<dyn FnMut() -> f64>;

pub fn measure() {
    println!("Nanoseconds of CPU time an event that is published and read by so many\n");
    channels::measure();
    println!("\nNanoseconds of CPU time of {CAPACITY} retained events\n");
    histories::measure();
}

/// Medians of measurements in turns, each round in the other order.
fn in_turns(rounds: usize, probes: &mut [Probe]) -> Vec<f64> {
    let mut figures = vec![Vec::new(); probes.len()];
    for round in 0..=rounds {
        let mut turns: Vec<_> = probes.iter_mut().zip(&mut figures).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (probe, figures) in turns {
            let figure = probe();
            // The first round warms up.
            figures.extend((round > 0).then_some(figure));
        }
    }
    let medians = figures.into_iter().map(|each| median(each.into_iter()));
    medians.collect()
}

fn print_head(first: &str, columns: &[String]) {
    println!("| {first} | {} |", columns.join(" | "));
    println!("| --- |{}", " ---: |".repeat(columns.len()));
}

fn print_row(name: &str, figures: impl Iterator<Item = f64>) {
    let cells: Vec<_> = figures.map(|ns| format!("{ns:.0}")).collect();
    println!("| {name} | {} |", cells.join(" | "));
}
