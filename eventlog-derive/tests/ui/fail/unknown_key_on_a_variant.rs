use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    #[versioned(transparant)]
    Opened(u64),
}

fn main() {}
