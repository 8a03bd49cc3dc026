use eventlog::Versioned;

#[derive(Versioned)]
struct Inner {
    version: u64,
}

#[derive(Versioned)]
enum Event {
    #[versioned(transparent)]
    Wrapped(#[version] Inner),
}

fn main() {}
