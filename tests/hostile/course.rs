//! The course adapter: JSON from a simulator, base64 in it, a message of another replica in that.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use quorate::codec;
use quorate::course::{ClientMessage, Desk, Incoming, Lines, decode};
use quorate::kv::{Key, Operation};
use quorate::limits::{COURSE_KEY_BYTES_MAX, COURSE_RAFT_BYTES_MAX, COURSE_VALUE_BYTES_MAX, TOKEN_BYTES_MAX};
use quorate::raft::{Envelope, Instant, NodeId};
use quorate::replica::{Asker, Event, Output};

use super::history::History;
use super::pieces::Pieces;
use super::verdict::Verdict;
use super::weigh::weigh;

/// Who listens, and who speaks.
const ME: NodeId = NodeId(1);
const OTHER: NodeId = NodeId(2);

/// Memory for one byte of a message: texts are copied, base64 is made bytes and then a message; and room for
/// the beginnings of lists.
const MEMORY_PER_BYTE: u64 = 12;
const MEMORY_MORE: u64 = 16 << 10;

/// All messages in the stream dialect.
fn lines(pieces: Pieces<'_>) -> Vec<Vec<u8>> {
    let (mut lines, mut messages) = (Lines::default(), Vec::new());
    for piece in pieces {
        lines.take_in(piece, |message| messages.push(message.to_vec()));
    }
    messages
}

/// Lets a packet arrive; in the stream dialect it may be several messages.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let whole = lines(Pieces::whole(input));
    assert!(whole.iter().all(|message| !message.contains(&b'\n')), "two messages in one");
    assert_eq!(lines(Pieces::cut(input)), whole, "it makes a difference how the stream is cut");
    let (incoming, weight) = weigh(|| decode(ME, input));
    let event = Desk::new(ME).read(input);
    let decoded = u64::from(incoming.is_ok());
    match (incoming, event) {
        (Ok(Incoming::Peer(envelope)), Some(Event::Peer(same))) => {
            assert_eq!(envelope, same);
            check_envelope(&envelope);
        }
        (Ok(Incoming::Client(message)), Some(Event::Request(_))) => check_request(&message),
        (Err(_), None) => {}
        (incoming, event) => panic!("{incoming:?}, and the desk says {event:?}"),
    }
    Verdict { decoded, peak: weight.peak }.bounded(input, MEMORY_PER_BYTE, MEMORY_MORE)
}

fn check_envelope(envelope: &Envelope) {
    assert_eq!(envelope.to, ME, "it is for another");
    assert!(codec::encode(envelope).len() <= COURSE_RAFT_BYTES_MAX + 2, "larger than any is sent");
    let Ok(Incoming::Peer(again)) = decode(ME, &packed(envelope)) else { panic!("{envelope:?} is lost") };
    assert_eq!(again, *envelope);
}

fn check_request(message: &ClientMessage) {
    let (asker, once) = (&message.request.asker, &message.request.once);
    let (Asker::Anywhere(id), Some(name)) = (asker, once) else { panic!("a client without a name") };
    assert!(id == name && id.token.0.len() <= TOKEN_BYTES_MAX);
    let fits = |key: &Key| key.as_bytes().len() <= COURSE_KEY_BYTES_MAX;
    match &message.request.operations[..] {
        [Operation::Get { key }] => assert!(fits(key)),
        [Operation::Set { key, value, .. }] => {
            assert!(fits(key) && value.len() <= COURSE_VALUE_BYTES_MAX);
            assert!(std::str::from_utf8(value).is_ok(), "what was put is a text");
        }
        other => panic!("{other:?} out of a get or a put"),
    }
}

/// A message in its envelope, by the real writer.
fn packed(envelope: &Envelope) -> Vec<u8> {
    let mut output = Output { peers: vec![envelope.clone()], ..Output::default() };
    let mut packets = Vec::new();
    Desk::new(envelope.from).write(Instant(0), &mut output, |packet, _| packets.push(packet));
    packets.pop().expect("one message makes one packet")
}

/// Any bytes in an envelope, as somebody would send them who knows how.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let raft = STANDARD_NO_PAD.encode(body);
    let head = format!(r#""src":"{:04X}","dst":"{:04X}","leader":"FFFF","type":"append""#, OTHER.0, ME.0);
    format!(r#"{{{head},"raft":"{raft}"}}"#).into_bytes()
}

/// Valid packets, and what may be in the base64 of some of them.
pub(crate) struct Corpus {
    pub(crate) packets: Vec<Vec<u8>>,
    pub(crate) bodies: Vec<Vec<u8>>,
}

/// Packets as replicas and clients send them.
pub(crate) fn corpus() -> Corpus {
    let mut history = History::recorded();
    let traffic = history.cluster.traffic.take().expect("it was recorded");
    let envelopes: Vec<Envelope> = traffic
        .into_iter()
        .step_by(11)
        .map(|envelope| Envelope { from: OTHER, to: ME, ..envelope })
        .filter(|envelope| codec::encode(envelope).len() <= COURSE_RAFT_BYTES_MAX)
        .collect();
    let bodies = envelopes.iter().map(codec::encode).collect();
    let clients = [
        r#"{"src":"0015","dst":"0001","leader":"FFFF","type":"put","MID":"M","key":"k","value":"v"}"#,
        r#"{"src":"0015","dst":"0001","leader":"0002","type":"get","MID":"MID7","key":"k"}"#,
        r#"{"type" : "get", "x": [1, {"y": null}], "key":"\u00e9\n\"", "MID":"","dst":"FFFF",
            "src":"00ff","leader":"0001"}"#,
    ];
    let clients = clients.iter().map(|text| text.as_bytes().to_vec()).chain([longest()]);
    let packets: Vec<Vec<u8>> = clients.chain(envelopes.iter().map(packed)).collect();
    let streams: Vec<Vec<u8>> = packets.chunks(5).map(|packets| packets.join(&b'\n')).collect();
    Corpus { packets: packets.into_iter().chain(streams).collect(), bodies }
}

/// A put of which nothing may be longer.
fn longest() -> Vec<u8> {
    let of = |text: &str, bytes: usize| text.repeat(bytes);
    let (mid, key) = (of("M", TOKEN_BYTES_MAX), of("k", COURSE_KEY_BYTES_MAX));
    let value = of("v", COURSE_VALUE_BYTES_MAX);
    let head = r#""src":"0015","dst":"0001","leader":"FFFF","type":"put""#;
    format!(r#"{{{head},"MID":"{mid}","key":"{key}","value":"{value}"}}"#).into_bytes()
}
