//! Quorate: a small, fast, linearizable, Raft-replicated key-value store.
//!
//! # The map
//!
//! Read in this order; each module begins with its own story.
//!
//! | module | what it is | knows |
//! |---|---|---|
//! | [`raft`] | agreement on one log: a pure value, events in, effects out | nothing but [`prng`] |
//! | [`kv`] | the state machine: keys, values, who has been answered | [`codec`], [`limits`] |
//! | [`replica`] | raft and kv together, and who waits for what; still pure | [`raft`], [`kv`] |
//! | [`course`] | the course simulators' protocol: sockets, envelope, manners | [`replica`], [`codec`] |
//! | [`runtime`] | threads, mailboxes, the clock | all of the above |
//! | [`cli`] | the command line | all of the above |
//! | [`resp`] | the Redis protocol: requests, answers, the table of commands | [`limits`] |
//! | [`disk`] | the few file operations that durability rests on, real and simulated | [`prng`] |
//! | [`wal`] | the write-ahead log: what survives a power cut | [`disk`], [`raft`]'s types, [`limits`] |
//! | [`snapshot`] | files that stand for the log's beginning | [`disk`], [`raft`]'s types, [`limits`] |
//! | [`storage`] | log and snapshots opened and made to join | [`wal`], [`snapshot`], [`kv`] |
//! | [`keepers`] | what a node does with its files, step by step, no thread | [`storage`], [`replica`] |
//! | [`server`] | a durable node: the Redis port, the peer port, the threads | all of the above |
//! | [`sim`] | a simulator that runs nodes as they are, and tries to break them | all that has no thread |
//! | [`load`] | a load generator for the Redis protocol | [`net`], [`resp`], [`check`], a clock |
//! | [`net`] | addresses, sockets, buffers, frames | [`limits`] |
//! | [`codec`], [`shared_bytes`], [`bounded`] | values to bytes and back | serde |
//! | [`check`] | whether a history of operations is linearizable, and why not | nothing |
//! | [`identity`] | names of clusters and of lives | nothing |
//! | [`limits`] | every bound, in one place | nothing |
//!
//! `tests/tidy.rs` enforces the last column: consensus and state machine know no clock, socket, file or
//! thread, so that a simulator can run them as they are, and a failure is a seed.
//!
//! # The life of a write
//!
//! 1. The event loop reads every message that has arrived ([`course::Link`]), and the desk makes events of
//!    them ([`course::Desk`]). A put becomes an [`Event::Request`](replica::Event).
//! 2. [`Replica::on`](replica::Replica::on): on a follower the answer is "not the leader". On the leader the
//!    command is encoded, once, and appended to the log in memory. Nothing leaves yet.
//! 3. After the last event [`Replica::turn`](replica::Replica::turn) flushes the core. Whatever happened
//!    in the turn becomes *one* write for stable storage and *one* append for each follower that should have
//!    the entries now: those that make a majority together with the leader.
//! 4. A follower appends, has the write made durable, and only then lets its acknowledgement leave. (Under a
//!    course simulator memory is as stable as storage gets: [`runtime::turn_in_memory`] is the seam.)
//! 5. The leader's next flush finds the index on a majority and commits it; the store carries the command
//!    out; the answer leaves before anything else does. The commit index reaches the followers with whatever
//!    is sent to them next.
//!
//! A read takes no log entry: it is answered from the leader's store as soon as it is sure that it still led
//! after the read came in; see [`raft`].

pub mod bounded;
pub mod check;
pub mod cli;
pub mod codec;
pub mod course;
pub mod disk;
pub mod identity;
pub mod keepers;
pub mod kv;
pub mod limits;
pub mod load;
pub mod net;
pub mod prng;
pub mod raft;
pub mod replica;
pub mod resp;
pub mod runtime;
pub mod server;
pub mod shared_bytes;
pub mod sim;
pub mod snapshot;
pub mod storage;
pub mod wal;
