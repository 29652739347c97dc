//! R15 as the core sees it: parts of a snapshot, and whom their answers may confirm anything to.

use std::sync::Arc;

use quorate::raft::{Beat, Effects, Message, Reign, Round, SnapshotId};

use super::node::{Node, at};

fn id() -> SnapshotId {
    SnapshotId { last: at(9, 1), bytes: 100, digest: 7 }
}

fn part(round: u64) -> Message {
    let reign = Reign { beat: Beat { round: Round(round), ..Beat::default() }, rank: 0 };
    Message::Snapshot { reign, id: id(), offset: 0, bytes: Arc::from([1; 40]) }
}

/// Flushes, and answers how many parts the owner is given.
fn parts(node: &mut Node) -> usize {
    let mut effects = Effects::default();
    node.raft.flush(node.now, &mut effects);
    effects.parts.len()
}

#[test]
fn r9_the_answer_to_a_part_does_not_outlive_its_term() {
    let mut node = Node::with_log(3, 1, &[]);
    node.hears(1, 1, part(50));
    assert_eq!(parts(&mut node), 1);
    // Its sender is deposed and elected again while the part is still being stored.
    node.hears(1, 3, super::node::heartbeat(0));
    node.settle();
    node.take_sent();
    node.raft.stored_part(id(), 40);
    node.settle();
    assert!(node.take_kinds().is_empty(), "a beat of term 1 must not come back in term 3");
}

#[test]
fn r15_a_part_that_is_repeated_while_it_is_stored_is_taken_once_and_answered() {
    let mut node = Node::with_log(3, 1, &[]);
    node.hears(1, 1, part(1));
    assert_eq!(parts(&mut node), 1);
    node.hears(1, 1, part(2));
    assert_eq!(parts(&mut node), 0, "the owner has it");
    node.raft.stored_part(id(), 40);
    node.settle();
    assert_eq!(node.take_kinds(), ["snapshot-reply>1"]);
    node.hears(1, 1, part(3));
    assert_eq!(parts(&mut node), 1, "the next one is taken");
}
