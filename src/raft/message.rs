//! What replicas say to each other: a closed set, every field used by every bearer of it.
//!
//! Two differences from the paper's Figure 2. Heartbeats are messages of their own and carry no previous
//! position: a heartbeat that doubles as an append can be refused late and read as a lost log (openraft
//! 1500). And every leader message carries a [`Beat`], which its answer echoes: by it the leader knows
//! *which* of its messages was answered, and so can confirm reads, extend its lease and measure the way.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::types::{Entry, Index, Instant, NodeId, Position, Round, SnapshotId, Term};

/// A message with its addresses and the sender's term (R1).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// Who sent it.
    pub from: NodeId,
    /// Whom it is for.
    pub to: NodeId,
    /// The sender's term. A vote asks for this term; a pre-vote asks for the next one.
    pub term: Term,
    /// What it says.
    pub message: Message,
}

/// When and in which round a leader spoke; opaque to followers, who echo it.
#[derive(Clone, Copy, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct Beat {
    /// The leader's round of confirmation (R9).
    pub round: Round,
    /// The leader's clock at that moment (R20).
    pub sent: Instant,
}

/// What every message of a leader tells a follower, entries or not.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reign {
    /// To be echoed in the answer.
    pub beat: Beat,
    /// The follower's place in the line of succession, 0 for the heir: who is first to campaign when this
    /// leader falls silent. The heir is told first what has been committed, and so takes over knowing most.
    pub rank: u16,
}

/// The bodies.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Message {
    /// Would you vote for me in the next term? Changes nothing at the receiver (thesis 9.6).
    PreVote {
        /// Where the asker's log ends.
        last: Position,
        /// Names this campaign, so that answers to an earlier one count for nothing.
        campaign: u64,
    },
    /// The answer to a pre-vote.
    PreVoteReply {
        /// The campaign it answers.
        campaign: u64,
        /// Whether a real vote would be granted now.
        granted: bool,
        /// What the voter knows to be committed.
        commit: Index,
    },
    /// Vote for me in the envelope's term (5.2).
    Vote {
        /// Where the candidate's log ends.
        last: Position,
        /// Whether the leader itself wants this candidate to follow it: then nobody protects it (R14).
        transfer: bool,
    },
    /// The answer to a vote.
    VoteReply {
        /// Whether the candidate has this vote.
        granted: bool,
        /// What the voter knows to be committed.
        commit: Index,
    },
    /// Entries to follow on `previous` (5.3).
    Append {
        /// What every message of a leader tells.
        reign: Reign,
        /// The position just before the first entry.
        previous: Position,
        /// At least the first of those that the follower lacks; empty to ask where it stands.
        #[serde(deserialize_with = "crate::bounded::list")]
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
    },
    /// The answer to an append, sent when what it says is on stable storage (R2).
    AppendReply {
        /// Echo.
        beat: Beat,
        /// How the append went.
        outcome: AppendOutcome,
    },
    /// I still lead. Idle lines only.
    Heartbeat {
        /// What every message of a leader tells.
        reign: Reign,
        /// Committed, and known to be in the receiver's log.
        commit: Index,
        /// Whether the leader needs the echo: for a lease, a read, or to see who is there.
        reply: bool,
    },
    /// The answer to a heartbeat that asked for one.
    HeartbeatReply {
        /// Echo.
        beat: Beat,
    },
    /// Part of a snapshot, for a follower that lacks what no log holds any more (7, R15).
    Snapshot {
        /// What every message of a leader tells.
        reign: Reign,
        /// Which snapshot.
        id: SnapshotId,
        /// From where on in its file.
        offset: u64,
        /// The bytes; none only at the very end.
        #[serde(with = "crate::shared_bytes")]
        bytes: Arc<[u8]>,
    },
    /// The answer to a part of a snapshot.
    SnapshotReply {
        /// Echo.
        beat: Beat,
        /// The snapshot's last entry.
        last: Position,
        /// What became of it.
        outcome: SnapshotOutcome,
    },
    /// Campaign now: this leader wants to go, and you have all that it has (thesis 3.10).
    TimeoutNow,
}

/// What became of a part of a snapshot.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum SnapshotOutcome {
    /// The next part begins at this offset.
    Wants(u64),
    /// Nothing more is wanted: the follower's log equals the leader's up to here, on stable storage.
    Matched(Index),
    /// The sender's term is over; the envelope carries the term that ended it.
    Deposed,
}

/// How an append went.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum AppendOutcome {
    /// The follower's log equals the leader's up to here, on stable storage.
    Matched(Index),
    /// The follower has no entry like `previous`.
    Missing {
        /// The index of the `previous` that was refused.
        previous: Index,
        /// The follower's last entry that might match: at or before `previous`, of a term not above it.
        hint: Position,
    },
    /// The sender's term is over, whatever it sent; the envelope carries the term that ended it.
    Deposed,
}

impl Message {
    /// The kind in one lower-case word, for traces and for the `type` field of the course's envelope.
    pub fn kind(&self) -> &'static str {
        match self {
            Message::PreVote { .. } => "pre-vote",
            Message::PreVoteReply { .. } => "pre-vote-reply",
            Message::Vote { .. } => "vote",
            Message::VoteReply { .. } => "vote-reply",
            Message::Append { .. } => "append",
            Message::AppendReply { .. } => "append-reply",
            Message::Heartbeat { .. } => "heartbeat",
            Message::HeartbeatReply { .. } => "heartbeat-reply",
            Message::Snapshot { .. } => "snapshot",
            Message::SnapshotReply { .. } => "snapshot-reply",
            Message::TimeoutNow => "timeout-now",
        }
    }
}
