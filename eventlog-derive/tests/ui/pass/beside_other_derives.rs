use eventlog::Versioned;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Versioned)]
#[allow(dead_code)]
enum Event {
    /// With a comment.
    #[doc(alias = "open")]
    Opened { version: u64 },
    #[versioned(transparent)]
    Nothing(Nothing),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Versioned)]
struct Nothing {
    version: u64,
}

fn main() {
    assert_eq!(Event::Nothing(Nothing { version: 1 }).clone().version(), 1);
}
