//! The forms of output.

mod json;
mod pattern;
mod raw;
mod table;

use std::io;

use clap::ValueEnum;

pub(crate) use self::pattern::Pattern;
use self::table::Table;
use crate::clock::Clock;
use crate::output::Output;
use crate::row::Row;
use crate::style::Paint;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Format {
    /// For people: time, version, type and fields.
    Table,
    /// A JSON object per line: where it stands, when it was written, and the event as it stands.
    Json,
    /// The lines of events and gaps, byte for byte as they stand in the file.
    Raw,
    /// What `--template` says.
    Template,
}

/// Writes rows in one of the forms.
pub(crate) struct Printer {
    output: Output,
    form: Form,
}

enum Form {
    Table(Table),
    Json,
    Raw,
    Template(Pattern),
    /// Server-sent events.
    Sent,
}

impl Printer {
    /// Rows as server-sent events, whose data is the JSON of the row.
    pub(crate) fn sending(output: Output) -> Self {
        Self {
            output,
            form: Form::Sent,
        }
    }

    /// Whether the times of events are in it.
    pub(crate) fn shows_times(&self) -> bool {
        !matches!(self.form, Form::Raw)
    }

    /// Text between the rows.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.output.bytes(text.as_bytes())
    }

    pub(crate) fn new(
        output: Output,
        format: Format,
        pattern: Option<Pattern>,
        paint: Paint,
    ) -> Self {
        let form = match (pattern, format) {
            (Some(pattern), _) => Form::Template(pattern),
            (None, Format::Json) => Form::Json,
            (None, Format::Raw) => Form::Raw,
            (None, _) => Form::Table(Table::new(output.columns, paint)),
        };
        Self { output, form }
    }

    pub(crate) fn row(&mut self, row: &Row<'_>, clock: &Clock) -> io::Result<()> {
        match &mut self.form {
            Form::Table(table) => table.row(row, clock, &mut self.output),
            Form::Json => json::row(row, clock, &mut self.output),
            Form::Raw => raw::row(row, &mut self.output),
            Form::Sent => json::sent(row, clock, &mut self.output),
            Form::Template(pattern) => pattern.row(row, clock, &mut self.output),
        }
    }

    /// Lets everything be seen that was printed.
    pub(crate) fn finish(&mut self, clock: &Clock) -> io::Result<()> {
        if let Form::Table(table) = &mut self.form {
            table.flush(clock, &mut self.output)?;
        }
        self.output.flush()
    }
}
