//! What the other threads tell the node: one mailbox for all of them, so one place where it is taken.

use crate::keepers::{LogReport, SnapshotReport};

/// What a thread reports.
#[derive(Debug)]
pub(super) enum Report {
    /// The log's.
    Log(LogReport),
    /// The snapshots'.
    Snapshot(SnapshotReport),
    /// Somebody wants this process to end.
    Terminate,
}
