//! What the core asks of the world, derived once per turn, in one buffer that its owner reuses.

use super::message::Envelope;
use super::types::{Entry, HardState, Index, ReadId, WriteSequence};

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
    /// Entries that follow on each other; whatever the log held from `first` on gives way to them.
    pub entries: Option<LogAppend>,
    /// Envelopes that may leave once all of the above is durable (R2).
    pub then_send: Vec<Envelope>,
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
    }
}
