//! Settings of a writer to a stream.

use std::{fmt, time::Duration};

use async_nats::{
    ConnectOptions,
    jetstream::stream::{Config as StreamConfig, DiscardPolicy},
};

use crate::writer::WriterConfig;

/// Where a log's stream is, and how it is written.
///
/// ```
/// use std::time::Duration;
/// use eventlog::nats::JetStreamConfig;
///
/// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "orders")
///     .replicas(3)
///     .ack_timeout(Duration::from_secs(10));
/// assert_eq!(config.subject(), "eventlog.orders");
/// ```
#[derive(Clone)]
pub struct JetStreamConfig {
    pub(super) at: StreamAt,
    pub(super) writer: WriterConfig,
    pub(super) ack_timeout: Duration,
    pub(super) create: Option<StreamConfig>,
    pub(super) assume_synced: bool,
    pub(super) monitors: Vec<String>,
}

/// Which stream, of which servers.
#[derive(Clone)]
pub(super) struct StreamAt {
    pub(super) servers: Vec<String>,
    pub(super) options: ConnectOptions,
    pub(super) stream: String,
    pub(super) subject: String,
}

impl StreamAt {
    pub(super) fn new(servers: &str, stream: String) -> Self {
        let servers = servers.split(',').map(|server| server.trim().to_owned());
        Self {
            servers: servers.collect(),
            options: ConnectOptions::new().name("eventlog"),
            subject: format!("eventlog.{stream}"),
            stream,
        }
    }
}

impl JetStreamConfig {
    /// The defaults for a stream of this name at one of these servers: URLs, separated by commas.
    ///
    /// A stream holds one log and nothing else. Its messages have the subject `eventlog.STREAM`.
    ///
    /// ```
    /// # use eventlog::nats::JetStreamConfig;
    /// let config = JetStreamConfig::new("nats://one:4222,nats://two:4222", "orders");
    /// assert_eq!(config.subject(), "eventlog.orders");
    /// ```
    #[must_use]
    pub fn new(servers: impl AsRef<str>, stream: impl Into<String>) -> Self {
        let at = StreamAt::new(servers.as_ref(), stream.into());
        Self {
            // A server that is back is not left waiting.
            writer: WriterConfig::new(format!("stream {}", at.stream))
                .retry_max(Duration::from_secs(1)),
            ack_timeout: Duration::from_secs(5),
            create: Some(StreamConfig {
                num_replicas: 1,
                // A full stream is an error that somebody sees; a trimmed one is a loss that nobody does.
                discard: DiscardPolicy::New,
                // Ids tell which message is before which, and never come twice: a server need not
                // remember them for long.
                duplicate_window: Duration::from_secs(1),
                ..StreamConfig::default()
            }),
            assume_synced: false,
            monitors: Vec::new(),
            at,
        }
    }

    /// The subject of its messages.
    ///
    /// ```
    /// # use eventlog::nats::JetStreamConfig;
    /// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "orders");
    /// // For other subscribers of the server: `nats sub eventlog.orders`.
    /// assert_eq!(config.subject(), "eventlog.orders");
    /// ```
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.at.subject
    }

    /// Another subject than `eventlog.STREAM`, for a stream that is there and has others.
    ///
    /// ```
    /// # use eventlog::nats::JetStreamConfig;
    /// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "ORDERS")
    ///     .on_subject("shop.3.orders");
    /// assert_eq!(config.subject(), "shop.3.orders");
    /// ```
    #[must_use]
    pub fn on_subject(mut self, subject: impl Into<String>) -> Self {
        self.at.subject = subject.into();
        self
    }

    /// How to connect: credentials, TLS, timeouts. Their `event_callback` is replaced.
    ///
    /// ```no_run
    /// # use eventlog::nats::JetStreamConfig;
    /// # async fn example() -> std::io::Result<()> {
    /// let options = async_nats::ConnectOptions::with_credentials_file("orders.creds").await?;
    /// let config = JetStreamConfig::new("tls://nats.example.org", "orders").connect_with(options);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn connect_with(mut self, options: ConnectOptions) -> Self {
        self.at.options = options;
        self
    }

    /// The settings that all writers have: the name, the backlog, pauses, notices.
    ///
    /// ```
    /// # use eventlog::{nats::JetStreamConfig, writer::WriterConfig};
    /// # use eventlog::Versioned as _;
    /// # type Tick = eventlog::Numbered<u64>; fn Tick(v: u64) -> Tick { Tick::new(v, v) }
    /// // What the server does not take for a day waits in the log's file.
    /// let writer = WriterConfig::new("orders").forward_from::<Tick>("events.log");
    /// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "orders").writer(writer);
    /// assert_eq!(config.subject(), "eventlog.orders");
    /// ```
    #[must_use]
    pub fn writer(mut self, config: WriterConfig) -> Self {
        self.writer = config;
        self
    }

    /// On how many servers a stream that is made here is kept (default 1).
    ///
    /// ```
    /// # use eventlog::nats::JetStreamConfig;
    /// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "orders").replicas(3);
    /// assert!(format!("{config:?}").contains("orders"));
    /// ```
    #[must_use]
    pub fn replicas(mut self, replicas: u16) -> Self {
        if let Some(config) = &mut self.create {
            config.num_replicas = usize::from(replicas);
        }
        self
    }

    /// How a stream is made that is not there: limits, storage, placement. Its name and subject are
    /// those of this configuration. `None` means that it has to be there. Unset, it has no limits
    /// and one replica, and lies on disk.
    ///
    /// ```
    /// # use eventlog::nats::JetStreamConfig;
    /// // Who may write is not who may make streams: it has to be there.
    /// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "orders").create(None);
    /// assert_eq!(config.subject(), "eventlog.orders");
    /// ```
    #[must_use]
    pub fn create(mut self, config: Option<StreamConfig>) -> Self {
        self.create = config;
        self
    }

    /// How long an acknowledgement may take before the stream is asked what has arrived
    /// (default 5 s). A server that syncs each message needs some milliseconds per message, and up
    /// to 64 are on their way.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use eventlog::nats::JetStreamConfig;
    /// let config = JetStreamConfig::new("nats://far.example.org", "orders")
    ///     .ack_timeout(Duration::from_secs(20));
    /// assert_eq!(config.subject(), "eventlog.orders");
    /// ```
    #[must_use]
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.ack_timeout = timeout;
        self
    }

    /// Says that each server of the stream syncs before it acknowledges (`sync_interval: always`),
    /// where it cannot be [asked](Self::monitor). What is stored is then called durable.
    ///
    /// ```
    /// # use eventlog::nats::JetStreamConfig;
    /// // Its configuration says `sync_interval: always`, and its monitoring port is closed to us.
    /// let config = JetStreamConfig::new("nats://127.0.0.1:4222", "orders").assume_synced(true);
    /// assert_eq!(config.subject(), "eventlog.orders");
    /// ```
    #[must_use]
    pub fn assume_synced(mut self, synced: bool) -> Self {
        self.assume_synced = synced;
        self
    }

    /// The monitoring address of a server (`host:port`), which is asked on opening whether it syncs
    /// before it acknowledges. Call it once for each server that has a replica of the stream: what
    /// is stored is called durable only if all of them say so.
    ///
    /// ```
    /// # use eventlog::nats::JetStreamConfig;
    /// let config = JetStreamConfig::new("nats://one:4222,nats://two:4222", "orders")
    ///     .monitor("one:8222")
    ///     .monitor("two:8222");
    /// assert_eq!(config.subject(), "eventlog.orders");
    /// ```
    #[must_use]
    pub fn monitor(mut self, address: impl Into<String>) -> Self {
        self.monitors.push(address.into());
        self
    }
}

impl fmt::Debug for JetStreamConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JetStreamConfig")
            .field("servers", &self.at.servers)
            .field("stream", &self.at.stream)
            .field("subject", &self.at.subject)
            .field("writer", &self.writer)
            .finish_non_exhaustive()
    }
}
