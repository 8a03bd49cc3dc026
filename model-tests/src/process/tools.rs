//! What the machine lets the suite do.

use std::{
    process::{Command, Output},
    sync::OnceLock,
};

/// Runs a tool to its end; what it says if it cannot be run or fails.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let command = || format!("`{program} {}`", arguments.join(" "));
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{}: {error}", command()))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).trim().to_owned());
    }
    let stderr = String::from_utf8_lossy(&stderr);
    Err(format!("{}: {status}: {}", command(), stderr.trim()))
}

/// Whether system calls can be traced; if not, why.
pub(crate) fn strace() -> Result<(), String> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let look = || {
        run(
            "strace",
            &["-f", "-qq", "-y", "-xx", "-o", "/dev/null", "true"],
        )
        .map(drop)
    };
    FOUND.get_or_init(look).clone()
}

/// Whether the size of files can be limited from outside; if not, why.
pub(crate) fn prlimit() -> Result<(), String> {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let look = || {
        run("prlimit", &["--version"])?;
        run("sh", &["-c", "trap '' XFSZ"]).map(drop)
    };
    FOUND.get_or_init(look).clone()
}

/// Lets the files of a process grow to so many bytes.
pub(crate) fn limit_files(process: u32, bytes: u64) -> Result<(), String> {
    let (process, limit) = (process.to_string(), format!("--fsize={bytes}:"));
    run("prlimit", &["--pid", &process, &limit]).map(drop)
}

/// Ends a process at once. It is one that the suite has started.
pub(super) fn kill(process: u32) -> Result<(), String> {
    run("sh", &["-c", &format!("kill -KILL {process}")]).map(drop)
}
