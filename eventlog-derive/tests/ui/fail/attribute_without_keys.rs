use eventlog::Versioned;

#[derive(Versioned)]
#[versioned]
enum Event {
    #[versioned()]
    Opened { version: u64 },
    #[versioned = "transparent"]
    Closed { version: u64 },
    Moved { #[version()] at: u64 },
    Renamed { #[version = 1] at: u64 },
}

fn main() {}
