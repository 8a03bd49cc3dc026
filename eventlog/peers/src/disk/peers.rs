//! The peers, each used as its documentation says.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A log to which many threads write.
pub trait Peer: Sync {
    fn open(directory: &Path) -> Self;

    /// Returns when the record is durable.
    fn durable(&self, record: &[u8]);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Preallocates its files, so that a sync changes no size.
pub struct OkayWal(okaywal::WriteAheadLog);

impl Peer for OkayWal {
    fn open(directory: &Path) -> Self {
        let log = okaywal::WriteAheadLog::recover(directory.join("okaywal"), okaywal::LogVoid);
        Self(log.expect("okaywal opens"))
    }

    fn durable(&self, record: &[u8]) {
        let mut entry = self.0.begin_entry().expect("okaywal begins an entry");
        entry.write_chunk(record).expect("okaywal writes");
        entry.commit().expect("okaywal commits");
    }
}

pub struct WalDb(wal_db::Wal);

impl Peer for WalDb {
    fn open(directory: &Path) -> Self {
        Self(wal_db::Wal::open(directory.join("wal-db")).expect("wal-db opens"))
    }

    fn durable(&self, record: &[u8]) {
        let _lsn = self.0.append_and_sync(record).expect("wal-db appends");
    }
}

/// Has one writer, so threads take turns: what came before the one whose turn it is to commit is
/// committed with it.
pub struct OpenWal(Mutex<open_wal::Wal>);

impl Peer for OpenWal {
    fn open(directory: &Path) -> Self {
        let opened = open_wal::Wal::open(&directory.join("open-wal"), Default::default());
        Self(Mutex::new(opened.expect("open-wal opens").0))
    }

    fn durable(&self, record: &[u8]) {
        let lsn = lock(&self.0).append(record).expect("open-wal appends");
        let mut wal = lock(&self.0);
        if wal.durable_lsn() < lsn {
            wal.commit().expect("open-wal commits");
        }
    }
}

pub struct Sqlite(Mutex<rusqlite::Connection>);

impl Peer for Sqlite {
    fn open(directory: &Path) -> Self {
        let connection = rusqlite::Connection::open(directory.join("x.db")).expect("SQLite opens");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE log (line BLOB)",
            )
            .expect("SQLite takes its settings");
        Self(Mutex::new(connection))
    }

    fn durable(&self, record: &[u8]) {
        let connection = lock(&self.0);
        let insert = connection.prepare_cached("INSERT INTO log VALUES (?1)");
        let mut insert = insert.expect("SQLite prepares");
        insert.execute([record]).expect("SQLite inserts");
    }
}

/// What many programs do by hand: a write and a sync for each event, under a lock.
pub struct OneByOne(Mutex<File>);

impl Peer for OneByOne {
    fn open(directory: &Path) -> Self {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(directory.join("x"));
        Self(Mutex::new(file.expect("the file opens")))
    }

    fn durable(&self, record: &[u8]) {
        let mut file = lock(&self.0);
        file.write_all(record).expect("the file takes a line");
        file.sync_data().expect("the disk works");
    }
}
