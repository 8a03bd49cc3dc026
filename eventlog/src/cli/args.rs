//! Commands and flags.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use regex::bytes::Regex;

use crate::event::Names;
use crate::filter::Filter;
use crate::format::{Format, Pattern};
use crate::style::ColorChoice;
use crate::when::Bound;

/// Shows what a program was doing right before it died, and when.
///
/// PATH is the log of any program that writes an event per line of JSON: `events.log`, with the
/// full files `events.log.old`… and the marks `events.log.marks` beside it, where there are any.
/// `-` is standard input. For `show` and `tail` it may be a feed that a program serves:
/// `unix:/path/of/the/socket`, `tcp:host:port` or `http://host:port/path`. Nothing is ever changed,
/// except by `repair --write`.
#[derive(Parser, Debug)]
#[command(name = "eventlog", version, max_term_width = 80)]
#[command(after_help = "`eventlog PATH` is `eventlog show PATH`.

Exit codes: 0 all is well; 1 nothing matched; 2 wrong usage; 3 damage found
(verify, tail --until-damage); 4 gaps found (verify --strict); 5 there is no
log, or it cannot be read, or a writer holds it, or a feed does not answer; 141
the reader of the output is gone.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show events: the last 20, or all that the filters let pass
    Show(ShowArgs),
    /// Show the last 10, and with -f those to come
    Tail(TailArgs),
    /// Check every line of every file, the order of versions, and the checksums of the marks
    Verify(VerifyArgs),
    /// Count events by type and over time, gaps, restarts and damage
    Stats(StatsArgs),
    /// Say what opening the log would mend; with --write, do it
    Repair(RepairArgs),
    /// Show the log in a browser, as it is written
    Serve(ServeArgs),
    /// Write the completions of a shell: eventlog completions bash
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

const SHOW_EXAMPLES: &str = "Examples:
  eventlog show events.log                       the last 20
  eventlog show --since '5 min ago' events.log   what happened lately
  eventlog show --since 14:03 --until 14:05 events.log
  eventlog show --since 4711 events.log          from version 4711 on
  eventlog show --type failed,exited -C 3 events.log
  eventlog show -g 'pid.:71[0-9]' -n 5 events.log
  eventlog show -o json events.log | jq .event
  eventlog show --template '{time} {type} {user.name}' events.log
  zcat events.log.gz | eventlog show -
  eventlog show unix:/run/app/log.sock           what a feed still has
  eventlog show http://127.0.0.1:8080/events     the same of one for browsers

Times are those of writing, from the marks, or else of the event's own field.
`~` before one is about then, `≤` then or before, `>` after that.";

const TAIL_EXAMPLES: &str = "Examples:
  eventlog tail -f events.log                    the last 10, and what comes
  eventlog tail -f --type failed events.log
  eventlog tail -f -n all -o json events.log | my-indexer
  eventlog tail --position-file seen events.log  what is new since the last time
  eventlog tail -f --position-file seen -o raw events.log | my-consumer
  eventlog tail -f tcp:127.0.0.1:7070            what another process serves

With a position file each line is written out before the position after it is,
so that none is lost; after a crash the last one may come again.";

#[derive(Args, Debug)]
#[command(after_help = SHOW_EXAMPLES)]
pub(crate) struct ShowArgs {
    /// The log, or `-`, or a feed: `unix:/path/of/the/socket`, `tcp:host:port`,
    /// `http://host:port/path`
    pub(crate) path: PathBuf,
    /// Show only the last N matches, or `all` (default: 20 of a log without a filter)
    #[arg(short = 'n', long, value_name = "N", value_parser = count)]
    pub(crate) lines: Option<usize>,
    /// Show so many lines before and after each match
    #[arg(short = 'C', long, value_name = "N", default_value_t = 0)]
    pub(crate) context: usize,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Args, Debug)]
#[command(after_help = TAIL_EXAMPLES)]
pub(crate) struct TailArgs {
    /// The log, which need not exist yet if it is followed, or a feed:
    /// `unix:/path/of/the/socket`, `tcp:host:port`, `http://host:port/path`
    pub(crate) path: PathBuf,
    /// Go on with what comes, through rotations and restarts
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Begin with the last N matches, or `all`
    #[arg(short = 'n', long, value_name = "N", value_parser = count, default_value = "10")]
    pub(crate) lines: usize,
    /// Go on after the position in this file, and write it there after each line
    #[arg(long, value_name = "FILE")]
    pub(crate) position_file: Option<PathBuf>,
    /// End after so many matches
    #[arg(long, value_name = "N")]
    pub(crate) exit_after: Option<u64>,
    /// End with code 3 at the first damage
    #[arg(long)]
    pub(crate) until_damage: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    #[command(flatten)]
    pub(crate) view: ViewArgs,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// The log
    pub(crate) path: PathBuf,
    /// Do not look at versions
    #[arg(long)]
    pub(crate) fast: bool,
    /// Gaps count too: they end with code 4
    #[arg(long)]
    pub(crate) strict: bool,
    /// One JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// The field that holds the version
    #[arg(long, value_name = "NAME")]
    pub(crate) version_field: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct StatsArgs {
    /// The log, or `-`
    pub(crate) path: PathBuf,
    /// Count by this field instead of the type
    #[arg(long, value_name = "FIELD")]
    pub(crate) by: Option<String>,
    /// One JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// Times in UTC instead of the local zone
    #[arg(long)]
    pub(crate) utc: bool,
}

const SERVE_HELP: &str =
    "It listens on this machine only, unless --listen says otherwise. The address that
it prints holds a key, and nobody who does not know the key is shown anything.
From elsewhere: ssh -L 8080:127.0.0.1:8080 HOST eventlog serve --listen \
127.0.0.1:8080 events.log";

#[derive(Args, Debug)]
#[command(after_help = SERVE_HELP)]
pub(crate) struct ServeArgs {
    /// The log, which need not exist yet
    pub(crate) path: PathBuf,
    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Begin with the last N matches, or `all`
    #[arg(short = 'n', long, value_name = "N", value_parser = count, default_value = "1000")]
    pub(crate) lines: usize,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

const REPAIR_HELP: &str =
    "Without --write nothing is changed. With it, the log is mended as the writer
would when it opens it, and not while a writer holds it: an unfinished last line
goes to events.log.torn. With --drop-damaged, lines that are no JSON are left out
of a new file too. The file as it was stays as events.log.bak, or where that is
taken, events.log.bak.2 and so on.";

#[derive(Args, Debug)]
#[command(after_help = REPAIR_HELP)]
pub(crate) struct RepairArgs {
    /// The log
    pub(crate) path: PathBuf,
    /// Do it
    #[arg(long)]
    pub(crate) write: bool,
    /// Leave out lines that are no JSON too
    #[arg(long)]
    pub(crate) drop_damaged: bool,
}

/// `all`, or a number.
fn count(text: &str) -> Result<usize, String> {
    if text == "all" {
        return Ok(usize::MAX);
    }
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| "expected a number above 0, or `all`".to_owned())
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// From this time or version on, or after this cursor
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(crate) since: Option<Bound>,
    /// Up to this time or version
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    pub(crate) until: Option<Bound>,
    /// Only events of these types
    #[arg(short, long = "type", value_name = "A,B", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Only events whose line matches
    #[arg(short, long, value_name = "REGEX")]
    pub(crate) grep: Option<Regex>,
    /// The field that holds the type (default: the usual ones)
    #[arg(long, value_name = "NAME")]
    pub(crate) type_field: Option<String>,
    /// The field that holds the version
    #[arg(long, value_name = "NAME")]
    pub(crate) version_field: Option<String>,
    /// The field that holds the time, which then counts more than the marks
    #[arg(long, value_name = "NAME")]
    pub(crate) time_field: Option<String>,
}

impl FilterArgs {
    /// The bound to begin at, where it is for the marks to tell: a field may tell other times.
    pub(crate) fn since_by_marks(&self) -> Option<Bound> {
        self.since
            .filter(|since| !matches!(since, Bound::Time(_)) || self.time_field.is_none())
    }

    pub(crate) fn filter(&self) -> Filter {
        Filter::new(
            self.types.clone(),
            self.grep.clone(),
            self.since,
            self.until,
        )
    }

    pub(crate) fn names(&self) -> Names {
        Names {
            type_field: self.type_field.clone(),
            version_field: self.version_field.clone(),
        }
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct ViewArgs {
    /// The form of the output
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// A line per event: {time} {version} {type} {seq} {file} {line} {offset} {json}, any field
    /// {name} or {outer.inner}, and \t \n \0
    #[arg(long, value_name = "TEXT", required_if_eq("output", "template"))]
    pub(crate) template: Option<Pattern>,
    /// Times in UTC instead of the local zone
    #[arg(long)]
    pub(crate) utc: bool,
    /// Do not cut rows to the width of the terminal
    #[arg(short = 'l', long)]
    pub(crate) full: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
}
