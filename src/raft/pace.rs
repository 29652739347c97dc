//! How often each follower is served.
//!
//! A write needs a majority, so some followers can be spared most of the work: one of two, two of four. They
//! get all that has gathered at once, every now and then, which takes one write of theirs instead of dozens.
//! But one answer more is worth having too, since whoever answers first decides how long a client waits. So
//! the pace is a time: whoever has not been sent anything for so long is served in the next turn. Where
//! writes come rarely that is everyone. Where they come often, and somebody of the majority is late, another
//! has the same entries within that time.
//!
//! The majority should be those who work, and the quick ones. Whom entries do not stream to yet, or not any
//! more, is not counted: a follower is spared only while as many others as are needed, from the front of the
//! line, get all as it comes. And whoever is far quicker than the slowest of these takes its place in the
//! line, no more than once a heartbeat: in that time all hear of their new places, and two followers that
//! both believe to be the heir would get in each other's way.

use super::config::Replication;
use super::leader::Leader;
use super::node::{Raft, Role};
use super::progress::{Progress, Stage};
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
        if leader.line.len() >= voters.count() {
            return Pace::Always;
        }
        match self.config.replication {
            Replication::Majority if rank < voters.needed_others() => Pace::Always,
            Replication::Majority => Pace::WithHeartbeats,
            Replication::Everyone { pace } if pace > Span(0) && self.is_spared(leader, rank) => {
                Pace::From(leader.line[rank].sent_at + pace)
            }
            Replication::Everyone { .. } => Pace::Always,
        }
    }

    /// Whether a majority can do without the follower at `rank`, and nobody waits for it in particular.
    fn is_spared(&self, leader: &Leader, rank: usize) -> bool {
        let voters = self.memberships.voters();
        let is_successor = leader.transfer.is_some_and(|transfer| transfer.to == leader.line[rank].id);
        let is_needed = streaming(&leader.line[..rank]).count() < voters.needed_others();
        !is_needed && !is_successor && !voters.is_joint()
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

    /// A follower has just stored something. If it is spared, though it is far quicker than the slowest of
    /// those who are not, they change places.
    pub(super) fn let_pass(&mut self, now: Instant, id: NodeId) {
        let needed = self.memberships.voters().needed_others();
        let Role::Leader(leader) = &self.role else { return };
        let Some(rank) = leader.rank_of(id) else { return };
        if !matches!(self.pace(rank), Pace::From(_)) || now < leader.passed_at + self.config.heartbeat {
            return;
        }
        let slowest = streaming(&leader.line)
            .take(needed)
            .filter_map(|(rank, follower)| follower.storing.map(|storing| (storing.0, rank)))
            .max();
        let own = leader.line[rank].storing;
        if let (Some(own), Some((storing, slow))) = (own, slowest)
            && own.times(FAR_QUICKER).0 < storing
            && let Role::Leader(leader) = &mut self.role
        {
            leader.line.swap(slow, rank);
            leader.passed_at = now;
        }
    }
}

/// Those to whom entries stream, with their places.
fn streaming(line: &[Progress]) -> impl Iterator<Item = (usize, &Progress)> {
    line.iter().enumerate().filter(|(_, follower)| follower.stage == Stage::Streaming)
}
