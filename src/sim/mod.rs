//! A deterministic simulator that tries to break a cluster.
//!
//! One thread, virtual time, one seeded generator. The nodes are real: consensus core, store, sessions, log,
//! recovery, snapshots and codec are those that serve ([`Node`]). Simulated are the network (`network.rs`),
//! the disks ([`SimDisk`](crate::disk::SimDisk)), the clocks, and the threads' waiting: what the server's
//! threads do ([`keepers`](crate::keepers)) is done here step by step, and each step takes a time that is
//! drawn (`world.rs`).
//!
//! A seed first draws what can go wrong in its run, and how badly (`settings.rs`, `faults.rs`, `rot.rs`):
//! lines lose, double, reorder, damage and hold back messages, are cut one way or both ways, and flap; frames
//! of another cluster come in; processes are killed and power is cut in the middle of any operation of a
//! disk, in recovery too, on one machine or on all; disks fail, fill up, stall and rot; nodes pause and slow
//! down, their clocks run fast and slow; leaders hand over. Clients ask, wait, repeat and move on
//! (`clients.rs`).
//!
//! Beside the cluster stands a ghost that knows everything (`ghost/`). After every event it holds the nodes
//! to the project's [`INVARIANTS`]; `bounds.rs` looks after queues and sizes. Then the faults stop on a
//! majority, the rest stays as it is, and all that is left undone must be done in bounded time ([`run()`]).
//! At the end the clients' histories are judged once more by a checker that knows nothing else
//! (`history.rs`).
//!
//! That the checks are worth something is shown by faults that are planted on purpose ([`Planted`]), and by
//! counters of the situations that were met ([`Sometimes`]). [`shrink()`] makes a failing run smaller.
//!
//! Members come and go in some runs (`members.rs`); the ghost works out who takes part from the entries alone
//! (`ghost/members.rs`).
//!
//! Missing: repair of a rotten disk from the other nodes, which is not there yet.

mod bounds;
mod clients;
mod faults;
mod front;
mod ghost;
mod history;
mod members;
mod named;
mod network;
mod node;
mod planted;
mod rot;
mod run;
mod settings;
mod shrink;
mod sometimes;
mod telling;
mod trace;
mod world;

pub use faults::Fault;
pub use ghost::{INVARIANTS, Violation, voter_sets};
pub use members::draw_change;
pub use node::{Life, Make, Node};
pub use planted::Planted;
pub use run::{Order, Outcome, Size, Summary, run};
pub use shrink::{Failing, Failure as ShrinkFailure, shrink};
pub use sometimes::Sometimes;
pub use trace::Lines;
