use eventlog::Versioned;

#[derive(Versioned)]
enum Never {}

#[derive(Versioned)]
enum Event {
    #[versioned(transparent)]
    Impossible(Never),
    Possible { version: u64 },
}

fn main() {
    let read: fn(&Never) -> u64 = Versioned::version;
    let _ = read;
    assert_eq!(Event::Possible { version: 1 }.version(), 1);
}
