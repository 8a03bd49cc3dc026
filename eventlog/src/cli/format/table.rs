//! For people: time, version, type and fields.

use std::io;

use eventlog::disk::MarkKind;

use crate::clock::{Clock, Moment};
use crate::event::{Event, Field, text};
use crate::output::Output;
use crate::row::{Life, Row, Turn};
use crate::style::{Paint, Style};
use crate::text::{Fitted, is_hostile};
use crate::trouble::{Trouble, What};

/// How many rows, and how many bytes of them, are held back until the widths are settled.
const HELD_ROWS: usize = 100;
const HELD_BYTES: usize = 256 * 1024;
/// How wide a column gets by itself.
const MAX_TYPE_COLUMNS: usize = 24;
/// `~14:03:07.123`
const TIME_COLUMNS: usize = 13;

/// The widths of columns only grow, and are settled by the first rows.
pub(super) struct Table {
    columns: usize,
    paint: Paint,
    held: Vec<Held>,
    held_bytes: usize,
    has_header: bool,
    has_times: bool,
    version_columns: usize,
    type_columns: usize,
    day: Option<String>,
}

/// What a row says, cleaned and cut, before it is laid out.
enum Held {
    Event {
        day: Option<String>,
        time: String,
        version: String,
        kind: String,
        fields: String,
    },
    /// A row over all columns.
    Note { style: Style, text: String },
}

impl Table {
    pub(super) fn new(columns: usize, paint: Paint) -> Self {
        Self {
            columns,
            paint,
            held: Vec::new(),
            held_bytes: 0,
            has_header: false,
            has_times: false,
            version_columns: "VERSION".len(),
            type_columns: "TYPE".len(),
            day: None,
        }
    }

    pub(super) fn row(
        &mut self,
        row: &Row<'_>,
        clock: &Clock,
        output: &mut Output,
    ) -> io::Result<()> {
        let held = match row {
            Row::Event { event, moment, .. } => self.event(event, *moment, clock),
            Row::Gap { gap, moment, .. } => {
                let time = moment.map_or_else(String::new, |moment| time(moment, clock) + " ");
                let versions = if gap.min_version == gap.max_version {
                    format!("version {}", gap.min_version)
                } else {
                    format!("versions {} to {}", gap.min_version, gap.max_version)
                };
                let reason = serde_json::to_string(&gap.reason).unwrap_or_default();
                let text = format!(
                    "-- {time}gap: {} never written, {versions} ({})",
                    count(gap.count, "event"),
                    reason.trim_matches('"')
                );
                self.note(Style::Gap, &text, &[])
            }
            Row::Trouble(trouble, bytes) => self.trouble(trouble, bytes),
            Row::Life(life) => self.note(Style::Restart, &life_text(life, clock), &[]),
            Row::Break => self.note(Style::Dim, "--", &[]),
        };
        self.held_bytes += held.len();
        self.held.push(held);
        let is_full = self.held.len() >= HELD_ROWS || self.held_bytes >= HELD_BYTES;
        if self.has_header || is_full {
            self.flush(clock, output)?;
        }
        Ok(())
    }

    /// Lays out what is held back.
    pub(super) fn flush(&mut self, clock: &Clock, output: &mut Output) -> io::Result<()> {
        self.has_times |= clock.has_marks;
        for held in std::mem::take(&mut self.held) {
            match held {
                Held::Note { style, text } => output.line(&self.paint.paint(style, &text))?,
                event @ Held::Event { .. } => self.lay_out(event, output)?,
            }
        }
        self.held_bytes = 0;
        Ok(())
    }

    fn event(&mut self, event: &Event<'_>, moment: Option<Moment>, clock: &Clock) -> Held {
        let version = event
            .version
            .map_or_else(|| "-".to_owned(), |version| version.to_string());
        let kind = cut(
            event.kind.as_deref().unwrap_or("-"),
            MAX_TYPE_COLUMNS.min(self.columns / 3),
        );
        self.version_columns = self.version_columns.max(version.len());
        self.type_columns = self.type_columns.max(columns(&kind));
        self.has_times |= moment.is_some();
        let shown = moment.map(|moment| (clock.day_and_time(moment.best()), moment.sign()));
        let (day, time) = match shown {
            Some(((day, time), sign)) => (Some(day), format!("{sign}{time}")),
            None => (None, String::new()),
        };
        Held::Event {
            day,
            time,
            version,
            kind,
            fields: fields(event, self.columns),
        }
    }

    fn trouble(&self, trouble: &Trouble, bytes: &[u8]) -> Held {
        let text = match trouble.what {
            What::Torn => format!("!! {}: unfinished line: ", trouble.place()),
            _ if bytes.is_empty() => format!("!! {}: {}", trouble.place(), trouble.text),
            What::Zeros => {
                let zeros = count(trouble.len, "zero byte");
                format!(
                    "!! {}: {zeros} in place of what was written",
                    trouble.place()
                )
            }
            _ => format!("!! {}: {}: ", trouble.place(), trouble.text),
        };
        let bytes = if trouble.what == What::Zeros {
            &[]
        } else {
            bytes
        };
        self.note(Style::Damage, &text, bytes)
    }

    fn note(&self, style: Style, text: &str, bytes: &[u8]) -> Held {
        let mut line = Fitted::new(self.columns);
        line.push(text);
        line.push_bytes(bytes);
        Held::Note {
            style,
            text: line.finish(),
        }
    }

    fn lay_out(&mut self, held: Held, output: &mut Output) -> io::Result<()> {
        let Held::Event {
            day,
            time,
            version,
            kind,
            fields,
        } = held
        else {
            return Ok(());
        };
        self.begin(output)?;
        if day.is_some() && day != self.day {
            let text = format!("-- {}", day.as_deref().unwrap_or_default());
            output.line(&self.paint.paint(Style::Dim, &text))?;
            self.day = day;
        }
        let time = if self.has_times {
            format!("{time:>TIME_COLUMNS$}  ")
        } else {
            String::new()
        };
        let version = format!("{version:>width$}  ", width = self.version_columns);
        let padding = self.type_columns.saturating_sub(columns(&kind));
        let kind = format!("{kind}{:padding$}  ", "");
        let mut row = Laid {
            paint: self.paint,
            left: self.columns,
            text: String::with_capacity(128 + fields.len()),
        };
        row.push(Some(Style::Dim), &time);
        row.push(None, &version);
        row.push(Some(Style::Type), &kind);
        row.push(None, &fields);
        output.line(row.text.trim_end())
    }

    fn begin(&mut self, output: &mut Output) -> io::Result<()> {
        if std::mem::replace(&mut self.has_header, true) {
            return Ok(());
        }
        let time = if self.has_times {
            format!("{:>TIME_COLUMNS$}  ", "TIME")
        } else {
            String::new()
        };
        let header = format!(
            "{time}{:>version$}  {:kind$}  FIELDS",
            "VERSION",
            "TYPE",
            version = self.version_columns,
            kind = self.type_columns
        );
        output.line(&self.paint.paint(Style::Header, &cut(&header, self.columns)))
    }
}

/// A row in the making.
struct Laid {
    paint: Paint,
    /// How many columns are left.
    left: usize,
    text: String,
}

impl Laid {
    fn push(&mut self, style: Option<Style>, cell: &str) {
        let mut fitted = Fitted::new(self.left);
        fitted.push(cell);
        self.left = self.left.saturating_sub(fitted.columns());
        let cell = fitted.finish();
        match style {
            Some(style) => self.text += &self.paint.paint(style, &cell),
            None => self.text += &cell,
        }
    }
}

impl Held {
    fn len(&self) -> usize {
        match self {
            Self::Event { fields, kind, .. } => fields.len() + kind.len(),
            Self::Note { text, .. } => text.len(),
        }
    }
}

fn time(moment: Moment, clock: &Clock) -> String {
    format!("{}{}", moment.sign(), clock.day_and_time(moment.best()).1)
}

fn life_text(life: &Life, clock: &Clock) -> String {
    let at = life.mark.time.map_or_else(String::new, |time| {
        let (day, time) = clock.day_and_time(time);
        format!("{day} {time} ")
    });
    let by = match life.mark.kind {
        MarkKind::Opened { pid: Some(pid), .. } => format!(" by process {pid}"),
        _ => String::new(),
    };
    match life.turn {
        Turn::Opened => format!("-- {at}opened{by}"),
        Turn::Reopened => format!("-- {at}opened again{by}"),
        Turn::Restarted => format!("-- {at}RESTART{by}, after a kill or a power cut"),
        Turn::Closed => format!("-- {at}closed in order"),
    }
}

/// `pid=7 command="sleep 1"`
fn fields(event: &Event<'_>, max: usize) -> String {
    let mut line = Fitted::new(max);
    for (index, field) in event.fields.iter().enumerate() {
        if line.is_full() {
            break;
        }
        if index > 0 {
            line.push(" ");
        }
        push_field(&mut line, field);
    }
    if event.more > 0 {
        line.push(&format!(" and {}", count(event.more as u64, "more field")));
    }
    line.finish()
}

fn push_field(line: &mut Fitted, (name, value): &Field<'_>) {
    if !name.is_empty() {
        line.push(name);
        line.push("=");
    }
    // The escapes of JSON are harmless, so a text that is not plain is shown as it stands.
    let is_plain = |text: &str| {
        let special = |c: char| c.is_whitespace() || matches!(c, '"' | '=' | '\\') || is_hostile(c);
        !text.is_empty() && !text.contains(special)
    };
    match text(value) {
        Some(text) if is_plain(&text) => line.push(&text),
        _ => line.push(value.get()),
    }
}

fn cut(text: &str, max: usize) -> String {
    let mut line = Fitted::new(max);
    line.push(text);
    line.finish()
}

fn columns(text: &str) -> usize {
    let mut line = Fitted::new(usize::MAX);
    line.push(text);
    line.columns()
}

fn count(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
