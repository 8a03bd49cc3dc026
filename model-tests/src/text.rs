//! Texts that fit where they are read.

/// The columns of a report.
const COLUMNS: usize = 80;
/// How much of a value is shown.
const SHOWN: usize = 240;

/// The text, or its beginning.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.into();
    }
    let start: String = text.chars().take(columns.saturating_sub(1)).collect();
    start + "…"
}

/// Breaks lines at spaces so that they fit, each but the first after `indent` spaces. A word that is
/// too long is broken where it must be.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let room = COLUMNS - indent;
    let mut lines: Vec<Vec<char>> = Vec::new();
    for paragraph in text.lines() {
        let mut line = Vec::new();
        for word in paragraph.split(' ') {
            let mut word: Vec<char> = word.chars().collect();
            if !line.is_empty() && line.len() + 1 + word.len() > room {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            while word.len() > room {
                let rest = word.split_off(room);
                lines.push(word);
                word = rest;
            }
            line.append(&mut word);
        }
        lines.push(line);
    }
    let lines: Vec<String> = lines.into_iter().map(String::from_iter).collect();
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// Two texts, as they are or, where they are long, from shortly before their first difference on.
pub(crate) fn difference(expected: &str, actual: &str) -> (String, String) {
    if expected.chars().count().max(actual.chars().count()) <= SHOWN {
        return (expected.into(), actual.into());
    }
    let alike: usize = expected
        .chars()
        .zip(actual.chars())
        .take_while(|(ours, theirs)| ours == theirs)
        .map(|(letter, _)| letter.len_utf8())
        .sum();
    // The value in which they differ, from its beginning.
    let from = [", Event(", ", Gap(", ", Damage(", "}, ", "), ", ", "]
        .iter()
        .find_map(|start| {
            let at = expected[..alike].rfind(start)?;
            let names = start
                .trim_start_matches(['}', ')'])
                .trim_start_matches(", ");
            (alike - at <= SHOWN / 2).then_some(at + start.len() - names.len())
        })
        .unwrap_or_else(|| {
            let before = expected[..alike].char_indices().rev().take(SHOWN / 4);
            before.last().map_or(0, |(at, _)| at)
        });
    let from_there = |text: &str| {
        let skipped = text[..from].chars().count();
        let rest = shortened(&text[from..], SHOWN);
        match skipped {
            0 => rest,
            _ if rest.is_empty() => format!("(after {skipped} characters alike) nothing more"),
            _ => format!("(after {skipped} characters alike) {rest}"),
        }
    };
    (from_there(expected), from_there(actual))
}

#[cfg(test)]
mod tests {
    use super::{difference, wrapped};

    #[test]
    fn lines_fit_into_eighty_columns() {
        let text = "a word, and ".repeat(40) + &"x".repeat(300) + " end";
        let shown = wrapped(&text, 12);
        assert!(
            shown.lines().all(|line| line.chars().count() <= 80),
            "{shown}"
        );
        let letters = |text: &str| text.replace([' ', '\n'], "");
        assert_eq!(letters(&shown), letters(&text));
    }

    #[test]
    fn long_values_are_shown_from_their_first_difference() {
        let history = |last: u32| {
            let events: Vec<_> = (0..100)
                .map(|number| format!("Event(Tick {{ version: {number} }})"))
                .chain([format!("Event(Tick {{ version: {last} }})")])
                .collect();
            format!("[{}]", events.join(", "))
        };
        let (expected, actual) = difference(&history(1), &history(2));
        assert!(
            expected.ends_with("Event(Tick { version: 1 })]"),
            "{expected}"
        );
        assert!(actual.ends_with("Event(Tick { version: 2 })]"), "{actual}");
        assert!(expected.len() < 300 && actual.len() < 300);
    }

    #[test]
    fn short_values_are_shown_whole() {
        assert_eq!(difference("[1, 2]", "[1]"), ("[1, 2]".into(), "[1]".into()));
    }

    #[test]
    fn the_shorter_of_two_long_values_ends_there() {
        let long = "Event(1), ".repeat(60);
        let (_, actual) = difference(&(long.clone() + "Event(2)"), &long);
        assert!(actual.contains("characters alike"), "{actual}");
    }
}
