//! A replica under a course simulator.
//!
//! The simulators of the networks course start several replicas, give each one socket, and pass every
//! message between them, dropping some, cutting the network and killing replicas. They count messages and
//! time answers. What this adapter adds to a [`Replica`](crate::replica::Replica) is therefore little: the
//! socket in its three dialects ([`Link`]), the JSON envelope around requests and around Raft's bincode
//! bytes (`envelope`), and the manners of the protocol, such as when to redirect a client ([`Desk`]).
//!
//! There is no disk: killed replicas never come back, so memory is as stable as storage gets here, and a
//! write is durable as soon as it is asked for (see [`crate::runtime::turn_in_memory`]).

mod arguments;
mod desk;
mod envelope;
mod lines;
mod link;

pub use arguments::{Arguments, Dialect};
pub use desk::{Desk, Urgency};
pub use envelope::{ClientMessage, Garbage, Incoming, Kind, Name, decode};
pub use lines::Lines;
pub use link::{Link, Received};

use crate::limits::COURSE_APPEND_BYTES_MAX;
use crate::raft::{Config, NodeId, ReadMode, Replication, Span};

/// The consensus core's settings for a course: one machine, a budget of messages, losses of up to 30 %.
pub fn raft_config(id: NodeId, voters: &[NodeId]) -> Config {
    let others = voters.len() as u64;
    Config {
        id,
        voters: voters.to_vec(),
        // Nothing is graded on how soon a new leader is there, and every heartbeat is counted.
        election_timeout: Span::milliseconds(1500),
        heartbeat: Span::milliseconds(500),
        // A message for a replica that the simulator has not met yet counts as that replica's death, and it
        // meets them only after it has started them all. Well before the first request (2 s) all the same.
        first_election: Span::milliseconds(500 + 20 * others),
        // With 30 % of the messages lost the median answer is one that was tried twice. Three times the
        // usual delay of 0.3 to 0.5 ms is longer than this almost always.
        retry: Span::milliseconds(1),
        vote_retry: Span::milliseconds(40),
        replication: Replication::Majority,
        // One host, one clock, and a killed replica never returns: what a lease needs is given.
        reads: ReadMode::Leased,
        commit_notice: Some(Span::milliseconds(2)),
        append_bytes_max: COURSE_APPEND_BYTES_MAX,
        inflight_max: 16,
        uncommitted_bytes_max: 4 << 20,
        // There are no files to read back from.
        tail_bytes: usize::MAX,
        write_patience: Span::milliseconds(3000),
    }
}
