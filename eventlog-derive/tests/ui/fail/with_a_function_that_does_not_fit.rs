use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    ByValue { #[version(with = by_value)] at: i64 },
    NotU64 { #[version(with = not_u64)] at: i64 },
    OfAnotherType { #[version(with = of_text)] at: i64 },
    Absent { #[version(with = absent)] at: i64 },
}

fn by_value(at: i64) -> u64 {
    at.unsigned_abs()
}

fn not_u64(_: &i64) -> u32 {
    0
}

fn of_text(text: &str) -> u64 {
    text.len() as u64
}

fn main() {}
