//! Lines that the user forms: `{time} {type} {user.name}`.

use std::io;
use std::str::FromStr;

use serde_json::value::RawValue;

use super::raw;
use crate::at::Line;
use crate::clock::{Clock, Moment};
use crate::event::{Event, text};
use crate::output::Output;
use crate::row::Row;
use crate::text::clean;

/// Text with places for values.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// `{name}`
    Value(String),
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(pattern: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            match c {
                '{' if chars.as_str().starts_with('{') => text.extend(chars.next()),
                '}' if chars.as_str().starts_with('}') => text.extend(chars.next()),
                '}' => return Err("a `}` stands alone: write `}}` for one".to_owned()),
                '{' => {
                    let (name, rest) = chars.as_str().split_once('}').ok_or_else(|| {
                        "a `{` is not closed: write `{{` for one, or `{name}`".to_owned()
                    })?;
                    parts.push(Part::Text(std::mem::take(&mut text)));
                    parts.push(Part::Value(name.trim().to_owned()));
                    chars = rest.chars();
                }
                '\\' => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('0') => text.push('\0'),
                    Some('\\') => text.push('\\'),
                    _ => return Err("after a `\\` comes `n`, `t`, `0` or `\\`".to_owned()),
                },
                _ => text.push(c),
            }
        }
        parts.push(Part::Text(text));
        Ok(Self { parts })
    }
}

impl Pattern {
    pub(super) fn row(&self, row: &Row<'_>, clock: &Clock, output: &mut Output) -> io::Result<()> {
        let Row::Event {
            line,
            event,
            moment,
        } = row
        else {
            return match row {
                // Gaps have none of the fields.
                Row::Trouble(..) => raw::row(row, output),
                _ => Ok(()),
            };
        };
        for part in &self.parts {
            match part {
                Part::Text(text) => output.bytes(text.as_bytes())?,
                Part::Value(name) => {
                    let value = value(name, line, event, *moment, clock);
                    let value = if output.is_terminal {
                        clean(&value)
                    } else {
                        value
                    };
                    output.bytes(value.as_bytes())?;
                }
            }
        }
        output.bytes(b"\n")
    }
}

/// Nothing where there is no such value.
fn value(
    name: &str,
    line: &Line<'_>,
    event: &Event<'_>,
    moment: Option<Moment>,
    clock: &Clock,
) -> String {
    match name {
        "time" => moment.map_or_else(String::new, |moment| clock.full(moment.best())),
        "version" => number(event.version),
        "type" => event.kind.clone().unwrap_or_default().into_owned(),
        "seq" => number(clock.seq(line)),
        "file" => line.at.file().to_string_lossy().into_owned(),
        "line" => number(line.at.number()),
        "offset" => line.at.offset().to_string(),
        "json" => String::from_utf8_lossy(line.bytes).into_owned(),
        field => event.field(field).map_or_else(String::new, shown),
    }
}

fn number(number: Option<u64>) -> String {
    number.map_or_else(String::new, |number| number.to_string())
}

/// A text without its quotes; anything else as it stands.
fn shown(value: &RawValue) -> String {
    text(value).map_or_else(|| value.get().to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_texts_and_values() {
        let pattern: Pattern = r"{{{time}}} {user.name}\t\\".parse().unwrap();
        let parts = [
            Part::Text("{".into()),
            Part::Value("time".into()),
            Part::Text("} ".into()),
            Part::Value("user.name".into()),
            Part::Text("\t\\".into()),
        ];
        assert_eq!(pattern.parts, parts);
        for wrong in ["{", "}", "{a", r"\x", "\\"] {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
    }
}
