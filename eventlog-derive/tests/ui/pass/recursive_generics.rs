use std::rc::Rc;
use std::sync::Arc;

use eventlog::Versioned;

/// No bound on what is carried, although the event holds itself.
struct Opaque;

#[derive(Versioned)]
enum Event<T> {
    Leaf { version: u64, value: T },
    #[versioned(transparent)]
    Nested(Box<Event<T>>),
    #[versioned(transparent)]
    Shared(Arc<Rc<Self>>),
    #[versioned(transparent)]
    Last(Box<NotEmpty<Event<T>>>),
    Pair(#[version(with = of_pair)] (T, Box<Event<T>>)),
}

fn of_pair<T>(pair: &(T, Box<Event<T>>)) -> u64 { pair.1.version() }

struct NotEmpty<E>(Vec<E>, E);

impl<E: Versioned> Versioned for NotEmpty<E> {
    fn version(&self) -> u64 { self.0.len() as u64 + self.1.version() }
}

#[derive(Versioned)]
#[versioned(transparent)]
struct Chain<'a, V: eventlog::AsVersion>(Link<'a, V>);

#[derive(Versioned)]
enum Link<'a, V> {
    End { version: V },
    #[versioned(transparent)]
    More(&'a Link<'a, V>),
}

#[derive(Versioned)]
enum Tree<T, const N: usize> {
    Leaf { version: u64, values: [T; N] },
    #[versioned(transparent)]
    Branch(Box<Branch<Tree<T, N>>>),
}

#[derive(Versioned)]
#[versioned(transparent)]
struct Branch<E>(E);

/// Of two events that hold each other, one names a function: a derive sees one type only.
#[derive(Versioned)]
enum Ping<T> {
    Begin { version: u64, value: T },
    Pong(#[version(with = Versioned::version)] Box<Pong<T>>),
}

#[derive(Versioned)]
enum Pong<T> {
    #[versioned(transparent)]
    Ping(Box<Ping<T>>),
}

fn main() {
    let leaf = |version| Event::Leaf { version, value: Opaque };
    assert_eq!(Event::Nested(Box::new(Event::Nested(Box::new(leaf(1))))).version(), 1);
    assert_eq!(Event::Shared(Arc::new(Rc::new(leaf(2)))).version(), 2);
    assert_eq!(Event::Last(Box::new(NotEmpty(vec![leaf(9), leaf(9)], leaf(1)))).version(), 3);
    assert_eq!(Event::Pair((Opaque, Box::new(leaf(4)))).version(), 4);
    assert_eq!(Chain(Link::More(&Link::End { version: 5_u8 })).version(), 5);
    let tree = Tree::Leaf { version: 6, values: [Opaque] };
    assert_eq!(Tree::Branch(Box::new(Branch(tree))).version(), 6);
    let begin = Ping::Begin { version: 7, value: Opaque };
    assert_eq!(Ping::Pong(Box::new(Pong::Ping(Box::new(begin)))).version(), 7);
}
