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

const ACTS: [Act; 24] = [
    Act::Write(Fault::None),
    Act::Write(Fault::LoseRequest),
    Act::Write(Fault::LoseAnswer),
    Act::Write(Fault::Late(1)),
    Act::Write(Fault::Late(3)),
    Act::Burst(Fault::None),
    Act::Burst(Fault::LoseAnswer),
    Act::Burst(Fault::Held),
    Act::Unheard,
    Act::Lose,
    Act::Arrive,
    Act::WriteOld,
    Act::Restart(Fault::None),
    Act::Restart(Fault::LoseAnswer),
    Act::Follow(0),
    Act::Follow(1),
    Act::LoseDelivery,
    Act::ForgetReaders,
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
    let mut world = begun(capacities);
    act_all(&mut world, script);
    world.end();
}

fn begun(capacities: [usize; 2]) -> World {
    let mut world = World::new(capacities);
    let start = [
        Act::Write(Fault::None),
        Act::Sync,
        Act::Write(Fault::None),
        Act::Follow(0),
    ];
    act_all(&mut world, &start);
    world
}

fn act_all(world: &mut World, script: &[Act]) {
    for act in script {
        world.act(*act);
    }
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

#[test]
fn n03_whoever_claims_again_what_has_fallen_back_misleads_nobody() {
    for begin in fallen_back() {
        for act in ACTS {
            let then = [act, Act::Write(Fault::None), Act::Follow(0), Act::Open(1)];
            for capacity in [1, LARGE] {
                run(&[&begin[..], &then].concat(), [LARGE, capacity]);
            }
        }
    }
}

/// It loses a request as it does so, or all from one on, and is stopped; another goes on.
#[test]
fn n03_whoever_is_stopped_as_it_claims_again_misleads_nobody() {
    let mut fates = vec![vec![Fault::LoseRequest; 24]];
    fates.extend(FAULTS.map(|fault| vec![fault]));
    for begin in fallen_back() {
        for before in 0..8 {
            for fate in &fates {
                is_stopped(&begin, &[&vec![Fault::None; before], &fate[..]].concat());
            }
        }
    }
}

fn is_stopped(begin: &[Act], faults: &[Fault]) {
    let mut world = begun([LARGE; 2]);
    act_all(&mut world, begin);
    world.then(faults.to_vec());
    world.act(Act::Burst(Fault::None));
    world.then(Vec::new());
    let then = [
        Act::Restart(Fault::None),
        Act::Write(Fault::None),
        Act::Open(1),
    ];
    act_all(&mut world, &then);
    world.end();
}

/// How a stream comes to have lost what its writer has given numbers to.
fn fallen_back() -> Vec<Vec<Act>> {
    let mut scripts = Vec::new();
    for lost in [Act::CutPower, Act::LoseAll] {
        // The writer has not heard that they are stored; a reader has them.
        for unheard in [Act::Unheard, Act::Burst(Fault::LoseAnswer)] {
            scripts.push(vec![unheard, Act::Follow(0), lost]);
        }
    }
    for (seen, unseen) in [(0, 0), (1, 0), (1, 1), (2, 0)] {
        for old in 1..=3 {
            let script = fenced_goes_on(seen, unseen, old);
            let again = [Act::Sync, Act::WriteOld, Act::Follow(0), Act::CutPower];
            scripts.push([&script[..], &[Act::Follow(0)]].concat());
            scripts.push([&script[..], &again].concat());
            scripts.push(script);
        }
    }
    scripts
}

/// A claim goes with a power cut, and the writer that it had fenced goes on: up to the numbers that
/// the newer one had given out, and past them.
fn fenced_goes_on(seen: usize, unseen: usize, old: usize) -> Vec<Act> {
    let write = |count| vec![Act::Write(Fault::None); count];
    let script = [
        vec![Act::Sync, Act::Restart(Fault::None)],
        write(seen),
        vec![Act::Follow(0)],
        write(unseen),
        vec![Act::CutPower],
        vec![Act::WriteOld; old],
    ];
    script.concat()
}

/// A writer has looked and learnt that events had arrived, but not what a limit had taken; then they
/// are lost. The gap that counted them said that their versions were those before.
#[test]
fn n03_a_gap_has_the_versions_of_what_was_only_looked_at() {
    let script = [
        Act::Trim,
        Act::Burst(Fault::LoseAnswer),
        Act::Unheard,
        Act::CutPower,
    ];
    run(&script, [LARGE; 2]);
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
