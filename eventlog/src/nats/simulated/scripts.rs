//! Scripts of what can happen: all that are short, and long ones at random.

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    state::Fault,
    world::{Act, LARGE, World},
};

const FAULTS: [Fault; 5] = [
    Fault::None,
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::Late(1),
    Fault::Late(2),
];

const ACTS: [Act; 22] = [
    Act::Write(Fault::None),
    Act::Write(Fault::LoseRequest),
    Act::Write(Fault::LoseAnswer),
    Act::Write(Fault::Late(1)),
    Act::Write(Fault::Late(3)),
    Act::Burst(Fault::None),
    Act::Burst(Fault::LoseAnswer),
    Act::Burst(Fault::Held),
    Act::Lose,
    Act::Arrive,
    Act::WriteOld,
    Act::Restart(Fault::None),
    Act::Restart(Fault::LoseAnswer),
    Act::Follow(0),
    Act::Follow(1),
    Act::LoseDelivery,
    Act::Open(1),
    Act::Sync,
    Act::RestartServer,
    Act::CutPower,
    Act::LoseAll,
    Act::Trim,
];

/// Everything that can happen in so many steps.
fn all<T: Copy>(of: &[T], steps: u32) -> impl Iterator<Item = Vec<T>> {
    (0..of.len().pow(steps)).map(move |mut code| {
        let digit = |_| {
            let next = of[code % of.len()];
            code /= of.len();
            next
        };
        (0..steps).map(digit).collect()
    })
}

/// Two events are there, one of them synced, and a mirror has both.
fn run(script: &[Act], capacities: [usize; 2]) {
    let mut world = World::new(capacities);
    let start = [
        Act::Write(Fault::None),
        Act::Sync,
        Act::Write(Fault::None),
        Act::Follow(0),
    ];
    for act in start.iter().chain(script) {
        world.act(*act);
    }
    world.end();
}

fn run_all(steps: u32) {
    for script in all(&ACTS, steps) {
        let ran = std::panic::catch_unwind(|| run(&script, [LARGE; 2]));
        assert!(ran.is_ok(), "after {script:?}");
    }
}

#[test]
fn n03_whatever_happens_in_three_steps_no_cursor_is_misread() {
    run_all(3);
}

#[test]
#[ignore = "takes minutes: `.ci/full` runs it"]
fn n03_whatever_happens_in_four_steps_no_cursor_is_misread() {
    run_all(4);
}

/// A claim goes with a power cut, and the writer that it had fenced goes on: up to the numbers that
/// the newer one had given out, and past them.
#[test]
fn n03_a_fenced_writer_that_goes_on_after_a_power_cut_misleads_nobody() {
    let lost = [
        Act::Sync,
        Act::Restart(Fault::None),
        Act::Write(Fault::None),
        Act::Write(Fault::None),
        Act::Follow(0),
        Act::CutPower,
    ];
    let again = [Act::Write(Fault::None), Act::Follow(0), Act::Open(1)];
    for count in 1..=2 {
        for between in all(&ACTS, 2) {
            let old = vec![Act::WriteOld; count];
            let script = [&lost[..], &old, &between, &again].concat();
            run(&script, [LARGE; 2]);
        }
    }
}

/// Each of the first requests of two lives may be lost, or its answer, or come late.
#[test]
fn n01_n02_wherever_requests_are_lost_or_late_the_history_is_the_logs() {
    for faults in all(&FAULTS, 5) {
        let mut world = World::new([LARGE; 2]);
        world.then(faults);
        for act in [
            Act::Write(Fault::None),
            Act::Restart(Fault::None),
            Act::WriteOld,
            Act::Write(Fault::None),
        ] {
            world.act(act);
        }
        world.end();
    }
}

proptest! {
    #[test]
    fn n03_in_long_scripts_no_cursor_is_misread(
        script in vec(select(&ACTS[..]), 1..40),
        capacity in select(vec![1, 3, LARGE]),
    ) {
        run(&script, [LARGE, capacity]);
    }
}
