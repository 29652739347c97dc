//! Requests out of bytes: arrays of bulk strings, and inline commands as a human types them.
//!
//! The parser owns none of the bytes. It is shown the buffer of a connection from the first byte that has not
//! been used, and answers how many bytes to drop and a view of the arguments where they lie. While a request
//! is incomplete it remembers how far it has come, and the same bytes, with more behind them, must be shown
//! again: nothing that was understood is read twice, and the search for the end of a line goes on where
//! it stopped. So a request in many pieces costs as much as one in one piece, plus a little per piece.
//!
//! A declared length is checked when its header is there, long before its payload, and memory is claimed
//! only for what has arrived: at most sixteen bytes for each argument, which has at least six in the buffer.
//! Hence what one connection can hold is bounded by four times [`Bounds::request_bytes_max`], and that only
//! if it sends nothing but empty arguments.
//! Which error a stream of bytes leads to does not depend on how it was cut into pieces.
//!
//! Redis' ways that are kept: after a carriage return any byte passes for the line feed, and any two bytes
//! for the end of a bulk; negative and zero counts and empty lines are no requests and no errors; a tab, a
//! carriage return or a space ends a word, but any of the six blanks of C may follow a closing quote.
//! Differences:
//!
//!  * Redis looks for the end of a line with a C function that a NUL byte stops, and then waits for ever;
//!    here a NUL is a byte like any other.
//!  * Redis may take an inline command of more than 64 KiB when its last piece brings the line feed along;
//!    here the line's length decides alone.
//!  * Redis 7 lets a count go up to 2^31-1, Redis 6 up to 2^20; here it is 2^20, and less when so many of
//!    the smallest arguments would not fit the bound for the whole request.
//!  * When a request grows too big as a whole, Redis cuts the connection in silence; here the client is told.
//!
//! Missing: requests in another form than an array of bulk strings, which no version of Redis takes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::number::parse_i64;
use super::octets;
use super::reply::ReplyWriter;
use crate::limits::{
    RESP_ARGUMENTS_MAX, RESP_LINE_BYTES_MAX, RESP_REQUEST_BYTES_MAX, RESP_SPANS_KEPT_MAX,
    RESP_STRANGER_ARGUMENTS_MAX, RESP_STRANGER_BULK_BYTES_MAX, VALUE_BYTES_MAX,
};

/// The smallest argument on the wire: a header, no payload, an end.
const ARGUMENT_BYTES_MIN: usize = "$0\r\n\r\n".len();

/// What a header line or a bulk ends with. Its length is all that is looked at.
const END_BYTES: usize = "\r\n".len();

/// What one request may claim. They may differ from call to call: a client proves who it is, and may do more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Longest argument, in bytes.
    pub bulk_bytes_max: usize,
    /// Longest request with its headers, in bytes; no more than [`RESP_REQUEST_BYTES_MAX`].
    pub request_bytes_max: usize,
    /// Whether the client has proved who it is, or need not.
    pub authenticated: bool,
}

impl Default for Bounds {
    fn default() -> Bounds {
        let request_bytes_max = RESP_REQUEST_BYTES_MAX;
        Bounds { bulk_bytes_max: VALUE_BYTES_MAX, request_bytes_max, authenticated: true }
    }
}

/// Bytes that are no request. The client is told and its connection closed, for where the next request would
/// begin is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// The number of arguments is no number, or too large.
    InvalidMultibulkLength,
    /// More arguments than a client may send before it has proved who it is.
    UnauthenticatedMultibulkLength,
    /// The length of an argument is no number, negative, or too large.
    InvalidBulkLength,
    /// A longer argument than a client may send before it has proved who it is.
    UnauthenticatedBulkLength,
    /// An argument does not begin with a dollar sign but with this.
    ExpectedDollar(u8),
    /// The line with the number of arguments does not end.
    TooBigMultibulkCount,
    /// The line with the length of an argument does not end.
    TooBigBulkCount,
    /// An inline command does not end.
    TooBigInline,
    /// A quote in an inline command is not closed, or something other than a blank follows it.
    UnbalancedQuotes,
    /// The whole request is larger than any may be. Not a text of Redis.
    TooBigRequest,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ProtocolError::InvalidMultibulkLength => "invalid multibulk length",
            ProtocolError::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            ProtocolError::InvalidBulkLength => "invalid bulk length",
            ProtocolError::UnauthenticatedBulkLength => "unauthenticated bulk length",
            ProtocolError::ExpectedDollar(byte) => {
                return write!(formatter, "expected '$', got '{}'", byte.escape_ascii());
            }
            ProtocolError::TooBigMultibulkCount => "too big mbulk count string",
            ProtocolError::TooBigBulkCount => "too big bulk count string",
            ProtocolError::TooBigInline => "too big inline request",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::TooBigRequest => "too big request",
        })
    }
}

impl std::error::Error for ProtocolError {}

impl ProtocolError {
    /// Tells the client. Redis sends the byte it met as it is.
    pub fn write(&self, writer: &mut ReplyWriter<'_>) {
        match self {
            ProtocolError::ExpectedDollar(byte) => {
                writer.error_of(&[b"ERR Protocol error: expected '$', got '", &[*byte], b"'"]);
            }
            other => writer.error_of(&[b"ERR Protocol error: ", other.to_string().as_bytes()]),
        }
    }
}

/// Where an argument lies.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    length: u32,
}

impl Span {
    fn new(start: usize, length: usize) -> Span {
        let small = |number| u32::try_from(number).expect("no request reaches 4 GiB");
        Span { start: small(start), length: small(length) }
    }

    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..][..self.length as usize]
    }
}

/// A request where it lies: the name of a command and its arguments, at least the name.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Request<'a> {
    /// How many arguments there are, with the name, as Redis counts them.
    #[expect(clippy::len_without_is_empty, reason = "a request is never empty")]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// The name of the command.
    pub fn name(&self) -> &'a [u8] {
        self.spans[0].of(self.bytes)
    }

    /// The argument at `index`; the name is at 0.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.spans.get(index).map(|span| span.of(self.bytes))
    }

    /// All of them, the name first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| span.of(bytes))
    }

    /// The request that is an argument of this one, as in `COMMAND GETKEYS`: what begins at `index`.
    pub fn nested(&self, index: usize) -> Option<Request<'a>> {
        let spans = self.spans.get(index..).filter(|spans| !spans.is_empty())?;
        Some(Request { bytes: self.bytes, spans })
    }

    /// A copy that outlives the buffer.
    pub fn to_owned(&self) -> OwnedRequest {
        let mut bytes = Vec::with_capacity(self.spans.iter().map(|span| span.length as usize).sum());
        let mut spans = Vec::with_capacity(self.spans.len());
        for argument in self.iter() {
            spans.push(Span::new(bytes.len(), argument.len()));
            bytes.extend_from_slice(argument);
        }
        OwnedRequest { bytes, spans }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = formatter.debug_list();
        for argument in self.iter() {
            list.entry(&format_args!("{}", argument.escape_ascii()));
        }
        list.finish()
    }
}

/// A request with its own bytes: one that waits, or goes to another replica.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "Packed", try_from = "Packed")]
pub struct OwnedRequest {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedRequest {
    /// Makes a request of a name and arguments; `None` if there is no name, or too much of them.
    pub fn new<T: AsRef<[u8]>>(arguments: &[T]) -> Option<OwnedRequest> {
        let bytes = arguments.iter().flat_map(AsRef::as_ref).copied().collect();
        let lengths = arguments.iter().map(|argument| u32::try_from(argument.as_ref().len()));
        let lengths = lengths.collect::<Result<_, _>>().ok()?;
        OwnedRequest::try_from(Packed { bytes, lengths }).ok()
    }

    /// The view that functions take.
    pub fn view(&self) -> Request<'_> {
        Request { bytes: &self.bytes, spans: &self.spans }
    }
}

impl PartialEq for OwnedRequest {
    fn eq(&self, other: &OwnedRequest) -> bool {
        self.view().iter().eq(other.view().iter())
    }
}

impl Eq for OwnedRequest {}

impl fmt::Debug for OwnedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(formatter)
    }
}

/// How an owned request travels: nothing in it can point outside of its bytes.
#[derive(Serialize, Deserialize)]
struct Packed {
    #[serde(with = "octets")]
    bytes: Vec<u8>,
    lengths: Vec<u32>,
}

impl From<OwnedRequest> for Packed {
    fn from(request: OwnedRequest) -> Packed {
        Packed { bytes: request.bytes, lengths: request.spans.iter().map(|span| span.length).collect() }
    }
}

impl TryFrom<Packed> for OwnedRequest {
    type Error = &'static str;

    fn try_from(packed: Packed) -> Result<OwnedRequest, &'static str> {
        if packed.lengths.is_empty() || packed.lengths.len() > RESP_ARGUMENTS_MAX {
            return Err("a request has a name, and no more arguments than a client may send");
        }
        if packed.bytes.len() > RESP_REQUEST_BYTES_MAX {
            return Err("a request is no larger than a client may send");
        }
        let mut start = 0;
        let mut spans = Vec::with_capacity(packed.lengths.len());
        for length in packed.lengths {
            let length = length as usize;
            if length > packed.bytes.len() - start {
                return Err("the arguments of a request lie within its bytes");
            }
            spans.push(Span::new(start, length));
            start += length;
        }
        if start != packed.bytes.len() {
            return Err("the bytes of a request are all used");
        }
        Ok(OwnedRequest { bytes: packed.bytes, spans })
    }
}

/// What the bytes shown to the parser amount to.
#[derive(Debug)]
pub struct Step<'a> {
    /// Bytes at the front that need not be shown again; the view in `request` may still point into them.
    pub used: usize,
    /// The first request, or nothing before more bytes have come.
    pub request: Option<Request<'a>>,
}

/// The state of one connection's incoming side between two reads.
#[derive(Debug, Default)]
pub struct RequestParser {
    /// Bytes of the current request that have been understood; zero before its first line is complete.
    cursor: usize,
    /// Nowhere between `cursor` and here does a line end.
    scanned: usize,
    /// Arguments that are still to come.
    missing: usize,
    /// The length of the first of them, when its header has been understood.
    bulk: Option<usize>,
    /// The arguments so far.
    spans: Vec<Span>,
    /// The words of an inline command, quotes and escapes resolved, one after the other.
    unquoted: Vec<u8>,
}

impl RequestParser {
    /// A parser at the start of a connection.
    pub fn new() -> RequestParser {
        RequestParser::default()
    }

    /// Looks for the first request in `bytes`: those of the call before without the bytes that it used, and
    /// whatever has come since.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] if no request begins here. The same bytes lead to the same error again.
    ///
    /// # Panics
    ///
    /// When bytes have gone that were not used.
    pub fn parse<'a>(&'a mut self, bytes: &'a [u8], bounds: &Bounds) -> Result<Step<'a>, ProtocolError> {
        self.give_back();
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let inline = rest.first().is_some_and(|byte| *byte != b'*');
            let end = if inline { self.inline(rest) } else { self.array(rest, bounds) };
            match end {
                Ok(None) => return Ok(Step { used, request: None }),
                Err(error) => {
                    *self = RequestParser::default();
                    return Err(error);
                }
                Ok(Some(length)) => {
                    used += length;
                    (self.cursor, self.scanned) = (0, 0);
                    if !self.spans.is_empty() {
                        let bytes = if inline { &self.unquoted } else { rest };
                        return Ok(Step { used, request: Some(Request { bytes, spans: &self.spans }) });
                    }
                }
            }
        }
    }

    /// One large request must not bind memory for the rest of the connection's life.
    fn give_back(&mut self) {
        if self.cursor == 0 {
            self.spans.clear();
            self.spans.shrink_to(RESP_SPANS_KEPT_MAX);
            self.unquoted.clear();
            self.unquoted.shrink_to(RESP_SPANS_KEPT_MAX);
        }
    }

    /// The length of the array that begins `bytes`, if all of it has come.
    fn array(&mut self, bytes: &[u8], bounds: &Bounds) -> Result<Option<usize>, ProtocolError> {
        if self.cursor == 0 {
            let Some(line) = self.line(bytes, ProtocolError::TooBigMultibulkCount)? else { return Ok(None) };
            self.missing = argument_count(&line[1..], bounds)?;
        }
        while self.missing > 0 {
            let length = match self.bulk {
                Some(length) => length,
                None => match self.bulk_length(bytes, bounds)? {
                    Some(length) => length,
                    None => return Ok(None),
                },
            };
            let end = self.cursor + length + END_BYTES;
            if bytes.len() < end {
                self.bulk = Some(length);
                return Ok(None);
            }
            self.spans.push(Span::new(self.cursor, length));
            (self.cursor, self.scanned, self.bulk) = (end, end, None);
            self.missing -= 1;
        }
        Ok(Some(self.cursor))
    }

    /// Reads the header of the next argument.
    fn bulk_length(&mut self, bytes: &[u8], bounds: &Bounds) -> Result<Option<usize>, ProtocolError> {
        let start = self.cursor;
        let Some(line) = self.line(bytes, ProtocolError::TooBigBulkCount)? else { return Ok(None) };
        if bytes[start] != b'$' {
            return Err(ProtocolError::ExpectedDollar(bytes[start]));
        }
        let length = parse_i64(&line[1..]).and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length <= bounds.bulk_bytes_max);
        let length = length.ok_or(ProtocolError::InvalidBulkLength)?;
        if length > RESP_STRANGER_BULK_BYTES_MAX && !bounds.authenticated {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        let at_least = self.cursor + length + END_BYTES + (self.missing - 1) * ARGUMENT_BYTES_MIN;
        if at_least > bounds.request_bytes_max.min(RESP_REQUEST_BYTES_MAX) {
            return Err(ProtocolError::TooBigRequest);
        }
        Ok(Some(length))
    }

    /// The line at the cursor without its end, if that has come; the cursor moves behind it.
    fn line<'a>(
        &mut self,
        bytes: &'a [u8],
        endless: ProtocolError,
    ) -> Result<Option<&'a [u8]>, ProtocolError> {
        let unseen = &bytes[self.scanned..];
        let length = unseen.iter().position(|byte| *byte == b'\r');
        let end = self.scanned + length.unwrap_or(unseen.len());
        if end - self.cursor > RESP_LINE_BYTES_MAX {
            return Err(endless);
        }
        // The byte after the carriage return is used up with the line, so it has to be there.
        if end + END_BYTES > bytes.len() {
            self.scanned = end;
            return Ok(None);
        }
        let line = &bytes[self.cursor..end];
        (self.cursor, self.scanned) = (end + END_BYTES, end + END_BYTES);
        Ok(Some(line))
    }

    /// The length of the inline command that begins `bytes`, if its line is complete.
    fn inline(&mut self, bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
        let unseen = &bytes[self.scanned..];
        let length = unseen.iter().position(|byte| *byte == b'\n');
        let end = self.scanned + length.unwrap_or(unseen.len());
        if end > RESP_LINE_BYTES_MAX {
            return Err(ProtocolError::TooBigInline);
        }
        if length.is_none() {
            self.scanned = end;
            return Ok(None);
        }
        let line = &bytes[..end];
        split_words(line.strip_suffix(b"\r").unwrap_or(line), &mut self.unquoted, &mut self.spans)?;
        Ok(Some(end + 1))
    }
}

/// How many arguments follow; a count below zero is none.
fn argument_count(digits: &[u8], bounds: &Bounds) -> Result<usize, ProtocolError> {
    let count = parse_i64(digits).ok_or(ProtocolError::InvalidMultibulkLength)?;
    let count = usize::try_from(count.max(0)).map_err(|_| ProtocolError::InvalidMultibulkLength)?;
    let room = bounds.request_bytes_max.min(RESP_REQUEST_BYTES_MAX) / ARGUMENT_BYTES_MIN;
    if count > RESP_ARGUMENTS_MAX.min(room) {
        return Err(ProtocolError::InvalidMultibulkLength);
    }
    if count > RESP_STRANGER_ARGUMENTS_MAX && !bounds.authenticated {
        return Err(ProtocolError::UnauthenticatedMultibulkLength);
    }
    Ok(count)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn split_words(line: &[u8], unquoted: &mut Vec<u8>, spans: &mut Vec<Span>) -> Result<(), ProtocolError> {
    let mut rest = line;
    loop {
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        rest = &rest[blanks..];
        if rest.is_empty() {
            return Ok(());
        }
        let start = unquoted.len();
        rest = take_word(rest, unquoted)?;
        spans.push(Span::new(start, unquoted.len() - start));
    }
}

/// Appends the first word of `rest` to `word` and returns what follows. A quoted part ends the word.
fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        match rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Ok(rest),
            [b'"', inside @ ..] => return take_double_quoted(inside, word),
            [b'\'', inside @ ..] => return take_single_quoted(inside, word),
            [byte, after @ ..] => {
                word.push(*byte);
                rest = after;
            }
        }
    }
}

fn take_double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, after) = match rest {
            [b'"', after @ ..] => return after_quote(after),
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex_digit(*high) << 4 | hex_digit(*low), after)
            }
            [b'\\', escaped, after @ ..] => (unescaped(*escaped), after),
            [byte, after @ ..] => (*byte, after),
            [] => return Err(ProtocolError::UnbalancedQuotes),
        };
        word.push(byte);
        rest = after;
    }
}

fn take_single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, after) = match rest {
            [b'\'', after @ ..] => return after_quote(after),
            [b'\\', b'\'', after @ ..] => (b'\'', after),
            [byte, after @ ..] => (*byte, after),
            [] => return Err(ProtocolError::UnbalancedQuotes),
        };
        word.push(byte);
        rest = after;
    }
}

fn after_quote(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    if rest.first().is_none_or(|byte| is_blank(*byte)) {
        Ok(rest)
    } else {
        Err(ProtocolError::UnbalancedQuotes)
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
impl RequestParser {
    /// What it holds of the heap, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<Span>() + self.unquoted.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply::Protocol;
    use super::*;
    use crate::codec;

    const STRANGER: Bounds =
        Bounds { bulk_bytes_max: 1 << 20, request_bytes_max: RESP_REQUEST_BYTES_MAX, authenticated: false };

    /// All requests in `bytes`, words joined by commas, requests by bars, and how the stream went on.
    fn read_with(bytes: &[u8], bounds: &Bounds) -> (String, Result<usize, ProtocolError>) {
        let (mut parser, mut at, mut seen) = (RequestParser::new(), 0, Vec::new());
        loop {
            let step = match parser.parse(&bytes[at..], bounds) {
                Ok(step) => step,
                Err(error) => return (seen.join("|"), Err(error)),
            };
            at += step.used;
            let Some(request) = step.request else { return (seen.join("|"), Ok(bytes.len() - at)) };
            let words = request.iter().map(|word| word.escape_ascii().to_string());
            seen.push(words.collect::<Vec<_>>().join(","));
        }
    }

    fn read(bytes: impl AsRef<[u8]>) -> (String, Result<usize, ProtocolError>) {
        read_with(bytes.as_ref(), &Bounds::default())
    }

    fn error_of(bytes: impl AsRef<[u8]>) -> ProtocolError {
        read(bytes).1.unwrap_err()
    }

    fn text_of(error: ProtocolError) -> Vec<u8> {
        let mut buffer = Vec::new();
        error.write(&mut ReplyWriter::new(&mut buffer, Protocol::Resp2));
        buffer
    }

    #[test]
    fn pipelines_are_taken_apart() {
        assert_eq!(
            read("*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n*1\r\n$0\r\n\r\n*3\r\n$"),
            ("GET,k|PING|".into(), Ok("*3\r\n$".len()))
        );
        assert_eq!(read("*1\r\n$4\r\na\r\nb\r\n"), ("a\\r\\nb".into(), Ok(0)));
    }

    #[test]
    fn what_asks_nothing_is_skipped() {
        assert_eq!(read("*0\r\n*-1\r\n*-10\r\n\r\n\n   \r\nPING\r\n"), ("PING".into(), Ok(0)));
        assert_eq!(read("\r\n".repeat(5)), (String::new(), Ok(0)), "and need not be kept");
    }

    #[test]
    fn line_ends_are_believed_in() {
        assert_eq!(read("*1\rX$4\rYPINGzz"), ("PING".into(), Ok(0)));
        assert_eq!(read("*1\r\n$4\r\nPING\r"), (String::new(), Ok(13)));
    }

    #[test]
    fn words_are_unquoted() {
        let word = |line: &str| read(format!("{line}\r\n")).0;
        assert_eq!(word(r#"set "a\x41\n\q" b"#), r"set,aA\nq,b");
        assert_eq!(word(r#"a "\xfF\r\t\b\a\\\"" ''"#), r#"a,\xff\r\t\x08\x07\\\","#);
        assert_eq!(word(r"'a\'b\n'"), r"a\'b\\n");
        assert_eq!(word(r#""\xZZ\x1""#), "xZZx1");
        assert_eq!(word(r#"a"b" c'd'"#), "ab,cd");
        assert_eq!(word("a\tb\rc  d"), "a,b,c,d");
        assert_eq!(word("\x0bPING\x0b\x0c"), "PING\\x0b\\x0c");
        assert_eq!(word("\"a\"\x0bb"), "a,b");
        assert_eq!(word("a\0b"), "a\\x00b");
        assert_eq!(read("PING\n"), ("PING".into(), Ok(0)));
        assert_eq!(read("PING\r\r\n"), ("PING".into(), Ok(0)));
    }

    #[test]
    fn quotes_are_balanced() {
        for line in
            ["\"a", "'a", "\"a\"b", "'a'b", "a\"b\"c", "\"\\\"", "'\\'", "\"a\"'b'", "\"", "'", "\"\\"]
        {
            let line = format!("PING {line}\r\n");
            assert_eq!(error_of(&line), ProtocolError::UnbalancedQuotes, "{line}");
        }
        let text = b"-ERR Protocol error: unbalanced quotes in request\r\n";
        assert_eq!(text_of(ProtocolError::UnbalancedQuotes), text);
    }

    #[test]
    fn counts_are_strict() {
        for count in
            ["-0", "00", "01", "+1", "", " 1", "1 ", "x", "1048577", "2147483648", "9999999999999999999999"]
        {
            assert_eq!(error_of(format!("*{count}\r\n")), ProtocolError::InvalidMultibulkLength, "{count}");
        }
        assert_eq!(read("*1048576\r\n"), (String::new(), Ok(10)));
        let tight = Bounds { request_bytes_max: 600, ..Bounds::default() };
        assert_eq!(read_with(b"*101\r\n", &tight).1, Err(ProtocolError::InvalidMultibulkLength));
        let text = b"-ERR Protocol error: invalid multibulk length\r\n";
        assert_eq!(text_of(ProtocolError::InvalidMultibulkLength), text);
    }

    #[test]
    fn lengths_are_strict_and_bounded_before_the_payload_comes() {
        let over = (VALUE_BYTES_MAX + 1).to_string();
        for length in ["-1", "-0", "04", "+4", "", "4 ", "x", &over, "536870913", "9223372036854775808"] {
            let bytes = format!("*1\r\n${length}\r\n");
            assert_eq!(error_of(bytes), ProtocolError::InvalidBulkLength, "{length}");
        }
        let longest = format!("*1\r\n${VALUE_BYTES_MAX}\r\n");
        assert_eq!(read(&longest), (String::new(), Ok(longest.len())));
        let text = b"-ERR Protocol error: invalid bulk length\r\n";
        assert_eq!(text_of(ProtocolError::InvalidBulkLength), text);
    }

    #[test]
    fn a_bulk_begins_with_a_dollar() {
        let got = |bytes: &[u8]| text_of(error_of(bytes));
        assert_eq!(got(b"*1\r\nX4\r\nPING\r\n"), b"-ERR Protocol error: expected '$', got 'X'\r\n");
        assert_eq!(got(b"*1\r\n\r\n"), b"-ERR Protocol error: expected '$', got ' '\r\n");
        assert_eq!(got(b"*1\r\n\xFF\r\n"), b"-ERR Protocol error: expected '$', got '\xFF'\r\n");
        assert_eq!(got(b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n")[35..], b"got 'f'\r\n"[..]);
        assert_eq!(ProtocolError::ExpectedDollar(b'\n').to_string(), r"expected '$', got '\n'");
    }

    #[test]
    fn lines_end() {
        let long = "1".repeat(RESP_LINE_BYTES_MAX + 1);
        for (start, error, text) in [
            ("", ProtocolError::TooBigInline, "too big inline request"),
            ("*", ProtocolError::TooBigMultibulkCount, "too big mbulk count string"),
            ("*1\r\n$", ProtocolError::TooBigBulkCount, "too big bulk count string"),
        ] {
            assert_eq!(error_of(format!("{start}{long}")), error);
            assert_eq!(error_of(format!("{start}{long}\r\n")), error, "however late it is noticed");
            assert_eq!(text_of(error), format!("-ERR Protocol error: {text}\r\n").as_bytes());
        }
        let longest = "a".repeat(RESP_LINE_BYTES_MAX);
        assert_eq!(read(&longest), (String::new(), Ok(RESP_LINE_BYTES_MAX)));
        assert_eq!(read(format!("{longest}\n")), (longest, Ok(0)));
    }

    #[test]
    fn strangers_may_send_little() {
        let stranger = |bytes: &str| read_with(bytes.as_bytes(), &STRANGER).1;
        assert_eq!(stranger("*10\r\n"), Ok(5));
        assert_eq!(stranger("*11\r\n"), Err(ProtocolError::UnauthenticatedMultibulkLength));
        assert_eq!(stranger("*1\r\n$16384\r\n"), Ok(12));
        assert_eq!(stranger("*1\r\n$16385\r\n"), Err(ProtocolError::UnauthenticatedBulkLength));
        assert_eq!(
            text_of(ProtocolError::UnauthenticatedMultibulkLength),
            b"-ERR Protocol error: unauthenticated multibulk length\r\n"
        );
        assert_eq!(
            text_of(ProtocolError::UnauthenticatedBulkLength),
            b"-ERR Protocol error: unauthenticated bulk length\r\n"
        );
    }

    #[test]
    fn a_request_is_bounded_as_a_whole() {
        let bounds = Bounds { request_bytes_max: 40, ..Bounds::default() };
        let whole = "*3\r\n$1\r\na\r\n$12\r\nbbbbbbbbbbbb\r\n$1\r\nc\r\n";
        assert_eq!(whole.len(), 37);
        assert_eq!(read_with(whole.as_bytes(), &bounds), ("a,bbbbbbbbbbbb,c".into(), Ok(0)));
        let early = "*3\r\n$1\r\na\r\n$17\r\n";
        assert_eq!(read_with(early.as_bytes(), &bounds).1, Err(ProtocolError::TooBigRequest));
        assert_eq!(text_of(ProtocolError::TooBigRequest), b"-ERR Protocol error: too big request\r\n");
    }

    #[test]
    fn an_error_stays() {
        let (mut parser, bytes) = (RequestParser::new(), b"\r\n*1\r\nX\r\n");
        for _ in 0..3 {
            let error = parser.parse(bytes, &Bounds::default()).unwrap_err();
            assert_eq!(error, ProtocolError::ExpectedDollar(b'X'));
        }
    }

    #[test]
    fn a_request_can_be_looked_at_and_kept() {
        let mut parser = RequestParser::new();
        let step = parser.parse(b"COMMAND GETKEYS get k\n", &Bounds::default()).unwrap();
        let request = step.request.unwrap();
        assert_eq!((request.len(), request.name(), request.get(3)), (4, &b"COMMAND"[..], Some(&b"k"[..])));
        assert_eq!(format!("{:?}", request.nested(2).unwrap()), "[get, k]");
        assert!(request.get(4).is_none() && request.nested(4).is_none() && request.nested(9).is_none());
        let kept = request.to_owned();
        assert_eq!(codec::decode::<OwnedRequest>(&codec::encode(&kept)), Ok(kept.clone()));
        assert_eq!(OwnedRequest::new(&["COMMAND", "GETKEYS", "get", "k"]), Some(kept));
        assert_eq!(OwnedRequest::new::<&str>(&[]), None);
    }

    #[test]
    fn a_hostile_encoding_of_a_request_is_garbage() {
        let garbage = |bytes: &[u8], lengths: Vec<u32>| {
            let encoded = codec::encode(&Packed { bytes: bytes.to_vec(), lengths });
            codec::decode::<OwnedRequest>(&encoded).is_err()
        };
        assert!(!garbage(b"abc", vec![1, 0, 2]));
        assert!(garbage(b"abc", vec![]));
        assert!(garbage(b"abc", vec![1, 1]));
        assert!(garbage(b"abc", vec![1, 3]));
        assert!(garbage(b"abc", vec![u32::MAX, u32::MAX]));
        assert!(codec::decode::<OwnedRequest>(&codec::encode(&u64::MAX)).is_err());
    }

    #[test]
    fn a_large_request_leaves_no_memory_behind() {
        let many = format!("*5000\r\n{}", "$1\r\nx\r\n".repeat(5000));
        let quoted = format!("'{}'\n", "x".repeat(60_000));
        let mut parser = RequestParser::new();
        for bytes in [many, quoted] {
            assert!(parser.parse(bytes.as_bytes(), &Bounds::default()).unwrap().request.is_some());
            assert!(parser.held_bytes() > 32_000);
            assert!(parser.parse(b"", &Bounds::default()).unwrap().request.is_none());
            assert!(parser.held_bytes() <= 2 * RESP_SPANS_KEPT_MAX * size_of::<Span>());
        }
    }
}
