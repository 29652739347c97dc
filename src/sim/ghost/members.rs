//! Who takes part, worked out from nothing but the entries that were ever written (R12, S17, S18).

use std::collections::BTreeMap;

use super::view::View;
use crate::raft::{Entry, Index, LogWrite, Membership, NodeId, Payload, Standing, Term};

/// Every membership that was ever written, by the place of its entry.
#[derive(Default)]
pub(super) struct Members {
    founders: Membership,
    written: BTreeMap<(Index, Term), Membership>,
}

impl Members {
    pub(super) fn new(founders: Membership) -> Members {
        Members { founders, written: BTreeMap::new() }
    }

    pub(super) fn is_founder(&self, id: NodeId) -> bool {
        self.founders.get(id).is_some()
    }

    /// An entry is written for the first time.
    pub(super) fn note(&mut self, index: Index, entry: &Entry) {
        if let Payload::Membership(membership) = &entry.payload {
            self.written.insert((index, entry.term), Membership::clone(membership));
        }
    }

    /// The membership that counts in a log, up to a place. Of what a snapshot stands for, what was
    /// `committed` at a place is in the log.
    pub(super) fn of(
        &self,
        log: &View,
        until: Index,
        committed: &dyn Fn(Index) -> Option<Term>,
    ) -> &Membership {
        let mut newest = self.written.range(..(until.next(), Term(0))).rev();
        let found = newest.find(|(place, _)| is_in(log, **place, committed));
        found.map_or(&self.founders, |(_, membership)| membership)
    }

    /// How many memberships of a log lie behind a place.
    pub(super) fn behind(&self, log: &View, index: Index) -> usize {
        let behind = self.written.range((index.next(), Term(0))..);
        behind.filter(|(place, _)| is_in(log, **place, &|_| None)).count()
    }
}

fn is_in(log: &View, (index, term): (Index, Term), committed: &dyn Fn(Index) -> Option<Term>) -> bool {
    let held = if index <= log.start.index { committed(index) } else { log.term_at(index) };
    held == Some(term)
}

/// Up to which entry a membership counts for what is committed in the turn of this write: a leader leaves a
/// joint one in the same turn, but after it has counted.
pub(super) fn counts_until(last: Index, write: Option<&LogWrite>) -> Index {
    let newest = write.and_then(|write| write.entries.as_ref()).and_then(|append| append.entries.last());
    let is_left = newest.is_some_and(|entry| match &entry.payload {
        Payload::Membership(membership) => !membership.is_joint(),
        _ => false,
    });
    if is_left { last.previous() } else { last }
}

/// The sets of which each needs a majority, made of the standings alone.
pub fn voter_sets(membership: &Membership) -> Vec<Vec<NodeId>> {
    let set = |left: Standing, right: Standing| -> Vec<NodeId> {
        let votes = membership.members().iter().filter(|member| [left, right].contains(&member.standing));
        votes.map(|member| member.id).collect()
    };
    let new = set(Standing::Voter, Standing::Joining);
    let old = set(Standing::Voter, Standing::Leaving);
    if new == old { vec![new] } else { vec![new, old] }
}

fn is_majority(set: &[NodeId], holds: impl Fn(usize) -> bool) -> bool {
    set.iter().filter(|id| holds(usize::from(id.0))).count() * 2 > set.len()
}

/// Whether more than half of each set holds something.
pub(super) fn is_quorum(membership: &Membership, holds: impl Fn(usize) -> bool) -> bool {
    voter_sets(membership).iter().all(|set| is_majority(set, &holds))
}

/// Whether whoever is elected has asked one of those who hold something.
pub(super) fn meets_every_quorum(membership: &Membership, holds: impl Fn(usize) -> bool) -> bool {
    voter_sets(membership).iter().any(|set| is_majority(set, &holds))
}
