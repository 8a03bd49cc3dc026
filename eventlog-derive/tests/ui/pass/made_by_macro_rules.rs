use eventlog::Versioned;

macro_rules! events {
    ($vis:vis $name:ident<$parameter:ident> by $field:ident of $ty:ty, through $with:path {
        $($variant:ident { $($other:ident: $other_ty:ty),* })*
    }) => {
        #[derive(Versioned)]
        #[versioned(field = $field)]
        $vis enum $name<$parameter> {
            $($variant { $field: $ty, $($other: $other_ty),* },)*
            Generic { $field: Box<$parameter> },
            FromMacro { #[version] __field: $ty },
            Tuple(String, #[version(with = $with)] $ty),
        }
    };
}

fn read(value: &u64) -> u64 { *value + 1 }

events! {
    pub(crate) Event<T> by seq of u64, through crate::read {
        Opened { path: String }
        Closed {}
    }
}

macro_rules! with_type {
    ($ty:ty) => {
        /// The type comes in a group of its own.
        #[derive(Versioned)]
        struct Wrapper<T> {
            version: $ty,
            payload: Option<T>,
        }
    };
}

with_type!(Box<T>);

fn main() {
    assert_eq!(Event::<u8>::Opened { seq: 1, path: String::new() }.version(), 1);
    assert_eq!(Event::<u8>::Closed { seq: 2 }.version(), 2);
    assert_eq!(Event::Generic { seq: Box::new(3_u8) }.version(), 3);
    assert_eq!(Event::<u8>::FromMacro { __field: 4 }.version(), 4);
    assert_eq!(Event::<u8>::Tuple(String::new(), 4).version(), 5);
    assert_eq!(Wrapper { version: Box::new(6_u8), payload: None }.version(), 6);
}
