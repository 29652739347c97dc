//! One connection with its two buffers.
//!
//! Reading stops after a budget, so that one busy peer does not starve the rest. Writing happens once a
//! turn for everything that was said in it; what does not fit stays, bounded by whoever appends.

use std::io::{self, ErrorKind, Read, Write};

use mio::event::Event;
use mio::{Registry, Token};

use super::address::Stream;
use crate::limits::READ_BYTES_PER_TURN;

/// How the other side is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Nothing stands in the way.
    Open,
    /// The other side has closed, or the connection broke.
    Closed,
}

/// A connection.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    /// Read and not yet used.
    input: Vec<u8>,
    /// Before this everything in `input` has been used.
    used: usize,
    /// Said and not yet written.
    output: Vec<u8>,
    /// Before this everything in `output` has been written.
    written: usize,
    readable: bool,
    writable: bool,
    /// The event loop has reported the other side's end. It will not do so again, so reading goes on to it.
    ending: bool,
}

impl Connection {
    /// Takes over a stream and has the event loop report on it.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says.
    pub fn new(mut stream: Stream, registry: &Registry, token: Token) -> io::Result<Connection> {
        stream.register(registry, token)?;
        Ok(Connection {
            stream,
            input: Vec::new(),
            used: 0,
            output: Vec::new(),
            written: 0,
            readable: false,
            writable: false,
            ending: false,
        })
    }

    /// The event loop reports that something has changed.
    pub fn ready(&mut self, event: &Event) {
        self.readable |= event.is_readable() || event.is_read_closed();
        self.writable |= event.is_writable() || event.is_write_closed();
        self.ending |= event.is_read_closed();
    }

    /// Whether there may be more to read, without a further report.
    pub fn is_readable(&self) -> bool {
        self.readable
    }

    /// Whether an attempt to connect has come to an end; how, [`Connection::check`] tells.
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// The error that ended an attempt to connect, if one did.
    ///
    /// # Errors
    ///
    /// That one, or whatever the operating system says.
    pub fn check(&self) -> io::Result<()> {
        self.stream.check()
    }

    /// Reads what has arrived, up to the budget of a turn.
    pub fn read(&mut self, scratch: &mut Scratch) -> Flow {
        self.forget_used();
        let mut budget = READ_BYTES_PER_TURN;
        while self.readable && budget > 0 {
            let room = budget.min(scratch.0.len());
            match self.stream.read(&mut scratch.0[..room]) {
                Ok(0) => return Flow::Closed,
                // Less than was asked for: the socket is empty, and a report will follow when it is not.
                Ok(count) => {
                    self.input.extend_from_slice(&scratch.0[..count]);
                    self.readable = self.ending || count == room;
                    budget -= count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.readable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Flow::Closed,
            }
        }
        Flow::Open
    }

    /// What was read and not used yet, and where to append what is to be said.
    pub fn buffers(&mut self) -> (&[u8], &mut Vec<u8>) {
        (&self.input[self.used..], &mut self.output)
    }

    /// What was read and not used yet.
    pub fn input(&self) -> &[u8] {
        &self.input[self.used..]
    }

    /// The first `count` bytes of the input have been used.
    pub fn consume(&mut self, count: usize) {
        self.used += count;
        assert!(self.used <= self.input.len(), "nothing is used that was not read");
    }

    /// Where to append what is to be said.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Bytes that the other side has not taken yet.
    pub fn unwritten(&self) -> usize {
        self.output.len() - self.written
    }

    /// Writes what waits, as far as the socket takes it.
    pub fn write(&mut self) -> Flow {
        while self.writable && self.unwritten() > 0 {
            match self.stream.write(&self.output[self.written..]) {
                Ok(0) => return Flow::Closed,
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Flow::Closed,
            }
        }
        if self.unwritten() == 0 {
            self.written = 0;
            reuse(&mut self.output);
        }
        Flow::Open
    }

    fn forget_used(&mut self) {
        if self.used == self.input.len() {
            reuse(&mut self.input);
        } else {
            self.input.drain(..self.used);
        }
        self.used = 0;
    }
}

/// Room to read into, shared by all connections of an event loop: so an idle connection costs next to
/// nothing, and nothing is filled with zeros before it is read into.
#[derive(Debug)]
pub struct Scratch(Box<[u8]>);

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch(vec![0; SCRATCH_BYTES].into_boxed_slice())
    }
}

/// So much is asked for in one read.
const SCRATCH_BYTES: usize = 64 << 10;

/// Empties a buffer and keeps its room, unless it has once grown far beyond the usual.
fn reuse(buffer: &mut Vec<u8>) {
    buffer.clear();
    if buffer.capacity() > SCRATCH_BYTES {
        *buffer = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use mio::{Events, Poll};

    use super::*;

    fn pair() -> (Poll, Connection, UnixStream) {
        let poll = Poll::new().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let stream = Stream::Unix(mio::net::UnixStream::from_std(ours));
        let connection = Connection::new(stream, poll.registry(), Token(1)).unwrap();
        (poll, connection, theirs)
    }

    fn pattern(place: usize) -> u8 {
        u8::try_from(place % 251).unwrap()
    }

    fn wait(poll: &mut Poll, connection: &mut Connection) {
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(std::time::Duration::from_secs(5))).unwrap();
        for event in &events {
            connection.ready(event);
        }
    }

    #[test]
    fn a_flood_is_read_in_turns_and_nothing_is_lost() {
        let (mut poll, mut connection, mut theirs) = pair();
        let sender = std::thread::spawn(move || {
            let bytes: Vec<u8> = (0..READ_BYTES_PER_TURN * 2 + 100).map(pattern).collect();
            theirs.write_all(&bytes).unwrap();
        });
        let (mut received, mut scratch) = (0, Scratch::default());
        loop {
            if !connection.is_readable() {
                wait(&mut poll, &mut connection);
            }
            let flow = connection.read(&mut scratch);
            let input = connection.input();
            assert!(input.len() <= READ_BYTES_PER_TURN);
            assert!(input.iter().enumerate().all(|(place, byte)| *byte == pattern(received + place)));
            let count = input.len();
            received += count;
            connection.consume(count);
            if flow == Flow::Closed {
                break;
            }
        }
        sender.join().unwrap();
        assert_eq!(received, READ_BYTES_PER_TURN * 2 + 100);
    }

    #[test]
    fn an_end_that_is_reported_together_with_the_last_bytes_is_not_missed() {
        let (mut poll, mut connection, mut theirs) = pair();
        theirs.write_all(b"last words").unwrap();
        drop(theirs);
        wait(&mut poll, &mut connection);
        assert_eq!(connection.read(&mut Scratch::default()), Flow::Closed);
        assert_eq!(connection.input(), b"last words");
    }

    #[test]
    fn what_the_other_side_does_not_take_stays() {
        let (mut poll, mut connection, mut theirs) = pair();
        wait(&mut poll, &mut connection);
        connection.output().resize(4 << 20, 5);
        assert_eq!(connection.write(), Flow::Open);
        let left = connection.unwritten();
        assert!(left > 0 && left < 4 << 20);
        let mut taken = vec![0; (4 << 20) - left];
        theirs.read_exact(&mut taken).unwrap();
        wait(&mut poll, &mut connection);
        connection.write();
        assert!(connection.unwritten() < left);
    }
}
