//! JSON in, JSON out: the simulator's envelope around requests, answers and Raft messages.
//!
//! The simulator reads `src`, `dst`, `leader` and `type` of every message and `MID`, `key` and `value` of
//! those of clients; the rest is ours. A Raft message travels as bincode bytes in base64 in one text field,
//! `raft`; `type` says in clear which kind it is.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::kv::{ClientId, Operation, RequestId, SetOptions, Token, Value};
use crate::limits::{COURSE_KEY_BYTES_MAX, COURSE_RAFT_BYTES_MAX, COURSE_VALUE_BYTES_MAX, TOKEN_BYTES_MAX};
use crate::raft::{Envelope, NodeId};
use crate::replica::{Answer, Asker, Reply, Request};

/// Stands for everybody as a destination and for nobody as a leader.
const BROADCAST: u16 = 0xFFFF;

/// An id as the simulator writes it: four hex digits; `None` is written FFFF.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name(pub Option<NodeId>);

/// A message that makes sense.
#[derive(Debug)]
pub enum Incoming {
    /// A client's.
    Client(ClientMessage),
    /// A replica's.
    Peer(Envelope),
}

/// A client's request and what it says of the world.
#[derive(Debug)]
pub struct ClientMessage {
    /// What it asks.
    pub request: Request,
    /// Whom it believes to lead.
    pub believed: Option<NodeId>,
}

/// A message that makes none.
#[derive(Debug, PartialEq, Eq)]
pub struct Garbage {
    /// In which way; each is reported once.
    pub kind: Kind,
}

/// The ways of making no sense.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// No bytes at all.
    Empty,
    /// Not a JSON object with the fields that every message has.
    Json,
    /// An id that is none, or another replica's where ours belongs.
    Id,
    /// A `type` that we do not know.
    Type,
    /// A request that lacks `MID`, `key` or `value`, or has one that is too long.
    Request,
    /// A Raft message whose base64 or bincode is broken, or that is not from whom the envelope says.
    Raft,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::Empty => "an empty message",
            Kind::Json => "not a JSON object with src, dst, leader and type",
            Kind::Id => "an id that is not four hex digits, or not ours",
            Kind::Type => "an unknown message type",
            Kind::Request => "a request without MID, key or value, or with one that is too long",
            Kind::Raft => "a Raft message that does not decode, or has a false sender",
        })
    }
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    src: Cow<'a, str>,
    #[serde(borrow)]
    dst: Cow<'a, str>,
    #[serde(borrow)]
    leader: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, rename = "MID")]
    mid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<Cow<'a, str>>,
    #[serde(borrow)]
    raft: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Written<'a> {
    src: Name,
    dst: Name,
    leader: Name,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "MID", skip_serializing_if = "Option::is_none")]
    mid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raft: Option<&'a str>,
}

/// The id that four hex digits name; `Some(None)` for FFFF; `None` for anything else.
pub(super) fn parse_id(word: &str) -> Option<Option<NodeId>> {
    if word.len() != 4 || !word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u16::from_str_radix(word, 16).ok()?;
    Some((number != BROADCAST).then_some(NodeId(number)))
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:04X}", self.0.map_or(BROADCAST, |id| id.0)))
    }
}

/// Reads a message for the replica `me`.
///
/// # Errors
///
/// [`Garbage`], with its kind, for whatever no simulator in its right mind sends.
pub fn decode(me: NodeId, bytes: &[u8]) -> Result<Incoming, Garbage> {
    let garbage = |kind| Garbage { kind };
    if bytes.is_empty() {
        return Err(garbage(Kind::Empty));
    }
    let fields: Fields<'_> = serde_json::from_slice(bytes).map_err(|_| garbage(Kind::Json))?;
    let id = |word: &str| parse_id(word).ok_or(garbage(Kind::Id));
    let src = id(&fields.src)?.ok_or(garbage(Kind::Id))?;
    let believed = id(&fields.leader)?;
    if id(&fields.dst)?.is_some_and(|dst| dst != me) || src == me {
        return Err(garbage(Kind::Id));
    }
    if let Some(raft) = &fields.raft {
        return decode_raft(me, src, raft).map(Incoming::Peer).ok_or(garbage(Kind::Raft));
    }
    let operation = decode_operation(&fields).map_err(garbage)?;
    let token = short(fields.mid, TOKEN_BYTES_MAX).ok_or(garbage(Kind::Request))?;
    let id = RequestId { client: ClientId(u64::from(src.0)), token: Token(token) };
    let request = Request { asker: Asker::Anywhere(id.clone()), once: Some(id), operations: vec![operation] };
    Ok(Incoming::Client(ClientMessage { request, believed }))
}

fn decode_operation(fields: &Fields<'_>) -> Result<Operation, Kind> {
    let key =
        || short(fields.key.clone(), COURSE_KEY_BYTES_MAX).map(|key| (&*key).into()).ok_or(Kind::Request);
    match &*fields.kind {
        "get" => Ok(Operation::Get { key: key()? }),
        "put" => {
            let value = short(fields.value.clone(), COURSE_VALUE_BYTES_MAX).ok_or(Kind::Request)?;
            Ok(Operation::Set { key: key()?, value: value.into(), options: SetOptions::default() })
        }
        _ => Err(Kind::Type),
    }
}

fn short(field: Option<Cow<'_, str>>, bytes_max: usize) -> Option<Box<str>> {
    field.filter(|text| text.len() <= bytes_max).map(|text| text.into_owned().into_boxed_str())
}

fn decode_raft(me: NodeId, src: NodeId, text: &str) -> Option<Envelope> {
    if text.len() > COURSE_RAFT_BYTES_MAX.div_ceil(3) * 4 {
        return None;
    }
    let bytes = STANDARD_NO_PAD.decode(text).ok()?;
    let envelope: Envelope = codec::decode(&bytes).ok()?;
    (envelope.from == src && envelope.to == me).then_some(envelope)
}

/// Writes a Raft message.
pub(super) fn encode_peer(leader: Option<NodeId>, envelope: &Envelope) -> Vec<u8> {
    let raft = STANDARD_NO_PAD.encode(codec::encode(envelope));
    let kind = envelope.message.kind();
    let (src, dst) = (Name(Some(envelope.from)), Name(Some(envelope.to)));
    json(&Written { src, dst, leader: Name(leader), kind, mid: None, value: None, raft: Some(&raft) })
}

/// Writes an answer to a client.
pub(super) fn encode_reply(me: NodeId, leader: Option<NodeId>, reply: &Reply) -> Vec<u8> {
    let id = name_of(reply);
    let client = u16::try_from(id.client.0).expect("a course client has an id of 16 bits");
    let (kind, value) = match &reply.answer {
        Answer::Done(values) => ("ok", values.first().and_then(text_of)),
        Answer::Part(..)
        | Answer::Returned(_)
        | Answer::Replaced
        | Answer::Refused(_)
        | Answer::Unsaid
        | Answer::Busy => ("redirect", None),
    };
    let (src, dst) = (Name(Some(me)), Name(Some(NodeId(client))));
    json(&Written { src, dst, leader: Name(leader), kind, mid: Some(&id.token.0), value, raft: None })
}

/// Whose request a reply belongs to. Course clients have no connections, so their requests have names.
pub(super) fn name_of(reply: &Reply) -> &RequestId {
    match &reply.asker {
        Asker::Anywhere(id) => id,
        other => unreachable!("no course client asks as {other:?}"),
    }
}

/// A value as a course client expects it: a key that was never put is an empty text, and a put has none.
fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Bytes(bytes) => Some(std::str::from_utf8(bytes).expect("whatever was put was a text")),
        Value::Nil => Some(""),
        _ => None,
    }
}

/// The first word of a replica over UDP: it tells the simulator from which port it speaks.
pub(super) fn encode_hello(me: NodeId) -> Vec<u8> {
    let (src, nobody) = (Name(Some(me)), Name(None));
    json(&Written { src, dst: nobody, leader: nobody, kind: "hello", mid: None, value: None, raft: None })
}

fn json(message: &Written<'_>) -> Vec<u8> {
    serde_json::to_vec(message).expect("texts and numbers have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{Beat, Message, Term};

    const ME: NodeId = NodeId(1);

    fn kind_of(text: &str) -> Kind {
        decode(ME, text.as_bytes()).unwrap_err().kind
    }

    fn heartbeat(from: NodeId) -> Envelope {
        let message = Message::HeartbeatReply { beat: Beat::default() };
        Envelope { from, to: ME, term: Term(3), message }
    }

    #[test]
    fn a_put_is_read_and_answered() {
        let text =
            r#"{"src":"0015","dst":"0001","leader":"FFFF","type":"put","MID":"M","key":"k","value":"v"}"#;
        let Ok(Incoming::Client(message)) = decode(ME, text.as_bytes()) else { panic!("a put") };
        assert_eq!(message.believed, None);
        let reply = Reply { asker: message.request.asker, answer: Answer::Done(vec![Value::Okay]) };
        let json = String::from_utf8(encode_reply(ME, Some(NodeId(2)), &reply)).unwrap();
        assert_eq!(json, r#"{"src":"0001","dst":"0015","leader":"0002","type":"ok","MID":"M"}"#);
    }

    #[test]
    fn a_raft_message_comes_through_as_it_was() {
        let sent = heartbeat(NodeId(2));
        let json = encode_peer(None, &sent);
        let Ok(Incoming::Peer(received)) = decode(ME, &json) else { panic!("a peer's message") };
        assert_eq!(received, sent);
    }

    #[test]
    fn garbage_is_told_apart() {
        assert_eq!(kind_of(""), Kind::Empty);
        assert_eq!(kind_of("{"), Kind::Json);
        assert_eq!(kind_of("[1]"), Kind::Json);
        assert_eq!(kind_of(r#"{"src":7,"dst":"0001","leader":"FFFF","type":"get"}"#), Kind::Json);
        assert_eq!(kind_of(r#"{"src":"15","dst":"0001","leader":"FFFF","type":"get"}"#), Kind::Id);
        assert_eq!(kind_of(r#"{"src":"0015","dst":"0002","leader":"FFFF","type":"get"}"#), Kind::Id);
        assert_eq!(kind_of(r#"{"src":"0015","dst":"0001","leader":"FFFF","type":"x"}"#), Kind::Type);
        assert_eq!(kind_of(r#"{"src":"0015","dst":"0001","leader":"FFFF","type":"get"}"#), Kind::Request);
        let long = "k".repeat(COURSE_KEY_BYTES_MAX + 1);
        let get =
            format!(r#"{{"src":"0015","dst":"0001","leader":"FFFF","type":"get","MID":"M","key":"{long}"}}"#);
        assert_eq!(kind_of(&get), Kind::Request);
        let raft = |text: &str| {
            format!(r#"{{"src":"0002","dst":"0001","leader":"FFFF","type":"append","raft":"{text}"}}"#)
        };
        assert_eq!(kind_of(&raft("!!")), Kind::Raft);
        assert_eq!(kind_of(&raft("AAAA")), Kind::Raft);
        assert_eq!(kind_of(&raft(&"A".repeat(10_000))), Kind::Raft);
        let stolen = String::from_utf8(encode_peer(None, &heartbeat(NodeId(3)))).unwrap();
        assert_eq!(kind_of(&stolen.replacen("0003", "0002", 1)), Kind::Raft);
    }
}
