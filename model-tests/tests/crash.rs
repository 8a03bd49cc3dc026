//! A crash after every operation of the disk, in every way it may be left.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::LazyLock;
use std::time::Instant;

use model_tests::crashes::{Report, enumerate};

static REPORT: LazyLock<Report> = LazyLock::new(|| {
    let start = Instant::now();
    let report = enumerate(0..200, 3);
    println!("{report}; {:.1} s", start.elapsed().as_secs_f64());
    report
});

#[test]
fn w01_what_was_acknowledged_is_read_back() {
    REPORT.assert_kept("W01");
}

#[test]
fn w02_nothing_counts_as_durable_after_opening_until_it_was_synced_again() {
    REPORT.assert_kept("W02");
}

#[test]
fn w03_records_come_back_once_in_order_and_holes_are_reported() {
    REPORT.assert_kept("W03");
}

#[test]
fn w04_after_the_repair_every_line_is_whole() {
    REPORT.assert_kept("W04");
}

#[test]
fn w05_the_repair_sets_the_torn_tail_aside_and_leaves_the_rest() {
    REPORT.assert_kept("W05");
}

#[test]
fn w07_the_log_comes_through_every_fault_that_ends() {
    REPORT.assert_kept("W07");
}

#[test]
fn w08_files_are_bounded_at_every_crash_point() {
    REPORT.assert_kept("W08");
}

#[test]
fn at_least_two_hundred_histories_and_a_hundred_thousand_crashes_were_visited() {
    assert!(REPORT.histories >= 200, "{}", *REPORT);
    assert!(REPORT.crashes >= 100_000, "{}", *REPORT);
}
