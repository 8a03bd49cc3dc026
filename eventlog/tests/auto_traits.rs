//! What every public type can be used for, checked when this file compiles.

use std::fmt::Debug;

use eventlog::{
    Batch, BuildError, Builder, Coverage, Cursor, CursorError, Epoch, EventLog, EventRef, Iter,
    Lagged, RecvError, Replay, Seq, SeqRange, Start, Stats, Subscription, TryRecvError, Versioned,
    WithCursors, disk, writer,
};

/// An event that is no more than it must be.
#[derive(Debug, Versioned, serde::Deserialize)]
struct Tick {
    version: u64,
}

fn usable<T: Send + Sync + Unpin + Debug + 'static>() {}
fn a_copy<T: Copy + Eq>() {}
fn an_error<T: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn public_types_cross_threads_and_print() {
    usable::<EventLog<Tick>>();
    usable::<Builder<Tick>>();
    usable::<Replay<Tick>>();
    usable::<Iter<'static, Tick>>();
    usable::<WithCursors<'static, Tick>>();
    usable::<Subscription<Tick>>();
    usable::<EventRef<Tick>>();
    usable::<Batch<Tick>>();
    usable::<disk::DiskWriter<Tick>>();
    usable::<writer::Stored>();
    usable::<writer::Flush>();
    usable::<disk::Notice>();
    usable::<disk::DiskConfig>();
    usable::<disk::Recovery>();
    usable::<disk::Reader<Tick>>();
    usable::<disk::Follow<Tick>>();
    usable::<disk::FollowStream<Tick>>();
    usable::<disk::Record<Tick>>();
    usable::<disk::Tail<Tick>>();
    usable::<disk::Lines>();
    usable::<disk::RawLine<'static>>();
    usable::<disk::Placed<Tick>>();
    usable::<disk::WithPlaces<disk::Reader<Tick>>>();
}

#[test]
fn places_and_answers_are_values() {
    a_copy::<Cursor>();
    a_copy::<Epoch>();
    a_copy::<Seq>();
    a_copy::<SeqRange>();
    a_copy::<Start>();
    a_copy::<disk::Position>();
    a_copy::<writer::Level>();
    a_copy::<Coverage>();
    a_copy::<Stats>();
    a_copy::<Lagged>();
}

#[test]
fn errors_fit_into_a_box() {
    an_error::<BuildError>();
    an_error::<CursorError>();
    an_error::<disk::PositionError>();
    an_error::<disk::ResumeError>();
    an_error::<Lagged>();
    an_error::<RecvError>();
    an_error::<TryRecvError>();
    an_error::<disk::Damage>();
    an_error::<disk::DiskError>();
    an_error::<disk::NotStored>();
    an_error::<disk::SpawnError>();
    an_error::<disk::RecoverError>();
    an_error::<disk::ConfigError>();
    an_error::<writer::DestinationError>();
    an_error::<writer::StartError>();
}

#[test]
fn a_task_may_wait_for_an_event_on_any_thread() {
    fn moves<T: Send>(_: &T) {}
    let log = EventLog::<Tick>::new(None);
    let mut subscription = log.subscribe(0);
    moves(&subscription.recv());
    assert_eq!(format!("{:?}", log.replay(Start::Oldest).iter()), "[]");
}
