//! A client of the Redis port that waits for each answer: for people, not for load.
//!
//! It speaks RESP2. A request is never sent twice: after a lost connection nobody knows whether it took
//! effect, and whoever asked decides what to do.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::limits::REPLY_DEPTH_MAX;
use crate::net::Address;

/// How long a connection may take to come up.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// Longest text that is believed, in bytes: that of Redis.
const BULK_BYTES_MAX: u64 = 512 << 20;

/// Longest line, in bytes: an error may quote some of what was sent.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A simple string.
    Status(Vec<u8>),
    /// An error with its code.
    Error(Vec<u8>),
    /// An integer.
    Integer(i64),
    /// Any bytes.
    Bulk(Vec<u8>),
    /// Nothing, in either form.
    Nil,
    /// One after the other.
    Array(Vec<Reply>),
}

impl Reply {
    /// Its text, if it is one.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Reply::Status(bytes) | Reply::Bulk(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    /// Whether it is an error.
    pub(super) fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }
}

/// A connection to a node.
pub(super) struct Client {
    stream: BufReader<Box<dyn Socket>>,
}

/// What both kinds of sockets can do.
trait Socket: Read + Write {
    fn set_patience(&self, patience: Option<Duration>) -> io::Result<()>;
}

impl Socket for UnixStream {
    fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        self.set_write_timeout(patience)?;
        self.set_read_timeout(patience)
    }
}

impl Socket for TcpStream {
    fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        self.set_write_timeout(patience)?;
        self.set_read_timeout(patience)
    }
}

impl Client {
    /// Connects. `patience` is how long each later read and write may take; `None` waits for ever.
    pub(super) fn connect(address: &Address, patience: Option<Duration>) -> io::Result<Client> {
        let socket: Box<dyn Socket> = match address {
            Address::Unix(path) => Box::new(UnixStream::connect(path)?),
            Address::Tcp(place) => {
                let limit = patience.map_or(CONNECT_PATIENCE, |patience| patience.min(CONNECT_PATIENCE));
                let stream = TcpStream::connect_timeout(place, limit)?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        };
        socket.set_patience(patience)?;
        Ok(Client { stream: BufReader::new(socket) })
    }

    /// Sends one request and waits for its answer.
    pub(super) fn ask<W: AsRef<[u8]>>(&mut self, words: &[W]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words.iter().map(AsRef::as_ref) {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request)?;
        read_reply(&mut self.stream)
    }
}

/// Reads one answer. No memory is claimed for anything that has not arrived.
///
/// # Errors
///
/// Those of the stream, and an error that says so when the bytes are no answer.
pub fn read_reply(stream: &mut impl BufRead) -> io::Result<Reply> {
    read_nested(stream, 0)
}

fn read_nested(stream: &mut impl BufRead, depth: usize) -> io::Result<Reply> {
    let line = read_line(stream)?;
    let (kind, rest) = line.split_first().ok_or_else(|| wrong("an empty line"))?;
    match kind {
        b'+' => Ok(Reply::Status(rest.to_vec())),
        b'-' => Ok(Reply::Error(rest.to_vec())),
        b':' => Ok(Reply::Integer(number(rest)?)),
        b'$' => match u64::try_from(number(rest)?) {
            Err(_) => Ok(Reply::Nil),
            Ok(length) if length <= BULK_BYTES_MAX => read_bulk(stream, length),
            Ok(_) => Err(wrong("a text that is too long")),
        },
        b'*' if depth > REPLY_DEPTH_MAX => Err(wrong("lists too deep in one another")),
        b'*' => match number(rest)? {
            ..0 => Ok(Reply::Nil),
            // No memory for them before they are here: the count is only what somebody says.
            count => Ok(Reply::Array(
                (0..count).map(|_| read_nested(stream, depth + 1)).collect::<io::Result<_>>()?,
            )),
        },
        _ => Err(wrong("a line that is no answer; is this a Redis port?")),
    }
}

/// A line without its end.
fn read_line(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    stream.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::Error::new(ErrorKind::UnexpectedEof, "the node has closed the connection"));
    }
    match line.strip_suffix(b"\r\n") {
        Some(line) => Ok(line.to_vec()),
        None => Err(wrong("half a line")),
    }
}

fn read_bulk(stream: &mut impl BufRead, length: u64) -> io::Result<Reply> {
    let mut bytes = Vec::new();
    stream.by_ref().take(length + 2).read_to_end(&mut bytes)?;
    match bytes.strip_suffix(b"\r\n") {
        Some(text) if text.len() as u64 == length => Ok(Reply::Bulk(text.to_vec())),
        _ => Err(wrong("half a text")),
    }
}

fn number(text: &[u8]) -> io::Result<i64> {
    crate::resp::number::parse_i64(text).ok_or_else(|| wrong("a number that is none"))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the node has sent {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Reply> {
        read_reply(&mut &bytes[..])
    }

    #[test]
    fn every_kind_of_answer_is_read() {
        let bytes = b"*7\r\n+OK\r\n-ERR no\r\n:-5\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*0\r\n";
        let wanted = Reply::Array(vec![
            Reply::Status(b"OK".to_vec()),
            Reply::Error(b"ERR no".to_vec()),
            Reply::Integer(-5),
            Reply::Bulk(b"a\r\n".to_vec()),
            Reply::Nil,
            Reply::Nil,
            Reply::Array(Vec::new()),
        ]);
        assert!(matches!(read(b"$3\r\na\r\n\r\n"), Ok(Reply::Bulk(text)) if text == b"a\r\n"));
        assert_eq!(read(bytes).unwrap(), wanted);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let deep = "*1\r\n".repeat(100);
        for bytes in
            ["", "\r\n", "+OK", "$5\r\nab", "$5\r\nab\r\n", "$2\r\nabcd\r\n", ":x\r\n", "HTTP/1.1\r\n", &deep]
        {
            assert!(read(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
        assert!(read(b"$99999999999999\r\n").is_err());
        assert!(read(b"*99999999999999\r\n:1\r\n").is_err());
    }
}
