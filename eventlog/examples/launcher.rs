//! A small process launcher: the kind of program that an event log is for.
//!
//! It supervises child processes. Every start, exit and change of its own phase is an event; its
//! state is what the events add up to. It serves the events on a Unix socket in its data directory,
//! as newline-delimited JSON, and writes them to a log there. To show that nothing is lost, two
//! subscribers of its own follow over that socket. One of them is cut off in mid-stream and comes
//! back; at the end both must have the launcher's state. Ctrl-C and SIGTERM end the processes, and
//! then the run in order. A page shows the same to a browser, at the address that is printed.
//!
//! ```text
//! cargo run --release --example launcher
//! cargo run --release --example launcher -- --stay
//! cargo run --release --example launcher -- --data-dir /tmp/demo -- 'sleep 1' 'exit 3'
//! ```

#[cfg(unix)]
#[path = "launcher/args.rs"]
mod args;
#[cfg(unix)]
#[path = "launcher/children.rs"]
mod children;
#[cfg(unix)]
#[path = "launcher/client.rs"]
mod client;
#[cfg(unix)]
#[path = "launcher/event.rs"]
mod event;
#[cfg(unix)]
#[path = "launcher/lines.rs"]
mod lines;
#[cfg(all(unix, feature = "axum"))]
#[path = "launcher/page.rs"]
mod page;
#[cfg(unix)]
#[path = "launcher/protocol.rs"]
mod protocol;
#[cfg(unix)]
#[path = "launcher/reducer.rs"]
mod reducer;
#[cfg(unix)]
#[path = "launcher/server.rs"]
mod server;
#[cfg(unix)]
#[path = "launcher/session.rs"]
mod session;
#[cfg(unix)]
#[path = "launcher/signals.rs"]
mod signals;
#[cfg(unix)]
#[path = "launcher/state.rs"]
mod state;
#[cfg(unix)]
#[path = "launcher/summary.rs"]
mod summary;

#[cfg(unix)]
#[tokio::main]
async fn main() -> std::process::ExitCode {
    use std::process::ExitCode;

    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(args::Parsed::Run(args)) => args,
        Ok(args::Parsed::Help) => {
            say(args::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("launcher: {error}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    match session::run(&args).await {
        Ok(summary) => {
            say(&summary.to_string());
            if summary.is_sound() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("launcher: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints, also where nothing reads it any more: a reader that went away is no reason to stop.
#[cfg(unix)]
fn say(text: &str) {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).ok();
}

#[cfg(not(unix))]
fn main() {
    eprintln!("launcher: this example serves a Unix socket, and runs on Unix only");
}
