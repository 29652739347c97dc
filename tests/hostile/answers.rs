//! What `quorate cli` and its kin read: answers of a node that may not be one.

use std::io::{self, BufReader, Read};

use quorate::cli::{Reply, read_reply};
use quorate::resp::{self, Protocol, ReplyWriter};

use super::pieces::Pieces;
use super::verdict::Verdict;
use super::weigh::weigh;

/// Memory for one byte on the line: an answer of three bytes takes 32, and while a list grows it is there one
/// and a half times; and a buffer of a length that does not depend on it.
const MEMORY_PER_BYTE: u64 = 24;
const MEMORY_MORE: u64 = 16 << 10;

/// A socket on which bytes come in pieces.
struct Line<'a> {
    pieces: Pieces<'a>,
    piece: &'a [u8],
}

impl Read for Line<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            self.piece = self.pieces.next().unwrap_or_default();
        }
        self.piece.read(buffer)
    }
}

/// All answers on a line, and what ended it.
fn read(pieces: Pieces<'_>) -> (Vec<Reply>, String) {
    let mut line = BufReader::with_capacity(512, Line { pieces, piece: b"" });
    let mut replies = Vec::new();
    loop {
        match read_reply(&mut line) {
            Ok(reply) => replies.push(reply),
            Err(error) => return (replies, error.to_string()),
        }
    }
}

/// Lets a client read bytes.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let (whole, weight) = weigh(|| read(Pieces::whole(input)));
    assert_eq!(read(Pieces::cut(input)), whole, "it makes a difference how the stream is cut");
    let (replies, _) = whole;
    let mut again = Vec::new();
    replies.iter().for_each(|reply| write(reply, &mut again));
    let (reread, _) = read(Pieces::whole(&again));
    assert_eq!(reread, replies, "answers written again are others");
    Verdict { decoded: replies.len() as u64, peak: weight.peak }.bounded(input, MEMORY_PER_BYTE, MEMORY_MORE)
}

/// The bytes of an answer, independent of the server's writer.
fn write(reply: &Reply, out: &mut Vec<u8>) {
    let mut line = |kind: u8, text: &[u8]| {
        out.push(kind);
        out.extend(text);
        out.extend(b"\r\n");
    };
    match reply {
        Reply::Status(text) => line(b'+', text),
        Reply::Error(text) => line(b'-', text),
        Reply::Integer(number) => line(b':', number.to_string().as_bytes()),
        Reply::Nil => line(b'$', b"-1"),
        Reply::Bulk(bytes) => {
            line(b'$', bytes.len().to_string().as_bytes());
            out.extend(bytes);
            out.extend(b"\r\n");
        }
        Reply::Array(replies) => {
            line(b'*', replies.len().to_string().as_bytes());
            replies.iter().for_each(|reply| write(reply, out));
        }
    }
}

/// Answers as nodes give them, by the real writer.
pub(crate) fn corpus() -> Vec<Vec<u8>> {
    let leaves = vec![
        resp::Reply::Ok,
        resp::Reply::Null,
        resp::Reply::NullArray,
        resp::Reply::Simple("QUEUED".into()),
        resp::Reply::error("ERR no"),
        resp::Reply::Integer(i64::MIN),
        resp::Reply::bulk(b"\0\r\n\xFF"),
        resp::Reply::bulk(&[b'x'; 2_000]),
        resp::Reply::Double("1.5".into()),
        resp::Reply::Boolean(true),
    ];
    let list = resp::Reply::Array(leaves.clone());
    let deep = (0..5).fold(resp::Reply::Integer(1), |inner, _| resp::Reply::Array(vec![inner]));
    let map = resp::Reply::Map(vec![(resp::Reply::bulk(b"key"), list.clone())]);
    let set = resp::Reply::Set(leaves.clone());
    let empty = resp::Reply::Array(Vec::new());
    let all: Vec<resp::Reply> = leaves.into_iter().chain([list, deep, map, set, empty]).collect();
    let written = |protocol| {
        all.iter().map(move |reply| {
            let mut buffer = Vec::new();
            ReplyWriter::new(&mut buffer, protocol).reply(reply);
            buffer
        })
    };
    let singles: Vec<Vec<u8>> = written(Protocol::Resp2).chain(written(Protocol::Resp3)).collect();
    let pipelines: Vec<Vec<u8>> = singles.chunks(4).map(<[Vec<u8>]>::concat).collect();
    singles.into_iter().chain(pipelines).collect()
}
