use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(field = seq)]
enum Event {
    Opened { seq: u64 },
    Closed { version: u64 },
    Ping,
}

fn main() {}
