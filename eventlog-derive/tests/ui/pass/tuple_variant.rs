use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    First(#[version] u64, String),
    Second(String, #[version] u64),
    Only(#[version] u64),
}

#[derive(Versioned)]
struct Tuple(String, #[version] u64);

fn main() {
    assert_eq!(Event::First(1, String::new()).version(), 1);
    assert_eq!(Event::Second(String::new(), 2).version(), 2);
    assert_eq!(Event::Only(3).version(), 3);
    assert_eq!(Tuple(String::new(), 4).version(), 4);
}
