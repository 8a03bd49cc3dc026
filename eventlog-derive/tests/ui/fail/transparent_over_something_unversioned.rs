use eventlog::Versioned;

struct Inner;

#[derive(Versioned)]
enum Event {
    #[versioned(transparent)]
    Wrapped(Inner),
    #[versioned(transparent)]
    Number { version: u64 },
}

fn main() {}
