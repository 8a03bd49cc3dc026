use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Plain { #[version(with = |at| at.unsigned_abs())] at: i64 },
    Moved { #[version(with = move |at, _| 1)] at: i64 },
    Empty { #[version(with = || 1)] at: i64 },
}

fn main() {}
