use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(field, crate =)]
enum Event {
    Opened { version: u64 },
    Closed { #[version(with)] at: i64 },
    Moved { #[version(with = 5)] at: i64 },
}

fn main() {}
