//! `completions`: what a shell needs to complete commands and flags.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::outcome::{Outcome, Stop};

pub(crate) fn run(shell: Shell) -> Result<Outcome, Stop> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "eventlog", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Outcome::Clean)
}
