//! R12 and R13: who takes part, and how that changes.

use std::sync::Arc;

use quorate::raft::{
    Change, Changed, Entry, Index, Membership, Message, NodeId, Payload, Position, Proposal, Refusal,
    SnapshotId, Standing, Term,
};

use super::node::{Node, TIMEOUT, append, at, config, is_granted, pre_vote, vote_reply};

fn add(id: u16) -> Change {
    Change::Add { id: NodeId(id), note: "there".into() }
}

fn swap(promote: &[u16], remove: &[u16]) -> Change {
    let ids = |ids: &[u16]| ids.iter().map(|id| NodeId(*id)).collect();
    Change::Swap { promote: ids(promote), remove: ids(remove) }
}

fn begins(node: &mut Node, change: &Change) -> u64 {
    match node.raft.change(node.now, change) {
        Changed::Begun(position) => {
            node.settle();
            position.index.0
        }
        refused => panic!("{refused:?}"),
    }
}

fn refusal(node: &mut Node, change: &Change) -> Refusal {
    match node.raft.change(node.now, change) {
        Changed::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Leads 0, 1 and 2; 3 listens and has everything; all of that is committed.
fn with_learner() -> Node {
    let mut node = Node::established(config(3));
    let index = begins(&mut node, &add(3));
    for from in 1..=3 {
        node.acknowledges(from, index);
    }
    node.settle();
    assert_eq!(node.commit(), index);
    node.take_sent();
    node
}

fn standing(node: &Node, id: u16) -> Option<Standing> {
    node.raft.membership().get(NodeId(id)).map(|member| member.standing)
}

/// What an append with this membership as its only entry says.
fn appends_membership(previous: Position, term: u64, membership: &Membership, commit: u64) -> Message {
    let Message::Append { reign, .. } = append(previous, &[], commit) else { unreachable!() };
    let payload = Payload::Membership(Arc::new(membership.clone()));
    let entries = vec![Entry { term: Term(term), payload }];
    Message::Append { reign, previous, entries, commit: Index(commit) }
}

#[test]
fn r13_a_learner_receives_everything_and_counts_nowhere() {
    let mut node = Node::established(config(3));
    let index = begins(&mut node, &add(3));
    assert!(node.take_kinds().contains(&"append>3".to_owned()), "a membership counts when it is appended");
    node.acknowledges(3, index);
    node.settle();
    assert_eq!(node.commit(), index - 1, "a learner and the leader are one of three voters");
    node.acknowledges(1, index);
    node.settle();
    assert_eq!(node.commit(), index);
}

#[test]
fn r13_a_learner_does_not_campaign() {
    let mut learner = Node::with_log(3, 1, &[1]);
    let mut joined = Membership::of_founders(&[NodeId(1), NodeId(2)]);
    learner.hears(1, 1, appends_membership(at(1, 1), 1, &joined, 2));
    learner.settle();
    learner.take_sent();
    learner.passes(TIMEOUT.times(5));
    assert!(learner.take_kinds().is_empty(), "it is no member");
    joined = Membership::of_founders(&[NodeId(0), NodeId(1)]);
    learner.hears(1, 1, appends_membership(at(2, 1), 1, &joined, 2));
    learner.settle();
    learner.take_sent();
    learner.passes(TIMEOUT.times(3));
    assert_eq!(learner.take_kinds(), ["pre-vote>1"]);
}

#[test]
fn r12_a_replacement_needs_a_majority_of_the_old_and_of_the_new() {
    let mut node = with_learner();
    let joint = begins(&mut node, &swap(&[3], &[2]));
    assert!(node.raft.membership().is_joint());
    node.acknowledges(3, joint);
    node.settle();
    assert_eq!(node.commit(), joint - 1, "of the old voters only the leader has it");
    node.acknowledges(1, joint);
    node.settle();
    assert_eq!(node.commit(), joint);
    assert_eq!(node.last().index.0, joint + 1, "the leader leaves the joint membership by itself");
    assert_eq!((standing(&node, 3), standing(&node, 2)), (Some(Standing::Voter), None));
    node.acknowledges(2, joint + 1);
    node.settle();
    assert_eq!(node.commit(), joint, "2 does not vote any more");
    node.acknowledges(3, joint + 1);
    node.settle();
    assert_eq!(node.commit(), joint + 1);
}

#[test]
fn r12_a_winner_needs_a_majority_of_the_old_and_of_the_new() {
    let mut node = Node::with_log(3, 1, &[1]);
    // 0 and 1 stay, 2 goes, 3 and 4 come.
    let founders = Membership::of_founders(&[NodeId(0), NodeId(1), NodeId(2)]);
    let mut leader = Node::established(config(3));
    for id in [3, 4] {
        let index = begins(&mut leader, &add(id));
        (1..=id).for_each(|from| leader.acknowledges(from, index));
        leader.settle();
    }
    begins(&mut leader, &swap(&[3, 4], &[2]));
    let joint = leader.raft.membership().clone();
    assert_eq!(node.raft.membership(), &founders);
    node.hears(1, 1, appends_membership(at(1, 1), 1, &joint, 1));
    node.settle();
    node.take_sent();
    node.campaigns();
    for voter in [3, 4] {
        node.grants_pre_vote(voter);
        node.settle();
    }
    assert_eq!(node.term(), 1, "three of the new four, one of the old three");
    node.grants_pre_vote(2);
    node.settle();
    assert_eq!(node.term(), 2);
    for voter in [3, 4] {
        node.hears(voter, 2, vote_reply(true));
        node.settle();
    }
    assert!(!node.raft.is_leader());
    node.hears(1, 2, vote_reply(true));
    node.settle();
    assert!(node.raft.is_leader());
}

#[test]
fn r12_who_may_be_the_only_one_with_the_entry_that_removes_it_campaigns() {
    let mut node = Node::with_log(3, 1, &[1]);
    let others = Membership::of_founders(&[NodeId(1), NodeId(2)]);
    node.hears(1, 1, appends_membership(at(1, 1), 1, &others, 1));
    node.settle();
    node.take_sent();
    node.campaigns();
    assert_eq!(node.take_kinds(), ["pre-vote>1", "pre-vote>2"], "it is not known to be committed");
}

#[test]
fn r12_a_new_leader_leaves_a_joint_membership_that_it_finds() {
    let mut leader = with_learner();
    let joint_at = begins(&mut leader, &swap(&[3], &[2]));
    let joint = leader.raft.membership().clone();
    let mut node = Node::with_log(3, 1, &[1; 2]);
    assert_eq!(joint_at, 3);
    node.hears(1, 1, appends_membership(at(2, 1), 1, &joint, 3));
    node.settle();
    assert_eq!(node.commit(), 3);
    node.campaigns();
    node.grants_pre_vote(1);
    node.grants_pre_vote(3);
    node.settle();
    node.hears(1, 2, vote_reply(true));
    node.hears(3, 2, vote_reply(true));
    node.settle();
    assert_eq!(node.last(), at(4, 2), "nothing but its opening before that is committed");
    node.acknowledges(1, 4);
    node.acknowledges(3, 4);
    node.settle();
    assert_eq!((node.commit(), node.last()), (4, at(5, 2)));
    assert!(!node.raft.membership().is_joint());
}

#[test]
fn r12_what_is_cut_off_counts_no_more() {
    let mut node = Node::with_log(3, 1, &[1]);
    let two = Membership::of_founders(&[NodeId(1), NodeId(2)]);
    node.hears(1, 1, appends_membership(at(1, 1), 1, &two, 1));
    node.settle();
    assert_eq!(node.raft.membership(), &two);
    node.hears(2, 2, append(at(1, 1), &[2], 1));
    node.settle();
    assert_eq!(node.raft.membership().members().len(), 3);
    node.take_sent();
    node.passes(TIMEOUT.times(3));
    assert_eq!(node.take_kinds(), ["pre-vote>1", "pre-vote>2"], "it is a voter again");
}

#[test]
fn r12_one_change_at_a_time() {
    let mut node = Node::elected(config(3), 0, &[]);
    assert_eq!(refusal(&mut node, &add(3)), Refusal::Busy, "its opening entry is not committed");
    node.acknowledges(1, 1);
    node.settle();
    let index = begins(&mut node, &add(3));
    assert_eq!(refusal(&mut node, &add(4)), Refusal::Busy);
    for from in [1, 2, 3] {
        node.acknowledges(from, index);
    }
    node.settle();
    let joint = begins(&mut node, &swap(&[3], &[]));
    node.acknowledges(1, joint);
    node.acknowledges(3, joint);
    node.settle();
    assert_eq!(node.commit(), joint);
    assert_eq!(refusal(&mut node, &add(5)), Refusal::Busy, "the old voters count until the end of it");
    let mut follower = Node::with_log(3, 1, &[1]);
    assert_eq!(follower.raft.change(follower.now, &add(7)), Changed::NotLeader);
}

#[test]
fn r12_who_lacks_much_does_not_become_a_voter() {
    let mut node = Node::established(config(3));
    let index = begins(&mut node, &add(3));
    node.acknowledges(1, index);
    node.settle();
    assert_eq!(refusal(&mut node, &swap(&[3], &[])), Refusal::Behind(NodeId(3)));
    node.acknowledges(3, index);
    node.settle();
    begins(&mut node, &swap(&[3], &[]));
}

#[test]
fn r12_what_would_lose_the_majority_is_refused() {
    let mut node = with_learner();
    for _ in 0..11 {
        node.passes(TIMEOUT.divided(10));
        node.answers_heartbeat(1);
    }
    assert_eq!(refusal(&mut node, &swap(&[], &[1])), Refusal::NoQuorum, "2 does not answer");
    assert_eq!(refusal(&mut node, &swap(&[3], &[1])), Refusal::Behind(NodeId(3)), "nor does 3");
    assert_eq!(refusal(&mut node, &swap(&[], &[0, 1, 2])), Refusal::NoVoters);
    begins(&mut node, &swap(&[], &[2]));
}

#[test]
fn r12_whoever_has_just_been_cut_off_is_not_counted_on() {
    let mut node = with_learner();
    node.raft.interrupted(node.now, NodeId(2));
    assert_eq!(refusal(&mut node, &swap(&[], &[1])), Refusal::NoQuorum, "2 has been heard, and is gone");
    node.raft.interrupted(node.now, NodeId(3));
    assert_eq!(refusal(&mut node, &swap(&[3], &[1])), Refusal::Behind(NodeId(3)));
    node.passes(TIMEOUT.divided(10));
    node.answers_heartbeat(2);
    begins(&mut node, &swap(&[], &[1]));
}

#[test]
fn r12_whoever_has_not_answered_in_this_term_is_not_counted_on() {
    let mut node = Node::elected(config(3), 0, &[]);
    node.acknowledges(1, 1);
    node.settle();
    assert_eq!(refusal(&mut node, &swap(&[], &[1])), Refusal::NoQuorum, "2 may have gone long ago");
    node.acknowledges(2, 1);
    begins(&mut node, &swap(&[], &[1]));
}

#[test]
fn r12_a_leader_that_is_no_member_any_more_goes_when_that_is_committed() {
    let mut node = Node::established(config(3));
    let joint = begins(&mut node, &swap(&[], &[0]));
    assert!(matches!(node.propose("a"), Proposal::Appended(_)), "it leads until then");
    node.settle();
    for from in [1, 2] {
        node.acknowledges(from, joint + 1);
    }
    node.settle();
    let left = joint + 2;
    assert_eq!(node.last().index.0, left);
    assert_eq!(node.propose("b"), Proposal::NotLeader);
    node.take_sent();
    node.acknowledges(1, left);
    node.settle();
    assert_eq!(node.commit(), left - 1, "of the two new voters one has it");
    node.acknowledges(2, left);
    node.settle();
    assert_eq!(node.commit(), left);
    assert!(node.take_kinds().contains(&"timeout-now>2".to_owned()));
    node.passes(super::node::HEARTBEAT);
    assert!(!node.raft.is_leader() && node.raft.is_removed());
    node.passes(TIMEOUT.times(5));
    assert!(node.take_kinds().is_empty(), "it disturbs nobody");
}

#[test]
fn r12_who_was_removed_is_told_and_then_left_alone() {
    let mut node = Node::established(config(3));
    let joint = begins(&mut node, &swap(&[], &[2]));
    for from in [1, 2] {
        node.acknowledges(from, joint);
    }
    node.settle();
    node.take_sent();
    node.acknowledges(1, joint + 1);
    node.acknowledges(2, joint + 1);
    node.settle();
    assert!(node.raft.peers().contains(&NodeId(2)));
    node.passes(super::node::HEARTBEAT);
    let told = node.take_sent().into_iter().any(|envelope| {
        envelope.to == NodeId(2)
            && matches!(envelope.message, Message::Heartbeat { commit, .. } if commit == Index(joint + 1))
    });
    assert!(told, "what it has to know is committed");
    node.passes(super::node::HEARTBEAT);
    assert!(!node.take_kinds().contains(&"heartbeat>2".to_owned()));
    assert_eq!(node.raft.peers(), [NodeId(1)]);
}

#[test]
fn r12_a_stranger_is_heard_and_counts_nowhere() {
    let mut node = Node::with_log(3, 2, &[1, 2]);
    node.hears(7, 9, pre_vote(at(2, 2)));
    node.settle();
    assert!(is_granted(&mut node), "it may be a member of which this one has not heard");
    let mut leader = Node::elected(config(3), 0, &[]);
    leader.acknowledges(7, 1);
    leader.settle();
    assert_eq!(leader.commit(), 0);
    let mut candidate = Node::fresh(3);
    candidate.campaigns();
    candidate.grants_pre_vote(7);
    candidate.settle();
    assert_eq!(candidate.term(), 0);
}

#[test]
fn r18_who_was_removed_and_added_again_starts_with_nothing() {
    let mut node = with_learner();
    let gone = begins(&mut node, &swap(&[], &[3]));
    (1..=2).for_each(|from| node.acknowledges(from, gone));
    node.settle();
    let back = begins(&mut node, &add(3));
    (1..=2).for_each(|from| node.acknowledges(from, back));
    node.settle();
    assert_eq!(refusal(&mut node, &swap(&[3], &[])), Refusal::Behind(NodeId(3)), "what it had is forgotten");
    assert_eq!(node.raft.membership().get(NodeId(3)).map(|member| member.since), Some(Index(back)));
}

#[test]
fn r15_a_snapshot_brings_the_membership_at_its_place() {
    let mut node = Node::fresh(3);
    let other = Membership::of_founders(&[NodeId(0), NodeId(5)]);
    node.hears(1, 2, append(at(0, 0), &[], 0));
    node.settle();
    let id = SnapshotId { last: at(9, 1), bytes: 100, digest: 1 };
    assert!(node.raft.install(id, Some(other.clone())));
    assert_eq!((node.raft.membership(), node.raft.applied_membership()), (&other, &other));
}
