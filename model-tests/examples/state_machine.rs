//! The steps of the suite's engine in a state machine of other people:
//! `cargo run -p versioned-eventlog-tests --example state_machine`.

use model_tests::{Capability, Op, Ours, Player, Tick};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

/// What the machine knows by itself. The model is in the `Player`; a machine of your own has here
/// what it does beside the log.
#[derive(Clone, Debug)]
pub struct Settings {
    capacity: usize,
}

impl ReferenceStateMachine for Settings {
    type State = Self;
    type Transition = Op;

    fn init_state() -> BoxedStrategy<Self> {
        (1..5_usize).prop_map(|capacity| Self { capacity }).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Op> {
        // What the machine is not about is left out, as if the log lacked it.
        Op::arbitrary_with(vec![Capability::AppendWith])
    }

    fn apply(state: Self, _: &Op) -> Self {
        state
    }
}

static SUBJECT: Ours<fn(u64, u32) -> Tick> = Ours(Tick::new);

/// The machine: its system is a log of one to four events, with the model beside it.
pub struct Machine;

impl StateMachineTest for Machine {
    type SystemUnderTest = Player<'static, Ours<fn(u64, u32) -> Tick>>;
    type Reference = Settings;

    fn init_test(settings: &Settings) -> Self::SystemUnderTest {
        match Player::open(&SUBJECT, settings.capacity, None) {
            Ok(player) => player,
            Err(parted) => panic!("{parted}"),
        }
    }

    fn apply(mut player: Self::SystemUnderTest, _: &Settings, op: Op) -> Self::SystemUnderTest {
        if let Err(parted) = player.step(&op) {
            panic!("{parted}");
        }
        player
    }
}

/// Sixty-four runs of up to forty steps.
pub fn run() {
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    };
    proptest!(config, |((settings, ops, seen) in Settings::sequential_strategy(1..40))| {
        Machine::test_sequential(ProptestConfig::default(), settings, ops, seen);
    });
}

fn main() {
    run();
    println!("64 runs: the log and the model agree");
}
