//! An adapter is short: at most 40 lines for a log in memory, with its subscriptions, and 60 for one
//! with files. Counted is what an example has after the line that says so, without comments.

use std::{fs, path::Path};

const MARK: &str = "// ---- the adapter";

#[test]
fn adapters_of_the_examples_are_short() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut counted = Vec::new();
    for folder in ["", "channel", "foreign"] {
        for entry in fs::read_dir(examples.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap_or_default();
            let Some((_, adapter)) = text.split_once(MARK) else {
                continue;
            };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let has_files = adapter.contains("fn read_back");
            let most = if has_files { 60 } else { 40 };
            let lines = code(adapter);
            println!("{name}: {lines} lines");
            assert!(
                lines <= most,
                "{name}: {lines} lines, and {most} are the most"
            );
            counted.push(name);
        }
    }
    assert!(counted.len() >= 7, "only {counted:?}");
}

/// How many lines of code there are, up to the next part of the file.
fn code(adapter: &str) -> usize {
    let lines = adapter.lines().skip(1).map(str::trim);
    let own = lines.take_while(|line| !line.starts_with("// ----"));
    own.filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}
