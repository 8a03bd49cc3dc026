use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Moved(u64, String),
    Only(u64),
}

fn main() {}
