//! A leader changes who takes part (6, R12): one change at a time, each begun by an entry and, where voters
//! change, ended by a second one, which the leader of that moment appends by itself.
//!
//! A change is begun only if it could be committed by those who answer now. So nobody can remove the last
//! majority by a slip, and two administrators who ask at once get one change after the other, or a refusal.

use super::leader::{Leader, in_succession};
use super::membership::{Change, Membership, Refusal};
use super::node::{Raft, Role};
use super::progress::{Departure, Progress};
use super::types::{Entry, Index, Instant, NodeId, Payload, Position};

/// A learner that lacks no more than this may become a voter.
const LACKS_ENTRIES_MAX: u64 = 1_000;

/// What became of a wish for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    /// The change has begun, and stands in this leader's log.
    Begun(Position),
    /// Nothing happened: this replica does not lead, or is about to go.
    NotLeader,
    /// Nothing happened, and why.
    Refused(Refusal),
}

/// What must be equal for the members and peers to be the same as before.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct MembersSeen {
    index: Index,
    commit_reached: bool,
    memberships: usize,
    line: usize,
}

impl Raft {
    /// Whether members or peers have changed since the last call.
    pub(super) fn note_members(&mut self) -> bool {
        let line = if let Role::Leader(leader) = &self.role { leader.line.len() } else { 0 };
        let index = self.memberships.index();
        let commit_reached = index <= self.commit;
        let seen = MembersSeen { index, commit_reached, memberships: self.memberships.iter().count(), line };
        std::mem::replace(&mut self.members_seen, seen) != seen
    }

    /// The membership that counts here: the last one in the log, committed or not.
    pub fn membership(&self) -> &Membership {
        self.memberships.active()
    }

    /// The membership that counted at the last entry that has been handed to the state machine.
    pub fn applied_membership(&self) -> &Membership {
        self.memberships.at(self.applied)
    }

    /// Everyone with whom this replica may have to speak: all members that the log knows of, those of a
    /// membership that may yet be cut off too, and those who have just gone and are to hear of it.
    pub fn peers(&self) -> Vec<NodeId> {
        let members = self.memberships.iter().flat_map(Membership::members).map(|member| member.id);
        let mut peers: Vec<NodeId> = members.collect();
        if let Role::Leader(leader) = &self.role {
            peers.extend(leader.line.iter().map(|follower| follower.id));
        }
        peers.sort_unstable();
        peers.dedup();
        peers.retain(|peer| *peer != self.config.id);
        peers
    }

    /// Whether it is known here, for good, that this replica is no member of its cluster any more.
    pub fn is_removed(&self) -> bool {
        let membership = self.memberships.active();
        membership.get(self.config.id).is_none()
            && !membership.members().is_empty()
            && self.memberships.index() <= self.commit
    }

    /// Begins a change, if this replica leads and the change can be carried through.
    pub fn change(&mut self, now: Instant, change: &Change) -> Changed {
        let Role::Leader(leader) = &self.role else { return Changed::NotLeader };
        if leader.transfer.is_some() || self.memberships.active().get(self.config.id).is_none() {
            return Changed::NotLeader;
        }
        if self.commit < leader.opening || self.memberships.index() > self.commit {
            return Changed::Refused(Refusal::Busy);
        }
        let membership = self.memberships.active();
        if membership.is_joint() {
            return Changed::Refused(Refusal::Busy);
        }
        if let Some(refusal) = membership.refusal(change).or_else(|| self.hindrance(leader, now, change)) {
            return Changed::Refused(refusal);
        }
        let next = membership.changed(change, self.log.last().index.next());
        Changed::Begun(self.append_membership(now, next))
    }

    /// Why those who answer at the moment could not carry a change through, if so.
    fn hindrance(&self, leader: &Leader, now: Instant, change: &Change) -> Option<Refusal> {
        let Change::Swap { promote, .. } = change else { return None };
        let follower = |id: NodeId| leader.line.iter().find(|follower| follower.id == id);
        let answers = |id: NodeId| {
            let does = |follower: &Progress| follower.answers(now, &self.config);
            id == self.config.id || follower(id).is_some_and(does)
        };
        let last = self.log.last().index;
        let has_most = |id: NodeId| {
            let matched = follower(id).map_or(Index(0), |follower| follower.matched);
            matched > Index(0) && last.0 - matched.0 <= LACKS_ENTRIES_MAX
        };
        if let Some(behind) = promote.iter().find(|id| !answers(**id) || !has_most(**id)) {
            return Some(Refusal::Behind(*behind));
        }
        let next = self.memberships.active().changed(change, last.next());
        let carries = next.voters().agree(answers) && next.left().voters().agree(answers);
        (next.is_joint() && !carries).then_some(Refusal::NoQuorum)
    }

    /// A leader's part of a turn: leaves a joint membership that is committed, and goes if it is no member of
    /// the one that is.
    pub(super) fn settle_membership(&mut self, now: Instant) {
        let Role::Leader(leader) = &self.role else { return };
        let (membership, index) = (self.memberships.active(), self.memberships.index());
        if self.commit < leader.opening || index > self.commit {
            return;
        }
        if membership.is_joint() {
            let left = membership.left();
            self.append_membership(now, left);
            self.lead_only_if_heard(now);
        } else if membership.get(self.config.id).is_none() && leader.transfer.is_none() {
            self.hand_leadership_over(now, None);
        }
    }

    /// Those who decide alone from now on may not have been heard for long (R7).
    fn lead_only_if_heard(&mut self, now: Instant) {
        if let Role::Leader(leader) = &self.role
            && leader.has_lost_quorum(now, &self.config, self.memberships.voters())
        {
            self.become_follower(now, None);
        }
    }

    /// Appends a membership, which counts from now on.
    fn append_membership(&mut self, now: Instant, membership: Membership) -> Position {
        let payload = Payload::Membership(membership.clone().into());
        let entry = Entry { term: self.hard.term, payload };
        if let Role::Leader(leader) = &mut self.role {
            leader.charge(entry.size());
        }
        let position = self.log.push(entry);
        self.memberships.push(position.index, membership);
        self.reform_line(now);
        position
    }

    /// The log has new entries from `first` on, perhaps in the place of others.
    pub(super) fn follow_memberships(&mut self, first: Index) {
        self.memberships.follow(first, self.log.rest(first));
    }

    /// The leader's line is made to fit the membership: who is new joins at its end, and who has gone stays
    /// until it has heard of that.
    fn reform_line(&mut self, now: Instant) {
        let (me, next) = (self.config.id, self.log.last().index);
        let departure = Departure { index: next, until: now + self.config.election_timeout };
        let Role::Leader(leader) = &mut self.role else { return };
        let membership = self.memberships.active();
        leader.line.retain(|follower| {
            membership.get(follower.id).is_none_or(|member| member.since == follower.since)
        });
        for follower in &mut leader.line {
            follower.votes = self.memberships.voters().contains(follower.id);
            if membership.get(follower.id).is_none() {
                follower.departure.get_or_insert(departure);
            }
        }
        for member in membership.members().iter().filter(|member| member.id != me) {
            if leader.rank_of(member.id).is_none() {
                leader.line.push(Progress::new(member, next, now));
            }
        }
        in_succession(&mut leader.line);
    }
}
