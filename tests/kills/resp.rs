//! A connection of the simplest kind: one request, one answer.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

/// An answer in RESP 2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Simple(String),
    Error(String),
    Integer(i64),
    Bytes(Option<Vec<u8>>),
    Array(Vec<Reply>),
}

/// A connection to a node.
pub(crate) struct Connection {
    stream: BufReader<UnixStream>,
}

impl Connection {
    pub(crate) fn open(door: &Path) -> io::Result<Connection> {
        Ok(Connection { stream: BufReader::new(UnixStream::connect(door)?) })
    }

    /// Asks, and waits for the answer. After an error the connection is of no use any more.
    pub(crate) fn ask(&mut self, words: &[&[u8]], give_up: Instant) -> io::Result<Reply> {
        self.say(words, give_up)?;
        self.hear(give_up)
    }

    /// Asks.
    pub(crate) fn say(&mut self, words: &[&[u8]], give_up: Instant) -> io::Result<()> {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.set_patience(give_up)?;
        self.stream.get_mut().write_all(&request)
    }

    fn set_patience(&mut self, give_up: Instant) -> io::Result<()> {
        let left = give_up.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.get_ref().set_read_timeout(Some(left))?;
        self.stream.get_ref().set_write_timeout(Some(left))
    }

    /// Waits for the answer.
    pub(crate) fn hear(&mut self, give_up: Instant) -> io::Result<Reply> {
        self.set_patience(give_up)?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let garbled = || io::Error::new(ErrorKind::InvalidData, format!("not RESP: {line:?}"));
        let line = line.strip_suffix("\r\n").ok_or(ErrorKind::UnexpectedEof)?;
        let (kind, rest) = line.split_at_checked(1).ok_or_else(garbled)?;
        let number = || rest.parse::<i64>().map_err(|_| garbled());
        match kind {
            "+" => Ok(Reply::Simple(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => Ok(Reply::Integer(number()?)),
            "$" => match usize::try_from(number()?) {
                Ok(length) => {
                    let mut bytes = vec![0; length + 2];
                    self.stream.read_exact(&mut bytes)?;
                    bytes.truncate(length);
                    Ok(Reply::Bytes(Some(bytes)))
                }
                Err(_) => Ok(Reply::Bytes(None)),
            },
            "*" => {
                let count = number()?;
                (0..count).map(|_| self.hear(give_up)).collect::<io::Result<_>>().map(Reply::Array)
            }
            _ => Err(garbled()),
        }
    }
}
