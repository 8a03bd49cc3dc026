use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Opened { version: u64 },
    Ping,
}

fn main() {}
