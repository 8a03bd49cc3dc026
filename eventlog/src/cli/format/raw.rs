//! Lines as they stand.

use std::io;

use crate::outcome::warn;
use crate::output::Output;
use crate::row::Row;
use crate::text::harmless_json;

pub(super) fn row(row: &Row<'_>, output: &mut Output) -> io::Result<()> {
    match row {
        Row::Event { line, .. } | Row::Gap { line, .. } => {
            if output.is_terminal {
                return output.line(&harmless_json(line.bytes));
            }
            output.bytes(line.bytes)?;
            output.bytes(b"\n")
        }
        Row::Trouble(trouble, _) => {
            warn(&format!("{}: {}", trouble.place(), trouble.text));
            Ok(())
        }
        Row::Life(_) | Row::Break => Ok(()),
    }
}
