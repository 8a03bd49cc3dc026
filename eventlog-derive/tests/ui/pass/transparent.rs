use std::sync::Arc;

use eventlog::Versioned;

#[derive(Versioned)]
struct Opened {
    version: u64,
}

#[derive(Versioned)]
enum Event {
    #[versioned(transparent)]
    Tuple(Opened),
    #[versioned(transparent)]
    Named { inner: Arc<Opened> },
    Plain { version: u64 },
}

#[derive(Versioned)]
#[versioned(transparent)]
struct Wrapper(Event);

#[derive(Versioned)]
#[versioned(transparent)]
struct Generic<E>(E);

#[derive(Versioned)]
#[versioned(transparent)]
struct Dynamic(Box<dyn Versioned>);

fn main() {
    assert_eq!(Event::Tuple(Opened { version: 1 }).version(), 1);
    assert_eq!(Event::Named { inner: Arc::new(Opened { version: 2 }) }.version(), 2);
    assert_eq!(Wrapper(Event::Plain { version: 3 }).version(), 3);
    assert_eq!(Generic(Opened { version: 4 }).version(), 4);
    assert_eq!(Dynamic(Box::new(Opened { version: 5 })).version(), 5);
}
