//! Where somebody listens: a Unix socket or a TCP port, and one face for the sockets of both.

use std::fmt;
use std::fs;
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use mio::{Interest, Registry, Token};

/// A place to listen at or to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// `unix:PATH`, or any text with a slash in it.
    Unix(PathBuf),
    /// `tcp:HOST:PORT`, or `HOST:PORT`.
    Tcp(SocketAddr),
}

/// Accepts connections.
#[derive(Debug)]
pub enum Listener {
    /// At a path; the file is removed with the listener.
    Unix(UnixListener, PathBuf),
    /// At a port.
    Tcp(TcpListener),
}

/// A connection.
#[derive(Debug)]
pub enum Stream {
    /// Through a file.
    Unix(UnixStream),
    /// Through a port.
    Tcp(TcpStream),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Address::Unix(path.into()));
        }
        let place = text.strip_prefix("tcp:").unwrap_or(text);
        if place.contains('/') {
            return Ok(Address::Unix(place.into()));
        }
        let wrong = |why: &dyn fmt::Display| {
            format!("{text:?} is no address ({why}); write unix:PATH or tcp:HOST:PORT")
        };
        let found = place.to_socket_addrs().map_err(|error| wrong(&error))?.next();
        found.map(Address::Tcp).ok_or_else(|| wrong(&"the host has none"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Address::Tcp(address) => write!(formatter, "tcp:{address}"),
        }
    }
}

impl Address {
    /// Begins to listen. A socket file that nobody listens at any more is replaced.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn listen(&self) -> io::Result<Listener> {
        match self {
            Address::Tcp(address) => Ok(Listener::Tcp(TcpListener::bind(*address)?)),
            Address::Unix(path) => {
                let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
                if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
                    fs::remove_file(path)?;
                }
                Ok(Listener::Unix(UnixListener::bind(path)?, path.clone()))
            }
        }
    }

    /// Begins to connect. Whether it worked shows when the stream becomes writable.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says at once.
    pub fn connect(&self) -> io::Result<Stream> {
        match self {
            Address::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path)?)),
            Address::Tcp(address) => {
                let stream = TcpStream::connect(*address)?;
                tune(&stream)?;
                Ok(Stream::Tcp(stream))
            }
        }
    }
}

/// What every TCP line here needs: batches are made by us and not in the kernel, and a line whose other end
/// is silently gone is given up soon, not after the kernel's quarter of an hour (R24).
fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_user_timeout(Some(SILENCE_MAX))?;
    socket.set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(SILENCE_MAX))
}

/// How long data may be on its way without an acknowledgement, and how long a line is silent before it is
/// asked whether anybody is there.
const SILENCE_MAX: Duration = Duration::from_secs(5);

impl Listener {
    /// The next connection that waits.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when none does; or whatever the operating system says.
    pub fn accept(&self) -> io::Result<Stream> {
        match self {
            Listener::Unix(listener, _) => Ok(Stream::Unix(listener.accept()?.0)),
            Listener::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                tune(&stream)?;
                Ok(Stream::Tcp(stream))
            }
        }
    }

    /// Where it listens, with the port that the system chose where 0 was asked for.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn address(&self) -> io::Result<Address> {
        match self {
            Listener::Unix(_, path) => Ok(Address::Unix(path.clone())),
            Listener::Tcp(listener) => Ok(Address::Tcp(listener.local_addr()?)),
        }
    }

    /// Has `registry` report new connections.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Listener::Unix(listener, _) => registry.register(listener, token, Interest::READABLE),
            Listener::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
        }
    }

    /// Undoes [`Listener::register`].
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Listener::Unix(listener, _) => registry.deregister(listener),
            Listener::Tcp(listener) => registry.deregister(listener),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listener::Unix(_, path) = self {
            // A file that is left behind is replaced at the next start; nothing rests on this.
            let _ = fs::remove_file(path);
        }
    }
}

impl Stream {
    /// Has `registry` report when there is something to read or room to write.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interests = Interest::READABLE | Interest::WRITABLE;
        match self {
            Stream::Unix(stream) => registry.register(stream, token, interests),
            Stream::Tcp(stream) => registry.register(stream, token, interests),
        }
    }

    /// The error that ended an attempt to connect, if one did.
    ///
    /// # Errors
    ///
    /// That one, or whatever the operating system says.
    pub fn check(&self) -> io::Result<()> {
        let error = match self {
            Stream::Unix(stream) => stream.take_error()?,
            Stream::Tcp(stream) => stream.take_error()?,
        };
        error.map_or(Ok(()), Err)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.read(buffer),
            Stream::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.write(bytes),
            Stream::Tcp(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Unix(stream) => stream.write_vectored(slices),
            Stream::Tcp(stream) => stream.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read_and_shown() {
        for (text, shown) in [
            ("unix:/tmp/a", "unix:/tmp/a"),
            ("/tmp/a", "unix:/tmp/a"),
            ("tcp:127.0.0.1:80", "tcp:127.0.0.1:80"),
            ("[::1]:6379", "tcp:[::1]:6379"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), shown);
        }
        for text in ["", "7000", "tcp:127.0.0.1", "127.0.0.1:99999"] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains("write unix:PATH or tcp:HOST:PORT"), "{error}");
        }
    }

    #[test]
    fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
        let path = std::env::temp_dir().join(format!("quorate-listen-{}", std::process::id()));
        let address = Address::Unix(path.clone());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = address.listen().unwrap();
        assert_eq!(address.listen().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(!path.exists());
    }
}
