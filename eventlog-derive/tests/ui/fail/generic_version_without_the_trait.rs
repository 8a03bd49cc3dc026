use eventlog::Versioned;

#[derive(Versioned)]
struct Event<V> {
    version: V,
}

fn newest<E: Versioned>(events: &[E]) -> Option<u64> {
    events.iter().map(Versioned::version).max()
}

fn read(events: &[Event<String>]) -> Option<u64> {
    newest(events)
}

fn main() {}
