//! Crashes after every operation of a writer, in every way a disk may be left.
//!
//! A [`Script`] is a history: what is handed over, when it is synced, what goes wrong. Running it
//! takes a picture of the [`SimDisk`](crate::sim_disk::SimDisk) after every operation that
//! changes something. From each picture the power goes out in several ways (or only the process
//! dies); the log is read, opened, read again, appended to, and crashed again. What is read is
//! held against the set of readings that [`Allowed`](crate::disk_model::Allowed) describes.

mod check;
mod driver;
mod ending;
mod files;
mod floors;
pub mod naive_writer;
mod report;
mod script;

pub use self::check::{check_one, pictures};
pub use self::driver::Driver;
pub use self::ending::{Ending, endings};
pub use self::files::{PATH, files, path};
pub use self::report::{LAWS, Report, Violation, enumerate};
pub use self::script::{Script, Step};
