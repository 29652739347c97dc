//! What a node does with its files, step by step and without a thread.
//!
//! The disk is the one thing here that makes its caller wait, so a server gives the log and the snapshots
//! threads of their own ([`server`](crate::server)), and a simulator draws how long each step takes
//! ([`sim`](crate::sim)). Both run the same values: a *keeper* owns the files, takes one order after the
//! other, and reports what became of it. What depends on a step is in its report and nowhere else, so nothing
//! can leave before it is durable.
//!
//! [`Imaging`] is the node's side of it: when a snapshot is due, and how far it is.

mod imaging;
mod log_keeper;
mod snapshot_keeper;

pub use imaging::Imaging;
pub use log_keeper::{IDLE, LogKeeper, LogOrder, LogReport};
pub use snapshot_keeper::{SnapshotKeeper, SnapshotOrder, SnapshotReport};
