use eventlog::Versioned;

#[derive(Versioned)]
struct Inner {
    version: u64,
}

#[derive(Versioned)]
#[versioned(transparent = true)]
struct Event(Inner);

fn main() {}
