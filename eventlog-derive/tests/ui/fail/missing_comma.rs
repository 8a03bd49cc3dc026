use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(field = seq crate = eventlog)]
struct Event {
    seq: u64,
}

fn main() {}
