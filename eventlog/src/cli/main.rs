//! `eventlog`: what a program was doing right before it died, and when.
//!
//! It reads the log of any program: an event is a line of JSON, whose type and version it finds by
//! itself. It uses what everybody can use of the library, and nothing else of it.

mod args;
mod at;
mod begin;
mod clock;
mod completions;
mod context;
mod event;
mod filter;
mod format;
mod from_end;
mod input;
mod last_of;
mod live;
mod lock;
mod outcome;
mod output;
mod position;
mod progress;
mod rate;
mod repair;
mod row;
mod scan;
mod serve;
mod show;
mod stats;
mod story;
mod style;
mod tail;
mod text;
mod trouble;
mod verify;
mod when;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::outcome::{Outcome, Stop};

fn main() -> ExitCode {
    let cli = Cli::parse_from(with_default_command(std::env::args_os().collect()));
    match run(cli.command) {
        Ok(outcome) => outcome.code(),
        Err(stop) => stop.tell(),
    }
}

fn run(command: Command) -> Result<Outcome, Stop> {
    match command {
        Command::Show(args) => show::run(&args),
        Command::Tail(args) => tail::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Repair(args) => repair::run(&args),
        Command::Serve(args) => serve::run(args),
        Command::Completions { shell } => completions::run(shell),
    }
}

/// `eventlog PATH` is `eventlog show PATH`.
fn with_default_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let named = |text: &str| {
        let command = <Cli as clap::CommandFactory>::command();
        command.find_subcommand(text).is_some() || text == "help"
    };
    let is_own = |text: &str| matches!(text, "-h" | "--help" | "-V" | "--version") || named(text);
    if let Some(first) = args.get(1)
        && !first.to_str().is_some_and(is_own)
    {
        args.insert(1, "show".into());
    }
    args
}
