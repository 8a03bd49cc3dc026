use eventlog::Versioned;

#[derive(Versioned)]
struct Unit;

#[derive(Versioned)]
struct Tuple(u64, u64);

#[derive(Versioned)]
struct Named {
    seq: u64,
}

fn main() {}
