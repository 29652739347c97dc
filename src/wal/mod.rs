//! The write-ahead log: what a replica must still know after a power cut.
//!
//! One log holds everything, in the order in which the core decided it: entries, the cuts they imply, terms,
//! votes, and from where on the log is kept. So a term and an entry can never reach the disk in the wrong
//! order (S15), and "durable up to write *n*" is one number (R2).
//!
//! **A batch is one record.** The [`Writer`] takes whatever has arrived, puts it into one record, writes it
//! with one call and makes it durable with one fdatasync. A record has one checksum, so after a crash a batch
//! is there whole or not at all, however the disk shuffled its sectors. And since the next record is not
//! begun before the last one is durable, a whole record *behind* a broken one proves that the broken one was
//! durable once: that is how recovery tells damage from a torn tail (R17). Only for the very last record
//! nothing can tell the two apart.
//!
//! **Records are chained.** Each repeats the checksum of the one before and carries the running number of
//! the batch and the checksum of its segment's header. What a stale sector, a misdirected write or an old
//! segment file holds does not fit into the chain; what a client stores as a value cannot look like a
//! record, because no client knows the header's checksum.
//!
//! **Segments** are files of a fixed size. The next one is prepared beforehand under another name, from one
//! that is needed no more, or by writing zeros (blocks that were reserved but never written would cost a
//! metadata commit at their first sync), and gets its own name once its header and first record are durable.
//! So under a segment's name there is never a half-made segment, and a full disk shows itself before anything
//! of a batch is written (R16). The first record of every segment repeats the term, the vote and the place
//! where the log begins: segments below that place can go.
//!
//! **Recovery** reads everything before it changes anything. It then makes durable what it has read: it
//! syncs the older segments and writes the last one anew, into the spare file, without the torn tail. Anew
//! and not in place, because after a failed sync the kernel holds pages that it shows to readers and will
//! never write; a second fdatasync would report success (R17). Every step can be cut short and repeated.
//!
//! **Errors.** A full disk that refuses the next segment is reported while nothing has happened yet. Any
//! other error is final: the writer refuses everything from then on, and the process should end with status
//! 74 (D5).
//!
//! The format is described byte by byte in `docs/disk-format.md`. All file access goes through
//! [`Disk`](crate::disk::Disk). On a real disk short batches go past the page cache (`disk/direct.rs`).
//!
//! **Reading back.** The core remembers only the newest entries; a follower that is further behind is served
//! from the files, by [`Writer::read`]. It finds its way by landmarks in memory, of which there are few, and
//! never comes upon an entry that a later record has replaced (`landmarks.rs` says why). Every record is
//! checked before it is believed, and what cannot be read is final, as a failed write is.
//!
//! **Space.** Below the log's start segments go whole, oldest first. Some are used again: preparing a fresh
//! one writes as many zeros as it will take records, and makes everybody wait for the sync of them. One that
//! is used again must never come back under its old name with something newer in it. So it is renamed, the
//! directory is synced, and only the process that has seen this succeed writes to it: what a later one finds
//! under such a name it removes, because it cannot know. Records of a segment's former life do not fit its
//! new header, and are older than all that follow. Behind each record stand zeros in the place of the next
//! one's head, so that an unused end can be told from a torn one.
//!
//! Missing: a witness outside the log of its last record. A disk that loses the whole tail *after* it
//! reported it as durable is not found out here, but by the other replicas.

mod error;
mod landmarks;
mod reader;
mod record;
mod recover;
mod segment;
mod spares;
mod writer;

use crate::identity::{ClusterId, Incarnation};
use crate::limits::{WAL_BATCH_BYTES, WAL_RESERVE_BYTES, WAL_SEGMENT_BYTES};
use crate::raft::{Entry, HardState, NodeId, Position};

use landmarks::Landmarks;

pub use error::{OpenError, ReadError, WriteError};
pub use recover::open;
pub use spares::Spare;
pub use writer::{Durable, Writer, create};

/// Whose log it is. Another's is refused, so that no replica ever speaks for a disk it does not own (R18).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The cluster: a number derived from its name and its founders.
    pub cluster: ClusterId,
    /// The replica's name in it.
    pub node: NodeId,
    /// This life of the replica: a number drawn when its directory was formatted.
    pub incarnation: Incarnation,
}

/// Sizes. The defaults are those of [`crate::limits`]; tests take tiny ones.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Room of a segment. A record that is larger than it gets a segment of its own size.
    pub segment_bytes: u64,
    /// The end of a segment that is kept for writes without entries.
    pub reserve_bytes: u64,
    /// A batch that has reached this size takes no further write.
    pub batch_bytes: usize,
    /// How far apart the places are from which entries are looked for, and how much is read at a time.
    pub landmark_bytes: u64,
}

/// See [`Options::landmark_bytes`]. Each takes some fifty bytes of memory, so a log of a gigabyte needs less
/// than one megabyte; the way from one to the next is checked in some ten microseconds.
const LANDMARK_BYTES: u64 = 64 << 10;

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: WAL_SEGMENT_BYTES,
            reserve_bytes: WAL_RESERVE_BYTES,
            batch_bytes: WAL_BATCH_BYTES,
            landmark_bytes: LANDMARK_BYTES,
        }
    }
}

impl Options {
    /// A segment must at least hold its header, its opening and the reserve.
    fn assert_sound(&self) {
        let least = (segment::HEADER_BYTES + record::record_bytes(record::OPENING_BYTES)) as u64;
        assert!(self.segment_bytes >= least + self.reserve_bytes, "segments are too small: {self:?}");
    }

    fn landmarks(&self) -> Landmarks {
        Landmarks::new(self.landmark_bytes)
    }
}

/// What becomes of the entries behind a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// They stay: the position is one of this log.
    Kept,
    /// They go: this log had another history (R15).
    Dropped,
}

/// What the log holds, as found by [`open`]. All of it is durable by then (D3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// The term and the vote.
    pub hard_state: HardState,
    /// The log begins right after this position: all zeros, or one that a snapshot stands for, its last or an
    /// earlier one.
    pub start: Position,
    /// The entries behind it.
    pub entries: Vec<Entry>,
    /// The torn tail that was cut off, if there was one. To be logged; nothing that was confirmed was in it.
    pub cut: Option<Cut>,
}

/// The unfinished end of the last segment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// The file.
    pub file: String,
    /// Where its last whole record ends.
    pub offset: u64,
}
