//! A small RESP client: it waits for each answer, and can send anything at all.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longer than any node lets a client wait.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Reply {
    Status(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    Array(Vec<Reply>),
}

impl Reply {
    pub(super) fn ok() -> Reply {
        Reply::Status("OK".to_owned())
    }

    pub(super) fn bulk(bytes: impl AsRef<[u8]>) -> Reply {
        Reply::Bulk(bytes.as_ref().to_vec())
    }

    pub(super) fn is_error(&self, beginning: &str) -> bool {
        matches!(self, Reply::Error(text) if text.starts_with(beginning))
    }
}

pub(super) struct Client(BufReader<UnixStream>);

impl Client {
    pub(super) fn connect(path: &Path) -> io::Result<Client> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client(BufReader::new(stream)))
    }

    /// Sends one command and waits for its answer.
    pub(super) fn ask<W: AsRef<[u8]>>(&mut self, words: &[W]) -> io::Result<Reply> {
        self.send(&command(words))?;
        self.hear()
    }

    /// The same, where nothing may go wrong.
    pub(super) fn say<W: AsRef<[u8]>>(&mut self, words: &[W]) -> Reply {
        self.ask(words).expect("the node answers")
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    pub(super) fn hear(&mut self) -> io::Result<Reply> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(Error::new(ErrorKind::UnexpectedEof, "closed"));
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        let (kind, rest) = line.split_at(1);
        let number = || rest.parse::<i64>().map_err(|_| Error::other(format!("no number: {line}")));
        match kind {
            "+" => Ok(Reply::Status(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => Ok(Reply::Integer(number()?)),
            "$" | "*" if number()? < 0 => Ok(Reply::Nil),
            "$" => {
                let mut bytes = vec![0; usize::try_from(number()?).expect("not negative") + 2];
                self.0.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Ok(Reply::Bulk(bytes))
            }
            "*" => Ok(Reply::Array((0..number()?).map(|_| self.hear()).collect::<io::Result<_>>()?)),
            _ => Err(Error::other(format!("no answer: {line}"))),
        }
    }

    /// Whether the node hangs up, after whatever it still says.
    pub(super) fn is_hung_up_on(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    pub(super) fn stream(&self) -> &UnixStream {
        self.0.get_ref()
    }
}

/// A command in the protocol's words.
pub(super) fn command<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words.iter().map(AsRef::as_ref) {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
