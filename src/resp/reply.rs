//! Answers to bytes, in either version of the protocol.
//!
//! A [`ReplyWriter`] appends to a buffer that its connection owns and keeps; nothing is built in between.
//! The caller says what the answer is - a map, a set, a double - and the writer writes what the client's
//! version has for it: in RESP2 a map is an array twice as long, a set or a push an array, a double and a
//! verbatim text a bulk, a boolean an integer. An aggregate is its header, followed by whatever is written
//! next; the caller answers for the count.
//!
//! Lines (simple strings, errors) cannot hold line ends; as in Redis, each becomes a space.
//!
//! A [`Reply`] is the same as a value: what the state machine answers. It has no floats, so that equality
//! is plain, and its values can be shared with the store instead of copied. It travels with serde, and a
//! hostile encoding cannot nest it deeper than [`REPLY_DEPTH_MAX`].
//!
//! Missing: attributes and streamed aggregates of RESP3, which no client here asks for.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use super::number::{format_f64, format_i64, format_u64};
use super::octets;
use crate::limits::REPLY_DEPTH_MAX;

/// The version of the protocol that a client speaks; it begins with the older and may ask for the newer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Protocol {
    /// RESP2.
    #[default]
    Resp2,
    /// RESP3.
    Resp3,
}

impl Protocol {
    /// The version that HELLO calls `number`.
    pub fn of_version(number: i64) -> Option<Protocol> {
        match number {
            2 => Some(Protocol::Resp2),
            3 => Some(Protocol::Resp3),
            _ => None,
        }
    }

    /// Its number, for HELLO.
    pub fn version(self) -> i64 {
        match self {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        }
    }
}

/// Appends answers to a buffer.
#[derive(Debug)]
pub struct ReplyWriter<'a> {
    buffer: &'a mut Vec<u8>,
    protocol: Protocol,
}

impl<'a> ReplyWriter<'a> {
    /// A writer at the end of `buffer`.
    pub fn new(buffer: &'a mut Vec<u8>, protocol: Protocol) -> ReplyWriter<'a> {
        ReplyWriter { buffer, protocol }
    }

    /// The version that is written.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// "OK".
    pub fn ok(&mut self) {
        self.buffer.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', &[text.as_bytes()]);
    }

    /// An error. The text begins with its code: `ERR`, `WRONGTYPE`, ...
    pub fn error(&mut self, text: &str) {
        self.error_of(&[text.as_bytes()]);
    }

    /// An error in several parts, some of which may be a client's own bytes.
    pub fn error_of(&mut self, parts: &[&[u8]]) {
        self.line(b'-', parts);
    }

    /// An integer.
    pub fn integer(&mut self, number: i64) {
        self.buffer.push(b':');
        format_i64(number, self.buffer);
        self.end();
    }

    /// A bulk string: any bytes.
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.header(b'$', bytes.len());
        self.buffer.extend_from_slice(bytes);
        self.end();
    }

    /// No value, where a bulk string could have been.
    pub fn null(&mut self) {
        self.buffer.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// No value, where an array could have been.
    pub fn null_array(&mut self) {
        self.buffer.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// An array of the next `count` answers.
    pub fn array(&mut self, count: usize) {
        self.header(b'*', count);
    }

    /// A map: the next `2 * count` answers are keys and values by turns.
    pub fn map(&mut self, count: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', 2 * count),
            Protocol::Resp3 => self.header(b'%', count),
        }
    }

    /// A set of the next `count` answers.
    pub fn set(&mut self, count: usize) {
        self.header(self.newer(b'*', b'~'), count);
    }

    /// A message of `count` parts that answers no request. In RESP2 only subscribers may be sent one.
    pub fn push(&mut self, count: usize) {
        self.header(self.newer(b'*', b'>'), count);
    }

    /// A float.
    pub fn double(&mut self, number: f64) {
        let mut text = Vec::with_capacity(32);
        if number.is_finite() {
            format_f64(number, &mut text);
        } else if number.is_nan() {
            text.extend_from_slice(b"nan");
        } else {
            text.extend_from_slice(if number > 0.0 { b"inf" } else { b"-inf" });
        }
        self.double_text(&text);
    }

    /// A float that is a text already.
    fn double_text(&mut self, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b',', &[text]),
        }
    }

    /// True or false; one or zero in RESP2.
    pub fn boolean(&mut self, truth: bool) {
        self.buffer.extend_from_slice(match (self.protocol, truth) {
            (Protocol::Resp2, false) => b":0\r\n",
            (Protocol::Resp2, true) => b":1\r\n",
            (Protocol::Resp3, false) => b"#f\r\n",
            (Protocol::Resp3, true) => b"#t\r\n",
        });
    }

    /// A text to be shown as it is, as INFO and CLIENT LIST send; `format` is `txt` or `mkd`.
    pub fn verbatim(&mut self, format: [u8; 3], text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                self.header(b'=', format.len() + 1 + text.len());
                self.buffer.extend_from_slice(&format);
                self.buffer.push(b':');
                self.buffer.extend_from_slice(text);
                self.end();
            }
        }
    }

    /// An integer of any size, in digits.
    pub fn big_number(&mut self, digits: &str) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits.as_bytes()),
            Protocol::Resp3 => self.line(b'(', &[digits.as_bytes()]),
        }
    }

    /// An answer that exists as a value.
    pub fn reply(&mut self, reply: &Reply) {
        match reply {
            Reply::Ok => self.ok(),
            Reply::Null => self.null(),
            Reply::NullArray => self.null_array(),
            Reply::Simple(text) => self.simple(text),
            Reply::Error(text) => self.error(text),
            Reply::Integer(number) => self.integer(*number),
            Reply::Bulk(bytes) => self.bulk(bytes),
            Reply::Double(text) => self.double_text(text.as_bytes()),
            Reply::Boolean(truth) => self.boolean(*truth),
            Reply::Array(replies) => {
                self.array(replies.len());
                self.replies(replies);
            }
            Reply::Set(replies) => {
                self.set(replies.len());
                self.replies(replies);
            }
            Reply::Map(entries) => {
                self.map(entries.len());
                for (key, value) in entries {
                    self.reply(key);
                    self.reply(value);
                }
            }
        }
    }

    fn replies(&mut self, replies: &[Reply]) {
        for reply in replies {
            self.reply(reply);
        }
    }

    fn newer(&self, resp2: u8, resp3: u8) -> u8 {
        match self.protocol {
            Protocol::Resp2 => resp2,
            Protocol::Resp3 => resp3,
        }
    }

    fn header(&mut self, kind: u8, count: usize) {
        self.buffer.push(kind);
        format_u64(count as u64, self.buffer);
        self.end();
    }

    fn line(&mut self, kind: u8, parts: &[&[u8]]) {
        self.buffer.push(kind);
        for part in parts {
            let start = self.buffer.len();
            self.buffer.extend_from_slice(part);
            for byte in &mut self.buffer[start..] {
                if matches!(byte, b'\r' | b'\n') {
                    *byte = b' ';
                }
            }
        }
        self.end();
    }

    fn end(&mut self) {
        self.buffer.extend_from_slice(b"\r\n");
    }
}

/// An answer as a value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub enum Reply {
    /// "OK".
    Ok,
    /// No value.
    Null,
    /// No array: a transaction that was not carried out.
    NullArray,
    /// A simple string.
    Simple(Cow<'static, str>),
    /// An error with its code.
    Error(Cow<'static, str>),
    /// An integer.
    Integer(i64),
    /// Any bytes.
    Bulk(#[serde(with = "octets")] Arc<[u8]>),
    /// A float, printed by [`format_f64`].
    Double(Box<str>),
    /// True or false.
    Boolean(bool),
    /// One after the other.
    Array(Vec<Reply>),
    /// Each once.
    Set(Vec<Reply>),
    /// Keys and values.
    Map(Vec<(Reply, Reply)>),
}

impl Reply {
    /// A bulk string of these bytes.
    pub fn bulk(bytes: &[u8]) -> Reply {
        Reply::Bulk(bytes.into())
    }

    /// An error that is the same every time.
    pub fn error(text: &'static str) -> Reply {
        Reply::Error(Cow::Borrowed(text))
    }

    /// How deep lists are nested; a plain value has none.
    pub fn depth(&self) -> usize {
        let deepest = match self {
            Reply::Array(replies) | Reply::Set(replies) => replies.iter().map(Reply::depth).max(),
            Reply::Map(entries) => entries.iter().map(|(key, value)| key.depth().max(value.depth())).max(),
            _ => return 0,
        };
        1 + deepest.unwrap_or(0)
    }
}

/// [`Reply`] with the type of its children left open, so that the depth is part of a type and decoding
/// cannot recurse further. The variants are those of `Reply` in the same order.
#[derive(Deserialize)]
enum Shape<Child> {
    Ok,
    Null,
    NullArray,
    Simple(Cow<'static, str>),
    Error(Cow<'static, str>),
    Integer(i64),
    Bulk(#[serde(with = "octets")] Arc<[u8]>),
    Double(Box<str>),
    Boolean(bool),
    Array(Vec<Child>),
    Set(Vec<Child>),
    Map(Vec<(Child, Child)>),
}

/// The child of a value that may have none.
#[derive(Deserialize)]
enum Nothing {}

type Level0 = Shape<Nothing>;
type Level1 = Shape<Level0>;
type Level2 = Shape<Level1>;
type Level3 = Shape<Level2>;
type Level4 = Shape<Level3>;
type Level5 = Shape<Level4>;
type Level6 = Shape<Level5>;

const _: () = assert!(REPLY_DEPTH_MAX == 6, "the levels above are as many");

impl From<Nothing> for Reply {
    fn from(nothing: Nothing) -> Reply {
        match nothing {}
    }
}

impl<Child: Into<Reply>> From<Shape<Child>> for Reply {
    fn from(shape: Shape<Child>) -> Reply {
        let all = |children: Vec<Child>| children.into_iter().map(Into::into).collect();
        match shape {
            Shape::Ok => Reply::Ok,
            Shape::Null => Reply::Null,
            Shape::NullArray => Reply::NullArray,
            Shape::Simple(text) => Reply::Simple(text),
            Shape::Error(text) => Reply::Error(text),
            Shape::Integer(number) => Reply::Integer(number),
            Shape::Bulk(bytes) => Reply::Bulk(bytes),
            Shape::Double(text) => Reply::Double(text),
            Shape::Boolean(truth) => Reply::Boolean(truth),
            Shape::Array(children) => Reply::Array(all(children)),
            Shape::Set(children) => Reply::Set(all(children)),
            Shape::Map(entries) => {
                Reply::Map(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reply, D::Error> {
        Level6::deserialize(deserializer).map(Reply::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    fn written(protocol: Protocol, write: impl Fn(&mut ReplyWriter<'_>)) -> String {
        let mut buffer = Vec::new();
        write(&mut ReplyWriter::new(&mut buffer, protocol));
        String::from_utf8(buffer).unwrap()
    }

    fn both(write: impl Fn(&mut ReplyWriter<'_>)) -> [String; 2] {
        [written(Protocol::Resp2, &write), written(Protocol::Resp3, &write)]
    }

    #[test]
    fn what_both_versions_have_is_the_same_in_both() {
        for (write, text) in [
            (Box::new(|w: &mut ReplyWriter<'_>| w.ok()) as Box<dyn Fn(&mut ReplyWriter<'_>)>, "+OK\r\n"),
            (Box::new(|w| w.simple("PONG")), "+PONG\r\n"),
            (Box::new(|w| w.error("ERR no")), "-ERR no\r\n"),
            (Box::new(|w| w.integer(-7)), ":-7\r\n"),
            (Box::new(|w| w.bulk(b"a\r\nb")), "$4\r\na\r\nb\r\n"),
            (Box::new(|w| w.bulk(b"")), "$0\r\n\r\n"),
            (Box::new(|w| w.array(3)), "*3\r\n"),
        ] {
            assert_eq!(both(write), [text, text]);
        }
    }

    #[test]
    fn what_only_the_newer_has_is_put_otherwise_in_the_older() {
        assert_eq!(both(|w| w.reply(&Reply::Null)), ["$-1\r\n", "_\r\n"]);
        assert_eq!(both(|w| w.reply(&Reply::NullArray)), ["*-1\r\n", "_\r\n"]);
        assert_eq!(both(|w| w.map(2)), ["*4\r\n", "%2\r\n"]);
        assert_eq!(both(|w| w.set(2)), ["*2\r\n", "~2\r\n"]);
        assert_eq!(both(|w| w.push(2)), ["*2\r\n", ">2\r\n"]);
        assert_eq!(both(|w| w.double(1.5)), ["$3\r\n1.5\r\n", ",1.5\r\n"]);
        assert_eq!(both(|w| w.double(f64::NEG_INFINITY)), ["$4\r\n-inf\r\n", ",-inf\r\n"]);
        assert_eq!(both(|w| w.double(f64::INFINITY)), ["$3\r\ninf\r\n", ",inf\r\n"]);
        assert_eq!(both(|w| w.double(f64::NAN)), ["$3\r\nnan\r\n", ",nan\r\n"]);
        assert_eq!(both(|w| w.boolean(true)), [":1\r\n", "#t\r\n"]);
        assert_eq!(both(|w| w.boolean(false)), [":0\r\n", "#f\r\n"]);
        assert_eq!(both(|w| w.verbatim(*b"txt", b"hi")), ["$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"]);
        assert_eq!(both(|w| w.big_number("-123")), ["$4\r\n-123\r\n", "(-123\r\n"]);
    }

    #[test]
    fn a_line_has_one_end() {
        assert_eq!(both(|w| w.error("ERR a\r\nb"))[0], "-ERR a  b\r\n");
        assert_eq!(both(|w| w.simple("a\nb"))[0], "+a b\r\n");
    }

    #[test]
    fn the_versions_are_two_and_three() {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            assert_eq!(Protocol::of_version(protocol.version()), Some(protocol));
        }
        assert_eq!(Protocol::of_version(4), None);
    }

    fn nested(levels: usize) -> Reply {
        (0..levels).fold(Reply::Integer(1), |inner, _| Reply::Array(vec![inner]))
    }

    #[test]
    fn every_kind_of_reply_travels() {
        let leaves = vec![
            Reply::Ok,
            Reply::Null,
            Reply::NullArray,
            Reply::Simple("QUEUED".into()),
            Reply::error("ERR no"),
            Reply::Integer(i64::MIN),
            Reply::bulk(b"\0\r\n\xFF"),
            Reply::Double("1.5".into()),
            Reply::Boolean(true),
        ];
        let entries = leaves.iter().map(|leaf| (leaf.clone(), Reply::Array(leaves.clone()))).collect();
        let all = Reply::Array(vec![Reply::Set(leaves.clone()), Reply::Map(entries)]);
        assert_eq!(codec::decode::<Reply>(&codec::encode(&all)), Ok(all));
        assert_eq!(codec::encode(&Reply::bulk(b"ab")), [6, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b']);
    }

    #[test]
    fn a_reply_that_is_nested_too_deep_does_not_travel() {
        let deepest = nested(REPLY_DEPTH_MAX);
        assert_eq!(deepest.depth(), REPLY_DEPTH_MAX);
        assert_eq!(codec::decode::<Reply>(&codec::encode(&deepest)), Ok(deepest));
        assert_eq!(codec::decode::<Reply>(&codec::encode(&nested(REPLY_DEPTH_MAX + 1))), Err(codec::Garbage));
        let hostile = [[9u8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]; 50_000].concat();
        assert_eq!(codec::decode::<Reply>(&hostile), Err(codec::Garbage));
    }
}
