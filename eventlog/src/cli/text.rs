//! Text of unknown origin, made harmless for a terminal, and cut to its columns.
//!
//! What stands in a log was written by anybody. A terminal obeys control characters, and characters
//! that turn the direction of text or cannot be seen deceive who reads it; both are shown as escapes.

use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// Whether a terminal or a reader could be deceived by it.
pub(crate) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{fffe}'..='\u{ffff}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// All of a text, made harmless.
pub(crate) fn clean(text: &str) -> String {
    let mut line = Fitted::new(usize::MAX);
    line.push(text);
    line.finish()
}

/// One line of text that fits into so many columns.
pub(crate) struct Fitted {
    text: String,
    columns: usize,
    max: usize,
    /// Where to cut if more comes than fits: one column less, for the sign that it was cut.
    cut: usize,
    is_cut: bool,
}

impl Fitted {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            text: String::new(),
            columns: 0,
            max,
            cut: 0,
            is_cut: false,
        }
    }

    /// Whether no more fits, so that it is needless to come with it.
    pub(crate) fn is_full(&self) -> bool {
        self.is_cut
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Adds text of unknown origin.
    pub(crate) fn push(&mut self, text: &str) {
        // Most is plain, and fits.
        let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if is_plain && text.len() < self.max.saturating_sub(self.columns) && !self.is_cut {
            self.text.push_str(text);
            self.columns += text.len();
            self.cut = self.text.len();
            return;
        }
        for c in text.chars() {
            if self.is_cut {
                return;
            }
            self.push_char(c);
        }
    }

    /// Adds bytes that should be text.
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            self.push(chunk.valid());
            for byte in chunk.invalid() {
                self.push(&format!("\\x{byte:02x}"));
            }
            if self.is_cut {
                return;
            }
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn push_char(&mut self, c: char) {
        if is_hostile(c) {
            let mut escaped = String::new();
            escape(c, &mut escaped);
            for c in escaped.chars() {
                self.push_plain(c);
            }
        } else {
            self.push_plain(c);
        }
    }

    fn push_plain(&mut self, c: char) {
        if self.is_cut {
            return;
        }
        let columns = c.width().unwrap_or(0);
        // Marks that take no column could go on for ever.
        let is_endless = columns == 0 && self.text.len() > self.max.saturating_mul(8);
        if self.columns + columns > self.max || is_endless {
            self.is_cut = true;
            self.text.truncate(self.cut);
            self.text.push('…');
            self.columns = self.text.chars().filter_map(char::width).sum();
            return;
        }
        self.text.push(c);
        self.columns += columns;
        if self.columns < self.max {
            self.cut = self.text.len();
        }
    }
}

fn escape(c: char, out: &mut String) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
}

/// JSON of the same meaning without characters that a terminal obeys, and without bytes that are no
/// text.
pub(crate) fn harmless_json(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_hostile(c) {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(text: &str, max: usize) -> String {
        let mut line = Fitted::new(max);
        line.push(text);
        line.finish()
    }

    #[test]
    fn what_a_terminal_obeys_is_shown_and_not_done() {
        assert_eq!(clean("a\x1b[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(clean("\u{9b}31m\u{7f}"), "\\u{9b}31m\\u{7f}");
        assert_eq!(clean("user\u{202e}gpj.exe"), "user\\u{202e}gpj.exe");
        assert_eq!(clean("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(
            harmless_json("\"\u{9b}\u{e0041}\"".as_bytes()),
            "\"\\u009b\\udb40\\udc41\""
        );
    }

    #[test]
    fn text_is_cut_to_its_columns() {
        assert_eq!(fitted("abc", 3), "abc");
        assert_eq!(fitted("abcd", 3), "ab…");
        assert_eq!(fitted("日本語", 6), "日本語");
        assert_eq!(fitted("日本語x", 6), "日本…");
        assert_eq!(fitted("a日", 2), "a…");
        let marks = "\u{301}".repeat(1_000);
        assert!(fitted(&format!("e{marks}"), 10).len() < 100);
        let mut line = Fitted::new(9);
        line.push_bytes(b"a\xff\xfeb");
        assert_eq!(line.finish(), "a\\xff\\xf…");
    }
}
