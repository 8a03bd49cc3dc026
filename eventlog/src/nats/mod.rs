//! A log at a NATS server: a `JetStream` stream as a destination, and mirrors of it.
//!
//! [`spawn`] writes the events of a log to a stream, beside a disk writer or in place of one.
//! [`Mirror`] fills a log from a stream, in any process and on any machine.
//!
//! ```no_run
//! use eventlog::{EventLog, nats::{self, JetStreamConfig, Mirror, MirrorConfig}};
//! # use eventlog::Versioned as _;
//! # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let log = EventLog::new(None);
//! let writer = nats::spawn(&log, JetStreamConfig::new("nats://127.0.0.1:4222", "orders")).await?;
//! writer.stored(log.append(Tick(1))).await?;
//!
//! // Somewhere else:
//! let mirror = Mirror::<Tick>::open(MirrorConfig::new("nats://127.0.0.1:4222", "orders")).await?;
//! let subscription = mirror.log().subscribe(0);
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! * The stream has each event once and in order, or a gap line in its place that says why not,
//!   whatever is lost on the way, sent again or restarted.
//! * Of two writers at most one is acknowledged. The newer one fences the older, which ends with
//!   [`NotStored::Fenced`](crate::writer::NotStored).
//! * `append` never waits. What the server does not take waits in memory up to the backlog, and with
//!   [`forward_from`](crate::writer::WriterConfig::forward_from) on the disk for any time.
//! * What a stream forgets (it was removed or purged, its limits let go of the oldest, its server
//!   fell back after a power cut) is told as a [`Notice`](crate::writer::Notice); in the middle of
//!   the history a gap line counts it. It is looked for at each failure, and every 5 seconds.
//!
//! # What an acknowledgement is worth
//!
//! A server answers before it syncs, and a power cut takes what is not synced. So what is stored is
//! called [durable](crate::writer::Writer::durable) only where every server of the stream syncs first.
//! This is the setting (`nats-server` 2.10 or newer; older ones refuse to start with it):
//!
//! ```text
//! http: 127.0.0.1:8222
//! jetstream {
//!     store_dir: /var/lib/nats
//!     sync_interval: always
//! }
//! ```
//!
//! It costs a sync per message, of which one holds up to 256 events. The writer asks for it at the
//! monitoring address if that is [given](JetStreamConfig::monitor); where it cannot ask, [say
//! so](JetStreamConfig::assume_synced).
//!
//! | servers | an acknowledged event survives | [`Level`](crate::writer::Level) |
//! | --- | --- | --- |
//! | one, defaults | the end of any process | `1 replica, not synced` |
//! | three, defaults | that, and the loss of one machine; not a power cut of all | `3 replicas, not synced` |
//! | one, `always` | that the machine loses its power | `1 replica, synced` |
//! | three, `always` | both | `3 replicas, synced` |
//!
//! Tried: after the power of one server was cut, 20,000 of 20,000 acknowledged events were gone at the
//! defaults (2.9.10 and 2.15.1), and the stream with them; with `always` none was (2.15.1).
//!
//! *Stored* is not *kept*: limits of a stream and people may remove what is old. A stream that is made
//! here has no limits, and refuses what it has no room for rather than forget.
//!
//! # What a stream holds
//!
//! A stream holds one log and nothing else. A message is a *frame*: up to 256 events or 64 KiB of
//! them, one JSON line each, just as in a file; one event if nothing else waits; or one gap.
//!
//! | header | meaning |
//! | --- | --- |
//! | `Nats-Expected-Last-Sequence` | the message before it; the server refuses it after any other |
//! | `Nats-Expected-Last-Msg-Id`, `Nats-Msg-Id` | the same by name: after a refusal or a power cut, another writer's message may have the sequence number of one |
//! | `Eventlog-Life`, `Eventlog-Claim` | the writer that sent it, and where that claimed the stream |
//! | `Eventlog-First`, `Eventlog-Count` | the number of its first event in the stream, and how many numbers it uses up |
//! | `Eventlog-Through` | the cursor of its last event in the producer's log |
//! | `Eventlog-Versions` | the largest version before it, and with it: `90..120` |
//! | `Eventlog-Gap` | it is a gap line |
//!
//! A server remembers names for the `duplicate_window` of the stream: a second where it was made here.
//! Give a short one to a stream of your own, since names are never used twice.
//!
//! A claim is a message without events; it names the writers before, and how far each is left.

mod backfill;
mod config;
mod connection;
mod destination;
mod driver;
mod error;
#[cfg(feature = "sse")]
mod feed;
mod follow;
mod frame;
mod level;
mod link;
mod mirror;
mod session;
#[cfg(test)]
mod simulated;

pub use backfill::{Backfill, Fetch};
pub use config::JetStreamConfig;
pub use destination::{blocking_spawn, spawn};
pub use error::{NatsError, SpawnError};
#[cfg(feature = "sse")]
pub use feed::MirrorFeed;
pub use mirror::{Mirror, MirrorConfig, MirrorStats};
