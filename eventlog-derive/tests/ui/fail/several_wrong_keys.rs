use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(one, two = 2, crate = ::eventlog, three(4, 5))]
enum Event {
    #[versioned(six::seven, 8)]
    Opened { version: u64 },
}

fn main() {}
