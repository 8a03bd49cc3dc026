use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Opened(#[versioned(transparent)] Inner),
    Closed { #[versioned(with = read)] at: i64 },
}

#[derive(Versioned)]
struct Inner {
    version: u64,
}

fn main() {}
