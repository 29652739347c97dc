//! What all stages are measured with: a SET of a 32-byte value, as a request, a command, an entry, a message.

use std::sync::Arc;

use quorate::kv::{Command, Operation, SetOptions, WallClock};
use quorate::raft::{Beat, Entry, Envelope, Index, Message, NodeId, Payload, Position, Reign, Term};

pub(crate) const VALUE: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// Keys are as long as those of common load generators.
pub(crate) fn key(number: u32) -> String {
    format!("key:{number:012}")
}

pub(crate) fn set(number: u32) -> Command {
    let key = key(number).as_str().into();
    let operations = vec![Operation::Set { key, value: VALUE[..].into(), options: SetOptions::default() }];
    Command { stamp: WallClock(0), once: None, operations }
}

/// So many entries of one SET each.
pub(crate) fn entries(count: u32) -> Vec<Entry> {
    (0..count)
        .map(|number| Entry { term: Term(3), payload: Payload::Command(set(number).encode()) })
        .collect()
}

/// What a leader sends to a follower.
pub(crate) fn append(count: u32) -> Envelope {
    let reign = Reign { beat: Beat::default(), rank: 0 };
    let previous = Position::default();
    let message = Message::Append { reign, previous, entries: entries(count), commit: Index(0) };
    Envelope { from: NodeId(0), to: NodeId(1), term: Term(3), message }
}

/// A command's bytes.
pub(crate) fn command() -> Arc<[u8]> {
    set(1).encode()
}
