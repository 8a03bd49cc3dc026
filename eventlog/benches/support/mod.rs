//! What the benchmarks share.
//!
//! A harness of our own, and not one of the known ones, for two reasons. Each figure is a ratio
//! between two programs, so their rounds must alternate within one run: on a shared machine the
//! speed drifts by more between two runs than many of the differences that matter. And each ratio
//! is printed beside its target, so that a miss is seen where it is measured.

pub mod appends;
pub mod baseline;
pub mod event;
pub mod measure;
pub mod sides;
pub mod table;
pub mod waiting;
