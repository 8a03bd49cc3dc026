use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    #[versioned(transparent)]
    Ping,
}

#[derive(Versioned)]
#[versioned(transparent)]
struct Unit;

fn main() {}
