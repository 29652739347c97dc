//! The words that everything else is written in: newtypes, so that a term is never taken for an index.

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::membership::Membership;

/// A replica's name inside its cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u16);

/// A reign: a number that only grows, with at most one leader each (5.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term(pub u64);

/// A place in the log. The first entry has index 1; 0 means "before everything".
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Index(pub u64);

/// An index with the term of the entry there: by Log Matching (5.3) it names a whole log prefix.
///
/// The order is the one of 5.4.1: the later term wins, then the longer log.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Term of the entry; compared first.
    pub term: Term,
    /// Its index.
    pub index: Index,
}

/// A moment of one replica's monotonic clock, in microseconds since an origin of its own.
///
/// The core never reads a clock: moments come in with every call.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Instant(pub u64);

/// A length of time in microseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span(pub u64);

/// A leader's count of confirmation rounds within its term (R9). Made by the leader, echoed by followers.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Round(pub u64);

/// The caller's name for one read, unique among the reads that wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ReadId(pub u64);

/// The running number of a write to stable storage, given by the core, confirmed in order (R2).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriteSequence(pub u64);

/// What must survive a restart beside the log: one term, and one vote in it (Figure 2).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HardState {
    /// The latest term seen.
    pub term: Term,
    /// Whom this replica voted for in that term.
    pub vote: Option<NodeId>,
}

/// Names one snapshot: what the log amounts to up to a position, as a file. Equal names, equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotId {
    /// The last entry that it stands for.
    pub last: Position,
    /// The size of its file, in bytes.
    pub bytes: u64,
    /// A checksum of all of its file.
    pub digest: u64,
}

/// What a replica's stable storage gives back at its start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovered {
    /// The term and the vote.
    pub hard_state: HardState,
    /// What of the log is stored begins right after this position.
    pub start: Position,
    /// The entries behind it.
    pub entries: Vec<Entry>,
    /// The snapshot that the state machine has been made from, if there is one.
    pub snapshot: Option<SnapshotId>,
    /// The membership there, as the snapshot holds it. `None`: the founders', of [`Config`](super::Config).
    pub membership: Option<Membership>,
}

/// One entry of the replicated log. Its index is where it stands, so only the term is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The term of the leader that appended it.
    pub term: Term,
    /// What it asks of the state machine.
    pub payload: Payload,
}

/// What an entry carries.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Payload {
    /// Nothing: appended by a new leader so that its term has an entry to commit (5.4.2, 8).
    Noop,
    /// Bytes for the state machine, opaque here, encoded once and shared from then on.
    Command(#[serde(with = "crate::shared_bytes")] Arc<[u8]>),
    /// Who takes part from here on (6).
    Membership(Arc<Membership>),
}

impl Term {
    /// The reign after this one.
    pub fn next(self) -> Term {
        Term(self.0 + 1)
    }
}

impl Index {
    /// The place after this one.
    pub fn next(self) -> Index {
        Index(self.0 + 1)
    }

    /// The place before this one; the one before everything has none, and asking for it is a bug.
    pub fn previous(self) -> Index {
        assert!(self.0 > 0, "nothing stands before index 0");
        Index(self.0 - 1)
    }
}

impl Round {
    /// The round after this one.
    pub fn next(self) -> Round {
        Round(self.0 + 1)
    }
}

impl WriteSequence {
    /// The write after this one.
    pub fn next(self) -> WriteSequence {
        WriteSequence(self.0 + 1)
    }
}

impl Span {
    /// So many milliseconds.
    pub const fn milliseconds(count: u64) -> Span {
        Span(count * 1_000)
    }

    /// This span `factor` times.
    pub const fn times(self, factor: u64) -> Span {
        Span(self.0.saturating_mul(factor))
    }

    /// The `parts`-th part of this span.
    pub const fn divided(self, parts: u64) -> Span {
        Span(self.0 / parts)
    }
}

impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl Sub<Instant> for Instant {
    type Output = Span;
    /// The time since `earlier`; zero when it lies ahead.
    fn sub(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Entry {
    /// Roughly what this entry costs on the wire and in memory, in bytes.
    pub fn size(&self) -> usize {
        const FRAME: usize = 24;
        match &self.payload {
            Payload::Noop => FRAME,
            Payload::Command(bytes) => FRAME + bytes.len(),
            Payload::Membership(membership) => FRAME + membership.size(),
        }
    }
}

macro_rules! shown_as {
    ($type:ident, $prefix:literal) => {
        impl fmt::Debug for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!($prefix, "{}"), self.0)
            }
        }
    };
}

shown_as!(NodeId, "n");
shown_as!(Term, "t");
shown_as!(Index, "i");
shown_as!(Round, "r");
shown_as!(Span, "us");
shown_as!(Instant, "@");
shown_as!(WriteSequence, "w");

impl fmt::Debug for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@t{}", self.index.0, self.term.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Index, Position, Term};

    #[test]
    fn a_later_term_beats_a_longer_log() {
        let long = Position { term: Term(2), index: Index(90) };
        let late = Position { term: Term(3), index: Index(1) };
        assert!(late > long);
        assert!(long > Position { term: Term(2), index: Index(89) });
    }
}
