//! A NATS server on loopback, with a directory of its own, that ends with the test.

use std::{
    env,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// More than any correct run takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The program: `NATS_SERVER`, or the one on the path.
fn program() -> Option<PathBuf> {
    let given = env::var_os("NATS_SERVER").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut names = given
        .into_iter()
        .chain(env::split_paths(&path).map(|directory| directory.join("nats-server")));
    names.find(|name| name.is_file())
}

/// A server's process, which does not outlive this one, whatever happens to that.
struct Process {
    child: Child,
    /// Waits for its input to end, as it does with this process, and kills the server then.
    guard: Child,
}

pub struct Server {
    process: Process,
    pub port: u16,
    pub directory: TempDir,
    arguments: Vec<String>,
}

impl Server {
    /// `None`, and says so, where there is no server to start.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    pub fn start_with(arguments: &[&str]) -> Option<Self> {
        program().map_or_else(
            || {
                println!("NOT RUN: there is no `nats-server` (Debian has it as a package)");
                None
            },
            |_| Some(Self::try_start_with(arguments).unwrap()),
        )
    }

    /// `None` where there is none, or it does not start with these.
    pub fn try_start_with(arguments: &[&str]) -> Option<Self> {
        program()?;
        let directory = tempfile::tempdir().unwrap();
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        // Another program may take the port between this look and the server's.
        for _ in 0..5 {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            drop(listener);
            let mut process = launch(port, &directory, &arguments);
            if is_up(port, &mut process.child) {
                return Some(Self {
                    process,
                    port,
                    directory,
                    arguments,
                });
            }
        }
        None
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        self.process.end();
    }

    pub fn restart(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        // Somebody may have the port for a moment.
        loop {
            self.process = launch(self.port, &self.directory, &self.arguments);
            if is_up(self.port, &mut self.process.child) {
                return;
            }
            assert!(Instant::now() < deadline, "it does not start again");
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let done = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(done.success());
    }
}

impl Process {
    fn end(&mut self) {
        let _ = self.child.kill();
        // Before the number may be another process's.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

fn launch(port: u16, directory: &TempDir, arguments: &[String]) -> Process {
    let child = Command::new(program().unwrap())
        .args(["-a", "127.0.0.1", "-p", &port.to_string(), "-js", "-sd"])
        .arg(directory.path())
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let guard = Command::new("sh")
        .args(["-c", "read -r _; kill -9 \"$0\"", &child.id().to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    Process { child, guard }
}

/// Waits until it greets.
fn is_up(port: u16, child: &mut Child) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            let mut greeting = String::new();
            let read = BufReader::new(stream).read_line(&mut greeting);
            if read.is_ok() && greeting.starts_with("INFO") {
                return true;
            }
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Three servers that are one. `None`, and says so, where there are none.
pub fn cluster() -> Option<Vec<Server>> {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let routes = listeners.map(|listener| {
        let address = listener.local_addr().unwrap();
        format!("nats://{address}")
    });
    let all = routes.join(",");
    let nodes = routes.iter().enumerate().map(|(index, route)| {
        let name = format!("n{index}");
        let arguments = ["-n", &name, "--cluster_name", "c", "--cluster", route];
        Server::start_with(&[&arguments[..], &["--routes", &all]].concat())
    });
    nodes.collect()
}

/// The addresses of these, as a configuration takes them.
pub fn urls(nodes: &[Server]) -> String {
    let urls: Vec<_> = nodes.iter().map(Server::url).collect();
    urls.join(",")
}
