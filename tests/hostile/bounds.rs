//! The worst that fits through each door: how much memory it takes, and how deep it goes.

use std::sync::Arc;

use quorate::codec;
use quorate::kv::{Key, Operation, Restorer, Value};
use quorate::limits::{
    FRAME_BYTES_MAX, LIST_DEPTH_MAX, REPLY_DEPTH_MAX, RESP_ARGUMENTS_MAX, RESP_REQUEST_BYTES_MAX,
    SNAPSHOT_BLOCK_BYTES_MAX,
};
use quorate::raft::{Entry, Envelope, Index, Message, NodeId, Payload, Position, Reign, Term};
use quorate::replica::{Answer, Ticket};
use quorate::resp::{Bounds, RequestParser};
use quorate::server::{Forwarded, PeerMessage};

use super::peer;
use super::weigh::weigh;

/// Lists within lists, deep enough to use up any stack.
const DEEP: usize = 1_000_000;

/// What one line of a replica may hold, with the frame itself.
const LINE_BYTES_MAX: u64 = 5 * FRAME_BYTES_MAX as u64;

/// The encoding of a value that holds one of its own kind, without that one.
fn shell<T: serde::Serialize>(outer: &T, inner: &T) -> Vec<u8> {
    let (mut shell, inner) = (codec::encode(outer), codec::encode(inner));
    shell.truncate(shell.len() - inner.len());
    shell
}

fn transaction(operations: Vec<Operation>) -> Operation {
    Operation::Transaction { watched: Vec::new(), operations }
}

#[test]
fn lists_too_deep_in_one_another_are_garbage() {
    let operation = shell(&transaction(vec![Operation::Clear]), &Operation::Clear);
    let value = shell(&Value::Array(vec![Value::Nil]), &Value::Nil);
    for depth in [0, 1, LIST_DEPTH_MAX, LIST_DEPTH_MAX + 1, DEEP] {
        let of = |shell: &[u8], inner: Vec<u8>| [shell.repeat(depth), inner].concat();
        let operation = codec::decode::<Operation>(&of(&operation, codec::encode(&Operation::Clear)));
        let value = codec::decode::<Value>(&of(&value, codec::encode(&Value::Nil)));
        assert_eq!((operation.is_ok(), value.is_ok()), (depth <= LIST_DEPTH_MAX, depth <= LIST_DEPTH_MAX));
    }
    // And whoever has failed once can be asked again.
    assert!(codec::decode::<Value>(&codec::encode(&Value::Array(vec![Value::Nil]))).is_ok());
}

/// As many of the second as fit a frame behind the first, which announces them in the last eight bytes.
fn filled(head: &[u8], element: &[u8]) -> Vec<u8> {
    let count = (FRAME_BYTES_MAX - head.len()) / element.len();
    let mut body = head[..head.len() - 8].to_vec();
    body.extend((count as u64).to_le_bytes());
    body.extend(element.repeat(count));
    body
}

#[test]
fn a_frame_of_the_largest_size_takes_a_bounded_amount_of_memory() {
    let ask = |operations| PeerMessage::Ask(Forwarded { ticket: Ticket(1), once: None, operations });
    let answer = |values| PeerMessage::Answer(Ticket(1), Answer::Done(values));
    let append = |entries| {
        let (previous, reign) = (Position::default(), Reign { beat: Default::default(), rank: 0 });
        let message = Message::Append { reign, previous, entries, commit: Index(0) };
        PeerMessage::Raft(Envelope { from: NodeId(2), to: NodeId(1), term: Term(1), message })
    };
    let of = |empty: &PeerMessage| codec::encode(empty);
    let append_head = {
        let mut head = of(&append(Vec::new()));
        // The commit index comes last; here it is one of the entries.
        head.truncate(head.len() - 8);
        head
    };
    let entry = |payload| codec::encode(&Entry { term: Term(1), payload });
    let keys = Operation::GetMany { keys: Vec::new() };
    let bytes = Value::Bytes(vec![7; FRAME_BYTES_MAX - 100].into());
    let bodies = [
        ("operations", filled(&of(&ask(Vec::new())), &codec::encode(&Operation::Clear))),
        ("values", filled(&of(&answer(Vec::new())), &codec::encode(&Value::Nil))),
        ("lists", filled(&of(&answer(Vec::new())), &codec::encode(&Value::Array(Vec::new())))),
        ("entries", filled(&append_head, &entry(Payload::Noop))),
        ("commands", filled(&append_head, &entry(Payload::Command(Arc::from(*b""))))),
        ("keys", filled(&of(&ask(vec![keys])), &codec::encode(&Key::new(b"")))),
        ("a value", codec::encode(&answer(vec![bytes]))),
    ];
    for (what, body) in bodies {
        assert!(body.len() <= FRAME_BYTES_MAX && body.len() > FRAME_BYTES_MAX - 200, "{what}");
        let stream = peer::sealed(&body);
        let (_, weight) = weigh(|| peer::hear_whole(&stream));
        println!("a frame full of {what}: {} MB at the worst moment", weight.peak / 1_000_000);
        assert!(weight.peak <= LINE_BYTES_MAX, "{what}: {} bytes", weight.peak);
    }
}

#[test]
fn a_request_of_the_largest_size_takes_a_bounded_amount_of_memory() {
    let arguments = RESP_ARGUMENTS_MAX;
    let request = [format!("*{arguments}\r\n").into_bytes(), b"$1\r\nx\r\n".repeat(arguments)].concat();
    assert!(request.len() <= RESP_REQUEST_BYTES_MAX);
    let mut parser = RequestParser::new();
    let (words, weight) = weigh(|| {
        let step = parser.parse(&request, &Bounds::default()).expect("it is a request");
        step.request.map_or(0, |request| request.len())
    });
    println!("a request of {words} words: {} MB at the worst moment", weight.peak / 1_000_000);
    assert_eq!(words, arguments);
    assert!(weight.peak <= 4 * RESP_REQUEST_BYTES_MAX as u64, "{} bytes", weight.peak);
}

/// A block of an image with one answer in it that says it has so many values.
fn answer_block(count: usize, values: &[u8]) -> Vec<u8> {
    let mut block = vec![3];
    block.extend([1u64, 1].map(u64::to_le_bytes).as_flattened());
    block.extend(0u32.to_le_bytes());
    block.extend(u32::try_from(count).expect("fewer than bytes in a block").to_le_bytes());
    block.extend(values);
    block
}

/// A restorer that awaits anything but a head.
fn begun() -> Restorer {
    let mut restorer = Restorer::new();
    assert_eq!(restorer.take(&[&[1u8][..], &[0; 40]].concat()), Ok(()));
    restorer
}

#[test]
fn a_block_of_the_largest_size_takes_a_bounded_amount_of_memory() {
    let count = SNAPSHOT_BLOCK_BYTES_MAX - answer_block(0, &[]).len();
    let block = answer_block(count, &vec![0; count]);
    let mut restorer = begun();
    let (taken, weight) = weigh(|| restorer.take(&block));
    println!("a block full of values: {} MB at the worst moment", weight.peak / 1_000_000);
    assert!(taken.is_err() && weight.peak <= 4 * FRAME_BYTES_MAX as u64, "{} bytes", weight.peak);
}

#[test]
fn values_too_deep_in_a_block_are_garbage() {
    for depth in [0, 1, REPLY_DEPTH_MAX, REPLY_DEPTH_MAX + 1, DEEP] {
        let values = [[6, 1, 0, 0, 0].repeat(depth), vec![1]].concat();
        assert_eq!(begun().take(&answer_block(1, &values)).is_ok(), depth <= REPLY_DEPTH_MAX, "{depth}");
    }
}
