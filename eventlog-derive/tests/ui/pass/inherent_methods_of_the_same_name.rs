use eventlog::{AsVersion, Versioned};

struct Revision(u64);

impl Revision {
    #[allow(dead_code)]
    fn as_version(&self) -> &'static str { "not this" }
    #[allow(dead_code)]
    fn version(&self) -> &'static str { "not this either" }
}

impl AsVersion for Revision {
    fn as_version(&self) -> u64 { self.0 }
}

trait Impostor {
    fn version(&self) -> u64 { 0 }
    fn as_version(&self) -> u64 { 0 }
}

impl<T> Impostor for T {}

#[derive(Versioned)]
struct Inner {
    version: Revision,
}

impl Inner {
    #[allow(dead_code)]
    fn version(&self) -> &'static str { "nor this" }
}

#[derive(Versioned)]
enum Event {
    Plain { version: Revision },
    #[versioned(transparent)]
    Delegated(Inner),
}

fn main() {
    assert_eq!(Versioned::version(&Event::Plain { version: Revision(1) }), 1);
    let delegated = Event::Delegated(Inner { version: Revision(2) });
    assert_eq!(Versioned::version(&delegated), 2);
}
