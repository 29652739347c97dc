//! The client port: requests in all forms, found in the table of commands, parsed for the store, refused in
//! words that a client understands.

use quorate::cli::{Reply, read_reply};
use quorate::codec;
use quorate::kv::{self, Operation};
use quorate::limits::{RESP_LINE_BYTES_MAX, RESP_REQUEST_BYTES_MAX, RESP_SPANS_KEPT_MAX};
use quorate::resp::{
    Bounds, COMMANDS, OwnedRequest, Protocol, ProtocolError, ReplyWriter, RequestParser, find,
    write_command_reply,
};

use super::pieces::Pieces;
use super::verdict::Verdict;
use super::weigh::weigh;

/// What a parser may hold beside the bytes that it is shown: places of arguments, for each byte less than
/// four bytes, twice while their list grows; and what it keeps between requests.
const MEMORY_PER_BYTE: u64 = 6;
const MEMORY_MORE: u64 = 64 * RESP_SPANS_KEPT_MAX as u64;

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Received {
    requests: Vec<OwnedRequest>,
    refused: Option<ProtocolError>,
    /// What waits for more; after a refusal that is of no interest.
    left: usize,
}

/// A parser, and what it holds.
struct Held {
    parser: RequestParser,
    now: i64,
    peak: u64,
}

/// Plays a connection on which these bytes arrive. Answers the most that the parser has held as well.
fn receive(pieces: Pieces<'_>, bounds: &Bounds) -> (Received, u64) {
    let mut held = Held { parser: RequestParser::new(), now: 0, peak: 0 };
    let (mut buffer, mut requests) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let mut used = 0;
        loop {
            let before = used;
            match held.parse(&buffer[used..], bounds) {
                Ok((count, request)) => {
                    used += count;
                    assert!(used <= buffer.len(), "no more is used than there is");
                    let Some(request) = request else { break };
                    assert!(used > before, "a request out of nothing");
                    requests.push(request);
                }
                Err(error) => {
                    assert_eq!(
                        held.parse(&buffer[used..], bounds).map(|(used, _)| used),
                        Err(error),
                        "the same bytes lead to the same error again"
                    );
                    return (Received { requests, refused: Some(error), left: 0 }, held.peak);
                }
            }
        }
        buffer.drain(..used);
        let waiting_max = bounds.request_bytes_max + RESP_LINE_BYTES_MAX;
        assert!(buffer.len() <= waiting_max, "{} bytes wait for their request to be whole", buffer.len());
    }
    (Received { requests, refused: None, left: buffer.len() }, held.peak)
}

impl Held {
    fn parse(
        &mut self,
        bytes: &[u8],
        bounds: &Bounds,
    ) -> Result<(usize, Option<OwnedRequest>), ProtocolError> {
        let (parsed, weight) = weigh(|| self.parser.parse(bytes, bounds));
        let most = u64::try_from(self.now).expect("nothing is given back twice") + weight.peak;
        self.peak = self.peak.max(most);
        self.now += weight.kept;
        let step = parsed?;
        Ok((step.used, step.request.map(|request| request.to_owned())))
    }
}

/// Some clients may do less than others, and tiny bounds are met more often.
fn bounds(input: &[u8]) -> Bounds {
    match input.len() % 4 {
        0 => Bounds { bulk_bytes_max: 40, request_bytes_max: 150, authenticated: true },
        1 => Bounds { authenticated: false, ..Bounds::default() },
        _ => Bounds::default(),
    }
}

/// Lets bytes arrive at the port.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let bounds = bounds(input);
    let (whole, peak) = receive(Pieces::whole(input), &bounds);
    let (cut, peak_cut) = receive(Pieces::cut(input), &bounds);
    assert_eq!(cut, whole, "it makes a difference how the stream is cut");
    for request in &whole.requests {
        carry_out(request);
        let travelled = codec::decode::<OwnedRequest>(&codec::encode(request));
        assert_eq!(travelled.as_ref(), Ok(request), "a request arrives as it was");
    }
    if let Some(error) = whole.refused {
        check_answer(|writer| error.write(writer));
    }
    let decoded = whole.requests.len() as u64;
    Verdict { decoded, peak: peak.max(peak_cut) }.bounded(input, MEMORY_PER_BYTE, MEMORY_MORE)
}

/// Does with a request what is done before the store is asked.
fn carry_out(request: &OwnedRequest) {
    let view = request.view();
    let spec = match find(view) {
        Ok(spec) => spec,
        Err(refusal) => {
            return check_answer(|writer| refusal.write(view, writer));
        }
    };
    if let Some(keys) = spec.keys.of(view) {
        assert!(keys.count() < view.len(), "a request has fewer keys than words");
    }
    let mut buffer = Vec::new();
    let protocol = if view.len().is_multiple_of(2) { Protocol::Resp2 } else { Protocol::Resp3 };
    let is_answered = write_command_reply(spec.verb, view, &mut ReplyWriter::new(&mut buffer, protocol));
    if is_answered || kv::form(spec.name).is_none() {
        return;
    }
    let arguments: Vec<&[u8]> = view.iter().skip(1).collect();
    match kv::parse(spec.name, &arguments) {
        Ok(operation) => check_operation(&operation),
        Err(kv::Value::Error(text)) => check_answer(|writer| writer.error(&text)),
        Err(other) => panic!("{other:?} is no error"),
    }
}

fn check_operation(operation: &Operation) {
    let encoded = codec::encode(operation);
    assert!(encoded.len() <= operation.bytes(), "{operation:?} counts less than it takes");
    assert_eq!(codec::decode::<Operation>(&encoded).as_ref(), Ok(operation));
}

/// Whatever is said to a client is one whole error, and no more.
fn check_answer(write: impl Fn(&mut ReplyWriter<'_>)) {
    let mut buffer = Vec::new();
    write(&mut ReplyWriter::new(&mut buffer, Protocol::Resp2));
    let mut rest = &buffer[..];
    let reply = read_reply(&mut rest);
    assert!(matches!(reply, Ok(Reply::Error(_))), "{reply:?} to {}", buffer.escape_ascii());
    assert!(rest.is_empty(), "more than one answer: {}", buffer.escape_ascii());
}

/// Pipelines of requests: every command of the table in several forms, and some as people type them.
pub(crate) fn corpus() -> Vec<Vec<u8>> {
    let requests: Vec<Vec<u8>> = COMMANDS
        .iter()
        .flat_map(|spec| {
            let words = usize::try_from(spec.arity.unsigned_abs()).expect("few");
            [words, words + 1, words + 4].map(|words| of_command(spec.name, words))
        })
        .chain(REAL.iter().map(|line| array(&line.split(' ').collect::<Vec<_>>())))
        .chain(TYPED.iter().map(|line| format!("{line}\r\n").into_bytes()))
        .chain([array(&["SET", "long", &"x".repeat(3_000)]), array(&["MGET"; 60]), array::<&str>(&[])])
        .collect();
    let lengths = [1, 2, 1, 5].into_iter().cycle();
    let (mut rest, mut pipelines) = (&requests[..], Vec::new());
    for length in lengths {
        let (pipeline, after) = rest.split_at(length.min(rest.len()));
        pipelines.push(pipeline.concat());
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    assert!(pipelines.iter().all(|pipeline| pipeline.len() < RESP_REQUEST_BYTES_MAX));
    pipelines
}

/// A request of so many words with a command's name in front; numbers are good keys, values and counts.
fn of_command(name: &str, words: usize) -> Vec<u8> {
    let mut request: Vec<&str> = name.split('|').collect();
    while request.len() < words {
        request.push(["1", "2", "key", "10"][request.len() % 4]);
    }
    array(&request)
}

fn array<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words.iter().map(AsRef::as_ref) {
        bytes.extend(format!("${}\r\n", word.len()).bytes());
        bytes.extend(word);
        bytes.extend(b"\r\n");
    }
    bytes
}

/// With options that make sense.
const REAL: [&str; 20] = [
    "SET key value NX EX 100",
    "SET key value XX KEEPTTL GET",
    "SET key value PXAT 1700000000000",
    "SET key value IFEQ other",
    "SET key value IFDNE 0123456789abcdef",
    "MSET a 1 b 2 c 3",
    "MSETEX 2 a 1 b 2 NX EX 10",
    "DELEX key IFNE value",
    "EXPIRE key 100 GT",
    "GETEX key PERSIST",
    "INCRBYFLOAT key 1.5e3",
    "SETRANGE key 1048575 x",
    "SCAN 0 MATCH user:[a-c]* COUNT 100 TYPE string",
    "COPY a b DB 0 REPLACE",
    "HELLO 3 AUTH default x SETNAME me",
    "CLIENT SETINFO LIB-NAME x",
    "ONCE token SET key value",
    "WATCH a b c",
    "COMMAND GETKEYSANDFLAGS MSET a 1 b 2",
    "COMMAND LIST FILTERBY PATTERN get*",
];

/// As people type them.
const TYPED: [&str; 8] = [
    "PING",
    "set key \"a quoted \\x41\\n value\"",
    "get 'single \\' quoted'",
    "",
    "   \t ",
    "mset a \"\" b ''",
    "echo \"\\\"\\\\\\a\\b\\t\"",
    "COMMAND DOCS get",
];
