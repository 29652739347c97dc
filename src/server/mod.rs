//! A durable node: the Redis port in front, the other replicas beside, the log below.
//!
//! Three threads. The *node* owns every socket and the replica: it takes all that has arrived, steps through
//! it, flushes once, writes every socket once, and waits. The *log* owns the write-ahead log, because a disk
//! is the one thing here that makes its caller wait; between two batches it reads entries back for followers
//! that are behind; some batches the node writes itself (see `log_seat`). The *snapshots* thread does the
//! long work: it writes, sends, receives and loads snapshots, in small steps. What these two do is in
//! [`keepers`](crate::keepers).
//!
//! Any node takes any command. The leader carries it out; a follower sends it to the leader, once, and the
//! answer back. What an answer means when something goes wrong is a contract: an error that says *nothing
//! happened* is true for ever, and when nobody can know, the answer says so.
//!
//! Missing: a thread of its own for the replica on large machines.

mod acquaintances;
mod address_book;
mod client;
mod doors;
mod files;
mod hearing;
mod idle;
mod joining;
mod links;
mod local;
mod log_seat;
mod log_thread;
mod membership;
mod node;
mod orders;
mod peer;
mod picture;
mod report;
mod requests;
mod session;
mod snapshot_thread;
mod start;

pub use acquaintances::Acquaintances;
pub use doors::Doors;
pub use hearing::Hearing;
pub use joining::{NotForUs, greeting, wait_to_be_taken_in};
pub use peer::{Forwarded, Hello, PeerMessage};
pub use start::{Setup, catch_signals, run};
