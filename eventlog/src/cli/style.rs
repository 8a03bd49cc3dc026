//! Colours, where they are wanted.

use std::io::IsTerminal;

use clap::ValueEnum;

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Style {
    Header,
    Dim,
    Damage,
    Gap,
    Restart,
    /// One of a few colours, the same for the same text.
    Type,
}

/// Paints, or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    is_on: bool,
}

impl Paint {
    pub(crate) fn new(choice: ColorChoice) -> Self {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_on = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb,
        };
        Self { is_on }
    }

    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        let code = match style {
            _ if !self.is_on => return text.to_owned(),
            Style::Header => "1",
            Style::Dim => "2",
            Style::Damage => "1;31",
            Style::Gap => "33",
            Style::Restart => "36",
            Style::Type => type_code(text),
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Red and yellow are for what went wrong.
fn type_code(text: &str) -> &'static str {
    const CODES: [&str; 6] = ["32", "34", "35", "94", "92", "95"];
    let sum = text.trim_end().bytes().map(usize::from).sum::<usize>();
    CODES[sum % CODES.len()]
}
