//! A durable node: the Redis port in front, the other replicas beside, the log below.
//!
//! Two threads. The *node* ([`Node`]) owns every socket and the replica: it takes all that has arrived,
//! steps through it, flushes once, writes every socket once, and waits. The *log* ([`LogThread`]) owns the
//! disk, because that is the one thing here that makes its caller wait.
//!
//! Any node takes any command. The leader carries it out; a follower sends it to the leader, once, and the
//! answer back. What an answer means when something goes wrong is a contract: an error that says *nothing
//! happened* is true for ever, and when nobody can know, the answer says so.
//!
//! Missing: snapshots, so the log grows with its history; graceful hand-over at the end; a thread of its own
//! for the replica on large machines.

mod client;
mod links;
mod local;
mod log_thread;
mod node;
mod peer;
mod picture;
mod session;

pub use links::{Identity, Links};
pub use log_thread::{LogReport, LogThread};
pub use node::{Doors, Node, Parts, Seat};
pub(crate) use node::{FIRST_LINE, WAKE};
