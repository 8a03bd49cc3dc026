//! A feed as the log: what another process serves on a socket, instead of files.

mod client;

use std::path::Path;

use eventlog::serve::Address;
use eventlog::{Cursor, Start};

use self::client::Client;
use crate::args::{ShowArgs, TailArgs};
use crate::outcome::{Outcome, Stop};
use crate::position::PositionFile;
use crate::show::{scan_with, tell};
use crate::tail::{limits, wanted};
use crate::when::Bound;

/// The address in a `PATH`, if it is one. A file of such a name is `./tcp:…`.
pub(crate) fn address(path: &Path) -> Result<Option<Address>, Stop> {
    let begins = |with: &str| {
        path.as_os_str()
            .as_encoded_bytes()
            .starts_with(with.as_bytes())
    };
    if begins("http://") || begins("https://") {
        return Err(Stop::Usage(
            "a stream of server-sent events is not read over HTTP: where it is served, serve the \
             feed on a socket too (`serve_unix` or `serve_tcp`), and name `unix:/path/of/the/socket` \
             or `tcp:host:port`"
                .to_owned(),
        ));
    }
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
    address.map(Some).ok_or_else(none)
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
pub(crate) fn show(address: Address, args: &ShowArgs) -> Result<Outcome, Stop> {
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
pub(crate) fn tail(address: Address, args: &TailArgs) -> Result<Outcome, Stop> {
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
    let outcome = client.run(&mut scan, file.as_mut())?;
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
