//! The laws: what each says, why, which bug of the past it would have stopped, and how it is judged.
//!
//! Each is one block of `laws!` in the file of its family. `LAWS.md` in this crate is printed
//! from them; `tests/laws_md.rs` keeps the two equal.

pub(crate) mod all;
mod broker;
mod declare;
mod derive;
mod marks;
mod page;
mod ring;
mod subscription;
mod writer;

pub use crate::law::Law;

pub use self::{
    all::all, broker::*, derive::*, marks::*, page::to_markdown, ring::*, subscription::*,
    writer::*,
};
