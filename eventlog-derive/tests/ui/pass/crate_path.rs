use eventlog::Versioned;

mod vendor {
    pub use eventlog as events;

    #[macro_export]
    macro_rules! event {
        ($name:ident) => {
            #[derive($crate::vendor::events::Versioned)]
            #[versioned(crate = $crate::vendor::events)]
            struct $name {
                version: u64,
            }
        };
    }
}

#[derive(Versioned)]
#[versioned(crate = crate::vendor::events, field = seq)]
struct Relative<T> {
    seq: T,
}

#[derive(Versioned)]
#[versioned(crate = ::eventlog)]
struct Absolute {
    version: u64,
}

#[derive(Versioned)]
#[versioned(field = seq)]
#[versioned(crate = eventlog)]
struct TwoAttributes {
    seq: u64,
}

#[derive(eventlog::AsVersion)]
#[versioned(crate = self::vendor::events)]
struct Newtype(u64);

event!(FromMacro);

fn main() {
    assert_eq!(Relative { seq: Newtype(1) }.version(), 1);
    assert_eq!(Absolute { version: 2 }.version(), 2);
    assert_eq!(TwoAttributes { seq: 3 }.version(), 3);
    assert_eq!(FromMacro { version: 4 }.version(), 4);
}
