use eventlog::Versioned;

struct Revision(u64);

struct Begun;

#[derive(Versioned)]
enum Event {
    Opened { version: Revision, path: String },
    Saved { version: Revision },
    Closed(#[version] Revision),
    #[versioned(transparent)]
    Begun(Begun),
    #[versioned(transparent)]
    BegunAgain(Begun),
    Ticked { version: u64 },
}

fn main() {}
