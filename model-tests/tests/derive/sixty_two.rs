//! Sixty-two variants: a version of every kind, at every place.
//!
//! One line a variant, three times over: what the derive reads, what is there, and the match by
//! hand.

#![allow(dead_code, non_camel_case_types)]
#![allow(clippy::cast_possible_truncation, clippy::match_same_arms)]
#![allow(clippy::borrowed_box, clippy::redundant_allocation)]

use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::sync::Arc;

use eventlog::{AsVersion, Versioned};

#[derive(AsVersion)]
pub struct Derived(pub u64);

pub struct ByHand { ticks: u64 }

impl AsVersion for ByHand {
    fn as_version(&self) -> u64 { self.ticks }
}

#[derive(Versioned)]
pub struct Inner { version: u64 }

#[expect(clippy::trivially_copy_pass_by_ref, reason = "`with` hands out references")]
fn unsigned(row: &i64) -> u64 { row.cast_unsigned() }

fn text() -> String { "some text".to_owned() }

#[derive(Versioned)]
pub enum Event<'a, V> {
    U8 { version: u8 },
    U8First { version: u8, text: String },
    U8Last { text: String, ids: [u16; 3], version: u8 },
    U8Marked { version: String, #[version] at: u8 },
    U8Tuple(#[version] u8),
    U8Second(String, #[version] u8, u64),
    U16 { version: u16 },
    U16First { version: u16, text: String },
    U16Last { text: String, ids: [u16; 3], version: u16 },
    U16Marked { version: String, #[version] at: u16 },
    U16Tuple(#[version] u16),
    U16Second(String, #[version] u16, u64),
    U32 { version: u32 },
    U32First { version: u32, text: String },
    U32Last { text: String, ids: [u16; 3], version: u32 },
    U32Marked { version: String, #[version] at: u32 },
    U32Tuple(#[version] u32),
    U32Second(String, #[version] u32, u64),
    U64 { version: u64 },
    U64First { version: u64, text: String },
    U64Last { text: String, ids: [u16; 3], version: u64 },
    U64Marked { version: String, #[version] at: u64 },
    U64Tuple(#[version] u64),
    U64Second(String, #[version] u64, u64),
    Usize { version: usize },
    UsizeFirst { version: usize, text: String },
    UsizeLast { text: String, ids: [u16; 3], version: usize },
    UsizeMarked { version: String, #[version] at: usize },
    UsizeTuple(#[version] usize),
    UsizeSecond(String, #[version] usize, u64),
    NonZeroU8 { version: NonZeroU8 },
    NonZeroU8Second(u8, #[version] NonZeroU8),
    NonZeroU16 { version: NonZeroU16 },
    NonZeroU16Second(u8, #[version] NonZeroU16),
    NonZeroU32 { version: NonZeroU32 },
    NonZeroU32Second(u8, #[version] NonZeroU32),
    NonZeroU64 { version: NonZeroU64 },
    NonZeroU64Second(u8, #[version] NonZeroU64),
    NonZeroUsize { version: NonZeroUsize },
    NonZeroUsizeSecond(u8, #[version] NonZeroUsize),
    Reference { version: &'a u64 },
    ReferenceSecond(u8, #[version] &'a u64),
    ReferenceTwice { version: &'a &'a u64 },
    ReferenceToBox { version: &'a Box<u64> },
    Boxed { version: Box<u64> },
    BoxedNarrow { ids: Vec<u64>, version: Box<u32> },
    BoxedNonZero { version: Box<NonZeroU64> },
    BoxedReference(#[version] Box<&'a u64>),
    Shared { version: Arc<u64> },
    Derived { version: Derived },
    DerivedBoxed { version: Box<Derived> },
    DerivedSecond(bool, #[version] Derived),
    ByHand { version: ByHand },
    ByHandTuple(#[version] ByHand),
    Parameter { version: V },
    ParameterBoxed { text: String, version: Box<V> },
    With { #[version(with = unsigned)] row: i64 },
    WithTuple(String, #[version(with = unsigned)] i64),
    #[versioned(transparent)]
    Transparent(Inner),
    #[versioned(transparent)]
    TransparentNamed { inner: Inner },
    #[versioned(transparent)]
    TransparentBoxed(Box<Inner>),
    r#struct { r#version: u64, r#type: u8 },
}

/// One event of each variant. Where the type of its version is narrower than `v`, it has the low
/// bits; where it cannot be zero, the greatest value in place of zero.
pub fn one_of_each<'a>(r: &'a u64, rr: &'a &'a u64, rb: &'a Box<u64>) -> Vec<Event<'a, Derived>> {
    let v = *r;
    vec![
        Event::U8 { version: v as u8 },
        Event::U8First { version: v as u8, text: text() },
        Event::U8Last { text: text(), ids: [9; 3], version: v as u8 },
        Event::U8Marked { version: text(), at: v as u8 },
        Event::U8Tuple(v as u8),
        Event::U8Second(text(), v as u8, 9),
        Event::U16 { version: v as u16 },
        Event::U16First { version: v as u16, text: text() },
        Event::U16Last { text: text(), ids: [9; 3], version: v as u16 },
        Event::U16Marked { version: text(), at: v as u16 },
        Event::U16Tuple(v as u16),
        Event::U16Second(text(), v as u16, 9),
        Event::U32 { version: v as u32 },
        Event::U32First { version: v as u32, text: text() },
        Event::U32Last { text: text(), ids: [9; 3], version: v as u32 },
        Event::U32Marked { version: text(), at: v as u32 },
        Event::U32Tuple(v as u32),
        Event::U32Second(text(), v as u32, 9),
        Event::U64 { version: v },
        Event::U64First { version: v, text: text() },
        Event::U64Last { text: text(), ids: [9; 3], version: v },
        Event::U64Marked { version: text(), at: v },
        Event::U64Tuple(v),
        Event::U64Second(text(), v, 9),
        Event::Usize { version: v as usize },
        Event::UsizeFirst { version: v as usize, text: text() },
        Event::UsizeLast { text: text(), ids: [9; 3], version: v as usize },
        Event::UsizeMarked { version: text(), at: v as usize },
        Event::UsizeTuple(v as usize),
        Event::UsizeSecond(text(), v as usize, 9),
        Event::NonZeroU8 { version: NonZeroU8::new(v as u8).unwrap_or(NonZeroU8::MAX) },
        Event::NonZeroU8Second(9, NonZeroU8::new(v as u8).unwrap_or(NonZeroU8::MAX)),
        Event::NonZeroU16 { version: NonZeroU16::new(v as u16).unwrap_or(NonZeroU16::MAX) },
        Event::NonZeroU16Second(9, NonZeroU16::new(v as u16).unwrap_or(NonZeroU16::MAX)),
        Event::NonZeroU32 { version: NonZeroU32::new(v as u32).unwrap_or(NonZeroU32::MAX) },
        Event::NonZeroU32Second(9, NonZeroU32::new(v as u32).unwrap_or(NonZeroU32::MAX)),
        Event::NonZeroU64 { version: NonZeroU64::new(v).unwrap_or(NonZeroU64::MAX) },
        Event::NonZeroU64Second(9, NonZeroU64::new(v).unwrap_or(NonZeroU64::MAX)),
        Event::NonZeroUsize { version: NonZeroUsize::new(v as usize).unwrap_or(NonZeroUsize::MAX) },
        Event::NonZeroUsizeSecond(9, NonZeroUsize::new(v as usize).unwrap_or(NonZeroUsize::MAX)),
        Event::Reference { version: r },
        Event::ReferenceSecond(9, r),
        Event::ReferenceTwice { version: rr },
        Event::ReferenceToBox { version: rb },
        Event::Boxed { version: Box::new(v) },
        Event::BoxedNarrow { ids: vec![9], version: Box::new(v as u32) },
        Event::BoxedNonZero { version: Box::new(NonZeroU64::new(v).unwrap_or(NonZeroU64::MAX)) },
        Event::BoxedReference(Box::new(r)),
        Event::Shared { version: Arc::new(v) },
        Event::Derived { version: Derived(v) },
        Event::DerivedBoxed { version: Box::new(Derived(v)) },
        Event::DerivedSecond(true, Derived(v)),
        Event::ByHand { version: ByHand { ticks: v } },
        Event::ByHandTuple(ByHand { ticks: v }),
        Event::Parameter { version: Derived(v) },
        Event::ParameterBoxed { text: text(), version: Box::new(Derived(v)) },
        Event::With { row: v.cast_signed() },
        Event::WithTuple(text(), v.cast_signed()),
        Event::Transparent(Inner { version: v }),
        Event::TransparentNamed { inner: Inner { version: v } },
        Event::TransparentBoxed(Box::new(Inner { version: v })),
        Event::r#struct { r#version: v, r#type: 9 },
    ]
}

pub fn by_hand(event: &Event<'_, Derived>) -> u64 {
    match event {
        Event::U8 { version } => u64::from(*version),
        Event::U8First { version, .. } => u64::from(*version),
        Event::U8Last { version, .. } => u64::from(*version),
        Event::U8Marked { at, .. } => u64::from(*at),
        Event::U8Tuple(version) => u64::from(*version),
        Event::U8Second(_, version, _) => u64::from(*version),
        Event::U16 { version } => u64::from(*version),
        Event::U16First { version, .. } => u64::from(*version),
        Event::U16Last { version, .. } => u64::from(*version),
        Event::U16Marked { at, .. } => u64::from(*at),
        Event::U16Tuple(version) => u64::from(*version),
        Event::U16Second(_, version, _) => u64::from(*version),
        Event::U32 { version } => u64::from(*version),
        Event::U32First { version, .. } => u64::from(*version),
        Event::U32Last { version, .. } => u64::from(*version),
        Event::U32Marked { at, .. } => u64::from(*at),
        Event::U32Tuple(version) => u64::from(*version),
        Event::U32Second(_, version, _) => u64::from(*version),
        Event::U64 { version } => *version,
        Event::U64First { version, .. } => *version,
        Event::U64Last { version, .. } => *version,
        Event::U64Marked { at, .. } => *at,
        Event::U64Tuple(version) => *version,
        Event::U64Second(_, version, _) => *version,
        Event::Usize { version } => *version as u64,
        Event::UsizeFirst { version, .. } => *version as u64,
        Event::UsizeLast { version, .. } => *version as u64,
        Event::UsizeMarked { at, .. } => *at as u64,
        Event::UsizeTuple(version) => *version as u64,
        Event::UsizeSecond(_, version, _) => *version as u64,
        Event::NonZeroU8 { version } => u64::from(version.get()),
        Event::NonZeroU8Second(_, version) => u64::from(version.get()),
        Event::NonZeroU16 { version } => u64::from(version.get()),
        Event::NonZeroU16Second(_, version) => u64::from(version.get()),
        Event::NonZeroU32 { version } => u64::from(version.get()),
        Event::NonZeroU32Second(_, version) => u64::from(version.get()),
        Event::NonZeroU64 { version } => version.get(),
        Event::NonZeroU64Second(_, version) => version.get(),
        Event::NonZeroUsize { version } => version.get() as u64,
        Event::NonZeroUsizeSecond(_, version) => version.get() as u64,
        Event::Reference { version } => **version,
        Event::ReferenceSecond(_, version) => **version,
        Event::ReferenceTwice { version } => ***version,
        Event::ReferenceToBox { version } => ***version,
        Event::Boxed { version } => **version,
        Event::BoxedNarrow { version, .. } => u64::from(**version),
        Event::BoxedNonZero { version } => version.get(),
        Event::BoxedReference(version) => ***version,
        Event::Shared { version } => **version,
        Event::Derived { version } => version.0,
        Event::DerivedBoxed { version } => version.0,
        Event::DerivedSecond(_, version) => version.0,
        Event::ByHand { version } => version.ticks,
        Event::ByHandTuple(version) => version.ticks,
        Event::Parameter { version } => version.0,
        Event::ParameterBoxed { version, .. } => version.0,
        Event::With { row } => row.cast_unsigned(),
        Event::WithTuple(_, row) => row.cast_unsigned(),
        Event::Transparent(inner) => inner.version,
        Event::TransparentNamed { inner } => inner.version,
        Event::TransparentBoxed(inner) => inner.version,
        Event::r#struct { version, .. } => *version,
    }
}
