//! Names that are almost right.

/// How far `name` is from the one that is `wanted`, if so little that a slip is likely: in the case
/// of letters, an abbreviation, or up to two letters left out, added, exchanged or swapped (one
/// where there are not more than four).
pub(crate) fn distance(name: &str, wanted: &str) -> Option<usize> {
    let (name, wanted) = (letters(name), letters(wanted));
    if name.len() >= 3 && wanted.starts_with(&name) {
        return Some(1);
    }
    let most = if wanted.len() > 4 { 2 } else { 1 };
    // Slips seldom hit the first letter: `session` is two letters from `version`.
    let most = if name.first() == wanted.first() {
        most
    } else {
        1
    };
    Some(edits(&name, &wanted)).filter(|edits| *edits <= most)
}

fn letters(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// The fewest letters to insert, delete or exchange, or neighbours to swap.
fn edits(from: &[char], to: &[char]) -> usize {
    // The last row but one, the last, and the one that is made: `row[j]` leads to `to[..j]`.
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, &letter) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &wanted) in to.iter().enumerate() {
            let exchanged = last[j] + usize::from(letter != wanted);
            let mut fewest = exchanged.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && letter == to[j - 1] && from[i - 1] == wanted {
                fewest = fewest.min(before[j - 1] + 1);
            }
            row.push(fewest);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_told_from_other_names() {
        for slip in [
            "verison", "versoin", "Version", "VERSION", "ver", "vers", "versio", "versions",
            "evrsion", "ersion", "verzion", "version_", "_version", "versjom", "vresoin",
        ] {
            assert!(distance(slip, "version").is_some(), "{slip}");
        }
        for other in [
            "",
            "v",
            "ve",
            "id",
            "at",
            "seq",
            "session",
            "vertex",
            "verified",
            "vehicle",
            "person",
            "aversion_to",
            "region",
            "row",
            "version_of_schema",
            "conversion",
        ] {
            assert_eq!(distance(other, "version"), None, "{other}");
        }
        for (slip, wanted) in [
            ("sqe", "seq"),
            ("Seq", "seq"),
            ("se", "seq"),
            ("seqq", "seq"),
        ] {
            assert!(distance(slip, wanted).is_some(), "{slip}");
        }
        for (other, wanted) in [
            ("set", "sequence"),
            ("id", "seq"),
            ("s", "seq"),
            ("eel", "seq"),
        ] {
            assert_eq!(distance(other, wanted), None, "{other}");
        }
    }

    #[test]
    fn edits_are_counted_in_both_directions() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("abc", "bca", 2),
            ("abc", "xyz", 3),
            ("verison", "version", 1),
            ("versoin", "version", 1),
            ("kitten", "sitting", 3),
        ] {
            let (from, to) = (letters(from), letters(to));
            assert_eq!(edits(&from, &to), expected);
            assert_eq!(edits(&to, &from), expected);
        }
    }
}
