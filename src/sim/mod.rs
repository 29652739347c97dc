//! A deterministic simulator that tries to break a cluster.
//!
//! One thread, virtual time, one seeded generator. The nodes are real: consensus core, store, sessions, log,
//! recovery, snapshots and codec are those that serve ([`Node`]). Simulated are the network (`network.rs`),
//! the disks ([`SimDisk`](crate::disk::SimDisk)), the clocks, and the threads' waiting: what the server's
//! threads do is done here step by step, and each step takes a time that is drawn (`log_role.rs`,
//! `snapshot_role.rs`, `world.rs`).
//!
//! A seed first draws what can go wrong in its run, and how badly (`settings.rs`, `faults.rs`): lines lose,
//! double, reorder, damage and hold back messages, are cut one way or both ways, and flap; processes are
//! killed and power is cut in the middle of any operation of a disk, in recovery too, on one machine or on
//! all; disks fail, fill up and stall; nodes pause, their clocks run fast and slow; leaders hand over.
//! Clients ask, wait, repeat and move on (`clients.rs`).
//!
//! Beside the cluster stands a ghost that knows everything (`ghost/`). After every event it holds the nodes
//! to the project's [`INVARIANTS`]. Then the faults stop on a majority, the rest stays as it is, and all that
//! is left undone must be done in bounded time ([`run`]).
//!
//! That the checks are worth something is shown by faults that are planted on purpose ([`Planted`]), and by
//! counters of the situations that were met ([`Sometimes`]).
//!
//! Missing: membership changes. They will draw their events in `faults.rs`, and `ghost/` will count quorums
//! of both configurations (S17, S18) where it compares with half of the nodes now. Also missing: bytes that
//! rot on a disk, for which there is no repair from the other nodes yet.

mod clients;
mod faults;
mod front;
mod ghost;
mod imaging;
mod log_role;
mod network;
mod node;
mod planted;
mod run;
mod settings;
mod snapshot_role;
mod sometimes;
mod trace;
mod world;

pub use ghost::{INVARIANTS, Violation};
pub use log_role::{LogReport, LogRole};
pub use node::{Life, Make, Node};
pub use planted::Planted;
pub use run::{Order, Outcome, Summary, run};
pub use snapshot_role::{SnapshotOrder, SnapshotReport, SnapshotRole};
pub use sometimes::Sometimes;
pub use trace::Lines;
