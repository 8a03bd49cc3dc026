use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Opened { version: i64 },
    Moved { version: u64 },
    Closed { version: i32 },
}

fn main() {}
