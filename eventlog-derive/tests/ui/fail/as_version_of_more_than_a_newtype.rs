use eventlog::Versioned;

#[derive(eventlog::AsVersion)]
struct Two(u64, u64);

#[derive(eventlog::AsVersion)]
struct None;

#[derive(eventlog::AsVersion)]
enum Number {
    Small(u8),
}

#[derive(eventlog::AsVersion)]
struct Signed(i64);

#[derive(Versioned)]
struct Event {
    version: Two,
}

fn main() {}
