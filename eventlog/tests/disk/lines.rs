//! Lines handed to a [`FileLog`], without a writer.

use eventlog::disk::FileLog;
use eventlog::writer::Records;

/// Hands over one line per number and syncs.
pub fn append(log: &mut FileLog, numbers: impl IntoIterator<Item = u64>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for number in numbers {
        bytes.extend_from_slice(format!("{number}\n").as_bytes());
        ends.push(bytes.len());
    }
    log.append_records(Records::new(&bytes, &ends)).unwrap();
    log.make_durable().unwrap();
}
