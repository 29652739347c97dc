//! One connection: requests that wait for their answers, and bytes that wait for their way.
//!
//! A line that is lost is opened anew after a while, longer each time that fails, and given up at last.
//! The event loop is asked about room to write only while bytes wait for it: on Unix sockets the kernel
//! reports new room after everything that the other side reads, and a report can cost a turn.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

use mio::event::{Event, Source};
use mio::{Interest, Registry, Token};

use super::plan::Kind;
use crate::limits::LOAD_REPLY_BYTES_MAX;
use crate::net::{Address, Stream};
use crate::resp::{ReplyError, ReplyView};
use crate::runtime::Clock;

/// The first wait after a loss, in nanoseconds; it doubles with each failure.
const WAIT_MIN: u64 = 10_000_000;

/// The longest wait.
const WAIT_MAX: u64 = 1_000_000_000;

/// Attempts to connect that may fail one after the other.
const FAILURES_MAX: u32 = 12;

/// A request without its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) kind: Kind,
    /// Whether it counts, or only keeps the server warm.
    pub(super) is_counted: bool,
    /// When it was sent, or should have been, in nanoseconds.
    pub(super) since: u64,
    /// Its place in the history.
    pub(super) place: u64,
}

/// Why a connection is lost.
#[derive(Debug)]
pub(super) enum Lost {
    Closed,
    Failed(io::Error),
    Nonsense(ReplyError),
    Unasked(String),
    TooLong,
    Silent,
}

impl fmt::Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Closed => write!(formatter, "it was closed by the server"),
            Lost::Failed(error) => write!(formatter, "{error}"),
            Lost::Nonsense(error) => write!(formatter, "the server has sent {error}; is it a Redis port?"),
            Lost::Unasked(text) => write!(formatter, "the server said without being asked: {text}"),
            Lost::TooLong => write!(formatter, "an answer of more than {LOAD_REPLY_BYTES_MAX} bytes"),
            Lost::Silent => write!(formatter, "no answer came in time"),
        }
    }
}

#[derive(Debug)]
enum State {
    /// Lost; to be opened again at a time.
    Down { again: u64 },
    /// On the way.
    Connecting(Stream),
    /// Of use. Whether the event loop reports room to write.
    Up { stream: Stream, is_watched: bool },
    /// It failed too often.
    GivenUp,
}

/// What a report of the event loop has led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// It is of use now.
    Connected,
    /// There may be something to read.
    Readable,
    /// Nothing.
    Nothing,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Line {
    address: Address,
    token: Token,
    state: State,
    /// Attempts since the last one that led to an answer.
    failures: u32,
    waiting: VecDeque<Waiting>,
    /// The beginning of an answer.
    partial: Vec<u8>,
    /// Requests on their way to the socket, and how far they have come.
    output: Vec<u8>,
    written: usize,
    /// The other end has closed; the event loop will not say so again.
    is_ending: bool,
    /// When something was read last, or asked after a pause.
    heard: u64,
}

impl Line {
    pub(super) fn new(address: Address, token: Token, pipeline: usize) -> Line {
        Line {
            address,
            token,
            state: State::Down { again: 0 },
            failures: 0,
            waiting: VecDeque::with_capacity(pipeline),
            partial: Vec::new(),
            output: Vec::new(),
            written: 0,
            is_ending: false,
            heard: 0,
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    pub(super) fn is_given_up(&self) -> bool {
        matches!(self.state, State::GivenUp)
    }

    /// When it is to be opened again, if it is.
    pub(super) fn again(&self) -> Option<u64> {
        match self.state {
            State::Down { again } => Some(again),
            _ => None,
        }
    }

    /// Requests without an answer.
    pub(super) fn in_flight(&self) -> usize {
        self.waiting.len()
    }

    /// Since when nothing has been heard, if something should be.
    pub(super) fn silent_since(&self) -> Option<u64> {
        (!self.waiting.is_empty()).then_some(self.heard)
    }

    /// Begins to connect.
    pub(super) fn open(&mut self, registry: &Registry) -> Result<(), Lost> {
        let mut stream = self.address.connect().map_err(Lost::Failed)?;
        let interests = Interest::READABLE | Interest::WRITABLE;
        registry.register(source(&mut stream), self.token, interests).map_err(Lost::Failed)?;
        self.state = State::Connecting(stream);
        Ok(())
    }

    /// Gives everything up that was on its way, and waits before the next attempt.
    pub(super) fn lose(&mut self, now: u64, registry: &Registry) -> impl Iterator<Item = Waiting> {
        if let State::Connecting(stream) | State::Up { stream, .. } = &mut self.state {
            // It is closed with the stream in any case.
            let _ = registry.deregister(source(stream));
        }
        let wait = (WAIT_MIN << self.failures.min(10)).min(WAIT_MAX);
        self.failures += 1;
        self.state =
            if self.failures > FAILURES_MAX { State::GivenUp } else { State::Down { again: now + wait } };
        self.partial.clear();
        self.output.clear();
        self.written = 0;
        self.is_ending = false;
        self.waiting.drain(..)
    }

    /// The event loop reports a change.
    pub(super) fn ready(&mut self, event: &Event, registry: &Registry) -> Result<News, Lost> {
        self.is_ending |= event.is_read_closed();
        match std::mem::replace(&mut self.state, State::GivenUp) {
            State::Connecting(mut stream) if event.is_writable() || event.is_write_closed() => {
                let checked = stream
                    .check()
                    .and_then(|()| registry.reregister(source(&mut stream), self.token, Interest::READABLE));
                self.state = State::Up { stream, is_watched: false };
                checked.map_err(Lost::Failed)?;
                return Ok(News::Connected);
            }
            state => self.state = state,
        }
        if event.is_writable() {
            self.write(registry)?;
        }
        let is_readable = event.is_readable() || event.is_read_closed();
        Ok(if self.is_up() && is_readable { News::Readable } else { News::Nothing })
    }

    /// Notes a request whose bytes `append` appends.
    pub(super) fn ask(&mut self, waiting: Waiting, now: u64, append: impl FnOnce(&mut Vec<u8>)) {
        append(&mut self.output);
        if self.waiting.is_empty() {
            self.heard = now;
        }
        self.waiting.push_back(waiting);
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn write(&mut self, registry: &Registry) -> Result<(), Lost> {
        let State::Up { stream, is_watched } = &mut self.state else { return Ok(()) };
        let mut is_full = false;
        while self.written < self.output.len() && !is_full {
            match stream.write(&self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => is_full = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Lost::Failed(error)),
            }
        }
        if !is_full {
            self.output.clear();
            self.written = 0;
        }
        if is_full != *is_watched {
            *is_watched = is_full;
            let room = if is_full { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            registry.reregister(source(stream), self.token, room).map_err(Lost::Failed)?;
        }
        Ok(())
    }

    /// Reads all answers that have come. Each goes to `take` with its request and the time it was there.
    pub(super) fn read(
        &mut self,
        scratch: &mut [u8],
        clock: &Clock,
        mut take: impl FnMut(Waiting, ReplyView<'_>, u64),
    ) -> Result<(), Lost> {
        loop {
            let State::Up { stream, .. } = &mut self.state else { return Ok(()) };
            match stream.read(scratch) {
                Ok(0) => return Err(Lost::Closed),
                Ok(count) => {
                    let now = clock.nanoseconds();
                    self.heard = now;
                    self.take_answers(&scratch[..count], |waiting, view| take(waiting, view, now))?;
                    // Less than was asked for: the socket is empty, and a report follows when it is not.
                    if count < scratch.len() && !self.is_ending {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Lost::Failed(error)),
            }
        }
    }

    fn take_answers(&mut self, bytes: &[u8], take: impl FnMut(Waiting, ReplyView<'_>)) -> Result<(), Lost> {
        if self.partial.is_empty() {
            let used = answer(bytes, &mut self.waiting, take)?;
            self.partial.extend_from_slice(&bytes[used..]);
        } else {
            self.partial.extend_from_slice(bytes);
            let used = answer(&self.partial, &mut self.waiting, take)?;
            self.partial.drain(..used);
        }
        self.failures = 0;
        if self.partial.len() > LOAD_REPLY_BYTES_MAX { Err(Lost::TooLong) } else { Ok(()) }
    }
}

/// Gives each whole answer at the front of some bytes to its request; how many bytes they took.
fn answer(
    bytes: &[u8],
    waiting: &mut VecDeque<Waiting>,
    mut take: impl FnMut(Waiting, ReplyView<'_>),
) -> Result<usize, Lost> {
    let mut used = 0;
    while let Some((view, length)) = ReplyView::parse(&bytes[used..]).map_err(Lost::Nonsense)? {
        let whole = used + length;
        let first = waiting.pop_front().ok_or_else(|| Lost::Unasked(shown(&bytes[used..whole])))?;
        take(first, view);
        used = whole;
    }
    Ok(used)
}

/// What a server said, for a message.
fn shown(bytes: &[u8]) -> String {
    const BYTES_MAX: usize = 100;
    bytes.trim_ascii().iter().take(BYTES_MAX).map(|byte| byte.escape_ascii().to_string()).collect()
}

fn source(stream: &mut Stream) -> &mut dyn Source {
    match stream {
        Stream::Unix(stream) => stream,
        Stream::Tcp(stream) => stream,
    }
}
