//! The bytes that share a block of the disk with what is written next.

/// Size of a file system block in bytes: what a failing write may take along.
pub(super) const BLOCK: u64 = 4096;

/// A copy of a file's last bytes, from the start of their block on.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockTail {
    bytes: Vec<u8>,
}

impl BlockTail {
    /// Takes over bytes that were appended to the file, whose length is now `len`.
    pub(super) fn push(&mut self, appended: &[u8], len: u64) {
        let keep = usize::try_from(len % BLOCK).unwrap_or_default();
        if let Some(start) = appended.len().checked_sub(keep) {
            self.bytes.clear();
            self.bytes.extend_from_slice(&appended[start..]);
        } else {
            self.bytes.extend_from_slice(appended);
            let surplus = self.bytes.len().saturating_sub(keep);
            self.bytes.drain(..surplus);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.bytes.clone_from(&other.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_stands_in_the_last_block() {
        let mut file = Vec::new();
        let mut tail = BlockTail::default();
        for (index, len) in [0, 1, 4094, 1, 4096, 5000, 300, 300, 8192, 7]
            .into_iter()
            .enumerate()
        {
            let appended = vec![u8::try_from(index).unwrap(); len];
            file.extend_from_slice(&appended);
            tail.push(&appended, file.len() as u64);
            assert_eq!(
                tail.bytes(),
                &file[file.len() / 4096 * 4096..],
                "after piece {index}"
            );
        }
    }
}
