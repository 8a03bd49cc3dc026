use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Opened {
        #[version(by = read)]
        at: i64,
        version: u64,
    },
}

fn main() {}
