//! The file that keeps where a reader stands.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use eventlog::disk::Position;

use crate::outcome::Stop;

pub(crate) struct PositionFile {
    path: PathBuf,
    tmp: PathBuf,
    written: Option<Position>,
}

impl PositionFile {
    pub(crate) fn new(path: &Path) -> Self {
        let mut tmp = path.as_os_str().to_owned();
        tmp.push(".tmp");
        Self {
            path: path.to_path_buf(),
            tmp: tmp.into(),
            written: None,
        }
    }

    /// The position in the file; `None` if there is no file yet, or an empty one.
    pub(crate) fn read(&self) -> Result<Option<Position>, Stop> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.fails("read", &error.to_string())),
        };
        match text.trim() {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|error| self.fails("used", &format!("{error}"))),
        }
    }

    /// Writes the position, if it is another. Whoever reads meanwhile finds the old one or the new.
    pub(crate) fn write(&mut self, position: Position) -> Result<(), Stop> {
        if self.written == Some(position) {
            return Ok(());
        }
        let written = fs::write(&self.tmp, format!("{position}\n"));
        written
            .and_then(|()| fs::rename(&self.tmp, &self.path))
            .map_err(|error| self.fails("written", &error.to_string()))?;
        self.written = Some(position);
        Ok(())
    }

    fn fails(&self, what: &str, why: &str) -> Stop {
        let path = self.path.display();
        Stop::NoLog(format!("the position file {path} cannot be {what}: {why}"))
    }
}
