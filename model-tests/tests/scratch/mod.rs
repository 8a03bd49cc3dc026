//! A crate outside of the workspace, compiled the way a user's is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A package with one dependency, `eventlog`, and one source file.
///
/// It is built without a network, from the workspace's lock file, and in a target directory of
/// its own, so that it never waits for the `cargo test` that runs it.
pub struct Scratch {
    package: PathBuf,
}

impl Scratch {
    /// `name` is one of a test, so that tests do not compile each other's source.
    pub fn new(name: &str) -> Self {
        let package = root().join(name);
        fs::create_dir_all(package.join("src")).expect("the target directory can be written");
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        fs::copy(workspace.join("Cargo.lock"), package.join("Cargo.lock"))
            .expect("the workspace has a lock file");
        let eventlog = workspace.join("eventlog");
        fs::write(package.join("Cargo.toml"), manifest(name, &eventlog))
            .expect("the target directory can be written");
        Self { package }
    }

    /// Compiles `source` with optimisation, and with more arguments for `rustc`.
    pub fn compile(&self, source: &str, arguments: &[&str]) -> Output {
        fs::write(self.package.join("src/lib.rs"), source)
            .expect("the target directory can be written");
        Command::new(env!("CARGO"))
            .args([
                "rustc",
                "--offline",
                "--release",
                "--lib",
                "--message-format",
                "short",
            ])
            .arg("--manifest-path")
            .arg(self.package.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(root().join("target"))
            .arg("--")
            .args(arguments)
            // What was meant for the tests themselves is not meant for their subject.
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("RUSTFLAGS")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .output()
            .expect("cargo runs")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("scratch")
}

/// The dependencies are compiled without optimisation: it saves time, and the code under test
/// must be good without any help from theirs.
fn manifest(name: &str, eventlog: &Path) -> String {
    format!(
        r#"
[package]
name = "{name}"
version = "0.0.0"
edition = "2024"

[dependencies]
eventlog = {{ package = "versioned-eventlog", path = '{}', default-features = false, features = ["derive"] }}

[lints.rust]
unexpected_cfgs = "allow"

[profile.release]
codegen-units = 1
package."*".opt-level = 0

[workspace]
"#,
        eventlog.display()
    )
}
