use eventlog::Versioned;

#[derive(Versioned)]
union Event {
    version: u64,
    bytes: [u8; 8],
}

fn main() {}
