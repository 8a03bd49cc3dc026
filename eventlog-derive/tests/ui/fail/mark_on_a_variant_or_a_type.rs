use eventlog::Versioned;

#[derive(Versioned)]
#[version]
enum Event {
    #[version]
    Opened(u64),
}

fn main() {}
