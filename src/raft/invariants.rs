//! What must hold after every turn, whatever happened in it. The numbers are the project's invariants.
//!
//! Each check is O(followers) at most, so it runs in release builds too: a replica that finds itself in the
//! wrong stops, which is the one fault that the others are built to survive.

use super::node::{Raft, Role};

/// Panics where an invariant is broken.
pub(super) fn check(raft: &Raft) {
    let last = raft.log.last();
    assert!(raft.log.start().index <= raft.applied(), "what is forgotten was applied (S12)");
    assert!(raft.applied() <= raft.commit, "applied <= commit (S12)");
    assert!(raft.commit <= last.index, "commit <= last (S12)");
    assert!(raft.applied() <= raft.log.durable(), "applied <= durable (S12)");
    assert!(raft.log.durable() <= last.index, "durable <= last (S12)");
    assert!(last.term <= raft.hard.term, "no entry is of a later term than its holder (S15)");
    assert!(raft.memberships.index() <= last.index, "a membership is an entry of the log (S18)");
    match &raft.role {
        Role::Leader(leader) => {
            assert_eq!(last.term, raft.hard.term, "a leader's last entry is of its own term (S5)");
            assert_eq!(raft.hard.vote, Some(raft.config.id), "a leader has voted for itself (S2)");
            for follower in &leader.line {
                follower.assert_sound();
                assert!(follower.matched <= last.index, "no follower matches beyond the leader's log (S19)");
            }
        }
        Role::Candidate(_) => {
            assert_eq!(raft.hard.vote, Some(raft.config.id), "a candidate has voted for itself (S2)");
        }
        Role::PreCandidate(_) | Role::Follower { .. } => {}
    }
}
