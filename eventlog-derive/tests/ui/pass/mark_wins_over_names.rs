use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(field = seq)]
enum Event {
    ByDefault { seq: u64 },
    Marked { version: String, seq: String, #[version] at: u64 },
}

#[derive(Versioned)]
struct Marked {
    version: String,
    #[version]
    at: u64,
}

fn main() {
    assert_eq!(Event::ByDefault { seq: 1 }.version(), 1);
    let marked = Event::Marked { version: String::new(), seq: String::new(), at: 2 };
    assert_eq!(marked.version(), 2);
    assert_eq!(Marked { version: String::new(), at: 3 }.version(), 3);
}
