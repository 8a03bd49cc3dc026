use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(crate = ::eventlog)]
enum Event {
    Ping,
    Signed { version: i64 },
    Moved(u64, u64),
    #[versioned(transparent)]
    Pair(u64, u64),
    #[versioned(unknown)]
    Unknown { version: u64 },
    Twice(#[version] u64, #[version] u64),
    Right { version: u64 },
}

fn main() {}
