//! Snapshots: files that stand for all of the log up to a position (7, R15).
//!
//! A snapshot is the state machine's image and the membership, in one file that says whose it is and proves
//! that it is whole. What the blocks of an image mean is not known here.
//!
//! **A file is whole or not there.** It is made under another name, `building` if this replica makes it and
//! `receiving` if a leader sends it, and gets its own name when all of it is durable (and, if it was sent,
//! has been verified from the first byte to the last). Then the directory is synced, and only then is it
//! spoken of. What a crash leaves under the other names is removed at the next opening.
//!
//! **Nothing is believed.** The header, every block and the footer have a checksum; blocks are chained, so
//! none can be lost, moved or taken from another file. At opening only header and footer are looked at,
//! since a file may be large; blocks are verified when they are read. A digest of all blocks is in the
//! snapshot's id, so equal ids mean equal bytes: a transfer can go on with another sender.
//!
//! **Two are kept**, so that damage in the newest leaves another to fall back to. A damaged file is reported
//! and left where it is until two whole ones are newer.
//!
//! **Errors.** None is fatal to the replica: the log still has all that the snapshot was to stand for. A full
//! disk, a failed sync, a spoiled transfer end the attempt, and its file is removed. It is never synced
//! twice in the hope of a better answer. A name whose directory could not be synced is taken back.
//!
//! The format is described byte by byte in `docs/disk-format.md`. All file access goes through
//! [`Disk`](crate::disk::Disk); whoever owns [`Snapshots`] decides on which thread it works, which should be
//! one that may wait.
//!
//! Missing: compression, and going on with a transfer after a restart.

mod draft;
mod error;
mod file;
mod reader;
mod receive;
mod snapshots;

pub use error::SnapshotError;
pub use receive::Received;
pub use snapshots::{Found, Snapshots};
