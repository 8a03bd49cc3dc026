use eventlog::Versioned;

#[derive(Versioned)]
struct Inner {
    version: u64,
}

#[derive(Versioned)]
#[versioned(transparent, field = inner)]
struct Event {
    inner: Inner,
}

fn main() {}
