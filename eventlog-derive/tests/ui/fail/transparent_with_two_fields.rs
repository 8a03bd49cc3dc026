use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    #[versioned(transparent)]
    Pair(u64, u64),
}

fn main() {}
