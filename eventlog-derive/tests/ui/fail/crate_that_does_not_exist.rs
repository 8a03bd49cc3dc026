use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(crate = log_of_events)]
enum Event {
    Opened { version: u64 },
    Closed { version: u64 },
}

fn main() {}
