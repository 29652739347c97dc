//! The peer port: frames, a hello, then messages of every kind.

use std::collections::BTreeSet;
use std::sync::Arc;

use quorate::codec;
use quorate::identity::Incarnation;
use quorate::kv::{ClientId, Key, Operation, RequestId, Revision, Token, Value};
use quorate::limits::FRAME_BYTES_MAX;
use quorate::net::{FRAME_HEAD_BYTES, Frames, append_frame};
use quorate::raft::{
    Change, Entry, Envelope, Index, Membership, Message, NodeId, Payload, Position, Refusal, Reign, Term,
};
use quorate::replica::{Answer, Order, Returned, Ticket};
use quorate::server::{Forwarded, Hearing, Hello, PeerMessage, greeting};

use super::cluster::CLUSTER;
use super::history::History;
use super::pieces::Pieces;
use super::probes::every_kind;
use super::verdict::Verdict;
use super::weigh::weigh;

/// Who listens, and who speaks.
const ME: NodeId = NodeId(1);
const OTHERS: [NodeId; 2] = [NodeId(2), NodeId(3)];

/// What a stranger's frame may have, with its head.
const STRANGER_BYTES_MAX: usize = (1 << 10) + FRAME_HEAD_BYTES;

/// Memory for one byte on the line: an operation of four bytes takes 88, and while a list grows it is there
/// and half of it again; and room for the beginnings of lists within lists.
const MEMORY_PER_BYTE: u64 = 34;
const MEMORY_MORE: u64 = 32 << 10;

/// What was made of a stream.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    messages: Vec<(NodeId, PeerMessage)>,
    refused: Option<String>,
    /// What waits for more; after a refusal that is of no interest.
    left: usize,
}

/// Plays a line on which these bytes arrive.
fn hear(pieces: Pieces<'_>) -> Heard {
    let (mut hearing, mut buffer, mut heard) = (Hearing::default(), Vec::new(), Heard::default());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let messages = &mut heard.messages;
        let mut take = |from, message| messages.push((from, message));
        match hearing.hear(&buffer, CLUSTER, judge, &mut take) {
            Ok(used) => drop(buffer.drain(..used)),
            Err(why) => {
                heard.refused = Some(why);
                return heard;
            }
        }
        let held_max =
            if hearing.hello().is_none() { STRANGER_BYTES_MAX } else { FRAME_HEAD_BYTES + FRAME_BYTES_MAX };
        assert!(buffer.len() <= held_max, "{} bytes wait for their frame to be whole", buffer.len());
    }
    heard.left = buffer.len();
    heard
}

/// Lets bytes arrive all at once. Answers how many messages were in them.
pub(crate) fn hear_whole(input: &[u8]) -> usize {
    hear(Pieces::whole(input)).messages.len()
}

fn judge(hello: &Hello) -> Result<(), String> {
    let is_welcome = hello.to == ME && OTHERS.contains(&hello.from);
    if is_welcome { Ok(()) } else { Err("not welcome".to_owned()) }
}

/// Lets bytes arrive at the port.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let (whole, weight) = weigh(|| hear(Pieces::whole(input)));
    assert_eq!(hear(Pieces::cut(input)), whole, "it makes a difference how the stream is cut");
    assert!(whole.messages.len() <= input.len() / FRAME_HEAD_BYTES, "messages out of nothing");
    for (from, message) in &whole.messages {
        assert!(OTHERS.contains(from), "a stranger is heard");
        let sender = if let PeerMessage::Raft(envelope) = message { envelope.from } else { *from };
        assert_eq!(sender, *from, "somebody speaks for another");
    }
    for body in accepted(input) {
        check_body(body);
    }
    check_greeting(input);
    let decoded = whole.messages.len() as u64;
    // The copy of the input is the test's own.
    let peak = weight.peak.saturating_sub(2 * input.len() as u64);
    Verdict { decoded, peak }.bounded(input, MEMORY_PER_BYTE, MEMORY_MORE)
}

/// A node that waits to be taken in learns of its cluster by a greeting, whole, and then for good.
fn check_greeting(input: &[u8]) {
    let (greeted, weight) = weigh(|| greeting(input, ME));
    assert!(weight.peak <= MEMORY_MORE, "{} bytes were held for a greeting", weight.peak);
    let mut arrived = 0;
    for piece in Pieces::cut(input) {
        arrived += piece.len();
        let so_far = greeting(&input[..arrived], ME);
        assert!(so_far == greeted || so_far == Ok(None), "{so_far:?}, and later {greeted:?}");
    }
}

/// A body decodes to something that has this encoding and no other.
fn check_body(body: &[u8]) {
    if let Ok(message) = codec::decode::<PeerMessage>(body) {
        let again = codec::encode(&message);
        assert!(again == body, "{message:?} has two encodings");
        assert_eq!(codec::decode(&again), Ok(message));
    }
}

/// The bodies of all frames at the front of some bytes that are taken for whole.
pub(crate) fn accepted(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    Frames::new(input, CLUSTER, FRAME_BYTES_MAX).map_while(Result::ok)
}

/// A stream of a hello and one frame with these bytes in it, as somebody would send it who knows how.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut stream = stream(&[hello()]);
    append_frame(&mut stream, CLUSTER, |buffer| buffer.extend_from_slice(body));
    stream
}

fn stream(messages: &[PeerMessage]) -> Vec<u8> {
    let mut stream = Vec::new();
    for message in messages {
        append_frame(&mut stream, CLUSTER, |buffer| codec::encode_into(message, buffer));
    }
    stream
}

fn hello() -> PeerMessage {
    let (from, life, known) = (OTHERS[0], Incarnation(11), Some(Incarnation(10)));
    PeerMessage::Hello(Hello { from, to: ME, life, known, address: "tcp:127.0.0.1:7002".into() })
}

/// Valid streams, and what may be in their frames.
pub(crate) struct Corpus {
    pub(crate) streams: Vec<Vec<u8>>,
    pub(crate) bodies: Vec<Vec<u8>>,
}

/// Streams as they are on real lines, with every kind of message in them.
pub(crate) fn corpus() -> Corpus {
    let messages: Vec<PeerMessage> = said_in_a_cluster().into_iter().chain(every_message()).collect();
    let streams: Vec<Vec<u8>> = messages
        .chunks(3)
        .map(|chunk| {
            let with_hello: Vec<PeerMessage> = [hello()].into_iter().chain(chunk.iter().cloned()).collect();
            stream(&with_hello)
        })
        .collect();
    let bodies: BTreeSet<Vec<u8>> =
        streams.iter().flat_map(|stream| accepted(stream)).map(<[u8]>::to_vec).collect();
    Corpus { streams, bodies: bodies.into_iter().collect() }
}

/// What nodes say to `ME` in a life with everything in it, as if all of it came from one of them.
fn said_in_a_cluster() -> Vec<PeerMessage> {
    let mut history = History::recorded();
    let traffic = history.cluster.traffic.take().expect("it was recorded");
    let to_me = traffic.into_iter().map(|envelope| Envelope { from: OTHERS[0], to: ME, ..envelope });
    // Of what is said over and over a few will do.
    let mut counts = std::collections::BTreeMap::new();
    to_me
        .filter(|envelope| {
            let count = counts.entry(envelope.message.kind()).or_insert(0);
            *count += 1;
            *count <= 20
        })
        .map(PeerMessage::Raft)
        .collect()
}

/// One of every kind, with every kind of operation, answer, value and payload in it.
fn every_message() -> impl Iterator<Item = PeerMessage> {
    let id = || Some(RequestId { client: ClientId(7), token: Token("token".into()) });
    let ticket = Ticket(9);
    let operations = every_kind::<Operation>().into_iter().chain([
        Operation::Transaction {
            watched: vec![(Key::new(b"watched"), Revision(3))],
            operations: vec![Operation::Get { key: Key::new(b"a") }, Operation::Clear],
        },
        Operation::GetMany { keys: vec![Key::new(b"one"), Key::new(b"a key that is not short any more")] },
    ]);
    let asks = operations.map(move |operation| {
        let operations = vec![operation];
        PeerMessage::Ask(Forwarded { ticket, once: id(), operations })
    });
    let values = every_kind::<Value>().into_iter().chain([
        Value::Bytes("some bytes".into()),
        Value::Error("ERR no".into()),
        Value::Array(vec![Value::Nil, Value::Array(vec![Value::Integer(-7), Value::Text("x".into())])]),
    ]);
    let returned = Returned { once: id(), operations: vec![Operation::Count, Operation::RandomKey] };
    let answers = every_kind::<Answer>().into_iter().chain([
        Answer::Done(values.collect()),
        Answer::Part(vec![Value::Okay], returned.clone()),
        Answer::Returned(returned),
    ]);
    let answers = answers.chain(every_kind::<Refusal>().into_iter().map(Answer::Refused));
    let answers = answers.map(move |answer| PeerMessage::Answer(ticket, answer));
    let changes = every_kind::<Change>().into_iter().map(Order::Change);
    let orders = changes.chain(every_kind::<Order>()).map(move |order| PeerMessage::Order(ticket, order));
    let said = every_kind::<Message>().into_iter().map(spoken);
    let payloads = every_kind::<Payload>().into_iter().chain([
        Payload::Command(Arc::from(*b"a command")),
        Payload::Membership(Arc::new(Membership::of_founders(&OTHERS))),
    ]);
    let appends = payloads.map(|payload| {
        let previous = Position { term: Term(2), index: Index(40) };
        let entries = vec![Entry { term: Term(3), payload }];
        let commit = Index(39);
        spoken(Message::Append {
            reign: Reign { beat: Default::default(), rank: 1 },
            previous,
            entries,
            commit,
        })
    });
    // What ends a line comes last.
    let others = [PeerMessage::NoRoom(ticket), PeerMessage::Full(true)].into_iter();
    let ends = every_kind::<PeerMessage>().into_iter().chain([PeerMessage::Unwelcome("no".into())]);
    asks.chain(answers).chain(orders).chain(said).chain(appends).chain(others).chain(ends)
}

fn spoken(message: Message) -> PeerMessage {
    PeerMessage::Raft(Envelope { from: OTHERS[0], to: ME, term: Term(3), message })
}
