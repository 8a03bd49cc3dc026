//! A feed as the log: what another process serves, instead of files.

mod client;
mod http;
mod items;
mod sse;
mod told;
mod url;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use eventlog::serve::Address;
use eventlog::{Cursor, Start};

use self::client::Client;
use self::url::Url;
use crate::args::{ShowArgs, TailArgs};
use crate::outcome::{Outcome, Stop};
use crate::position::PositionFile;
use crate::show::{scan_with, tell};
use crate::tail::{limits, wanted};
use crate::when::Bound;

/// Who has not answered by then is not waited for any more.
const ANSWER: Duration = Duration::from_secs(10);

fn no_answer() -> String {
    format!("no feed has answered for {} seconds", ANSWER.as_secs())
}

/// Where a feed is served.
pub(crate) enum Served {
    /// On a socket.
    Socket(Address),
    /// As server-sent events.
    Http(Url),
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Http(url) => url.fmt(f),
        }
    }
}

/// The address in a `PATH`, if it is one. A file of such a name is `./tcp:…`.
pub(crate) fn address(path: &Path) -> Result<Option<Served>, Stop> {
    if let Some(url) = Url::of(path)? {
        return Ok(Some(Served::Http(url)));
    }
    let begins = |with: &str| {
        path.as_os_str()
            .as_encoded_bytes()
            .starts_with(with.as_bytes())
    };
    if !begins("unix:") && !begins("tcp:") {
        return Ok(None);
    }
    let address = path.to_str().and_then(|text| text.parse().ok());
    let none = || {
        let path = path.display();
        Stop::Usage(format!(
            "{path} is no address of a feed: expected `tcp:host:port`, or on Unix \
             `unix:/path/of/the/socket`; a file of that name is `./{path}`"
        ))
    };
    address.map(Served::Socket).map(Some).ok_or_else(none)
}

/// Of a command that needs files.
pub(crate) fn refuse(command: &str, path: &Path) -> Result<(), Stop> {
    match address(path)? {
        None => Ok(()),
        Some(address) => Err(Stop::Usage(format!(
            "{command} needs the files of a log, and {address} is a feed, of which `eventlog show` \
             shows what is there and `eventlog tail -f` what comes"
        ))),
    }
}

/// What is there, and then the end.
pub(crate) fn show(address: &Served, args: &ShowArgs) -> Result<Outcome, Stop> {
    let mut scan = scan_with(None, &args.filter, &args.view, args.context)?;
    let mut client = Client::connect(address, start(args.filter.since), false)?;
    let heard = match args.lines {
        None | Some(usize::MAX) => client.replay(&mut scan),
        Some(wanted) => client.replay_last(wanted, &mut scan),
    };
    // What was heard is shown, also where it broke off.
    scan.end()?;
    heard?;
    tell(scan.found);
    Ok(scan.found.outcome_of_showing())
}

/// The end of what is there, and what comes.
pub(crate) fn tail(address: &Served, args: &TailArgs) -> Result<Outcome, Stop> {
    let mut scan = scan_with(None, &args.filter, &args.view, 0)?;
    scan.limits = limits(args);
    let mut file = args.position_file.as_deref().map(PositionFile::new);
    let position: Option<Cursor> = match &file {
        Some(file) => file.read()?,
        None => None,
    };
    let from = position.map_or_else(|| start(args.filter.since), Start::Cursor);
    let mut client = Client::connect(address, from, args.follow)?;
    if position.is_none() && args.lines < usize::MAX {
        let heard = client.replay_last(wanted(args), &mut scan);
        scan.end()?;
        heard?;
    }
    let outcome = client.run(&mut scan, file.as_mut());
    scan.printer.finish(&scan.clock)?;
    let outcome = outcome?;
    if !args.follow {
        tell(scan.found);
    }
    Ok(outcome)
}

fn start(since: Option<Bound>) -> Start {
    match since {
        Some(Bound::Cursor(cursor)) => Start::Cursor(cursor),
        // The version itself is in the range.
        Some(Bound::Version(version)) => version.checked_sub(1).map_or(Start::Oldest, Start::After),
        Some(Bound::Time(_)) | None => Start::Oldest,
    }
}
