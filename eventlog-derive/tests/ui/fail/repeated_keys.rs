use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(field = seq, crate = eventlog, field = version)]
#[versioned(crate = eventlog)]
enum Event {
    #[versioned(transparent, transparent)]
    Opened(Inner),
    Closed(#[version(with = read, with = read)] i64),
}

#[derive(Versioned)]
struct Inner {
    version: u64,
}

fn read(at: &i64) -> u64 {
    at.unsigned_abs()
}

fn main() {}
