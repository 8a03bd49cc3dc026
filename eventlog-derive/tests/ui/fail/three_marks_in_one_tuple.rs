use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Moved(#[version] u64, #[version] u64, #[version] u64),
}

fn main() {}
