use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    #[versioned(transparant)]
    Opened(Inner),
    #[versioned(transparant)]
    Named { version: Inner },
}

#[derive(Versioned)]
struct Inner {
    version: u64,
}

fn main() {}
