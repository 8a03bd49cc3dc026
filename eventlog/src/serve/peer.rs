//! The two kinds of sockets as one.

#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// What both kinds of sockets can do.
pub(super) trait Peer: Read + Write + Send + 'static {
    fn set_timeouts(&self, read: Duration, write: Duration) -> io::Result<()>;
    fn try_clone(&self) -> io::Result<Box<dyn Peer>>;
    /// Ends the conversation, also for a thread that waits in it.
    fn hang_up(&self);
}

/// They have the same functions, and no trait for them.
macro_rules! peer {
    ($socket:ty) => {
        impl Peer for $socket {
            fn set_timeouts(&self, read: Duration, write: Duration) -> io::Result<()> {
                self.set_read_timeout(Some(read))?;
                self.set_write_timeout(Some(write))
            }

            fn try_clone(&self) -> io::Result<Box<dyn Peer>> {
                Ok(Box::new(self.try_clone()?))
            }

            fn hang_up(&self) {
                self.shutdown(Shutdown::Both).ok();
            }
        }
    };
}
peer!(TcpStream);
#[cfg(unix)]
peer!(UnixStream);
