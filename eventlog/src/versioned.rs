//! What the log needs to know of an event: its version.

use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::rc::Rc;
use std::sync::Arc;

/// A value that carries its version: its place in time.
///
/// A version here is an event's sequence in a history (the reducer's counter at the time of the
/// change), not the version of a schema.
///
/// Versions normally rise. Gaps, repeats and falls are legal, and the log handles them.
///
/// [`#[derive(Versioned)]`](derive@crate::Versioned) writes the implementation.
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` carries no version",
    label = "the log cannot tell where this event stands in its history",
    note = "add `#[derive(eventlog::Versioned)]` to `{Self}`, or write `impl eventlog::Versioned`",
    note = "a number is a version, not an event: mark such a field with `#[version]`, \
            not with `#[versioned(transparent)]`"
)]
pub trait Versioned {
    /// The event's version.
    ///
    /// It must be the same at every call: the log asks when an event is appended and again when
    /// it is replayed.
    ///
    /// ```
    /// # use eventlog::Versioned;
    /// struct Order {
    ///     number: u32,
    ///     revision: u32,
    /// }
    ///
    /// impl Versioned for Order {
    ///     fn version(&self) -> u64 {
    ///         u64::from(self.revision)
    ///     }
    /// }
    /// assert_eq!(Order { number: 1, revision: 7 }.version(), 7);
    /// ```
    #[must_use]
    fn version(&self) -> u64;

    /// What kind of event this is, for [filters](crate::Subscription::filter) and displays. Empty
    /// unless the implementation tells.
    ///
    /// The derive gives the name of the variant, as it stands in the code, or of the struct. What
    /// `serde` renames it to, or whether the event is `transparent` in it, has no say in that; only a
    /// transparent struct has the kind of what it wraps.
    ///
    /// ```
    /// # use eventlog::Versioned;
    /// #[derive(Versioned)]
    /// enum Event {
    ///     Opened { version: u64 },
    /// }
    ///
    /// assert_eq!(Event::Opened { version: 7 }.kind(), "Opened");
    /// ```
    #[must_use]
    fn kind(&self) -> &'static str {
        ""
    }
}

/// A field's type that can be read as a version.
///
/// It exists because `Into<u64>` does not fit: that accepts `bool` and `char`, and rejects
/// `usize`. Every unsigned integer up to 64 bits has it, so do their `NonZero` forms, and
/// references and boxes of those.
///
/// A newtype gets it from its one field with [`#[derive(AsVersion)]`](derive@crate::AsVersion),
/// or by hand:
///
/// ```
/// use eventlog::{AsVersion, Versioned};
///
/// struct Revision(u64);
///
/// impl AsVersion for Revision {
///     fn as_version(&self) -> u64 { self.0 }
/// }
///
/// #[derive(Versioned)]
/// struct Saved { version: Revision }
///
/// assert_eq!(Saved { version: Revision(3) }.version(), 3);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read as a version",
    label = "a version is `u8`, `u16`, `u32`, `u64`, `usize` or a `NonZero` of one of them",
    note = "make the field one of these, or say how it is read: with `#[version(with = path)]` on \
            the field, or, if `{Self}` is a type of your own, with `#[derive(eventlog::AsVersion)]`"
)]
pub trait AsVersion {
    /// The value as the `u64` that the log compares.
    ///
    /// ```
    /// # use eventlog::AsVersion;
    /// /// Milliseconds of one clock, which no event goes behind.
    /// struct Stamp(std::time::Duration);
    ///
    /// impl AsVersion for Stamp {
    ///     fn as_version(&self) -> u64 {
    ///         self.0.as_millis().try_into().unwrap_or(u64::MAX)
    ///     }
    /// }
    /// assert_eq!(Stamp(std::time::Duration::from_secs(2)).as_version(), 2000);
    /// ```
    #[must_use]
    fn as_version(&self) -> u64;
}

macro_rules! read_integers {
    ($($integer:ty => $as_u64:expr),+ $(,)?) => {$(
        impl AsVersion for $integer {
            #[inline]
            fn as_version(&self) -> u64 {
                $as_u64(*self)
            }
        }
    )+};
}

read_integers! {
    u8 => u64::from,
    u16 => u64::from,
    u32 => u64::from,
    u64 => u64::from,
    // No target of Rust has addresses wider than 64 bits.
    usize => |value| value as u64,
    NonZeroU8 => |value: NonZeroU8| u64::from(value.get()),
    NonZeroU16 => |value: NonZeroU16| u64::from(value.get()),
    NonZeroU32 => |value: NonZeroU32| u64::from(value.get()),
    NonZeroU64 => NonZeroU64::get,
    NonZeroUsize => |value: NonZeroUsize| value.get() as u64,
}

macro_rules! read_through_pointers {
    ($property:ident through ($($pointer:ty),+): $methods:tt) => {
        $(read_through_pointers!(@ $property $pointer: $methods);)+
    };
    (@ $property:ident $pointer:ty: ($($method:ident -> $answer:ty),+)) => {
        impl<T: $property + ?Sized> $property for $pointer {
            $(#[inline]
            fn $method(&self) -> $answer {
                T::$method(self)
            })+
        }
    };
}

read_through_pointers!(AsVersion through (&T, &mut T, Box<T>, Rc<T>, Arc<T>): (as_version -> u64));
read_through_pointers!(Versioned through (&T, &mut T, Box<T>, Rc<T>, Arc<T>): (
    version -> u64,
    kind -> &'static str
));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unsigned_integer_is_read_at_both_ends_of_its_range() {
        assert_eq!([0_u8, u8::MAX].map(|v| v.as_version()), [0, 0xff]);
        assert_eq!([0_u16, u16::MAX].map(|v| v.as_version()), [0, 0xffff]);
        assert_eq!([0_u32, u32::MAX].map(|v| v.as_version()), [0, 0xffff_ffff]);
        assert_eq!([0_u64, u64::MAX].map(|v| v.as_version()), [0, u64::MAX]);
        assert_eq!(
            [0_usize, usize::MAX].map(|v| v.as_version()),
            [0, usize::MAX as u64]
        );
    }

    #[test]
    fn every_non_zero_integer_is_read_at_both_ends_of_its_range() {
        assert_eq!(
            [NonZeroU8::MIN, NonZeroU8::MAX].map(|v| v.as_version()),
            [1, 0xff]
        );
        assert_eq!(
            [NonZeroU16::MIN, NonZeroU16::MAX].map(|v| v.as_version()),
            [1, 0xffff]
        );
        assert_eq!(
            [NonZeroU32::MIN, NonZeroU32::MAX].map(|v| v.as_version()),
            [1, 0xffff_ffff]
        );
        assert_eq!(
            [NonZeroU64::MIN, NonZeroU64::MAX].map(|v| v.as_version()),
            [1, u64::MAX]
        );
        assert_eq!(
            [NonZeroUsize::MIN, NonZeroUsize::MAX].map(|v| v.as_version()),
            [1, usize::MAX as u64]
        );
    }

    #[test]
    fn pointers_delegate_also_to_unsized_events() {
        struct Tick(u64);
        impl Versioned for Tick {
            fn version(&self) -> u64 {
                self.0
            }
        }
        let shared: Arc<dyn Versioned> = Arc::new(Tick(4));
        let boxed: Box<dyn Versioned> = Box::new(Tick(5));
        assert_eq!(shared.version(), 4);
        assert_eq!(<Box<dyn Versioned> as Versioned>::version(&boxed), 5);
        assert_eq!(<&&Tick as Versioned>::version(&&&Tick(6)), 6);
        assert_eq!(<Box<&u8> as AsVersion>::as_version(&Box::new(&7)), 7);
    }
}
