//! What holds for all streams of bytes and all answers: properties, and mutants of a small corpus.

#![cfg(test)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::limits::{REPLY_DEPTH_MAX, RESP_LINE_BYTES_MAX, RESP_SPANS_KEPT_MAX};
use crate::prng::Prng;

/// Small enough for random bytes to meet.
const BOUNDS: Bounds = Bounds { bulk_bytes_max: 40, request_bytes_max: 150, authenticated: true };

/// What a connection makes of a stream that comes in pieces: requests, and how it ended.
#[derive(Debug, PartialEq)]
struct Outcome {
    requests: Vec<OwnedRequest>,
    error: Option<ProtocolError>,
    left: usize,
}

/// Plays the connection; the pieces have the lengths of `cuts`, over and over.
fn receive(bytes: &[u8], cuts: &[usize], bounds: &Bounds) -> Outcome {
    let (mut parser, mut buffer, mut requests) = (RequestParser::new(), Vec::new(), Vec::new());
    let (mut rest, mut cuts) = (bytes, cuts.iter().cycle());
    loop {
        let (mut at, held_max) = (0, bounds.request_bytes_max + RESP_LINE_BYTES_MAX);
        loop {
            let step = match parser.parse(&buffer[at..], bounds) {
                Ok(step) => step,
                Err(error) => return Outcome { requests, error: Some(error), left: 0 },
            };
            assert!(step.used <= buffer.len() - at, "no more is used than there is");
            assert!(step.used > 0 || step.request.is_none(), "no request is made of nothing");
            at += step.used;
            let Some(request) = step.request else { break };
            requests.push(request.to_owned());
        }
        buffer.drain(..at);
        assert!(buffer.len() <= held_max, "an incomplete request is bounded");
        assert!(
            parser.held_bytes() <= 3 * buffer.len() + 16 * RESP_SPANS_KEPT_MAX,
            "and what is known of it"
        );
        if rest.is_empty() {
            return Outcome { requests, error: None, left: buffer.len() };
        }
        let (piece, after) = rest.split_at((*cuts.next().unwrap()).clamp(1, rest.len()));
        buffer.extend_from_slice(piece);
        rest = after;
    }
}

/// A request in one of the ways to write it, and its words.
fn written() -> impl Strategy<Value = (Vec<u8>, Vec<Vec<u8>>)> {
    (vec(vec(any::<u8>(), 0..12), 0..6), 0..4).prop_map(|(words, way)| {
        let mut bytes = Vec::new();
        match way {
            0 => {
                for word in &words {
                    bytes.push(b'"');
                    bytes.extend(word.iter().flat_map(|byte| format!("\\x{byte:02x}").into_bytes()));
                    bytes.extend(b"\" ");
                }
                bytes.extend(b"\r\n");
            }
            _ => {
                bytes.extend(format!("*{}\r\n", words.len()).bytes());
                for word in &words {
                    bytes.extend(format!("${}\r\n", word.len()).bytes());
                    bytes.extend(word);
                    bytes.extend(b"\r\n");
                }
            }
        }
        (bytes, words)
    })
}

/// Bytes that often mean something to the parser.
fn telling_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        &b"*1\r\n"[..],
        b"*2\r\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"*9\r\n",
        b"*",
        b"$",
        b"$1\r\n",
        b"$3\r\n",
        b"$0\r\n",
        b"$-1\r\n",
        b"$40\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"GET",
        b"a",
        b"\"",
        b"'",
        b"\\",
        b"\\x4",
        b" ",
        b"\0",
        b"\xFF",
        b"1",
        b"0",
        b"-",
        b"PING\r\n",
    ];
    let piece = proptest::sample::select(pieces.to_vec()).prop_map(<[u8]>::to_vec);
    vec(prop_oneof![8 => piece, 1 => vec(any::<u8>(), 1..4)], 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pipeline_reads_the_same_however_it_is_cut(
        pipeline in vec(written(), 0..8), cuts in vec(1usize..40, 1..6)
    ) {
        let bytes: Vec<u8> = pipeline.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        let requests = pipeline.iter().filter_map(|(_, words)| OwnedRequest::new(words)).collect();
        let expected = Outcome { requests, error: None, left: 0 };
        prop_assert_eq!(&receive(&bytes, &[bytes.len()], &Bounds::default()), &expected);
        prop_assert_eq!(&receive(&bytes, &cuts, &Bounds::default()), &expected);
        prop_assert_eq!(&receive(&bytes, &[1], &Bounds::default()), &expected);
    }

    #[test]
    fn any_bytes_read_the_same_however_they_are_cut(bytes in telling_bytes(), cuts in vec(1usize..40, 1..6)) {
        let whole = receive(&bytes, &[bytes.len()], &BOUNDS);
        prop_assert_eq!(&receive(&bytes, &cuts, &BOUNDS), &whole);
        prop_assert_eq!(&receive(&bytes, &[1], &BOUNDS), &whole);
    }

    #[test]
    fn any_request_gets_an_answer(words in vec(vec(any::<u8>(), 0..200), 1..5), name in 0..COMMANDS.len()) {
        let name = COMMANDS[name].name.as_bytes();
        let mut named: Vec<Vec<u8>> = name.split(|byte| *byte == b'|').map(<[u8]>::to_vec).collect();
        named.extend(words.iter().cloned());
        for words in [words, named] {
            let request = OwnedRequest::new(&words).unwrap();
            let mut buffer = Vec::new();
            let mut writer = ReplyWriter::new(&mut buffer, Protocol::Resp3);
            match find(request.view()) {
                Ok(spec) => {
                    if !write_command_reply(spec.verb, request.view(), &mut writer) {
                        writer.array(spec.keys.of(request.view()).map_or(0, Iterator::count));
                        buffer.clear();
                        continue;
                    }
                }
                Err(refusal) => refusal.write(request.view(), &mut writer),
            }
            let (_, rest) = reader::read(&buffer);
            prop_assert!(rest.is_empty());
        }
    }

    #[test]
    fn a_reply_reads_as_it_was_meant(reply in any_reply()) {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let mut buffer = b"before".to_vec();
            ReplyWriter::new(&mut buffer, protocol).reply(&reply);
            let (seen, rest) = reader::read(&buffer[6..]);
            prop_assert!(rest.is_empty());
            prop_assert_eq!(seen, reader::meant(&reply, protocol));
        }
        prop_assert_eq!(crate::codec::decode::<Reply>(&crate::codec::encode(&reply)), Ok(reply));
    }

    #[test]
    fn integers_have_one_form(number: i64, text in "[-+ 0-9]{0,21}") {
        let mut out = Vec::new();
        number::format_i64(number, &mut out);
        prop_assert_eq!(number::parse_i64(&out), Some(number));
        let expected = text.parse::<i64>().ok().filter(|number| number.to_string() == text);
        prop_assert_eq!(number::parse_i64(text.as_bytes()), expected);
    }

    #[test]
    fn floats_read_as_they_were_printed(number in -1e15f64..1e15) {
        let mut out = Vec::new();
        number::format_f64(number, &mut out);
        let again = number::parse_f64(&out).unwrap();
        prop_assert!((again - number).abs() <= 1e-17);
    }

    #[test]
    fn any_bytes_can_be_offered_as_floats(left in "[-+.0-9eE]{0,30}", right in "[-+.0-9eE]{0,12}") {
        let mut out = Vec::new();
        match number::add_floats(left.as_bytes(), right.as_bytes(), &mut out) {
            Ok(()) => {
                let (left, right): (f64, f64) = (left.parse().unwrap(), right.parse().unwrap());
                let sum = number::parse_f64(&out).unwrap();
                let close = 1e-17 + 1e-15 * left.abs().max(right.abs());
                prop_assert!((sum - (left + right)).abs() <= close);
            }
            Err(_) => prop_assert!(out.is_empty()),
        }
    }

    #[test]
    fn patterns_match_as_the_plain_definition_says(
        pattern in "[ab*?\\[\\]^\\\\-]{0,8}", text in "[ab\\]-]{0,6}"
    ) {
        let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(number::matches(pattern, text), matches_plainly(pattern, text));
    }
}

/// The definition of a pattern without any thought for speed: a star is tried with every length. What
/// another element matches is asked of the matcher, with a text of one byte.
fn matches_plainly(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', after @ ..], _) => (0..=text.len()).any(|taken| matches_plainly(after, &text[taken..])),
        (_, []) => false,
        (_, [byte, after @ ..]) => {
            let length = element_length(pattern);
            number::matches(&pattern[..length], &[*byte]) && matches_plainly(&pattern[length..], after)
        }
    }
}

fn element_length(pattern: &[u8]) -> usize {
    match pattern {
        [b'\\', _, ..] => 2,
        [b'[', ..] => {
            let mut at = if pattern.get(1) == Some(&b'^') { 2 } else { 1 };
            loop {
                match &pattern[at..] {
                    [] => return at,
                    [b'\\', _, ..] => at += 2,
                    [b']', ..] => return at + 1,
                    [_, b'-', _, ..] => at += 3,
                    _ => at += 1,
                }
            }
        }
        _ => 1,
    }
}

fn any_reply() -> impl Strategy<Value = Reply> {
    let text = "[ -~]{0,12}";
    let leaf = prop_oneof![
        Just(Reply::Ok),
        Just(Reply::Null),
        Just(Reply::NullArray),
        text.prop_map(|text| Reply::Simple(text.into())),
        text.prop_map(|text| Reply::Error(format!("ERR {text}").into())),
        any::<i64>().prop_map(Reply::Integer),
        vec(any::<u8>(), 0..20).prop_map(|bytes| Reply::bulk(&bytes)),
        any::<i32>().prop_map(|number| Reply::Double(number.to_string().into())),
        any::<bool>().prop_map(Reply::Boolean),
    ];
    let levels = u32::try_from(REPLY_DEPTH_MAX - 1).unwrap();
    leaf.prop_recursive(levels, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Reply::Array),
            vec(inner.clone(), 0..6).prop_map(Reply::Set),
            vec((inner.clone(), inner), 0..4).prop_map(Reply::Map),
        ]
    })
}

/// The smallest client that can tell the kinds of answers apart.
mod reader {
    use super::{Protocol, Reply};

    #[derive(Debug, PartialEq)]
    pub(super) enum Seen {
        Text(u8, Vec<u8>),
        Null,
        NullBulk,
        NullArray,
        List(u8, Vec<Seen>),
    }

    /// The first answer in `bytes` and what follows it.
    pub(super) fn read(bytes: &[u8]) -> (Seen, &[u8]) {
        let end = bytes.windows(2).position(|pair| pair == b"\r\n").expect("a line ends");
        let (line, rest) = (&bytes[1..end], &bytes[end + 2..]);
        let number = || str::from_utf8(line).unwrap().parse::<usize>().unwrap();
        match (bytes[0], line) {
            (b'$', b"-1") => (Seen::NullBulk, rest),
            (b'*', b"-1") => (Seen::NullArray, rest),
            (b'_', b"") => (Seen::Null, rest),
            (b'$', _) => {
                let (payload, rest) = rest.split_at(number());
                (Seen::Text(b'$', payload.to_vec()), rest.strip_prefix(b"\r\n").unwrap())
            }
            (kind @ (b'*' | b'~'), _) => read_list(kind, number(), rest),
            (b'%', _) => read_list(b'%', 2 * number(), rest),
            (kind @ (b'+' | b'-' | b':' | b',' | b'#'), _) => (Seen::Text(kind, line.to_vec()), rest),
            (kind, _) => panic!("what is {kind}?"),
        }
    }

    fn read_list(kind: u8, count: usize, mut rest: &[u8]) -> (Seen, &[u8]) {
        let mut items = Vec::new();
        for _ in 0..count {
            let (item, after) = read(rest);
            items.push(item);
            rest = after;
        }
        (Seen::List(kind, items), rest)
    }

    /// How a client of this version should see `reply`.
    pub(super) fn meant(reply: &Reply, protocol: Protocol) -> Seen {
        let newer = protocol == Protocol::Resp3;
        let text = |kind, text: &str| Seen::Text(kind, text.as_bytes().to_vec());
        let list = |kind, items: &[Reply]| {
            let kind = if newer { kind } else { b'*' };
            Seen::List(kind, items.iter().map(|item| meant(item, protocol)).collect())
        };
        match reply {
            Reply::Null | Reply::NullArray if newer => Seen::Null,
            Reply::Null => Seen::NullBulk,
            Reply::NullArray => Seen::NullArray,
            Reply::Ok => text(b'+', "OK"),
            Reply::Simple(simple) => text(b'+', simple),
            Reply::Error(error) => text(b'-', error),
            Reply::Integer(number) => text(b':', &number.to_string()),
            Reply::Bulk(bytes) => Seen::Text(b'$', bytes.to_vec()),
            Reply::Double(number) => text(if newer { b',' } else { b'$' }, number),
            Reply::Boolean(truth) if newer => text(b'#', if *truth { "t" } else { "f" }),
            Reply::Boolean(truth) => text(b':', if *truth { "1" } else { "0" }),
            Reply::Array(items) => list(b'*', items),
            Reply::Set(items) => list(b'~', items),
            Reply::Map(entries) => {
                let items = entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()]);
                list(b'%', &items.collect::<Vec<_>>())
            }
        }
    }
}

/// Streams that reach every part of the parser.
const CORPUS: [&[u8]; 8] = [
    b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n",
    b"PING\r\nSET k \"a\\x41\\n\" 'it\\'s'\r\n\r\nGET k\n",
    b"*0\r\n*-1\r\n*1\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n",
    b"*1\r\n$40\r\n0123456789012345678901234567890123456789\r\n",
    b"*7\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n$1\r\nf\r\n$1\r\ng\r\n",
    b"*2\r\n$4\r\nMGET\r\n$2\r\n\r\n\r\n*1\r\n$2\r\n*1\r\n",
    b"*1\r\n$41\r\n",
    b"*1048576\r\n$1\r\nx\r\n",
];

fn mutate(prng: &mut Prng, bytes: &mut Vec<u8>) {
    let mut below = |bound: usize| usize::try_from(prng.below(bound as u64)).unwrap();
    let at = below(bytes.len() + 1);
    match below(7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
        1 => bytes.insert(at, b"*$\r\n -01239\"'\\x\0\xFF"[below(17)]),
        2 if at < bytes.len() => {
            bytes.remove(at);
        }
        3 => bytes.truncate(at),
        4 => {
            let other = CORPUS[below(CORPUS.len())];
            bytes.splice(at..at, other[..below(other.len() + 1)].iter().copied());
        }
        5 => {
            let end = (at + below(20)).min(bytes.len());
            bytes.extend_from_within(at..end);
        }
        _ => bytes.rotate_left(at),
    }
}

#[test]
fn mutants_of_the_corpus_do_no_harm() {
    let mut prng = Prng::new(20_26);
    let (mut understood, mut refused) = (0, 0);
    for round in 0..20_000 {
        let mut bytes = CORPUS[round % CORPUS.len()].to_vec();
        for _ in 0..=prng.below(6) {
            mutate(&mut prng, &mut bytes);
        }
        let whole = receive(&bytes, &[bytes.len().max(1)], &BOUNDS);
        let cut = usize::try_from(1 + prng.below(9)).unwrap();
        assert_eq!(receive(&bytes, &[cut, 1, 3], &BOUNDS), whole, "{}", bytes.escape_ascii());
        understood += whole.requests.len();
        refused += usize::from(whole.error.is_some());
    }
    assert!(understood > 5_000 && refused > 5_000, "{understood} {refused}");
}

#[test]
fn a_request_in_many_pieces_is_not_read_many_times() {
    // Were each piece to begin anew, these would be billions of steps.
    let line = [&b"a".repeat(RESP_LINE_BYTES_MAX)[..], b"\n"].concat();
    assert_eq!(receive(&line, &[1], &Bounds::default()).requests.len(), 1);
    let mut many = b"*60000\r\n".to_vec();
    many.extend(b"$1\r\nx\r\n".repeat(60_000));
    assert_eq!(receive(&many, &[1], &Bounds::default()).requests.len(), 1);
}

#[test]
fn as_many_arguments_as_redis_takes_are_taken() {
    let mut most = b"*1048576\r\n".to_vec();
    most.extend(b"$1\r\nx\r\n".repeat(1 << 20));
    let outcome = receive(&most, &[64 << 10], &Bounds::default());
    assert_eq!(outcome.requests[0].view().len(), 1 << 20);
}
