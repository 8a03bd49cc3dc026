use eventlog::Versioned;

#[derive(Versioned)]
#[repr(packed)]
struct Event {
    kind: u8,
    version: Box<u64>,
}

fn main() {}
