//! An administrator who changes the membership all the time, of several leaders at once if there are several.

use super::world::World;
use crate::prng::Prng;
use crate::raft::{Change, Membership, NodeId, Standing};
use crate::replica::{Asker, Event, Order, Ticket};

/// Nobody waits for the answer: no request has this name.
const NOBODY: Ticket = Ticket(0);

impl World {
    /// Somebody joins, votes, goes or is replaced.
    pub(super) fn change_members(&mut self) {
        for at in 0..self.stations.len() {
            if !self.leads(at) || self.stations[at].is_paused {
                continue;
            }
            let now = self.local(at);
            let (nodes, station) = (self.settings.nodes, &mut self.stations[at]);
            let Some(life) = &mut station.node.life else { continue };
            let change = draw_change(&mut self.prng, life.replica.members().0, nodes);
            life.hear(now, Event::Order(Asker::Here(NOBODY), Order::Change(change.clone())));
            self.sometimes.changes_wanted += 1;
            self.say(|| format!("node {at} is told {change:?}"));
            self.wake_soon(at);
        }
    }

    /// Of these nodes, those that are members as the newest leader sees it; all where nobody leads.
    pub(super) fn members_among(&self, nodes: &[usize]) -> Vec<usize> {
        let leaders = nodes.iter().filter(|at| self.leads(**at));
        let lives = leaders.filter_map(|at| self.stations[*at].node.life.as_ref());
        let newest = lives.max_by_key(|life| life.replica.status().term);
        let is_member = |at: &usize| {
            let id = NodeId(self.stations[*at].id());
            newest.is_none_or(|life| life.replica.members().0.get(id).is_some())
        };
        nodes.iter().copied().filter(is_member).collect()
    }

    /// L6: whether a change of members is half done, as far as one of these nodes knows.
    pub(super) fn is_changing(&self, nodes: &[usize]) -> bool {
        let lives = nodes.iter().filter_map(|at| self.stations[*at].node.life.as_ref());
        lives.into_iter().any(|life| life.replica.members().0.is_joint())
    }
}

/// A change that fits the membership more often than not: somebody joins, is promoted, goes, or is replaced.
pub fn draw_change(prng: &mut Prng, membership: &Membership, nodes: u16) -> Change {
    let of = |is_wanted: fn(Standing) -> bool| -> Vec<NodeId> {
        let found = membership.members().iter().filter(|member| is_wanted(member.standing));
        found.map(|member| member.id).collect()
    };
    let learners = of(|standing| standing == Standing::Learner);
    let voters = of(|standing| standing != Standing::Learner);
    if learners.is_empty() && prng.chance(700) {
        let id = u16::try_from(prng.below(u64::from(nodes))).expect("few nodes");
        return Change::Add { id: NodeId(id), note: "".into() };
    }
    let promote = learners.iter().copied().filter(|_| prng.chance(700)).collect();
    let mut remove: Vec<NodeId> = voters.into_iter().filter(|_| prng.chance(250)).collect();
    if prng.chance(150) && !learners.is_empty() {
        remove.push(learners[prng.place(learners.len())]);
    }
    Change::Swap { promote, remove }
}
