//! What can go wrong with a snapshot. Each message says what happened, where, and what to do about it.

use std::error::Error;
use std::fmt;

use super::file::FORMAT_VERSION;
use crate::disk::DiskFailure;
use crate::identity::ClusterId;

/// Why something could not be done with a snapshot.
#[derive(Clone, Debug)]
pub enum SnapshotError {
    /// No space. The attempt is over and its file removed; a later one may succeed (R16).
    Full {
        /// How much more is needed at least.
        bytes: u64,
    },
    /// The disk failed. An attempt to make a file is over; its file is removed if the disk lets us.
    Failed(DiskFailure),
    /// Something that was durable can no longer be read.
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// What a leader sent is not what it announced. It has been thrown away.
    Spoiled {
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// It belongs to another cluster.
    Foreign {
        /// The file.
        file: String,
        /// Whose it is.
        found: ClusterId,
        /// Who opened it.
        expected: ClusterId,
    },
    /// It was written by a later version of this program.
    Newer {
        /// The file.
        file: String,
        /// The version of its format.
        version: u32,
    },
    /// It is not there, or not any more.
    Gone {
        /// The name it would have.
        file: String,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Full { bytes } => write!(
                formatter,
                "no space for a snapshot; free at least {bytes} bytes, and the next attempt may succeed"
            ),
            SnapshotError::Failed(failure) => {
                write!(formatter, "{failure}; the snapshot was given up, check the disk")
            }
            SnapshotError::Damaged { file, offset, what } => write!(
                formatter,
                "{file} is damaged at byte {offset}: {what}. It is not used; if no older snapshot reaches to \
                 where the log begins, remove this replica from its cluster, and add a new one with an empty \
                 directory"
            ),
            SnapshotError::Spoiled { offset, what } => write!(
                formatter,
                "the snapshot that was received is damaged at byte {offset}: {what}. It was thrown away; \
                 check the sender's disk if this happens again"
            ),
            SnapshotError::Foreign { file, found, expected } => write!(
                formatter,
                "{file} belongs to cluster {:016x}, and this is cluster {:016x}; check the directory's path",
                found.0, expected.0
            ),
            SnapshotError::Newer { file, version } => write!(
                formatter,
                "{file} has format {version}, this program knows {FORMAT_VERSION}; use the later program \
                 that wrote it"
            ),
            SnapshotError::Gone { file } => {
                write!(formatter, "{file} is not there any more; use the newest snapshot")
            }
        }
    }
}

impl Error for SnapshotError {}

impl From<DiskFailure> for SnapshotError {
    fn from(failure: DiskFailure) -> SnapshotError {
        SnapshotError::Failed(failure)
    }
}

impl SnapshotError {
    /// The error of a write that needed so many bytes.
    pub(super) fn of_write(failure: DiskFailure, bytes: u64) -> SnapshotError {
        if failure.is_full() { SnapshotError::Full { bytes } } else { SnapshotError::Failed(failure) }
    }
}
