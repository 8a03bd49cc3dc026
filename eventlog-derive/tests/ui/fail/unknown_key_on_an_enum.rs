use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(feild = seq)]
enum Event {
    Opened { seq: u64 },
    Closed { seq: u64 },
}

fn main() {}
