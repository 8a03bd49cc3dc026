//! Where the output goes, and what is known of it.

use std::io::{self, BufWriter, IsTerminal, Write};

/// Standard output or another, in blocks.
pub(crate) struct Output {
    to: BufWriter<Box<dyn Write>>,
    pub(crate) is_terminal: bool,
    /// Columns of the terminal; as many as it wants where there is none.
    pub(crate) columns: usize,
}

/// What is not known is what terminals once were.
const COLUMNS: usize = 80;

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let columns = if is_terminal {
            terminal_columns()
        } else {
            usize::MAX
        };
        Self {
            is_terminal,
            columns,
            ..Self::to(Box::new(stdout.lock()))
        }
    }

    pub(crate) fn to(to: Box<dyn Write>) -> Self {
        Self {
            to: BufWriter::with_capacity(64 * 1024, to),
            is_terminal: false,
            columns: usize::MAX,
        }
    }

    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.to.write_all(text.as_bytes())?;
        self.to.write_all(b"\n")
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn terminal_columns() -> usize {
    let size = terminal_size::terminal_size_of(io::stdout());
    let columns = size.map_or(COLUMNS, |(width, _)| usize::from(width.0));
    if columns == 0 {
        COLUMNS
    } else {
        columns.max(20)
    }
}
