//! Answers out of bytes, for whoever asks: the counterpart of the reply writer.
//!
//! [`ReplyView::parse`] is shown the bytes of a connection from the first that has not been used, and answers
//! with a view of the first answer where it lies, and its length. It keeps nothing between calls: the answers
//! to a load are short, and looking at half of one twice costs less than remembering it. Lists are told by
//! their bytes only, which is enough to step over them; they are bounded in depth, and nothing claims memory
//! because of a number that somebody has sent.
//!
//! Missing: the inside of lists. Whoever needs it has the bytes.

use std::fmt;

use super::number::parse_i64;
use crate::limits::{REPLY_DEPTH_MAX, RESP_LINE_BYTES_MAX};

/// An answer where it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyView<'a> {
    /// A simple string.
    Simple(&'a [u8]),
    /// An error: its code, and what else it says.
    Error(&'a [u8]),
    /// An integer.
    Integer(i64),
    /// Any bytes.
    Bulk(&'a [u8]),
    /// No value.
    Null,
    /// Everything else: lists, and what only RESP3 has. The bytes as they are.
    Other(&'a [u8]),
}

/// Bytes that are no answer. Where the next one begins is not known, so the connection is of no more use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyError {
    /// It begins with a byte that no answer begins with.
    Kind(u8),
    /// A number is none, or none that makes sense here.
    Number,
    /// A line or a text does not end where it should.
    End,
    /// Lists too deep in one another.
    Depth,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplyError::Kind(byte) => {
                write!(formatter, "an answer that begins with '{}'", byte.escape_ascii())
            }
            ReplyError::Number => write!(formatter, "a length or a number that is none"),
            ReplyError::End => write!(formatter, "a line or a text without its end"),
            ReplyError::Depth => write!(formatter, "lists too deep in one another"),
        }
    }
}

impl std::error::Error for ReplyError {}

impl<'a> ReplyView<'a> {
    /// The first answer in `bytes` and how many of them it takes; `None` before more have come.
    ///
    /// # Errors
    ///
    /// [`ReplyError`] if no answer begins here, however it may go on.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(ReplyView<'a>, usize)>, ReplyError> {
        ReplyView::parse_at(bytes, 0)
    }

    fn parse_at(bytes: &'a [u8], depth: usize) -> Result<Option<(ReplyView<'a>, usize)>, ReplyError> {
        let Some((line, used)) = line(bytes)? else { return Ok(None) };
        let rest = &line[1..];
        let view = match line[0] {
            b'+' => ReplyView::Simple(rest),
            b'-' => ReplyView::Error(rest),
            b':' => ReplyView::Integer(parse_i64(rest).ok_or(ReplyError::Number)?),
            b'_' => ReplyView::Null,
            b'#' | b',' | b'(' => ReplyView::Other(line),
            b'$' | b'!' | b'=' => return text(bytes, line, used),
            b'*' | b'~' | b'>' => return list(bytes, used, count(rest)?, depth),
            b'%' | b'|' => {
                return list(bytes, used, count(rest)?.map(|pairs| pairs.saturating_mul(2)), depth);
            }
            kind => return Err(ReplyError::Kind(kind)),
        };
        Ok(Some((view, used)))
    }
}

/// The first line without its end, never empty, and its length with it.
fn line(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, ReplyError> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\r') else {
        return if bytes.len() > RESP_LINE_BYTES_MAX { Err(ReplyError::End) } else { check_kind(bytes) };
    };
    match bytes.get(end + 1) {
        Some(b'\n') if end > 0 => Ok(Some((&bytes[..end], end + 2))),
        None if end > 0 => Ok(None),
        _ => Err(ReplyError::End),
    }
}

/// What is no answer is known by its first byte; there may never be an end of its line.
fn check_kind(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, ReplyError> {
    match bytes.first() {
        Some(kind) if !b"+-:_#,($!=*~>%|".contains(kind) => Err(ReplyError::Kind(*kind)),
        _ => Ok(None),
    }
}

/// A number of bytes or of parts; `None` stands for no value.
fn count(digits: &[u8]) -> Result<Option<usize>, ReplyError> {
    match parse_i64(digits) {
        Some(-1) => Ok(None),
        Some(count) => usize::try_from(count).map(Some).map_err(|_| ReplyError::Number),
        None => Err(ReplyError::Number),
    }
}

fn text<'a>(bytes: &'a [u8], line: &[u8], used: usize) -> Result<Option<(ReplyView<'a>, usize)>, ReplyError> {
    let Some(length) = count(&line[1..])? else { return Ok(Some((ReplyView::Null, used))) };
    let whole = used.saturating_add(length).saturating_add(2);
    let Some(payload) = bytes.get(used..whole) else { return Ok(None) };
    let payload = payload.strip_suffix(b"\r\n").ok_or(ReplyError::End)?;
    let view = match line[0] {
        b'$' => ReplyView::Bulk(payload),
        b'!' => ReplyView::Error(payload),
        _ => ReplyView::Other(&bytes[..whole]),
    };
    Ok(Some((view, whole)))
}

fn list(
    bytes: &[u8],
    mut used: usize,
    count: Option<usize>,
    depth: usize,
) -> Result<Option<(ReplyView<'_>, usize)>, ReplyError> {
    let Some(count) = count else { return Ok(Some((ReplyView::Null, used))) };
    if depth >= REPLY_DEPTH_MAX {
        return Err(ReplyError::Depth);
    }
    for _ in 0..count {
        match ReplyView::parse_at(&bytes[used..], depth + 1)? {
            Some((_, length)) => used += length,
            None => return Ok(None),
        }
    }
    Ok(Some((ReplyView::Other(&bytes[..used]), used)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{Protocol, ReplyWriter};

    /// One of each kind, as written.
    fn samples() -> Vec<(&'static [u8], ReplyView<'static>)> {
        vec![
            (b"+OK\r\n", ReplyView::Simple(b"OK")),
            (b"+\r\n", ReplyView::Simple(b"")),
            (b"-TRYAGAIN nothing was done\r\n", ReplyView::Error(b"TRYAGAIN nothing was done")),
            (b":-12\r\n", ReplyView::Integer(-12)),
            (b"$4\r\na\r\nb\r\n", ReplyView::Bulk(b"a\r\nb")),
            (b"$0\r\n\r\n", ReplyView::Bulk(b"")),
            (b"$-1\r\n", ReplyView::Null),
            (b"*-1\r\n", ReplyView::Null),
            (b"_\r\n", ReplyView::Null),
            (b"*2\r\n$1\r\nx\r\n*1\r\n:1\r\n", ReplyView::Other(b"*2\r\n$1\r\nx\r\n*1\r\n:1\r\n")),
            (b"%1\r\n+a\r\n:1\r\n", ReplyView::Other(b"%1\r\n+a\r\n:1\r\n")),
            (b"=5\r\ntxt:a\r\n", ReplyView::Other(b"=5\r\ntxt:a\r\n")),
            (b"#t\r\n", ReplyView::Other(b"#t")),
            (b"!3\r\nERR\r\n", ReplyView::Error(b"ERR")),
        ]
    }

    #[test]
    fn every_kind_is_read_whole_and_never_in_part() {
        for (bytes, view) in samples() {
            let followed = [bytes, b"+more\r\n"].concat();
            assert_eq!(
                ReplyView::parse(&followed),
                Ok(Some((view, bytes.len()))),
                "{}",
                bytes.escape_ascii()
            );
            for cut in 0..bytes.len() {
                assert_eq!(ReplyView::parse(&bytes[..cut]), Ok(None), "{cut} of {}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn what_our_writer_writes_is_read() {
        let mut bytes = Vec::new();
        let mut writer = ReplyWriter::new(&mut bytes, Protocol::Resp2);
        writer.ok();
        writer.bulk(b"value");
        writer.integer(i64::MIN);
        writer.null();
        let mut rest = &bytes[..];
        for wanted in [
            ReplyView::Simple(b"OK"),
            ReplyView::Bulk(b"value"),
            ReplyView::Integer(i64::MIN),
            ReplyView::Null,
        ] {
            let (view, used) = ReplyView::parse(rest).unwrap().unwrap();
            assert_eq!(view, wanted);
            rest = &rest[used..];
        }
        assert!(rest.is_empty());
    }

    #[test]
    fn what_is_no_answer_is_an_error_at_once() {
        for bytes in ["HTTP", "\r\n", "$x\r\n", "$-2\r\n", ":1.5\r\n", "$1\r\nabc", "*-7\r\n", "+a\rb"] {
            assert!(ReplyView::parse(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
        let deep = "*1\r\n".repeat(REPLY_DEPTH_MAX + 1);
        assert_eq!(ReplyView::parse(deep.as_bytes()), Err(ReplyError::Depth));
        let endless = vec![b'+'; RESP_LINE_BYTES_MAX + 1];
        assert_eq!(ReplyView::parse(&endless), Err(ReplyError::End));
        assert_eq!(ReplyView::parse(b"$9223372036854775807\r\nab"), Ok(None), "it may yet come");
    }
}
