//! The laws as a page to read.

use std::fmt::Write as _;

use super::all::FAMILIES;
use crate::law::Law;

/// The laws as a Markdown page.
///
/// ```
/// # use model_tests::laws;
/// // `LAWS.md` is this.
/// assert!(laws::to_markdown().contains("R04"));
/// ```
#[must_use]
pub fn to_markdown() -> String {
    let mut page = String::from(
        "# The laws\n\nPrinted from the items in `src/laws/`; do not edit. To print it anew: \
         `cargo run -p versioned-eventlog-tests --example laws > model-tests/LAWS.md`\n",
    );
    for family in FAMILIES {
        let _ = write!(page, "\n## {}\n", family.name);
        for law in family.laws {
            page += &section(law);
        }
    }
    page
}

fn section(law: &Law) -> String {
    let Law {
        id,
        name,
        statement,
        why,
        bug,
        needs,
        ..
    } = law;
    let mut section =
        format!("\n### {id} {name}\n\n{statement}\n\n*Why.* {why}\n\n*On record.* {bug}\n");
    if !needs.is_empty() {
        let needs: Vec<_> = needs.iter().map(|need| format!("`{need:?}`")).collect();
        let _ = write!(section, "\n*Needs.* {}\n", needs.join(", "));
    }
    section
}
