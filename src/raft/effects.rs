//! What the core asks of the world, derived once per turn, in one buffer that its owner reuses.

use std::sync::Arc;

use super::message::Envelope;
use super::types::{Entry, HardState, Index, NodeId, Position, ReadId, SnapshotId, WriteSequence};

/// The work of one turn.
#[derive(Default, Debug)]
pub struct Effects {
    /// Write this to stable storage, in the order of these records.
    pub write: Option<LogWrite>,
    /// May leave now.
    pub send: Vec<Envelope>,
    /// Committed, in log order, each exactly once over the life of the replica.
    pub committed: Vec<Committed>,
    /// Reads that may be answered from the state that includes everything in `committed`.
    pub reads_ready: Vec<ReadId>,
    /// Reads that this replica cannot confirm any more: ask elsewhere. Nothing happened.
    pub reads_failed: Vec<ReadId>,
    /// What followers need and the core does not hold: to be fetched from the files, each answered once.
    pub fetches: Vec<Fetch>,
    /// Parts of a snapshot that the leader sends: to be stored, each answered once.
    pub parts: Vec<SnapshotPart>,
    /// Whether [`Raft::membership`](super::Raft::membership) or [`Raft::peers`](super::Raft::peers) may say
    /// something else than after the turn before.
    pub members_changed: bool,
}

/// Something that a follower needs and that lies in files, and for whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fetch {
    /// The follower.
    pub to: NodeId,
    /// What it needs.
    pub wanted: Wanted,
}

/// What can be fetched from the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// Entries from this index on; answered by [`Raft::fetched_entries`](super::Raft::fetched_entries).
    Entries(Index),
    /// Bytes of a snapshot from an offset on; answered by [`Raft::fetched_part`](super::Raft::fetched_part).
    Part(SnapshotId, u64),
}

/// Entries as they stand in the log's files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// The position just before the first of them.
    pub previous: Position,
    /// The entries; never none.
    pub entries: Vec<Entry>,
}

/// Some bytes of a snapshot, in the middle of its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotPart {
    /// The leader that sent them.
    pub from: NodeId,
    /// Of which snapshot.
    pub id: SnapshotId,
    /// From where on in its file.
    pub offset: u64,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

/// A committed entry with its place.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Where it stands.
    pub index: Index,
    /// What it is.
    pub entry: Entry,
}

/// One batch for the log's writer. It may be empty: then it only keeps the order of what waits for it.
#[derive(Debug)]
pub struct LogWrite {
    /// Echoed by the receipt. A receipt for index and term alone could bless entries that were cut and
    /// replaced while the old write was under way.
    pub sequence: WriteSequence,
    /// The term and vote, where they changed.
    pub hard_state: Option<HardState>,
    /// Where the log begins from now on, because a durable snapshot stands for what was before (R15). Goes
    /// after the hard state and before the entries.
    pub start: Option<LogStart>,
    /// Entries that follow on each other; whatever the log held from `first` on gives way to them.
    pub entries: Option<LogAppend>,
    /// Envelopes that may leave once all of the above is durable (R2).
    pub then_send: Vec<Envelope>,
}

impl LogWrite {
    /// How many entries it appends.
    pub fn entry_count(&self) -> usize {
        self.entries.as_ref().map_or(0, |append| append.entries.len())
    }

    /// How long these are together, in bytes.
    pub fn entry_bytes(&self) -> usize {
        self.entries.as_ref().map_or(0, |append| append.entries.iter().map(Entry::size).sum())
    }
}

/// Where the log begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogStart {
    /// Right after this position.
    pub after: Position,
    /// Whether the entries behind it stay: not if they were another history.
    pub keeps_tail: bool,
}

/// Entries and where they go.
#[derive(Debug)]
pub struct LogAppend {
    /// Index of the first entry.
    pub first: Index,
    /// The entries; never none.
    pub entries: Vec<Entry>,
}

/// Everything up to and including this write is durable.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Receipt(pub WriteSequence);

impl Effects {
    /// Empties every list and keeps their room.
    pub fn clear(&mut self) {
        self.write = None;
        self.send.clear();
        self.committed.clear();
        self.reads_ready.clear();
        self.reads_failed.clear();
        self.fetches.clear();
        self.parts.clear();
        self.members_changed = false;
    }
}
