//! Raft: how replicas agree on one log though messages are lost and machines die.
//!
//! The vocabulary is that of the paper (Ongaro and Ousterhout, 2014, "In Search of an Understandable
//! Consensus Algorithm", extended version) and of Ongaro's thesis; comments cite sections by bare number,
//! and the project's own rules and invariants as R and S.
//!
//! The core is a value. It has no clock, socket, file, thread or randomness of its own: moments and a seed
//! come in, effects come out. The owner calls it once a turn:
//!
//! ```text
//! for each event:  receive | propose | read | durable      changes state only
//! then:            flush(now, &mut effects)                one write, one message a follower, what to apply
//! then waits for:  the next event, or deadline()
//! ```
//!
//! Read in this order: `types` and `message` (the words), `node` (the value and the rules of terms),
//! `election`, `leader` and `progress` (what a leader knows of its followers), `replication` (appends and
//! the commit rule), `pace` (how often each follower is served), `catch_up` (what is not in memory any
//! more), `handover`, `membership`, `memberships` and `change` (who takes part), `reads`, `log` (what is
//! where, and what of it is durable), `invariants`.
//!
//! Where it goes beyond the paper: pre-votes, leaders that step down without a majority, votes refused
//! while a leader is fresh, reads by rounds or lease, a line of succession, and entries sent eagerly to a
//! majority, to others now and then. Each is explained in its module.
//!
mod catch_up;
mod change;
mod config;
mod effects;
mod election;
mod handover;
mod invariants;
mod leader;
mod log;
mod membership;
mod memberships;
mod message;
mod node;
mod pace;
mod progress;
mod quorum;
mod reads;
mod replication;
mod types;

pub use change::Changed;
pub use config::{Config, ReadMode, Replication};
pub use effects::{
    Committed, Effects, Fetch, LogAppend, LogStart, LogWrite, Receipt, SnapshotPart, Stretch, Wanted,
};
pub use membership::{Change, Member, Membership, Refusal, Standing};
pub use message::{AppendOutcome, Beat, Envelope, Message, Reign, SnapshotOutcome};
pub use node::{Proposal, Raft, Status};
pub use types::{
    Entry, HardState, Index, Instant, NodeId, Payload, Position, ReadId, Recovered, Round, SnapshotId, Span,
    Term, WriteSequence,
};
