//! What `strace` has seen, as calls.

use std::{collections::HashMap, ffi::OsString, path::PathBuf};

/// The calls that change files, and those that would change them unseen.
pub(super) const CALLS: [&str; 38] = [
    "open",
    "openat",
    "openat2",
    "creat",
    "close",
    "lseek",
    "dup",
    "dup2",
    "dup3",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "sync",
    "syncfs",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "truncate",
    "ftruncate",
    "mkdir",
    "mkdirat",
    "rmdir",
    "link",
    "linkat",
    "symlink",
    "fallocate",
    "mmap",
    "io_uring_setup",
    "copy_file_range",
    "sendfile",
    "splice",
];

/// A call that has returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    /// What it returned; below zero after an error.
    pub(super) result: i64,
}

/// An argument, as far as it is understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Argument {
    /// A descriptor, and the path of what it is open on.
    File(i64, PathBuf),
    /// A string, or the strings of a vector, one after the other.
    Bytes(Vec<u8>),
    Number(i64),
    /// Flags and the like.
    Word(String),
}

/// The calls of a trace, in the order in which they returned. Parts of lines that another thread
/// has interrupted are put together.
pub(super) fn parse(text: &str) -> Vec<Call> {
    let mut begun: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start);
        } else if rest.starts_with("<... ") {
            let end = rest.split_once(" resumed>").map(|(_, end)| end);
            if let (Some(start), Some(end)) = (begun.remove(thread), end) {
                calls.extend(call(&format!("{start}{end}")));
            }
        } else {
            calls.extend(call(rest));
        }
    }
    calls
}

/// `name(arguments) = result …`
fn call(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    let digits = result
        .split(|c: char| c != '-' && !c.is_ascii_alphanumeric())
        .next()?;
    let result = number(digits).unwrap_or(-1);
    Some(Call {
        name: name.into(),
        arguments: split(arguments).map(argument).collect(),
        result,
    })
}

/// The arguments, where no bracket and no string is open.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let mut quoted = false;
    // Within strings and paths all is written in hexadecimal, so a quote always ends one.
    let parts = text.split(move |c| {
        match c {
            '"' => quoted = !quoted,
            '[' | '{' | '<' if !quoted => depth += 1,
            ']' | '}' | '>' if !quoted => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0 && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn argument(text: &str) -> Argument {
    if text.starts_with('"') || text.starts_with("[{iov_base=") {
        let strings = text.split('"').skip(1).step_by(2);
        return Argument::Bytes(strings.flat_map(bytes).collect());
    }
    if let Some((descriptor, path)) = text.split_once('<') {
        let deleted = path.ends_with("(deleted)");
        let path = path.split('>').next().unwrap_or_default();
        let mut path = bytes(path);
        if deleted {
            path.clear();
        }
        return Argument::File(number(descriptor).unwrap_or(-1), os(path).into());
    }
    match number(text) {
        Some(number) => Argument::Number(number),
        None => Argument::Word(text.into()),
    }
}

fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// What is written as `\x2f\x74…`; other characters stand for themselves.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hex = rest
            .strip_prefix("\\x")
            .and_then(|digits| digits.get(..2))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let taken = if let Some(byte) = hex {
            bytes.push(byte);
            4
        } else {
            bytes.extend_from_slice(first.to_string().as_bytes());
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    bytes
}

#[cfg(unix)]
fn os(bytes: Vec<u8>) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;
    OsString::from_vec(bytes)
}

#[cfg(not(unix))]
fn os(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

impl Call {
    /// The path of the descriptor that is this argument.
    pub(super) fn file(&self, at: usize) -> Option<(i64, &PathBuf)> {
        match self.arguments.get(at)? {
            Argument::File(descriptor, path) => Some((*descriptor, path)),
            _ => None,
        }
    }

    /// The path that this argument and, where it is relative, the directory before it say.
    pub(super) fn path(&self, at: usize) -> Option<PathBuf> {
        let Argument::Bytes(name) = self.arguments.get(at)? else {
            return None;
        };
        let name = PathBuf::from(os(name.clone()));
        let dir = at.checked_sub(1).and_then(|before| self.file(before));
        Some(match dir {
            Some((_, dir)) => dir.join(name),
            None => name,
        })
    }

    pub(super) fn bytes(&self, at: usize) -> Option<&[u8]> {
        match self.arguments.get(at)? {
            Argument::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(super) fn number(&self, at: usize) -> Option<i64> {
        match self.arguments.get(at)? {
            Argument::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether one of the words in this argument is `word`.
    pub(super) fn has(&self, at: usize, word: &str) -> bool {
        match self.arguments.get(at) {
            Some(Argument::Word(words)) => words.split('|').any(|has| has == word),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_put_together_and_in_the_order_of_their_returns() {
        let text = concat!(
            "7  openat(AT_FDCWD<\\x2f\\x61>, \"\\x62\", O_WRONLY|O_CREAT|O_APPEND, 0600) = 3<\\x2f\\x61\\x2f\\x62>\n",
            "7  write(3<\\x2f\\x61\\x2f\\x62>, \"\\x2c\\x22\\x0a\", 3 <unfinished ...>\n",
            "8  fdatasync(3<\\x2f\\x61\\x2f\\x62>) = -1 EIO (Input/output error) (INJECTED)\n",
            "7  <... write resumed>)                = 2\n",
            "7  writev(3<\\x2f\\x62>(deleted), [{iov_base=\"\\x61\", iov_len=1}, {iov_base=\"\\x62\", iov_len=1}], 2) = 2\n",
        );
        let calls = parse(text);
        let names: Vec<_> = calls.iter().map(|call| &call.name[..]).collect();
        assert_eq!(names, ["openat", "fdatasync", "write", "writev"]);
        assert_eq!(calls[0].path(1), Some("/a/b".into()));
        assert!(calls[0].has(2, "O_APPEND") && !calls[0].has(2, "O_SYNC"));
        assert_eq!((calls[1].result, calls[0].result), (-1, 3));
        assert_eq!(calls[2].bytes(1), Some(&b",\"\n"[..]));
        assert_eq!(calls[2].result, 2);
        assert_eq!(calls[3].file(0), Some((3, &PathBuf::new())));
        assert_eq!(calls[3].bytes(1), Some(&b"ab"[..]));
    }
}
