use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Moved {
        #[version]
        from: u64,
        #[version]
        to: u64,
    },
}

fn main() {}
