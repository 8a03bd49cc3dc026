//! Where another process serves its log.

use std::{
    error::Error,
    fmt, io,
    net::{TcpStream, ToSocketAddrs},
    str::FromStr,
    time::Duration,
};
#[cfg(unix)]
use std::{os::unix::net::UnixStream, path::PathBuf};

use super::peer::Peer;

/// Of the system itself it would be minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a feed is served: `unix:/path/of/the/socket` or `tcp:host:port`.
///
/// ```
/// use eventlog::serve::Address;
///
/// let address: Address = "tcp:127.0.0.1:7070".parse()?;
/// assert_eq!(address.to_string(), "tcp:127.0.0.1:7070");
/// assert!("127.0.0.1".parse::<Address>().is_err());
/// # Ok::<(), eventlog::serve::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Address {
    /// A host and a port, such as `127.0.0.1:7070`.
    Tcp(String),
    /// The path of a Unix socket.
    #[cfg(unix)]
    Unix(PathBuf),
}

/// A text that is no address.
///
/// ```
/// # use eventlog::serve::Address;
/// // An argument of a program, which says to the user what it should have been.
/// let error = "127.0.0.1:7070".parse::<Address>().unwrap_err();
/// assert!(error.to_string().contains("tcp:"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AddressError;

impl Address {
    pub(super) fn connect(&self) -> io::Result<Box<dyn Peer>> {
        Ok(match self {
            Self::Tcp(address) => Box::new(connect_tcp(address)?),
            #[cfg(unix)]
            Self::Unix(path) => Box::new(UnixStream::connect(path)?),
        })
    }
}

/// Tries each address of the host.
fn connect_tcp(address: &str) -> io::Result<TcpStream> {
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (kind, place) = text.split_once(':').ok_or(AddressError)?;
        match kind {
            "tcp" if place.contains(':') => Ok(Self::Tcp(place.to_owned())),
            #[cfg(unix)]
            "unix" if !place.is_empty() => Ok(Self::Unix(place.into())),
            _ => Err(AddressError),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            #[cfg(unix)]
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an address: expected `unix:/path/of/the/socket` or `tcp:host:port`")
    }
}

impl Error for AddressError {}
