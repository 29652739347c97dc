//! R14 (handing over) and R8 (a leader whose disk hangs).

use quorate::raft::{Message, NodeId, Proposal};

use super::node::{Node, TIMEOUT, at, config, is_granted};

#[test]
fn r14_the_successor_is_told_as_soon_as_it_has_everything() {
    let mut node = Node::established(config(3));
    node.propose("a");
    node.settle();
    node.take_sent();
    let last = node.last().index.0;
    assert_eq!(node.raft.hand_leadership_over(node.now, None), Some(NodeId(2)), "of equals the last");
    node.settle();
    assert!(node.take_kinds().is_empty(), "it lacks an entry");
    node.acknowledges(2, last);
    node.settle();
    assert_eq!(node.take_kinds(), ["timeout-now>2"]);
}

#[test]
fn r14_whoever_was_cut_off_can_take_over_as_soon_as_it_answers() {
    let mut node = Node::established(config(3));
    node.raft.interrupted(node.now, NodeId(1));
    assert_eq!(node.raft.hand_leadership_over(node.now, Some(NodeId(1))), None, "nobody knows where it is");
    node.passes(TIMEOUT.divided(10));
    node.answers_heartbeat(1);
    assert!(node.raft.hand_leadership_over(node.now, Some(NodeId(1))).is_some(), "it has everything");
}

#[test]
fn r14_a_leader_that_goes_takes_nothing_more() {
    let mut node = Node::established(config(3));
    assert!(node.raft.hand_leadership_over(node.now, Some(NodeId(1))).is_some());
    assert_eq!(node.propose("a"), Proposal::NotLeader);
}

#[test]
fn r14_a_hand_over_that_does_not_come_about_is_given_up() {
    let mut node = Node::established(config(3));
    assert!(node.raft.hand_leadership_over(node.now, Some(NodeId(1))).is_some());
    for _ in 0..12 {
        node.passes(TIMEOUT.divided(10));
        node.answers_heartbeat(1);
        node.answers_heartbeat(2);
    }
    assert!(matches!(node.propose("a"), Proposal::Appended(_)), "it leads on");
}

#[test]
fn r14_who_is_told_campaigns_at_once_and_is_voted_for_though_the_leader_is_fresh() {
    let mut successor = Node::with_log(3, 1, &[1]);
    successor.hears(0xffff, 1, Message::TimeoutNow);
    successor.settle();
    assert!(successor.take_kinds().is_empty(), "a stranger asks nothing of it");
    successor.hears(1, 1, super::node::heartbeat(1));
    successor.hears(1, 1, Message::TimeoutNow);
    successor.settle();
    assert_eq!(successor.take_kinds()[1..], ["vote>1", "vote>2"]);
    let mut voter = Node::with_log(3, 1, &[1]);
    voter.hears(1, 1, super::node::heartbeat(1));
    voter.settle();
    voter.take_sent();
    voter.hears(2, 2, Message::Vote { last: at(1, 1), transfer: true });
    voter.settle();
    assert!(is_granted(&mut voter));
}

#[test]
fn r8_a_leader_whose_disk_hangs_gives_up_its_office() {
    let mut late = config(3);
    late.write_patience = TIMEOUT.times(2);
    let mut node = Node::established(late);
    node.propose("a");
    for _ in 0..25 {
        node.passes_without_disk(TIMEOUT.divided(10));
        node.answers_heartbeat(1);
        node.answers_heartbeat(2);
    }
    assert_ne!(node.leader(), Some(0), "two timeouts without its disk are enough");
    for _ in 0..30 {
        node.passes_without_disk(TIMEOUT.divided(10));
    }
    assert!(!node.take_kinds().iter().any(|kind| kind.starts_with("pre-vote")), "nor does it campaign");
}
