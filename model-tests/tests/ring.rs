//! The laws of the ring, on `eventlog`.

use model_tests::{Budget, Class, Law, Ours, Report, Tick, check, laws};

fn keeps(law: &'static Law) -> Report {
    check(&Ours(Tick::new), law, &Budget::default()).unwrap_or_else(|broken| panic!("{broken}"))
}

#[test]
fn ten_thousand_random_histories_agree_on_events_since() {
    agrees_on_ten_thousand(&laws::R02);
}

#[test]
fn ten_thousand_random_histories_agree_on_replay_truncated() {
    agrees_on_ten_thousand(&laws::R04);
}

fn agrees_on_ten_thousand(law: &'static Law) {
    let mut budget = Budget::default();
    budget.cases = budget.cases.max(10_000);
    budget.depth = 1;
    let report = check(&Ours(Tick::new), law, &budget).unwrap_or_else(|broken| panic!("{broken}"));
    assert!(report.count(Class::History) >= 10_000, "{report}");
}

#[test]
fn r01_insertion_order() {
    keeps(&laws::R01);
}

#[test]
fn r03_retains_exactly_the_newest() {
    keeps(&laws::R03);
}

#[test]
fn r05_dense_versions_need_no_care() {
    keeps(&laws::R05);
}

#[test]
fn r06_one_replay_is_one_instant() {
    keeps(&laws::R06);
}

#[test]
fn r07_nothing_wraps_at_the_top() {
    keeps(&laws::R07);
}

#[test]
fn r08_the_future_is_ahead() {
    keeps(&laws::R08);
}

#[test]
fn r09_another_life_is_foreign() {
    keeps(&laws::R09);
}

#[test]
fn r10_capacity_one_works_none_is_refused() {
    keeps(&laws::R10);
}

#[test]
fn r11_no_user_code_under_the_lock() {
    keeps(&laws::R11);
}

#[test]
fn r12_memory_is_bounded() {
    keeps(&laws::R12);
}

#[test]
fn s01() {
    keeps(&laws::S01);
}

#[test]
fn s02() {
    keeps(&laws::S02);
}

#[test]
fn s03() {
    keeps(&laws::S03);
}

#[test]
fn s04() {
    keeps(&laws::S04);
}

#[test]
fn s05() {
    keeps(&laws::S05);
}

#[test]
fn s06() {
    keeps(&laws::S06);
}
