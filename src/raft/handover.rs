//! A leader that wants to go (thesis 3.10, R14): it takes no more proposals, brings its successor up to date,
//! and tells it to campaign at once. If that does not come about in time, it leads on.

use super::leader::{Handover, Leader};
use super::message::{Envelope, Message};
use super::node::{Raft, Role};
use super::types::{Index, Instant, NodeId};

impl Raft {
    /// Hands the leadership over to the follower that has most and answers, or to `to`. Answers to whom;
    /// `None`: this replica does not lead, or nobody can take over.
    pub fn hand_leadership_over(&mut self, now: Instant, to: Option<NodeId>) -> Option<NodeId> {
        let Role::Leader(leader) = &mut self.role else { return None };
        let membership = self.memberships.active();
        let able = leader.line.iter().filter(|follower| {
            follower.is_connected()
                && follower.matched > Index(0)
                && !follower.is_installing()
                && membership.keeps(follower.id)
                && to.is_none_or(|to| to == follower.id)
        });
        let successor = able.max_by_key(|follower| follower.matched)?.id;
        let until = now + self.config.election_timeout;
        leader.transfer = Some(Handover { to: successor, until, is_told: false });
        Some(successor)
    }

    /// Whether this replica is no member any more and has told another to lead. Nobody will tell it of the
    /// new term, and it has nothing more to do in this one.
    pub(super) fn has_finished(&self) -> bool {
        let is_told = |leader: &Leader| leader.transfer.is_some_and(|handover| handover.is_told);
        matches!(&self.role, Role::Leader(leader) if is_told(leader)) && self.is_removed()
    }

    /// Whether this replica leads and wants to go.
    pub fn is_handing_over(&self) -> bool {
        matches!(&self.role, Role::Leader(leader) if leader.transfer.is_some())
    }

    /// Tells the successor as soon as it has everything; gives up in time.
    pub(super) fn hand_over(&mut self, now: Instant) {
        let last = self.log.last().index;
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(mut handover) = leader.transfer else { return };
        if handover.until <= now {
            leader.transfer = None;
            return;
        }
        let is_ready = leader.follower(handover.to).is_some_and(|successor| successor.matched == last);
        if is_ready && !handover.is_told {
            handover.is_told = true;
            leader.has_invited = true;
            leader.transfer = Some(handover);
            let (from, to, term) = (self.config.id, handover.to, self.hard.term);
            self.at_once.push(Envelope { from, to, term, message: Message::TimeoutNow });
        }
    }

    /// The leader wants this replica to lead: no question whether anybody minds, a vote at once.
    pub(super) fn on_timeout_now(&mut self, now: Instant, from: NodeId) {
        let is_from_leader = matches!(&self.role, Role::Follower { leader, .. } if *leader == Some(from));
        if is_from_leader && self.may_lead() {
            self.become_candidate(now, self.commit, true);
        }
    }
}
