//! `#[derive(Versioned)]` for the `eventlog` crate, which re-exports it: depend on that one, and write
//! `use eventlog::Versioned`.
//!
//! A version here is an event's sequence in time, not the version of a schema.
//!
//! ```
//! use eventlog::Versioned;
//!
//! #[derive(Versioned)]
//! enum Event {
//!     Opened { version: u64, path: String },
//!     Moved(#[version] u64, String),
//! }
//!
//! assert_eq!(Event::Moved(7, "here".into()).version(), 7);
//! ```

use proc_macro::TokenStream;

mod attr;
mod errors;
mod expand;
mod generics;
mod input;
mod slip;
mod source;
mod traits;
#[cfg(test)]
mod words;

use expand::expand;
use traits::Trait;

/// Says which field of an event is its version: the one called `version`, or the one marked
/// `#[version]`, in each variant of an enum, or in a struct.
///
/// ```
/// use eventlog::{EventLog, Versioned};
///
/// #[derive(Versioned)]
/// enum Event {
///     Opened { version: u64, path: String }, // by name
///     Moved(#[version] u64, String),         // by a mark
///     Closed { version: u64 },
/// }
///
/// let log = EventLog::new(None);
/// log.append(Event::Opened { version: 7, path: "a".into() });
/// log.append(Event::Moved(8, "b".into()));
/// assert_eq!(log.newest_version(), Some(8));
/// ```
///
/// A version here is an event's sequence in time, such as a counter that goes up with each change; it
/// is not the version of a schema. Events that have none get one from the log: see `Numbered`.
///
/// The derive writes `Versioned::version` as one match that names every variant. A variant
/// without a version does not compile: there is no `Option` and no default, and a variant that is
/// added later cannot be forgotten. All mistakes are reported in one compile, each in its place; a
/// type that is no version is reported once, where the first variant has it. `Versioned::kind` is
/// written too: the name of the variant, or of the struct.
///
/// | attribute | stands on | says |
/// | --- | --- | --- |
/// | `#[version]` | a field | this is the version, whatever it is called |
/// | `#[version(with = path)]` | a field | and this function reads it |
/// | `#[versioned(field = name)]` | the enum or struct | the field with the version is called so |
/// | `#[versioned(transparent)]` | a variant, or the struct | its only field is itself an event |
/// | `#[versioned(crate = path)]` | the enum or struct | here is the crate `eventlog` |
///
/// | the event | what to write |
/// | --- | --- |
/// | an enum with a version in each variant | nothing: `version` is [found by name][name] |
/// | the field has another name | [`#[versioned(field = seq)]`][field] on the type |
/// | one variant differs, or is a tuple | [`#[version]`][mark] on the field |
/// | the only field is itself an event | [`#[versioned(transparent)]`][delegate] on the variant |
/// | a unit variant, or one without a version | [an error][none]: add `{ version: u64 }` |
/// | a struct | [the same attributes][struct], on the struct and its fields |
/// | an enum without variants | [nothing][empty] |
/// | a union | an error |
///
/// | the version | what to write |
/// | --- | --- |
/// | `u8` to `u64`, `usize`, `NonZero` of them, references and boxes | [nothing][types] |
/// | a newtype | [`AsVersion`][newtype] for it, derived or by hand |
/// | any other type | [`#[version(with = path)]`][with] on the field |
/// | a type, lifetime or const parameter, a where clause | [nothing][generics] |
/// | the event holds itself | [nothing][recursion] |
/// | `#[repr(packed)]` | nothing, if it is `Copy`: it is copied before it is read |
/// | `eventlog` has another name in `Cargo.toml` | [`#[versioned(crate = path)]`][crate] |
///
/// [name]: #by-name
/// [field]: #by-another-name
/// [mark]: #by-a-mark
/// [delegate]: #by-delegation
/// [none]: #no-version-no-event
/// [struct]: #structs
/// [empty]: #the-empty-enum
/// [types]: #types-of-versions
/// [newtype]: #newtypes
/// [with]: #anything-else
/// [generics]: #generics
/// [recursion]: #events-in-themselves
/// [crate]: #another-name-for-the-crate
///
/// # By name
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// enum Event {
///     Opened { version: u64, path: String },
///     Closed { version: u64 },
/// }
///
/// assert_eq!(Event::Closed { version: 7 }.version(), 7);
/// ```
///
/// # By another name
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// #[versioned(field = seq)]
/// enum Event {
///     Opened { seq: u64, path: String },
///     Closed { seq: u64 },
/// }
///
/// assert_eq!(Event::Closed { seq: 7 }.version(), 7);
/// ```
///
/// # By a mark
///
/// It goes before any name.
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// enum Event {
///     Opened { version: u64 },
///     Upgraded { version: String, #[version] at: u64 },
///     Moved(#[version] u64, String),
/// }
///
/// assert_eq!(Event::Upgraded { version: "2.0".into(), at: 7 }.version(), 7);
/// assert_eq!(Event::Moved(8, "here".into()).version(), 8);
/// ```
///
/// # By delegation
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// struct Opened { version: u64, path: String }
///
/// #[derive(Versioned)]
/// enum Event {
///     #[versioned(transparent)]
///     Opened(Opened),
///     Closed { version: u64 },
/// }
///
/// assert_eq!(Event::Opened(Opened { version: 7, path: "a".into() }).version(), 7);
/// ```
///
/// # No version, no event
///
/// ```compile_fail
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// enum Event {
///     Opened { version: u64 },
///     Ping, // error: `Ping` carries no version: add `{ version: u64 }`
/// }
/// ```
///
/// # Structs
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// struct Saved { version: u64, bytes: usize }
///
/// #[derive(Versioned)]
/// struct Moved(#[version] u64, String);
///
/// #[derive(Versioned)]
/// #[versioned(transparent)]
/// struct Logged(Saved);
///
/// assert_eq!(Moved(7, "here".into()).version(), 7);
/// assert_eq!(Logged(Saved { version: 8, bytes: 0 }).version(), 8);
/// ```
///
/// # The empty enum
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// enum Never {}
///
/// fn version_of(event: &Never) -> u64 { event.version() }
/// ```
///
/// # Types of versions
///
/// ```
/// use std::num::NonZeroU64;
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// enum Event<'a> {
///     Narrow { version: u32 },
///     NonZero { version: NonZeroU64 },
///     Borrowed { version: &'a u64 },
///     Boxed { version: Box<usize> },
/// }
///
/// assert_eq!(Event::Narrow { version: 7 }.version(), 7);
/// assert_eq!(Event::NonZero { version: NonZeroU64::MIN }.version(), 1);
/// assert_eq!(Event::Borrowed { version: &8 }.version(), 8);
/// assert_eq!(Event::Boxed { version: Box::new(9) }.version(), 9);
/// ```
///
/// # Newtypes
///
/// ```
/// use eventlog::{AsVersion, Versioned};
///
/// #[derive(AsVersion)]
/// struct Revision(u64);
///
/// struct Counter { ticks: u64 }
///
/// impl AsVersion for Counter {
///     fn as_version(&self) -> u64 { self.ticks }
/// }
///
/// #[derive(Versioned)]
/// enum Event {
///     Saved { version: Revision },
///     Ticked { version: Counter },
/// }
///
/// assert_eq!(Event::Saved { version: Revision(7) }.version(), 7);
/// assert_eq!(Event::Ticked { version: Counter { ticks: 8 } }.version(), 8);
/// ```
///
/// # Anything else
///
/// The path names a function `fn(&T) -> u64`, where `T` is the field's type, or what a reference to
/// it coerces to, such as `str` for a `String`. A closure has no path.
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// struct Imported {
///     #[version(with = never_negative)]
///     row: i64,
/// }
///
/// fn never_negative(row: &i64) -> u64 {
///     u64::try_from(*row).unwrap_or(0)
/// }
///
/// assert_eq!(Imported { row: 7 }.version(), 7);
/// ```
///
/// # Generics
///
/// They are carried over. A bound is added only where the type of a version names a parameter,
/// so that a payload may be anything.
///
/// ```
/// use eventlog::Versioned;
///
/// struct Opaque;
///
/// #[derive(Versioned)]
/// enum Event<V, P> {
///     Opened { version: V, payload: P },
///     Closed { version: u64 },
/// }
///
/// assert_eq!(Event::Opened { version: 7_u32, payload: Opaque }.version(), 7);
/// ```
///
/// # Events in themselves
///
/// No bound is added for a type that names the event, as `Event` or as `Self`: it would ask for the
/// implementation that it stands on. If such a type needs a bound of another kind, write it in the
/// event's where clause.
///
/// ```
/// use eventlog::Versioned;
///
/// #[derive(Versioned)]
/// enum Event<T> {
///     Leaf { version: u64, value: T },
///     #[versioned(transparent)]
///     Nested(Box<Event<T>>),
/// }
///
/// let leaf = Event::Leaf { version: 7, value: "a" };
/// assert_eq!(Event::Nested(Box::new(leaf)).version(), 7);
/// ```
///
/// A derive sees one type only. Of two generic events that hold each other, one names a function,
/// which adds no bound: `#[version(with = Versioned::version)]` instead of `transparent`.
///
/// # Another name for the crate
///
/// ```
/// mod vendor { pub use eventlog as log_of_events; }
///
/// use vendor::log_of_events::Versioned;
///
/// #[derive(Versioned)]
/// #[versioned(crate = vendor::log_of_events)]
/// struct Saved { version: u64 }
///
/// assert_eq!(Saved { version: 7 }.version(), 7);
/// ```
#[proc_macro_derive(Versioned, attributes(versioned, version))]
pub fn versioned(input: TokenStream) -> TokenStream {
    expand(Trait::Versioned, input.into()).into()
}

/// Lets a struct of one field be a version: `struct Revision(u64)` is then read as that number.
///
/// That field's type has `AsVersion` itself, or `#[version(with = path)]` says how it is read.
/// `#[versioned(crate = path)]` is as for `Versioned`.
///
/// ```
/// use eventlog::{AsVersion, Versioned};
///
/// #[derive(AsVersion)]
/// struct Revision(u64);
///
/// #[derive(AsVersion)]
/// struct Row(#[version(with = distance)] i64);
///
/// fn distance(row: &i64) -> u64 { row.unsigned_abs() }
///
/// #[derive(Versioned)]
/// enum Event {
///     Saved { version: Revision },
///     Imported { version: Row },
/// }
///
/// assert_eq!(Event::Saved { version: Revision(7) }.version(), 7);
/// assert_eq!(Event::Imported { version: Row(-8) }.version(), 8);
/// ```
#[proc_macro_derive(AsVersion, attributes(versioned, version))]
pub fn as_version(input: TokenStream) -> TokenStream {
    expand(Trait::AsVersion, input.into()).into()
}
