use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(field = "seq", crate = "eventlog")]
enum Event {
    Opened { seq: u64 },
    Closed { #[version(with = "read")] at: i64 },
}

fn main() {}
