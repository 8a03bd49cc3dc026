use eventlog::Versioned;

fn newest<E: Versioned>(events: &[E]) -> Option<u64> {
    events.iter().map(Versioned::version).max()
}

#[derive(Versioned)]
enum Event<'a, T: Clone> {
    Opened { version: u64, path: &'a T },
    Ping,
}

#[derive(Versioned)]
#[versioned(nothing)]
struct Saved {
    version: u64,
}

#[derive(Versioned)]
union Raw {
    version: u64,
}

fn use_them(events: &[Event<'_, String>], saved: &Saved, raw: &Raw) -> Option<u64> {
    newest(events).max(Some(saved.version())).max(Some(raw.version()))
}

fn main() {}
