//! A line, wherever it comes from.

use std::path::Path;

use eventlog::disk::{Place, RawLine};

/// A line without its newline, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    pub(crate) at: At<'a>,
    pub(crate) bytes: &'a [u8],
}

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At<'a> {
    Log(RawLine<'a>),
    Kept(&'a Place),
    /// Of what came through a pipe.
    Input {
        number: u64,
        offset: u64,
    },
}

impl At<'_> {
    pub(crate) fn file(&self) -> &Path {
        match self {
            Self::Log(line) => line.file(),
            Self::Kept(place) => &place.file,
            Self::Input { .. } => Path::new("-"),
        }
    }

    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::Log(line) => line.number,
            Self::Kept(place) => place.line,
            Self::Input { number, .. } => Some(*number),
        }
    }

    pub(crate) fn offset(&self) -> u64 {
        match self {
            Self::Log(line) => line.offset,
            Self::Kept(place) => place.offset,
            Self::Input { offset, .. } => *offset,
        }
    }

    /// The place in a log.
    pub(crate) fn place(&self) -> Option<Place> {
        match self {
            Self::Log(line) => Some(line.place()),
            Self::Kept(place) => Some((*place).clone()),
            Self::Input { .. } => None,
        }
    }
}

impl<'a> From<RawLine<'a>> for Line<'a> {
    fn from(line: RawLine<'a>) -> Self {
        Self {
            at: At::Log(line),
            bytes: line.bytes,
        }
    }
}
