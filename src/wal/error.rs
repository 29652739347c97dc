//! What can go wrong with a log. Each message says what happened, where, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::Identity;
use crate::disk::DiskFailure;
use crate::raft::{Index, Position};

/// Why a log was not opened. Nothing has been changed, unless it is [`OpenError::Failed`] or
/// [`OpenError::Full`]; then some of the repair may have been done, and the next opening goes on with it.
#[derive(Debug)]
pub enum OpenError {
    /// There is no log.
    Absent,
    /// There is one, and a new one was asked for.
    Present {
        /// One of its segments.
        file: String,
    },
    /// It belongs to another replica.
    Foreign {
        /// The segment that says so.
        file: String,
        /// Whose it is.
        found: Identity,
        /// Who opened it.
        expected: Identity,
    },
    /// It was written by a later version of this program.
    Newer {
        /// The segment that says so.
        file: String,
        /// The version of its format.
        version: u32,
    },
    /// A segment is gone whose records are needed.
    Missing {
        /// Its name.
        file: String,
    },
    /// Something that was durable can no longer be read (D7). Never cut: what follows may be committed.
    Damaged {
        /// The segment.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// No space for the copy of the last segment.
    Full {
        /// How much is needed.
        bytes: u64,
    },
    /// The disk failed.
    Failed(DiskFailure),
}

/// Why a batch was not written.
#[derive(Debug)]
pub enum WriteError {
    /// No space for another segment. Nothing has happened; the same call may succeed later (R16).
    Full {
        /// How much is needed.
        bytes: u64,
    },
    /// The disk failed, now or earlier. Final: nothing that depends on this log may be said any more (D5).
    Failed(DiskFailure),
}

/// Why no entries were read back.
#[derive(Debug)]
pub enum ReadError {
    /// The log begins later: a snapshot stands for the entry before the wanted ones. The log is well.
    Gone {
        /// The log begins after this position.
        start: Position,
    },
    /// The log ends before the wanted entries, perhaps since a cut. The log is well.
    Ahead {
        /// One after its last entry.
        next: Index,
    },
    /// Something that was durable can no longer be read (D6). Final: the writer does nothing any more.
    Damaged {
        /// The segment.
        file: String,
        /// Where in it the record begins.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The disk failed, now or earlier. Final (D5).
    Failed(DiskFailure),
}

/// The remedy for a log that cannot be trusted: the other replicas have what it had.
const REPLACE: &str = "Leave the files as they are, remove this replica from its cluster, and add a new one \
                       with an empty directory";

impl fmt::Display for OpenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Absent => formatter.write_str(
                "there is no log in this directory; check its path, or format it if the replica is new",
            ),
            OpenError::Present { file } => write!(
                formatter,
                "there is a log in this directory already ({file}); open it, or choose an empty directory",
            ),
            OpenError::Foreign { file, found, expected } => write!(
                formatter,
                "{file} belongs to {}, and this is {}; check the directory's path",
                Named(found),
                Named(expected)
            ),
            OpenError::Newer { file, version } => write!(
                formatter,
                "{file} has format {version}, this program knows {}; use the later program that wrote it",
                super::segment::FORMAT_VERSION
            ),
            OpenError::Missing { file } => {
                write!(formatter, "{file} is missing, and the log makes no sense without it. {REPLACE}")
            }
            OpenError::Damaged { file, offset, what } => {
                write!(formatter, "{file} is damaged at byte {offset}: {what}. {REPLACE}")
            }
            OpenError::Full { bytes } => {
                write!(formatter, "the disk is full; free {bytes} bytes and start again")
            }
            OpenError::Failed(failure) => {
                write!(formatter, "{failure}; check the disk, then start again")
            }
        }
    }
}

impl ReadError {
    /// What failed for good, if something did.
    pub(super) fn failure(&self) -> Option<DiskFailure> {
        match self {
            ReadError::Gone { .. } | ReadError::Ahead { .. } => None,
            ReadError::Damaged { file, offset, what } => {
                let error = io::Error::new(io::ErrorKind::InvalidData, format!("byte {offset}: {what}"));
                Some(DiskFailure { operation: "read", file: file.clone(), error: Arc::new(error) })
            }
            ReadError::Failed(failure) => Some(failure.clone()),
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Full { bytes } => {
                write!(formatter, "no space for another log segment; free {bytes} bytes")
            }
            WriteError::Failed(failure) => {
                write!(
                    formatter,
                    "{failure}; this replica must stop, since nobody knows what its log holds now"
                )
            }
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Gone { start } => {
                write!(formatter, "the log begins after {}; a snapshot has what is before", start.index.0)
            }
            ReadError::Ahead { next } => {
                write!(formatter, "the log ends before {}; ask again when it is longer", next.0)
            }
            ReadError::Damaged { file, offset, what } => {
                write!(formatter, "{file} is damaged at byte {offset}: {what}. {REPLACE}")
            }
            ReadError::Failed(failure) => {
                write!(formatter, "{failure}; this replica must stop, since it cannot read its own log")
            }
        }
    }
}

/// An identity in a sentence.
struct Named<'a>(&'a Identity);

impl fmt::Display for Named<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Identity { cluster, node, incarnation } = self.0;
        write!(formatter, "replica {} of cluster {:016x}, life {:016x}", node.0, cluster.0, incarnation.0)
    }
}

impl Error for OpenError {}
impl Error for WriteError {}
impl Error for ReadError {}

impl From<DiskFailure> for OpenError {
    fn from(failure: DiskFailure) -> OpenError {
        OpenError::Failed(failure)
    }
}

impl From<DiskFailure> for WriteError {
    fn from(failure: DiskFailure) -> WriteError {
        WriteError::Failed(failure)
    }
}

impl From<DiskFailure> for ReadError {
    fn from(failure: DiskFailure) -> ReadError {
        ReadError::Failed(failure)
    }
}
