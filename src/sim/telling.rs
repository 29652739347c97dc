//! How what happens reads in a trace.

use super::network::Packet;
use crate::kv::Operation;
use crate::raft::{AppendOutcome, Entry, Envelope, Message, Payload, SnapshotOutcome, Status};

/// A packet in one short line.
pub(super) fn packet(packet: &Packet) -> String {
    match packet {
        Packet::Raft(envelope) => message(envelope),
        Packet::Ask(ticket, once, wanted) => {
            let name = once.as_ref().map_or("without a name", |_| "with a name");
            format!("ask {}, {name}: {}", short(ticket.0), operations(wanted))
        }
        Packet::Answer(ticket, answer) => format!("answer to ask {}: {answer:?}", short(ticket.0)),
    }
}

/// What a client wants, in one line.
pub(super) fn operations(operations: &[Operation]) -> String {
    let words: Vec<String> = operations.iter().map(|operation| format!("{operation:?}")).collect();
    let mut text = words.join(", ");
    if text.len() > 160 {
        text.truncate((0..=160).rfind(|end| text.is_char_boundary(*end)).unwrap_or(0));
        text.push_str("...");
    }
    text
}

/// A message of the core in one short line.
pub(super) fn message(envelope: &Envelope) -> String {
    let Envelope { term, message, .. } = envelope;
    let kind = message.kind();
    let rest = match message {
        Message::PreVote { last, campaign } => format!("log to {last:?}, campaign {}", short(*campaign)),
        Message::PreVoteReply { campaign, granted, commit } => {
            format!("{}, commit {}, campaign {}", verdict(*granted), commit.0, short(*campaign))
        }
        Message::Vote { last, transfer } => {
            format!("log to {last:?}{}", if *transfer { ", the leader wants it" } else { "" })
        }
        Message::VoteReply { granted, commit } => format!("{}, commit {}", verdict(*granted), commit.0),
        Message::Append { previous, entries, commit, reign } => {
            let (round, shown) = (reign.beat.round.0, shown(entries));
            format!("after {previous:?} {shown}, commit {}, round {round}", commit.0)
        }
        Message::AppendReply { outcome, beat } => {
            let outcome = match outcome {
                AppendOutcome::Matched(index) => format!("has all to {}", index.0),
                AppendOutcome::Missing { previous, hint } => {
                    format!("lacks {}, may have {hint:?}", previous.0)
                }
                AppendOutcome::Deposed => "that term is over".to_owned(),
            };
            format!("{outcome}, round {}", beat.round.0)
        }
        Message::Heartbeat { commit, reply, reign } => {
            let answer = if *reply { ", answer please" } else { "" };
            format!("commit {}, round {}{answer}", commit.0, reign.beat.round.0)
        }
        Message::HeartbeatReply { beat } => format!("round {}", beat.round.0),
        Message::Snapshot { id, offset, bytes, .. } => {
            format!("to {:?}: {} bytes of {} from {offset}", id.last, bytes.len(), id.bytes)
        }
        Message::SnapshotReply { last, outcome, .. } => match outcome {
            SnapshotOutcome::Wants(offset) => format!("to {last:?}: next from {offset}"),
            SnapshotOutcome::Matched(index) => format!("to {last:?}: has all to {}", index.0),
            SnapshotOutcome::Deposed => "that term is over".to_owned(),
        },
        Message::TimeoutNow => String::new(),
    };
    format!("{term:?} {kind} {rest}").trim_end().to_owned()
}

fn verdict(granted: bool) -> &'static str {
    if granted { "yes" } else { "no" }
}

/// Entries by their terms, openings marked: `[t2 opening] [t2] [t2]`.
fn shown(entries: &[Entry]) -> String {
    let one = |entry: &Entry| {
        let opening = if entry.payload == Payload::Noop { " opening" } else { "" };
        format!("[{:?}{opening}]", entry.term)
    };
    match entries {
        [] => "nothing".to_owned(),
        [first, .., last] if entries.len() > 4 => {
            format!("{} ... {} ({} entries)", one(first), one(last), entries.len())
        }
        few => few.iter().map(one).collect::<Vec<_>>().join(" "),
    }
}

/// The end of a long number, enough to tell it from others.
fn short(number: u64) -> String {
    format!("..{:03}", number % 1_000)
}

/// A status in one short line.
pub(super) fn status(status: &Status) -> String {
    let leader = status.leader.map_or("no leader".to_owned(), |leader| format!("leader {leader:?}"));
    format!(
        "{:?}, {leader}, log to {:?}, commit {}, applied {}, durable {}, snapshot {}",
        status.term, status.last, status.commit.0, status.applied.0, status.durable.0, status.snapshot.0
    )
}
