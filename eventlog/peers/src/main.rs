//! This library beside others, with the same events, in turns: what is measured is the first
//! argument.
//!
//! * `ring`: publishing to many, and asking what has happened, in memory.
//! * `disk`: making single events durable. A second argument is a directory on the disk to be
//!   measured; without one, it is the temporary directory.

mod disk;
mod ring;

#[path = "../../benches/support/event.rs"]
#[allow(dead_code, reason = "each measurement uses its part")]
mod event;
#[path = "../../benches/support/measure.rs"]
#[allow(dead_code, reason = "each measurement uses its part")]
mod measure;

use std::env;

fn main() {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some("ring") => ring::measure(),
        Some("disk") => {
            let place = arguments.next().map_or_else(env::temp_dir, Into::into);
            disk::measure(&place);
        }
        _ => println!("nothing measured: say `ring`, or `disk` and perhaps a directory"),
    }
}
