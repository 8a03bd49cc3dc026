use eventlog::Versioned;

#[derive(Versioned)]
struct Event {
    #[version]
    #[version]
    at: u64,
}

fn main() {}
