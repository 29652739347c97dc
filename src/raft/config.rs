//! What a replica is told once, at its start.

use super::membership::Membership;
use super::types::{NodeId, Span};

/// Who takes part and how patient everyone is. Equal on all replicas but for `id`.
#[derive(Clone, Debug)]
pub struct Config {
    /// This replica.
    pub id: NodeId,
    /// The voters that the cluster began with, in any order; what the log says of its members counts more.
    /// None: this replica waits until the members of a cluster take it in.
    pub voters: Vec<NodeId>,
    /// T of R6: with no word from a leader for T to 2 T, a follower campaigns. At least 3 heartbeats.
    pub election_timeout: Span,
    /// How long the lowest id of a cluster without any history waits before it campaigns; the others wait
    /// longer, in id order, so that a first election needs no second.
    pub first_election: Span,
    /// A follower hears from its leader at least this often.
    pub heartbeat: Span,
    /// The shortest wait for an answer before the leader tries again; it measures, and waits longer where
    /// answers take longer.
    pub retry: Span,
    /// The first wait before a candidate repeats its question to those who have not answered; then doubled.
    pub vote_retry: Span,
    /// Who is sent new entries at once.
    pub replication: Replication,
    /// How a leader makes sure that it still leads before it answers a read.
    pub reads: ReadMode,
    /// How long after a commit the heir is told of it, if nothing else has told it by then. `None`: the next
    /// message will do.
    pub commit_notice: Option<Span>,
    /// Limit on the entries of one append, in bytes. One entry always fits.
    pub append_bytes_max: usize,
    /// Appends to one follower that may be unanswered at a time.
    pub inflight_max: usize,
    /// Limit on what may wait to be committed, in bytes; beyond it proposals are refused (R11).
    pub uncommitted_bytes_max: usize,
    /// How much of the log that is applied and durable stays in memory, for followers that are a little
    /// behind, in bytes.
    pub tail_bytes: usize,
    /// How long a write to stable storage may take before a leader gives up its office (R8).
    pub write_patience: Span,
}

/// Who is sent new entries at once; all get them in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replication {
    /// The first followers in the line of succession, as many as make a majority together with the leader.
    /// One that does not answer in time is replaced by the next at once. The others get what they lack with
    /// the next heartbeat. Two messages and two acknowledgements for five replicas, not four and four.
    Majority,
    /// Every follower. Those that a majority can do without are served once in `pace`, and change places with
    /// others who are far slower.
    Everyone {
        /// Zero: all are served in every turn. At most a heartbeat.
        pace: Span,
    },
}

/// How a leader makes sure that it still leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadMode {
    /// A majority answers a message sent after the read came in (ReadIndex, R9). Needs no clock.
    Confirmed,
    /// A majority has answered recently, and has promised not to vote for T since (R20). Needs clocks that
    /// run at the same rate, give or take a tenth. Falls back on `Confirmed` when the lease has run out.
    Leased,
}

impl Config {
    /// The length of a lease: a tenth shorter than the promise it rests on (R20).
    pub(super) fn lease(&self) -> Span {
        Span(self.election_timeout.0 / 10 * 9)
    }

    /// A follower that a majority rests on is asked for a sign of life after so long without one. Longer
    /// than a heartbeat, so that only those who failed to answer one, or were not asked, are asked again.
    pub(super) fn silence(&self) -> Span {
        self.heartbeat.times(3).divided(2)
    }

    /// The membership of a log that says nothing of it.
    pub(super) fn founders(&self) -> Membership {
        Membership::of_founders(&self.voters)
    }

    pub(super) fn assert_sound(&self) {
        assert!(self.heartbeat.times(3) <= self.election_timeout, "two lost heartbeats elect nobody");
        assert!(self.retry <= self.election_timeout, "a retry comes before an election");
        assert!(self.retry > Span(0) && self.vote_retry > Span(0), "a wait of nothing spins");
        assert!(self.inflight_max > 0 && self.append_bytes_max > 0, "nothing could ever be sent");
    }
}
