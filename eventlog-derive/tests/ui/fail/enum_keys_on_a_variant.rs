use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    #[versioned(field = seq)]
    Opened { seq: u64 },
    #[versioned(crate = eventlog)]
    Closed { version: u64 },
}

fn main() {}
