//! Where the lines come from, each of them lent to whoever wants it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use eventlog::disk::{self, Lines};

use crate::at::{At, Line};
use crate::filter::Search;
use crate::outcome::Stop;
use crate::trouble::{Trouble, What};

/// Longer lines are damage, so that no line takes much memory.
pub(crate) const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// What wants lines.
pub(crate) trait Visit {
    fn line(&mut self, line: Line<'_>) -> Result<(), Stop>;
    fn trouble(&mut self, trouble: Trouble, bytes: &[u8]) -> Result<(), Stop>;

    /// What every line holds that it wants, if there is such a thing.
    fn search(&self) -> Option<Search> {
        None
    }
}

/// What a `PATH` is.
pub(crate) enum Source {
    Log(PathBuf),
    /// Standard input, or a pipe with a name.
    Stream(Box<dyn Read>),
}

impl Source {
    pub(crate) fn at(path: &Path) -> Result<Self, Stop> {
        if path == Path::new("-") {
            return Ok(Self::Stream(Box::new(io::stdin())));
        }
        match path.metadata() {
            Ok(found) if found.is_dir() => {
                Err(no_log(path, "it is a directory: name the log in it"))
            }
            Ok(found) if found.is_file() => Ok(Self::Log(path.to_path_buf())),
            Ok(_) => match File::open(path) {
                Ok(pipe) => Ok(Self::Stream(Box::new(pipe))),
                Err(error) => Err(no_log(path, &error.to_string())),
            },
            Err(_) if has_full_file(path) => Ok(Self::Log(path.to_path_buf())),
            Err(error) => Err(no_log(path, &error.to_string())),
        }
    }
}

fn no_log(path: &Path, why: &str) -> Stop {
    Stop::NoLog(format!("there is no log at {}: {why}", path.display()))
}

/// Between two files, or after somebody removed the current one, there is only the full one.
fn has_full_file(path: &Path) -> bool {
    let mut full = path.as_os_str().to_owned();
    full.push(".old");
    Path::new(&full).exists()
}

/// All lines of the log.
pub(crate) fn all_lines(path: &Path) -> Lines {
    disk::lines(path).max_line_bytes(MAX_LINE_BYTES)
}

pub(crate) fn visit_lines(mut lines: Lines, visit: &mut impl Visit) -> Result<(), Stop> {
    let search = visit.search();
    loop {
        let line = match &search {
            Some(search) => lines.next_match(|bytes| search.find(bytes)),
            None => lines.next_line(),
        };
        match line {
            Some(Ok(line)) => visit.line(line.into())?,
            Some(Err(damage)) => visit.trouble((&damage).into(), lines.damaged())?,
            None => return Ok(()),
        }
    }
}

/// The lines of a stream. Its last one needs no newline.
pub(crate) fn visit_stream(stream: Box<dyn Read>, visit: &mut impl Visit) -> Result<(), Stop> {
    let mut stream = BufReader::with_capacity(128 * 1024, stream);
    let (mut number, mut offset) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let (len, ends) = match read_line(&mut stream, &mut line) {
            Ok(read) => read,
            Err(error) => {
                let text = format!("it cannot be read ({error})");
                return visit.trouble(trouble(number, offset, 0, What::Unreadable, text), &[]);
            }
        };
        number += 1;
        if len > MAX_LINE_BYTES as u64 {
            let text = format!("the line is longer than {MAX_LINE_BYTES} bytes; it was skipped");
            visit.trouble(trouble(number, offset, len, What::TooLong, text), &[])?;
        } else if len > 0 || !ends {
            // A file system leaves zeros for what it lost; what stands after them was written later.
            let start = memchr::memrchr(0, &line).map_or(0, |zero| zero + 1);
            if start > 0 {
                let text = "zero bytes in place of what was written; they were skipped";
                let zeros = trouble(number, offset, start as u64, What::Zeros, text.to_owned());
                visit.trouble(zeros, &line[..start])?;
            }
            if start == 0 || start < line.len() {
                let offset = offset + start as u64;
                let at = At::Input { number, offset };
                visit.line(Line {
                    at,
                    bytes: &line[start..],
                })?;
            }
        }
        offset += len + 1;
        if ends {
            return Ok(());
        }
    }
}

/// Reads a line into memory, as far as it is not too long. How long it is, and whether the stream
/// ends with it.
fn read_line(stream: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<(u64, bool)> {
    let mut len = 0;
    loop {
        let bytes = match stream.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        if bytes.is_empty() {
            return Ok((len, true));
        }
        let newline = memchr::memchr(b'\n', bytes);
        let text = &bytes[..newline.unwrap_or(bytes.len())];
        len += text.len() as u64;
        if len <= MAX_LINE_BYTES as u64 {
            line.extend_from_slice(text);
        }
        let used = text.len() + usize::from(newline.is_some());
        stream.consume(used);
        if newline.is_some() {
            return Ok((len, false));
        }
    }
}

fn trouble(line: u64, offset: u64, len: u64, what: What, text: String) -> Trouble {
    Trouble {
        file: "-".into(),
        line: Some(line),
        offset,
        len,
        what,
        text,
    }
}
