//! What an append costs with the size of the event, from 32 bytes to 64 KiB.

use std::rc::Rc;

use eventlog::Versioned;

use crate::{
    series::{Cost, Effort, Expected, Group},
    support::{appends, event::Sample, sides::Sides},
};

pub const SIZES: [usize; 5] = [1 << 5, 1 << 8, 1 << 10, 1 << 13, 1 << 16];
/// Events of the ring: few, so that large ones fit into memory.
const CAPACITY: usize = 512;

/// An event of so many words.
#[derive(Clone)]
struct Inline<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Versioned for Inline<WORDS> {
    fn version(&self) -> u64 {
        self.0[0]
    }
}

impl<const WORDS: usize> Sample for Inline<WORDS> {
    fn new(version: u64) -> Self {
        Self([version; WORDS])
    }
}

/// An event that owns so many words.
#[derive(Clone)]
struct Boxed<const WORDS: usize>(Vec<u64>);

impl<const WORDS: usize> Versioned for Boxed<WORDS> {
    fn version(&self) -> u64 {
        self.0[0]
    }
}

impl<const WORDS: usize> Sample for Boxed<WORDS> {
    fn new(version: u64) -> Self {
        Self(vec![version; WORDS])
    }
}

/// A way to append, ours or by hand, that returns nanoseconds.
type Append = Box<dyn FnMut() -> f64>;

/// Both ways for one type of event, each with a full ring.
fn both<E: Sample>() -> [Append; 2] {
    // So many that they take about as long at each size.
    let count = ((16 << 20) / size_of::<E>()).clamp(256, 4096);
    let ours = Rc::new(Sides::<E>::full(CAPACITY));
    let by_hand = ours.clone();
    [
        Box::new(move || appends::ours(&ours, count)),
        Box::new(move || appends::by_hand(&by_hand, count)),
    ]
}

const INLINE: [fn() -> [Append; 2]; 5] = [
    both::<Inline<4>>,
    both::<Inline<32>>,
    both::<Inline<128>>,
    both::<Inline<1024>>,
    both::<Inline<8192>>,
];

const BOXED: [fn() -> [Append; 2]; 5] = [
    both::<Boxed<4>>,
    both::<Boxed<32>>,
    both::<Boxed<128>>,
    both::<Boxed<1024>>,
    both::<Boxed<8192>>,
];

pub fn all(effort: &Effort) -> Group {
    let inline = Cost::new(
        "append, inline",
        "an event of so many bytes",
        Expected::Linear,
    );
    let boxed = Cost::new(
        "append, boxed",
        "an event that owns so many",
        Expected::Flat,
    );
    let costs = [pair(effort, inline, INLINE), pair(effort, boxed, BOXED)];
    Group::measure("bytes", effort, costs.into_iter().flatten().collect())
}

/// A cost of ours, and the same by hand.
fn pair(
    effort: &Effort,
    ours: Cost<'static>,
    ways: [fn() -> [Append; 2]; 5],
) -> [Cost<'static>; 2] {
    let by_hand = Cost::new("  by hand", "", Expected::Compared);
    let sizes = effort.sizes(&SIZES).iter().zip(ways);
    sizes.fold([ours, by_hand], |[ours, by_hand], (size, both)| {
        let [append, append_by_hand] = both();
        [ours.at(*size, append), by_hand.at(*size, append_by_hand)]
    })
}
