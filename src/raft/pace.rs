//! How often each follower is served.
//!
//! A write needs a majority, so some followers can be spared most of the work: one of two, two of four. They
//! get all that has gathered at once, every now and then, which takes one write of theirs instead of dozens.
//! But one answer more is worth having too, since whoever answers first decides how long a client waits. So
//! the pace is a time: whoever has not been sent anything for so long is served in the next turn. Where
//! writes come rarely that is everyone. Where they come often, and somebody of the majority is late, another
//! has the same entries within that time.
//!
//! The majority should be the quick ones. Who is in it is what the line of succession says. That changes
//! rarely, since two followers that both believe to be the heir would get in each other's way; but it does
//! when one of the others is far quicker than the last of the majority.

use super::config::Replication;
use super::node::{Raft, Role};
use super::progress::Progress;
use super::types::{Instant, NodeId, Span};

/// So many times as quick is far quicker.
const FAR_QUICKER: u64 = 4;

/// When a follower may be sent what it lacks, and asked to confirm reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Pace {
    /// In every turn: a majority rests on it.
    Always,
    /// From this moment on.
    From(Instant),
    /// When it is to hear from its leader in any case.
    WithHeartbeats,
}

impl Raft {
    fn pace(&self, rank: usize) -> Pace {
        let Role::Leader(leader) = &self.role else { return Pace::WithHeartbeats };
        let voters = self.memberships.voters();
        // While somebody joins or goes the front of the line need not be a majority.
        if leader.line.len() >= voters.count() || rank < voters.needed_others() {
            return Pace::Always;
        }
        match self.config.replication {
            Replication::Majority => Pace::WithHeartbeats,
            Replication::Everyone { pace: Span(0) } => Pace::Always,
            Replication::Everyone { pace } => Pace::From(leader.line[rank].sent_at + pace),
        }
    }

    /// Whether the follower at `rank` is to be sent what it lacks now.
    pub(super) fn is_due(&self, now: Instant, rank: usize) -> bool {
        match self.pace(rank) {
            Pace::Always => true,
            Pace::From(at) => at <= now,
            Pace::WithHeartbeats => false,
        }
    }

    /// When the next of those who are not served in every turn is to get what it lacks.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let Role::Leader(leader) = &self.role else { return None };
        let last = self.log.last().index;
        let wanted = leader.reads.wanted();
        let waits = |follower: &Progress| {
            let lacks = follower.next <= last && follower.next > self.log.start().index;
            let unconfirmed = wanted.is_some_and(|round| follower.asked.round < round);
            unconfirmed || lacks && follower.has_room(self.config.inflight_max)
        };
        let due = |(rank, follower)| match self.pace(rank) {
            Pace::From(at) if waits(follower) => Some(at),
            _ => None,
        };
        leader.line.iter().enumerate().filter_map(due).min()
    }

    /// A follower has just stored something. If no majority rests on it, though it is far quicker than the
    /// last of those on whom one does, they change places.
    pub(super) fn let_pass(&mut self, id: NodeId) {
        let needed = self.memberships.voters().needed_others();
        let Role::Leader(leader) = &self.role else { return };
        let Some(rank) = leader.rank_of(id) else { return };
        if !matches!(self.pace(rank), Pace::From(_)) {
            return;
        }
        let last = needed - 1;
        let is_quicker = match (leader.line[rank].storing, leader.line[last].storing) {
            (Some(own), Some(other)) => own.times(FAR_QUICKER) < other,
            _ => false,
        };
        if is_quicker && let Role::Leader(leader) = &mut self.role {
            leader.line.swap(last, rank);
        }
    }
}
