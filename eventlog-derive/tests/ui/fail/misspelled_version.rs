use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Swapped { verison: u64 },
    SwappedLater { text: String, versoin: u64 },
    Capital { Version: u64 },
    Short { ver: u64 },
    Plural { versions: u64 },
    NoSlip { session: u64 },
}

#[derive(Versioned)]
#[versioned(field = seq)]
struct Renamed { sqe: u64 }

fn main() {}
