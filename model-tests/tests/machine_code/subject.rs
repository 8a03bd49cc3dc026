//! A crate whose machine code is read: three ways to write the same `version()`.
//!
//! `cargo rustc --release -- --emit asm --cfg derived` shows what the derive makes, `--cfg
//! hand_written` what it must be equal to, and `--cfg lesser` what must be told from both.

#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::{NonZeroU32, NonZeroU64};

/// The version is of one type in all sixty-two variants.
#[cfg_attr(derived, derive(eventlog::Versioned))]
#[rustfmt::skip]
pub enum Event {
    ProcessSpawned { version: u64 },
    ProcessExited { version: u64, id: String },
    PhaseChanged { version: u64, pid: u32, id: String },
    Registered { version: u64, from: String, to: String },
    Pong { version: u64, ids: Vec<u64>, kind: u8 },
    WindowOpened { version: u64 },
    WindowClosed { version: u64, id: String },
    PoolWindowAdded { version: u64, pid: u32, id: String },
    PoolWindowRemoved { version: u64, from: String, to: String },
    PoolWindowPromoted { version: u64, ids: Vec<u64>, kind: u8 },
    PanesReaped { version: u64 },
    PoolDrained { version: u64, id: String },
    PoolNotLast { version: u64, pid: u32, id: String },
    InstanceAssigned { version: u64, from: String, to: String },
    InstanceReleased { version: u64, ids: Vec<u64>, kind: u8 },
    BackendRegistered { version: u64 },
    BackendUnregistered { version: u64, id: String },
    DriftDetected { version: u64, pid: u32, id: String },
    HandleDriftDetected { version: u64, from: String, to: String },
    CorrectiveMove { version: u64, ids: Vec<u64>, kind: u8 },
    HostShouldQuit { version: u64 },
    Snapshot { version: u64, id: String },
    EventList { version: u64, pid: u32, id: String },
    SagaStarted { version: u64, from: String, to: String },
    SagaCompleted { version: u64, ids: Vec<u64>, kind: u8 },
    SagaFailed { version: u64 },
    ServerSnapshot { version: u64, id: String },
    WorkspaceCreated { version: u64, pid: u32, id: String },
    WorkspaceDeleted { version: u64, from: String, to: String },
    TabCreated { version: u64, ids: Vec<u64>, kind: u8 },
    TabDeleted { version: u64 },
    ActiveTabChanged { version: u64, id: String },
    TabReordered { version: u64, pid: u32, id: String },
    ServerWindowOpened { version: u64, from: String, to: String },
    ServerWindowClosed { version: u64, ids: Vec<u64>, kind: u8 },
    WorkspaceChanged { version: u64 },
    TabsReordered { version: u64, id: String },
    WorkspaceRenamed { version: u64, pid: u32, id: String },
    TabRenamed { version: u64, from: String, to: String },
    WorkspaceMetaUpdated { version: u64, ids: Vec<u64>, kind: u8 },
    TabMetaUpdated { version: u64 },
    BlockMetaUpdated { version: u64, id: String },
    TabMoved { version: u64, pid: u32, id: String },
    BlockMoved { version: u64, from: String, to: String },
    BlockCreated { version: u64, ids: Vec<u64>, kind: u8 },
    BlockDeleted { version: u64 },
    FocusChanged { version: u64, id: String },
    MagnifiedChanged { version: u64, pid: u32, id: String },
    SagaActionFailed { version: u64, from: String, to: String },
    Error { version: u64, ids: Vec<u64>, kind: u8 },
    LayoutInserted { version: u64 },
    LayoutInsertedAt { version: u64, id: String },
    LayoutDeleted { version: u64, pid: u32, id: String },
    LayoutMoved { version: u64, from: String, to: String },
    LayoutSwapped { version: u64, ids: Vec<u64>, kind: u8 },
    LayoutResized { version: u64 },
    LayoutReplaced { version: u64, id: String },
    LayoutSplit { version: u64, pid: u32, id: String },
    LayoutCleared { version: u64, from: String, to: String },
    ServerStopped { version: u64, ids: Vec<u64>, kind: u8 },
    HandshakeDone { version: u64 },
    HandshakeFailed { version: u64, id: String },
}

/// The version is of another type, or at another place, in each variant.
#[cfg_attr(derived, derive(eventlog::Versioned))]
#[rustfmt::skip]
#[repr(C)]
pub enum Mixed<'a> {
    First { version: u64, pid: u32 },
    Second { pid: u32, version: u64 },
    Third { ids: [u64; 4], version: u64 },
    Fourth { ids: [u64; 4], version: u64, id: String },
    Narrow { version: u32 },
    NarrowToo { pid: u64, version: u32 },
    Byte { version: u8 },
    Size { ids: [u64; 5], version: usize },
    NonZero { pid: u64, version: NonZeroU64 },
    NonZeroNarrow { version: NonZeroU32 },
    Borrowed { version: &'a u64 },
    Boxed { ids: [u64; 6], version: Box<u32> },
    Marked { version: String, #[cfg_attr(derived, version)] at: u64 },
    Tuple(String, #[cfg_attr(derived, version)] u16),
    #[cfg_attr(derived, versioned(transparent))]
    Wrapped(Box<Event>),
}

#[inline(never)]
pub fn version_of_event(event: &Event) -> u64 {
    eventlog::Versioned::version(event)
}

#[inline(never)]
pub fn version_of_mixed(event: &Mixed<'_>) -> u64 {
    eventlog::Versioned::version(event)
}

#[cfg(hand_written)]
impl eventlog::Versioned for Event {
    #[inline]
    #[rustfmt::skip]
    fn version(&self) -> u64 {
        match self {
            Self::ProcessSpawned { version, .. }
            | Self::ProcessExited { version, .. }
            | Self::PhaseChanged { version, .. }
            | Self::Registered { version, .. }
            | Self::Pong { version, .. }
            | Self::WindowOpened { version, .. }
            | Self::WindowClosed { version, .. }
            | Self::PoolWindowAdded { version, .. }
            | Self::PoolWindowRemoved { version, .. }
            | Self::PoolWindowPromoted { version, .. }
            | Self::PanesReaped { version, .. }
            | Self::PoolDrained { version, .. }
            | Self::PoolNotLast { version, .. }
            | Self::InstanceAssigned { version, .. }
            | Self::InstanceReleased { version, .. }
            | Self::BackendRegistered { version, .. }
            | Self::BackendUnregistered { version, .. }
            | Self::DriftDetected { version, .. }
            | Self::HandleDriftDetected { version, .. }
            | Self::CorrectiveMove { version, .. }
            | Self::HostShouldQuit { version, .. }
            | Self::Snapshot { version, .. }
            | Self::EventList { version, .. }
            | Self::SagaStarted { version, .. }
            | Self::SagaCompleted { version, .. }
            | Self::SagaFailed { version, .. }
            | Self::ServerSnapshot { version, .. }
            | Self::WorkspaceCreated { version, .. }
            | Self::WorkspaceDeleted { version, .. }
            | Self::TabCreated { version, .. }
            | Self::TabDeleted { version, .. }
            | Self::ActiveTabChanged { version, .. }
            | Self::TabReordered { version, .. }
            | Self::ServerWindowOpened { version, .. }
            | Self::ServerWindowClosed { version, .. }
            | Self::WorkspaceChanged { version, .. }
            | Self::TabsReordered { version, .. }
            | Self::WorkspaceRenamed { version, .. }
            | Self::TabRenamed { version, .. }
            | Self::WorkspaceMetaUpdated { version, .. }
            | Self::TabMetaUpdated { version, .. }
            | Self::BlockMetaUpdated { version, .. }
            | Self::TabMoved { version, .. }
            | Self::BlockMoved { version, .. }
            | Self::BlockCreated { version, .. }
            | Self::BlockDeleted { version, .. }
            | Self::FocusChanged { version, .. }
            | Self::MagnifiedChanged { version, .. }
            | Self::SagaActionFailed { version, .. }
            | Self::Error { version, .. }
            | Self::LayoutInserted { version, .. }
            | Self::LayoutInsertedAt { version, .. }
            | Self::LayoutDeleted { version, .. }
            | Self::LayoutMoved { version, .. }
            | Self::LayoutSwapped { version, .. }
            | Self::LayoutResized { version, .. }
            | Self::LayoutReplaced { version, .. }
            | Self::LayoutSplit { version, .. }
            | Self::LayoutCleared { version, .. }
            | Self::ServerStopped { version, .. }
            | Self::HandshakeDone { version, .. }
            | Self::HandshakeFailed { version, .. }
                => *version,
        }
    }
}

#[cfg(hand_written)]
impl eventlog::Versioned for Mixed<'_> {
    #[inline]
    fn version(&self) -> u64 {
        match self {
            Self::First { version, .. } => *version,
            Self::Second { version, .. } => *version,
            Self::Third { version, .. } => *version,
            Self::Fourth { version, .. } => *version,
            Self::Narrow { version } => u64::from(*version),
            Self::NarrowToo { version, .. } => u64::from(*version),
            Self::Byte { version } => u64::from(*version),
            Self::Size { version, .. } => *version as u64,
            Self::NonZero { version, .. } => version.get(),
            Self::NonZeroNarrow { version } => u64::from(version.get()),
            Self::Borrowed { version } => **version,
            Self::Boxed { version, .. } => u64::from(**version),
            Self::Marked { at, .. } => *at,
            Self::Tuple(_, version) => u64::from(*version),
            Self::Wrapped(event) => event.version(),
        }
    }
}

/// What a lesser macro might write: a default for the variant that it forgot.
#[cfg(lesser)]
impl eventlog::Versioned for Event {
    #[inline]
    fn version(&self) -> u64 {
        match self {
            Self::Pong { version, .. } => *version,
            _ => 0,
        }
    }
}

/// And one that keeps a version out of line.
#[cfg(lesser)]
impl eventlog::Versioned for Mixed<'_> {
    #[inline]
    fn version(&self) -> u64 {
        #[inline(never)]
        fn slow(version: &u64) -> u64 {
            *version
        }
        match self {
            Self::First { version, .. } => slow(version),
            _ => 0,
        }
    }
}
