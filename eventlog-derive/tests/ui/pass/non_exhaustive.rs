use eventlog::Versioned;

#[derive(Versioned)]
#[non_exhaustive]
pub enum Event {
    #[non_exhaustive]
    Opened { version: u64 },
    Closed { version: u64 },
}

#[derive(Versioned)]
#[non_exhaustive]
pub struct Saved {
    pub version: u64,
}

fn main() {
    assert_eq!(Event::Opened { version: 1 }.version(), 1);
    assert_eq!(Event::Closed { version: 2 }.version(), 2);
    assert_eq!(Saved { version: 3 }.version(), 3);
}
