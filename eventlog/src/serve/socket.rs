//! Lines over sockets: one thread per client, and limits on what a stranger may send.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

#[cfg(unix)]
use super::unix;
use super::{
    feed::{Feed, Seat},
    lines::Lines,
    peer::Peer,
};

/// The longest first line that is taken in.
const MOST_HELLO: usize = 4096;
/// How long a client may take to send it.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may read nothing at all before it is let go of.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// How long nobody is let in when the system has no room for one more.
const PAUSE: Duration = Duration::from_millis(100);

/// A feed on a socket. Nobody is let in any more once this is dropped; those who are in stay until
/// the log is closed.
///
/// ```
/// # use eventlog::{EventLog, Numbered, serve::Feed};
/// # let log = EventLog::<Numbered<u32>>::new(None);
/// let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
/// let client = std::net::TcpStream::connect(serving.local_addr().unwrap())?;
/// drop(serving); // lets nobody else in; this client stays
/// log.push(7);
/// log.close(); // ends what it reads
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "nobody is let in any more once this is dropped"]
pub struct Serving {
    address: Address,
    stop: Arc<AtomicBool>,
}

/// Where a feed is served.
enum Address {
    Tcp(SocketAddr),
    #[cfg(unix)]
    Unix(unix::Bound),
}

impl<E: Send + Sync + 'static> Feed<E> {
    /// Serves [lines](Lines) on this address, such as `127.0.0.1:0` for any port. Whoever can reach
    /// it can read the log: stay on the loopback address, or put what asks for a password before it.
    ///
    /// A client says in one line from where on it reads; see [`lines_for`](Self::lines_for). It has
    /// 5 seconds and 4096 bytes for it.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, serve::Feed};
    /// use std::{io::{BufRead, BufReader, Write}, net::TcpStream};
    ///
    /// # let log = EventLog::<Numbered<u32>>::new(None);
    /// let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?;
    /// // Or `nc`, or any language:
    /// let mut client = TcpStream::connect(serving.local_addr().unwrap())?;
    /// client.write_all(b"{}\n")?;
    /// let mut line = String::new();
    /// BufReader::new(client).read_line(&mut line)?;
    /// assert!(line.starts_with("{\"open\":"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on, or the system refuses a thread.
    pub fn serve_tcp(&self, address: impl ToSocketAddrs) -> io::Result<Serving> {
        let listener = TcpListener::bind(address)?;
        let address = Address::Tcp(listener.local_addr()?);
        self.serve_on(address, move || Ok(listener.accept()?.0))
    }

    /// Serves [lines](Lines) on a Unix socket, which only this user can connect to. A socket that
    /// a killed process left in its place is replaced.
    ///
    /// A client says in one line from where on it reads; see [`lines_for`](Self::lines_for). It has
    /// 5 seconds and 4096 bytes for it.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, Start, serve::{self, Address, Feed, Heard}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("feed.socket");
    /// # let log = EventLog::<Numbered<u32>>::new(None);
    /// let serving = Feed::new(&log).serve_unix(&path)?;
    /// let mut remote = serve::connect::<Numbered<u32>>(Address::Unix(path), Start::Now)?;
    /// assert!(matches!(remote.next().await.unwrap()?, Heard::Live { .. }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If another process listens there, something else than a socket is in the place, or the
    /// socket or a thread cannot be made.
    #[cfg(unix)]
    pub fn serve_unix(&self, path: impl Into<std::path::PathBuf>) -> io::Result<Serving> {
        let (listener, bound) = unix::bind(path.into())?;
        self.serve_on(Address::Unix(bound), move || Ok(listener.accept()?.0))
    }

    fn serve_on<S: Peer>(
        &self,
        address: Address,
        accept: impl FnMut() -> io::Result<S> + Send + 'static,
    ) -> io::Result<Serving> {
        let stop = Arc::new(AtomicBool::new(false));
        let (feed, stopping) = (self.clone(), stop.clone());
        thread::Builder::new()
            .name("eventlog-accept".into())
            .spawn(move || feed.let_in(accept, &stopping))?;
        Ok(Serving { address, stop })
    }

    fn let_in<S: Peer>(&self, mut accept: impl FnMut() -> io::Result<S>, stop: &AtomicBool) {
        loop {
            let accepted = accept();
            if stop.load(Ordering::Acquire) {
                return;
            }
            // Where there are no descriptors left it fails again and again.
            let Ok(stream) = accepted else {
                thread::sleep(PAUSE);
                continue;
            };
            let feed = self.clone();
            // A client that nobody can be spared for is hung up on, and comes back.
            let _refused = thread::Builder::new()
                .name("eventlog-client".into())
                .spawn(move || feed.converse(stream).ok());
        }
    }

    fn converse<S: Peer>(&self, mut stream: S) -> io::Result<()> {
        stream.set_timeouts(HELLO_TIMEOUT, READ_TIMEOUT)?;
        // Taken before the first line, so that those who never send one are counted too.
        let mut lines = match self.take_seat() {
            Some(seat) => self.greet(&mut stream, seat)?,
            None => self.full(),
        };
        while let Some(piece) = lines.blocking_next() {
            stream.write_all(&piece)?;
        }
        Ok(())
    }

    fn greet<S: Peer>(&self, stream: &mut S, seat: Seat<E>) -> io::Result<Lines<E>> {
        Ok(match read_hello(stream)? {
            Some(hello) => self.lines_of(seat, &hello),
            None => Lines::refusal("expected one line of at most 4096 bytes within 5 seconds"),
        })
    }
}

/// The first line; `None` if it is too long or takes too long.
fn read_hello<S: Peer>(stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let deadline = Instant::now() + HELLO_TIMEOUT;
    let (mut hello, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || hello.len() > MOST_HELLO {
            return Ok(None);
        }
        // Of one byte now and then there is no end otherwise.
        stream.set_timeouts(left, READ_TIMEOUT)?;
        let read = match stream.read(&mut buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if is_timeout(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        hello.extend_from_slice(&buffer[..read]);
        if let Some(end) = memchr::memchr(b'\n', &hello) {
            hello.truncate(end);
            return Ok((end <= MOST_HELLO).then_some(hello));
        }
    }
}

/// A timeout is one of two errors, as the system likes.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

impl Serving {
    /// The address that is listened on; `None` of a Unix socket.
    ///
    /// ```
    /// # use eventlog::{EventLog, Numbered, serve::Feed};
    /// # let log = EventLog::<Numbered<u32>>::new(None);
    /// let serving = Feed::new(&log).serve_tcp("127.0.0.1:0")?; // any port that is free
    /// println!("tcp:{}", serving.local_addr().unwrap());
    /// assert_ne!(serving.local_addr().unwrap().port(), 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.address {
            Address::Tcp(address) => Some(*address),
            #[cfg(unix)]
            Address::Unix(_) => None,
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // The thread waits for somebody to come.
        match &self.address {
            Address::Tcp(address) => {
                let mut address = *address;
                if address.ip().is_unspecified() {
                    address.set_ip(match address {
                        SocketAddr::V4(_) => [127, 0, 0, 1].into(),
                        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
                    });
                }
                TcpStream::connect_timeout(&address, PAUSE).ok();
            }
            #[cfg(unix)]
            Address::Unix(bound) => bound.knock(),
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Serving");
        match &self.address {
            Address::Tcp(address) => debug.field("address", address),
            #[cfg(unix)]
            Address::Unix(bound) => debug.field("path", &bound.path()),
        };
        debug.finish_non_exhaustive()
    }
}
