use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Opened { version: u64, path: String },
    Closed { code: i32, version: u32 },
}

fn main() {
    let opened = Event::Opened { version: 1, path: String::new() };
    assert_eq!(opened.version(), 1);
    assert_eq!(Event::Closed { code: 0, version: 2 }.version(), 2);
}
