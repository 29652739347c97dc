//! What must hold of the membership, which somebody changes all the time.

use quorate::raft::{Entry, Index, Membership, NodeId, Payload};
use quorate::sim::voter_sets;

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

/// Whether more than half of each set is among `those`.
pub(crate) fn is_quorum(membership: &Membership, those: &dyn Fn(NodeId) -> bool) -> bool {
    voter_sets(membership).iter().all(|set| set.iter().filter(|id| those(**id)).count() * 2 > set.len())
}
