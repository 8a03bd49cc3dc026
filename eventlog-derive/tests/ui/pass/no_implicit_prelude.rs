#![no_implicit_prelude]

#[derive(::eventlog::Versioned)]
enum Event<T> {
    Plain { version: u64 },
    Generic { version: T },
    Tuple(#[version] u8),
    #[versioned(transparent)]
    Delegated(Inner),
    With { #[version(with = read)] at: i64 },
}

#[derive(::eventlog::Versioned)]
struct Inner {
    version: Revision,
}

#[derive(::eventlog::AsVersion)]
struct Revision(u64);

#[derive(::eventlog::Versioned)]
enum Never {}

fn read(at: &i64) -> u64 { at.unsigned_abs() }

fn main() {
    use ::eventlog::Versioned;
    ::std::assert_eq!(Event::<u8>::Plain { version: 1 }.version(), 1);
    ::std::assert_eq!(Event::Generic { version: 2_u8 }.version(), 2);
    ::std::assert_eq!(Event::<u8>::Tuple(3).version(), 3);
    let delegated = Event::<u8>::Delegated(Inner { version: Revision(4) });
    ::std::assert_eq!(delegated.version(), 4);
    ::std::assert_eq!(Event::<u8>::With { at: -5 }.version(), 5);
    let _: fn(&Never) -> u64 = Versioned::version;
}
