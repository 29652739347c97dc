//! Somebody who changes the membership all the time, and what must hold of it.

use quorate::prng::Prng;
use quorate::raft::{Change, Entry, Index, Membership, NodeId, Payload, Standing};

use super::settings::{below, chance};

/// A change that fits the membership more often than not: somebody joins, is promoted, goes, or is replaced.
pub(crate) fn draw_change(prng: &mut Prng, membership: &Membership, nodes: u16) -> Change {
    let of = |wanted: &dyn Fn(Standing) -> bool| -> Vec<NodeId> {
        let found = membership.members().iter().filter(|member| wanted(member.standing));
        found.map(|member| member.id).collect()
    };
    let learners = of(&|standing| standing == Standing::Learner);
    let voters = of(&|standing| standing != Standing::Learner);
    if learners.is_empty() && chance(prng, 700) {
        return Change::Add {
            id: NodeId(u16::try_from(prng.below(u64::from(nodes))).expect("few")),
            note: "".into(),
        };
    }
    let some = |prng: &mut Prng, from: &[NodeId], per_mille| -> Vec<NodeId> {
        from.iter().copied().filter(|_| chance(prng, per_mille)).collect()
    };
    let promote = some(prng, &learners, 700);
    let mut remove = some(prng, &voters, 250);
    if chance(prng, 150) && !learners.is_empty() {
        remove.push(learners[below(prng, learners.len())]);
    }
    Change::Swap { promote, remove }
}

/// What a naive reader makes of a log: the last membership in it counts (R12, S18).
pub(crate) fn membership_of(log: &[Entry], founders: &Membership) -> Membership {
    let found = log.iter().rev().find_map(|entry| match &entry.payload {
        Payload::Membership(membership) => Some(Membership::clone(membership)),
        _ => None,
    });
    found.unwrap_or_else(|| founders.clone())
}

/// How many memberships a log holds behind `index`.
pub(crate) fn memberships_behind(log: &[Entry], index: Index) -> usize {
    let behind = log.iter().skip(usize::try_from(index.0).expect("a short log"));
    behind.filter(|entry| matches!(entry.payload, Payload::Membership(_))).count()
}

/// The sets of which each needs a majority, made of the standings alone.
pub(crate) fn voter_sets(membership: &Membership) -> Vec<Vec<NodeId>> {
    let set = |left: Standing, right: Standing| -> Vec<NodeId> {
        let votes = membership.members().iter().filter(|member| [left, right].contains(&member.standing));
        votes.map(|member| member.id).collect()
    };
    let new = set(Standing::Voter, Standing::Joining);
    let old = set(Standing::Voter, Standing::Leaving);
    if new == old { vec![new] } else { vec![new, old] }
}

/// Whether more than half of each set is among `those`.
pub(crate) fn is_quorum(membership: &Membership, those: &dyn Fn(NodeId) -> bool) -> bool {
    voter_sets(membership).iter().all(|set| set.iter().filter(|id| those(**id)).count() * 2 > set.len())
}
