//! Interleaved timing.

use std::{
    env,
    time::{Duration, Instant},
};

/// Whether `--quick` was asked for: everything once and little of it, to see that it still runs.
pub fn is_quick() -> bool {
    env::args().any(|argument| argument == "--quick")
}

/// So much, or little where it has to be quick.
pub fn sized<T>(full: T, quick: T) -> T {
    if is_quick() { quick } else { full }
}

/// Medians of two programs that were measured in turns.
#[derive(Clone, Copy)]
pub struct Pair {
    pub baseline_ns: f64,
    pub ours_ns: f64,
    /// The median of the rounds' ratios, baseline to ours.
    pub speedup: f64,
}

/// Nanoseconds of one of `operations` that `work` does, by the clock on the wall.
pub fn ns_each(operations: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9 / operations as f64
}

/// The same in CPU time of the calling thread, which does not count what other programs on the
/// machine, or other threads of this one, do meanwhile.
pub fn cpu_each(operations: usize, work: impl FnOnce()) -> f64 {
    let start = thread_time();
    work();
    thread_time().saturating_sub(start).as_secs_f64() * 1e9 / operations as f64
}

#[cfg(unix)]
pub fn thread_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Elsewhere the clock on the wall has to do.
#[cfg(not(unix))]
pub fn thread_time() -> Duration {
    use std::sync::OnceLock;
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

/// Runs both in turns, each round in the other order. Each side returns nanoseconds an operation.
/// One round is enough where it has to be quick.
pub fn compare(
    rounds: usize,
    mut baseline: impl FnMut() -> f64,
    mut ours: impl FnMut() -> f64,
) -> Pair {
    let rounds = sized(rounds, 1);
    baseline();
    ours();
    let mut figures = Vec::with_capacity(rounds);
    for round in 0..rounds {
        if round % 2 == 0 {
            let first = baseline();
            figures.push((first, ours()));
        } else {
            let first = ours();
            figures.push((baseline(), first));
        }
    }
    Pair::of(figures)
}

impl Pair {
    /// Of each round's figures, the baseline's first.
    pub fn of(rounds: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let rounds: Vec<_> = rounds.into_iter().collect();
        Self {
            baseline_ns: median(rounds.iter().map(|(baseline, _)| *baseline)),
            ours_ns: median(rounds.iter().map(|(_, ours)| *ours)),
            speedup: median(rounds.iter().map(|(baseline, ours)| baseline / ours)),
        }
    }
}

pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// The value that `share` of all values do not exceed.
pub fn quantile(mut values: Vec<u64>, share: f64) -> f64 {
    values.sort_unstable();
    let index = ((values.len() - 1) as f64 * share).ceil() as usize;
    values[index] as f64
}
