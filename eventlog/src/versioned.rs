//! What the log needs to know of an event: its version.

/// A value that carries its place in time.
///
/// A version here is an event's sequence in a history (the reducer's counter at the time of the
/// change), not the version of a schema.
pub trait Versioned {
    /// The event's version.
    fn version(&self) -> u64;
}

/// A field's type that can be read as a version.
pub trait AsVersion {
    /// The value as the `u64` that the log compares.
    fn as_version(&self) -> u64;
}
