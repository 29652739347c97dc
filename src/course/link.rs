//! The one socket to the simulator, in three dialects behind one face: whole messages in, whole messages out.
//!
//! Reading goes on until the socket is empty, since readiness is told only once, and since a simulator that
//! cannot write stands still. Writing never waits: what does not fit is queued, and when the queue is full
//! messages to replicas are dropped.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::Path;

use mio::net::{UdpSocket, UnixDatagram, UnixStream};
use mio::{Interest, Registry, Token};
use socket2::{Domain, SockAddr, Socket, Type};

use super::arguments::Dialect;
use super::desk::Urgency;
use super::lines::Lines;
use crate::limits::{COURSE_OUTBOX_MAX, DATAGRAM_BYTES_MAX};

/// A connection to the simulator.
pub struct Link {
    socket: Transport,
    buffer: Box<[u8]>,
    outbox: VecDeque<Vec<u8>>,
    /// A write has found the simulator gone; the next round of reading says so.
    closed: bool,
}

enum Transport {
    /// SOCK_SEQPACKET, which keeps message borders as a datagram socket does.
    Packet(UnixDatagram),
    /// Messages of one JSON object, each ended by `}` and a line feed.
    Stream {
        socket: UnixStream,
        lines: Lines,
    },
    Udp(UdpSocket),
}

/// What a round of reading found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// All that was there.
    Drained,
    /// The simulator has closed its end: the run is over for this replica.
    Closed,
}

impl Link {
    /// Connects to the simulator.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn open(dialect: &Dialect) -> io::Result<Link> {
        let socket = match dialect {
            Dialect::File(path) => open_file(path)?,
            Dialect::Udp(port) => {
                let socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
                // Connected, so that nobody else can talk to us, and the simulator's end shows as an error.
                socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, *port)))?;
                Transport::Udp(socket)
            }
        };
        let buffer = vec![0; DATAGRAM_BYTES_MAX].into_boxed_slice();
        Ok(Link { socket, buffer, outbox: VecDeque::new(), closed: false })
    }

    /// Whether the simulator has to be told first where this replica is.
    pub fn needs_hello(&self) -> bool {
        matches!(self.socket, Transport::Udp(_))
    }

    /// Has `registry` report when the socket can be read or written.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interests = Interest::READABLE | Interest::WRITABLE;
        match &mut self.socket {
            Transport::Packet(socket) => registry.register(socket, token, interests),
            Transport::Stream { socket, .. } => registry.register(socket, token, interests),
            Transport::Udp(socket) => registry.register(socket, token, interests),
        }
    }

    /// Gives `take` every message that has arrived.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says, but for what only means "not now".
    pub fn receive(&mut self, mut take: impl FnMut(&[u8])) -> io::Result<Received> {
        let mut was_empty = false;
        while !self.closed {
            let read = match &mut self.socket {
                Transport::Packet(socket) => socket.recv(&mut self.buffer),
                Transport::Stream { socket, .. } => socket.read(&mut self.buffer),
                Transport::Udp(socket) => socket.recv(&mut self.buffer),
            };
            let bytes = match read {
                Ok(count) => &self.buffer[..count],
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Received::Drained),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if is_closed(&error) => break,
                Err(error) => return Err(error),
            };
            match &mut self.socket {
                Transport::Stream { .. } if bytes.is_empty() => return Ok(Received::Closed),
                // One may be an empty packet; the end of a connection is read over and over.
                Transport::Packet(_) if bytes.is_empty() && was_empty => return Ok(Received::Closed),
                Transport::Packet(_) if bytes.is_empty() => was_empty = true,
                Transport::Packet(_) | Transport::Udp(_) => take(bytes),
                Transport::Stream { lines, .. } => lines.take_in(bytes, &mut take),
            }
        }
        Ok(Received::Closed)
    }

    /// Sends a message, or queues it behind those that wait.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says, but for what only means "not now".
    pub fn send(&mut self, mut message: Vec<u8>, urgency: Urgency) -> io::Result<()> {
        if let Transport::Stream { .. } = self.socket {
            message.push(b'\n');
        }
        if self.outbox.len() >= COURSE_OUTBOX_MAX && urgency == Urgency::Peer {
            return Ok(());
        }
        self.outbox.push_back(message);
        self.flush()
    }

    /// Writes what waits, as far as the socket takes it.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says, but for what only means "not now".
    pub fn flush(&mut self) -> io::Result<()> {
        while let Some(message) = self.outbox.front_mut() {
            let written = match &mut self.socket {
                Transport::Packet(socket) => socket.send(message),
                Transport::Stream { socket, .. } => socket.write(message),
                Transport::Udp(socket) => socket.send(message),
            };
            match written {
                Ok(count) if count < message.len() => {
                    message.drain(..count);
                }
                Ok(_) => {
                    self.outbox.pop_front();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_closed(&error) => {
                    self.closed = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn open_file(path: &Path) -> io::Result<Transport> {
    let address = SockAddr::unix(path)?;
    let packet = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
    match packet.connect(&address) {
        Ok(()) => {
            packet.set_nonblocking(true)?;
            let socket = std::os::unix::net::UnixDatagram::from(OwnedFd::from(packet));
            Ok(Transport::Packet(UnixDatagram::from_std(socket)))
        }
        Err(error) if error.raw_os_error() == Some(EPROTOTYPE) => {
            let socket = std::os::unix::net::UnixStream::connect(path)?;
            socket.set_nonblocking(true)?;
            Ok(Transport::Stream { socket: UnixStream::from_std(socket), lines: Lines::default() })
        }
        Err(error) => Err(error),
    }
}

/// "Protocol wrong type for socket": there is a listener, but of another type. Has no name in std.
const EPROTOTYPE: i32 = 91;

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionRefused
            | ErrorKind::NotConnected
    )
}
