//! R10 (messages in batches): a follower that a majority can do without is served at its own pace.

use quorate::raft::{Change, Changed, Config, NodeId, Replication, Span};

use super::node::{Node, appends_to, config};

const PACE: Span = Span::milliseconds(5);
const MOMENT: Span = Span::milliseconds(1);

fn paced(count: u16) -> Config {
    let mut config = config(count);
    config.replication = Replication::Everyone { pace: PACE };
    config
}

/// A leader whose followers have all, and who has sent nobody anything for so long that everyone is to be
/// served.
fn rested(count: u16) -> Node {
    let mut node = Node::established(paced(count));
    node.passes(PACE);
    node.take_sent();
    node
}

fn proposes(node: &mut Node) {
    node.propose("x");
    node.settle();
}

/// A write that the followers, from the first on, store in so much time each.
fn store_in(node: &mut Node, index: u64, delays: &[Span]) {
    let sent = node.now;
    proposes(node);
    let mut answers: Vec<(Span, u16)> = delays.iter().copied().zip(1..).collect();
    answers.sort();
    for (delay, from) in answers {
        node.now = sent + delay;
        node.acknowledges(from, index);
        node.settle();
    }
    node.now = sent + PACE.times(2);
    node.settle();
}

#[test]
fn r10_rare_writes_go_to_everyone_at_once() {
    let mut node = rested(3);
    for index in 2..6 {
        proposes(&mut node);
        assert_eq!(node.take_kinds(), ["append>1", "append>2"]);
        node.acknowledges(1, index);
        node.acknowledges(2, index);
        node.passes(PACE);
        node.take_sent();
    }
}

#[test]
fn r10_of_many_writes_those_who_can_be_spared_get_all_at_once() {
    let mut node = rested(5);
    proposes(&mut node);
    (1..5).for_each(|from| node.acknowledges(from, 2));
    node.take_sent();
    for _ in 0..3 {
        node.now = node.now + MOMENT;
        proposes(&mut node);
        assert_eq!(node.take_kinds(), ["append>1", "append>2"], "two others make a majority of five");
    }
    assert_eq!(node.raft.deadline(), node.now + MOMENT.times(2), "it is to wake up for the others");
    node.passes(MOMENT.times(2));
    let sent = node.take_sent();
    assert_eq!((appends_to(&sent, 3), appends_to(&sent, 4)), (vec![(3, 3)], vec![(3, 3)]));
    assert!(node.raft.deadline() > node.now + PACE, "then it has nothing to do before the next beat");
}

#[test]
fn r10_whoever_can_be_spared_stands_in_within_its_pace() {
    let mut node = rested(3);
    proposes(&mut node);
    node.take_sent();
    node.now = node.now + MOMENT;
    proposes(&mut node);
    node.passes(PACE);
    assert_eq!(appends_to(&node.take_sent(), 2), [(3, 1)]);
    node.acknowledges(2, 3);
    node.settle();
    assert_eq!(node.commit(), 3, "the first in line has not answered at all");
}

#[test]
fn r9_whoever_can_be_spared_confirms_reads_within_its_pace() {
    let mut node = rested(3);
    proposes(&mut node);
    let served = node.now;
    node.acknowledges(1, 2);
    node.acknowledges(2, 2);
    node.passes(MOMENT);
    node.take_sent();
    node.read(7);
    node.settle();
    assert_eq!(node.take_kinds(), ["heartbeat>1"]);
    assert_eq!(node.raft.deadline(), served + PACE);
    node.passes(PACE);
    assert_eq!(node.take_kinds(), ["heartbeat>2"]);
    node.answers_heartbeat(2);
    node.settle();
    assert_eq!(node.ready, [7]);
}

#[test]
fn r10_nobody_is_spared_before_a_majority_works() {
    let mut node = Node::elected(paced(3), 0, &[]);
    assert_eq!(node.take_kinds()[4..], ["append>1", "append>2"], "after two pre-votes and two votes");
    for from in [1, 2] {
        node.acknowledges(from, 1);
    }
    node.settle();
    node.raft.interrupted(node.now, NodeId(1));
    for first in 2..5 {
        proposes(&mut node);
        assert_eq!(appends_to(&node.take_sent(), 2), [(first, 1)], "nobody counts on the other");
    }
}

#[test]
fn r10_one_that_does_not_answer_costs_no_turns() {
    let mut node = rested(3);
    for _ in 0..20 {
        proposes(&mut node);
        let index = node.last().index.0;
        node.acknowledges(1, index);
        node.passes(PACE);
        node.acknowledges(1, index);
        node.settle();
        assert!(node.raft.deadline() > node.now, "a turn now would have nothing to do");
    }
}

/// Whom a second write right after a first one goes to.
fn first_served(node: &mut Node) -> Vec<String> {
    proposes(node);
    node.take_sent();
    node.now = node.now + MOMENT;
    proposes(node);
    node.take_kinds()
}

#[test]
fn r10_who_is_far_quicker_takes_the_place_of_who_is_slow() {
    let mut node = rested(3);
    for index in 2..20 {
        store_in(&mut node, index, &[Span(4_500), MOMENT]);
    }
    assert_eq!(first_served(&mut node), ["append>2"]);
}

#[test]
fn r10_who_is_somewhat_quicker_does_not() {
    let mut node = rested(3);
    for index in 2..20 {
        store_in(&mut node, index, &[Span(3_500), MOMENT]);
    }
    assert_eq!(first_served(&mut node), ["append>1"]);
}

#[test]
fn r10_the_slowest_of_a_majority_gives_way() {
    let mut node = rested(5);
    for index in 2..20 {
        store_in(&mut node, index, &[Span(9_000), MOMENT, MOMENT, MOMENT]);
    }
    assert_eq!(
        first_served(&mut node),
        ["append>3", "append>2"],
        "the first has changed places with the third"
    );
}

#[test]
fn r10_places_change_no_more_than_once_a_heartbeat() {
    let mut node = rested(3);
    for index in 2..8 {
        store_in(&mut node, index, &[Span(9_000), MOMENT]);
    }
    assert_eq!(first_served(&mut node), ["append>1"], "the term is younger than a heartbeat");
}

#[test]
fn r12_nobody_is_spared_while_members_change() {
    let remove = Change::Swap { promote: Vec::new(), remove: vec![NodeId(1)] };
    let add = Change::Add { id: NodeId(3), note: "there".into() };
    for change in [remove, add] {
        let mut node = rested(3);
        assert!(matches!(node.raft.change(node.now, &change), Changed::Begun(_)));
        node.settle();
        node.take_sent();
        for first in 3..6 {
            proposes(&mut node);
            assert_eq!(appends_to(&node.take_sent(), 2), [(first, 1)], "{change:?}");
        }
    }
}

#[test]
fn r14_whoever_is_to_lead_is_not_spared() {
    let mut node = rested(3);
    proposes(&mut node);
    proposes(&mut node);
    node.take_sent();
    assert_eq!(node.raft.hand_leadership_over(node.now, Some(NodeId(2))), Some(NodeId(2)));
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 2), [(3, 1)]);
}
