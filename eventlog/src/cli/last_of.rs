//! The last so many matches of what can be read but once, and what stands between them.

use std::collections::VecDeque;

use crate::at::Line;
use crate::context::Kept;
use crate::from_end::Matcher;
use crate::input::Visit;
use crate::outcome::Stop;
use crate::scan::Scan;
use crate::trouble::Trouble;

/// How much is kept at most, however many matches were asked for.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Keeps them until they are to be shown.
pub(crate) struct LastOf<'a> {
    wanted: usize,
    matches: usize,
    kept: VecDeque<Item>,
    bytes: usize,
    scan: &'a mut Scan,
}

enum Item {
    Match(Kept),
    Gap(Kept),
    Trouble(Trouble, Vec<u8>),
}

/// What a kept item takes besides its bytes.
const ITEM_BYTES: usize = 200;

impl Item {
    fn len(&self) -> usize {
        ITEM_BYTES
            + match self {
                Self::Match(kept) | Self::Gap(kept) => kept.len(),
                Self::Trouble(_, bytes) => bytes.len(),
            }
    }
}

impl<'a> LastOf<'a> {
    pub(crate) fn new(wanted: usize, scan: &'a mut Scan) -> Self {
        Self {
            wanted,
            matches: 0,
            kept: VecDeque::new(),
            bytes: 0,
            scan,
        }
    }

    /// Shows them, until there is enough.
    pub(crate) fn show(self) -> Result<(), Stop> {
        for item in self.kept {
            if self.scan.is_done().is_some() {
                break;
            }
            match item {
                Item::Match(kept) | Item::Gap(kept) => self.scan.line(kept.line())?,
                Item::Trouble(trouble, bytes) => self.scan.trouble(trouble, &bytes)?,
            }
        }
        Ok(())
    }

    fn keep(&mut self, item: Item) {
        self.bytes += item.len();
        self.matches += usize::from(matches!(item, Item::Match(_)));
        self.kept.push_back(item);
        while self.matches > self.wanted || self.bytes > MAX_BYTES {
            self.drop_first();
        }
    }

    fn drop_first(&mut self) {
        if let Some(gone) = self.kept.pop_front() {
            self.bytes -= gone.len();
            self.matches -= usize::from(matches!(gone, Item::Match(_)));
        }
    }
}

impl Visit for LastOf<'_> {
    fn line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        let matcher = Matcher {
            filter: &self.scan.filter,
            names: &self.scan.names,
            clock: &self.scan.clock,
        };
        if matcher.matches(&line) {
            self.keep(Item::Match(Kept::of(&line)));
        } else if matcher.must_be_told(&line) {
            self.keep(Item::Gap(Kept::of(&line)));
        }
        Ok(())
    }

    fn trouble(&mut self, trouble: Trouble, bytes: &[u8]) -> Result<(), Stop> {
        self.keep(Item::Trouble(trouble, bytes.to_vec()));
        Ok(())
    }
}
