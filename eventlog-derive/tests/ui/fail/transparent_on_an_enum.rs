use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(transparent)]
enum Event {
    Opened { version: u64 },
}

fn main() {}
