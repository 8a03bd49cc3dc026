//! Judges a recorded history: `judge-history history.jsonl`, or `… | judge-history -`.
//!
//! Ends with 0 if every law held, 1 if one is broken, 2 if the history cannot be judged.

use std::{
    env,
    fs::File,
    io::{self, BufRead, BufReader},
    process::ExitCode,
};

const USAGE: &str = "\
judge-history FILE   judges what clients of a log wrote down; `-` reads a pipe

Lines look like these; the documentation of `model_tests::recorded` says more.
  {\"did\":\"append\",\"client\":\"w1\",\"event\":\"a\",\"outcome\":\"done\"}
  {\"did\":\"start\",\"client\":\"r1\",\"from\":\"oldest\",\"coverage\":\"complete\"}
  {\"did\":\"read\",\"client\":\"r1\",\"event\":\"a\"}
  {\"did\":\"end\",\"client\":\"r1\"}
";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        say(&mut io::stderr(), USAGE);
        return ExitCode::from(2);
    };
    if path == "--help" || path == "-h" {
        say(&mut io::stdout(), USAGE);
        return ExitCode::SUCCESS;
    }
    let lines: Box<dyn BufRead> = if path == "-" {
        Box::new(io::stdin().lock())
    } else {
        match File::open(&path) {
            Ok(file) => Box::new(BufReader::new(file)),
            Err(error) => {
                let text = format!("cannot open {}: {error}\n", path.display());
                say(&mut io::stderr(), &text);
                return ExitCode::from(2);
            }
        }
    };
    match model_tests::recorded::judge(lines) {
        Ok(judgement) => {
            say(&mut io::stdout(), &judgement.to_string());
            ExitCode::from(u8::from(!judgement.broken.is_empty()))
        }
        Err(unreadable) => {
            say(&mut io::stderr(), &format!("{unreadable}\n"));
            ExitCode::from(2)
        }
    }
}

/// Whoever has closed the pipe wants no more.
fn say(to: &mut impl io::Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
