use eventlog::Versioned;

struct Revision(u64);

#[derive(Versioned)]
enum Event {
    Text { version: String },
    Flag { version: bool },
    Wide { version: u128 },
    Maybe { version: Option<u64> },
    Newtype { version: Revision },
    Tuple(#[version] f64),
}

fn main() {}
