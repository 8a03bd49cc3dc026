//! The command line.

use std::{ffi::OsString, path::PathBuf};

pub const HELP: &str = "\
A small process launcher that logs, serves and replays what it does.

Usage: launcher [OPTIONS] [-- COMMAND...]

Each COMMAND is one string for the shell, and runs as a process of its own.
Without any, a handful of short ones run. Ctrl-C ends them, and then the run.

Options:
  --data-dir DIR   where the socket and the log are [default: target/launcher]
  --acks           print `durable VERSION` for each version that is on disk
  --no-clients     do not run the two subscribers that check the replay
  --stay           go on until Ctrl-C, also when all processes have ended
  -h, --help       print this help

Examples:
  launcher
  launcher --data-dir /tmp/demo -- 'sleep 1' 'exit 3' 'kill -9 $$'
";

/// Commands that end in every way that a process can.
const SAMPLES: [&str; 12] = [
    "true",
    "false",
    "sleep 0.05",
    "exit 3",
    "kill -9 $$",
    "kill -TERM $$",
    "echo hello",
    "sleep 0.02; exit 1",
    "/no/such/program",
    "sleep 0.1",
    "test -d /",
    "date",
];

pub struct Args {
    pub data_dir: PathBuf,
    pub acks: bool,
    pub clients: bool,
    pub stay: bool,
    pub commands: Vec<String>,
}

pub enum Parsed {
    Run(Args),
    Help,
}

pub fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Parsed, String> {
    let mut args = Args {
        data_dir: PathBuf::from("target/launcher"),
        acks: false,
        clients: true,
        stay: false,
        commands: SAMPLES.map(str::to_owned).to_vec(),
    };
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("-h" | "--help") => return Ok(Parsed::Help),
            Some("--acks") => args.acks = true,
            Some("--no-clients") => args.clients = false,
            Some("--stay") => args.stay = true,
            Some("--data-dir") => {
                let directory = words
                    .next()
                    .ok_or("--data-dir needs a directory after it")?;
                args.data_dir = PathBuf::from(directory);
            }
            Some("--") => {
                args.commands = words.map(as_text).collect::<Result<_, _>>()?;
                break;
            }
            _ => {
                let word = word.display();
                return Err(format!("unknown option `{word}`; commands go after `--`"));
            }
        }
    }
    Ok(Parsed::Run(args))
}

fn as_text(command: OsString) -> Result<String, String> {
    command.into_string().map_err(|command| {
        let command = command.display();
        format!(
            "the command `{command}` is not UTF-8, as the log of commands is; spell it in UTF-8"
        )
    })
}
