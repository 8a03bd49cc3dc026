use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(rename = "seq")]
struct Event {
    version: u64,
}

fn main() {}
