//! Cursors that outlive restarts: whole histories of lives, ended in every way, on a simulated disk.
//!
//! A cursor is kept for ever by whoever was handed it, and shown to every later life. The judge knows
//! of each event which one came before it when it was appended. An answer is wrong if it says
//! `Complete` and what follows is not what followed what the holder stood on.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod disturbance;
mod history;
mod holders;

use disturbance::Disturbance;
use history::{History, Plan};
use holders::Answers;

/// Runs many histories, and adds their answers up.
fn run(plan: Plan, seeds: std::ops::Range<u64>) -> Answers {
    let mut all = Answers::default();
    for seed in seeds {
        all.add(&History::run(plan, seed));
    }
    println!("{plan:?}: {all:?}");
    all
}

const CRASHES: Plan = Plan {
    disturbances: &[],
    never: false,
    seldom: false,
    moves: false,
};

#[test]
fn m02_without_other_hands_what_a_durable_reader_saw_is_never_foreign() {
    let answers = run(CRASHES, 0..1500);
    assert!(
        answers.complete > 1000 && answers.truncated > 100,
        "{answers:?}"
    );
    assert!(answers.foreign_live > 100, "{answers:?}");
    assert_eq!(answers.foreign_durable, 0);
    assert_eq!(answers.foreign_after_quiet, 0);
}

#[test]
fn m02_where_several_batches_wait_for_one_sync_what_a_durable_reader_saw_is_never_foreign() {
    let plan = Plan {
        seldom: true,
        ..CRASHES
    };
    let answers = run(plan, 0..600);
    assert!(answers.complete > 400, "{answers:?}");
    assert_eq!(answers.foreign_durable, 0);
    assert_eq!(answers.foreign_after_quiet, 0);
}

#[test]
fn m02_without_syncs_all_that_is_not_known_is_foreign() {
    run(
        Plan {
            never: true,
            ..CRASHES
        },
        0..300,
    );
}

#[test]
fn m02_no_file_that_is_moved_away_makes_a_wrong_cursor_complete() {
    let plan = Plan {
        moves: true,
        ..CRASHES
    };
    assert!(run(plan, 0..400).disturbed > 100);
}

#[test]
fn m02_no_hand_on_the_files_makes_a_wrong_cursor_complete() {
    for disturbance in &Disturbance::ALL {
        let plan = Plan {
            disturbances: std::slice::from_ref(disturbance),
            ..CRASHES
        };
        let answers = run(plan, 0..250);
        assert!(answers.disturbed > 100, "{disturbance:?}: {answers:?}");
    }
}

#[test]
fn m02_no_hands_of_several_kinds_in_a_row_make_a_wrong_cursor_complete() {
    let plan = Plan {
        disturbances: &Disturbance::ALL,
        ..CRASHES
    };
    // In the history of seed 4515 an older file grows on, and then gets its own older marks back:
    // all fits, and only the event's version tells that it is another.
    assert!(run(plan, 4_000..5_000).disturbed > 1_000);
}
