use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(with = read)]
enum Event {
    Opened { version: u64 },
}

fn main() {}
