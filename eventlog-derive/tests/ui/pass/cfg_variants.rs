use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    #[cfg(all())]
    Here { version: u64 },
    #[cfg(any())]
    Gone,
    #[cfg_attr(all(), versioned(transparent))]
    Conditional(Inner),
    Fields {
        #[cfg(any())]
        version: String,
        #[cfg(all())]
        version: u64,
    },
    Tuple(#[cfg(any())] String, #[version] u64, #[cfg(all())] u8),
}

#[derive(Versioned)]
#[cfg_attr(all(), versioned(field = seq))]
struct Inner {
    seq: u64,
}

fn main() {
    assert_eq!(Event::Here { version: 1 }.version(), 1);
    assert_eq!(Event::Conditional(Inner { seq: 2 }).version(), 2);
    assert_eq!(Event::Fields { version: 3 }.version(), 3);
    assert_eq!(Event::Tuple(4, 0).version(), 4);
}
