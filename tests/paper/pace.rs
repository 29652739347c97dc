//! R10 (messages in batches): a follower that a majority can do without is served at its own pace.

use quorate::raft::{Config, Instant, Replication, Span};

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
    let needed = count / 2;
    let mut node = Node::elected(paced(count), 0, &[]);
    (1..=needed).for_each(|from| node.acknowledges(from, 1));
    node.passes(PACE);
    (needed + 1..count).for_each(|from| node.acknowledges(from, 1));
    node.passes(PACE);
    node.take_sent();
    node
}

fn proposes(node: &mut Node) {
    node.propose("x");
    node.settle();
}

/// Both followers of three have stored an entry: each after so long.
fn store_in(node: &mut Node, index: u64, first: Span, second: Span) {
    let sent = node.now;
    proposes(node);
    let mut answers = [(first, 1), (second, 2)];
    answers.sort_by_key(|(delay, _)| delay.0);
    for (delay, from) in answers {
        node.now = Instant(sent.0 + delay.0);
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
    node.now = node.now + MOMENT;
    proposes(&mut node);
    node.passes(PACE);
    node.acknowledges(2, 3);
    node.settle();
    assert_eq!(node.commit(), 3, "the first in line has not answered at all");
}

#[test]
fn r9_whoever_can_be_spared_confirms_reads_within_its_pace() {
    let mut node = rested(3);
    proposes(&mut node);
    node.acknowledges(1, 2);
    node.acknowledges(2, 2);
    node.passes(MOMENT);
    node.take_sent();
    node.read(7);
    node.settle();
    assert_eq!(node.take_kinds(), ["heartbeat>1"]);
    node.now = node.raft.deadline();
    node.settle();
    assert_eq!(node.take_kinds(), ["heartbeat>2"]);
    node.answers_heartbeat(2);
    node.settle();
    assert_eq!(node.ready, [7]);
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

#[test]
fn r10_who_is_far_quicker_takes_the_place_of_who_is_slow() {
    let mut node = rested(3);
    for index in 2..8 {
        store_in(&mut node, index, Span(9_000), Span(1_000));
    }
    node.take_sent();
    for _ in 0..2 {
        proposes(&mut node);
        node.now = node.now + MOMENT;
    }
    let sent = node.take_sent();
    assert_eq!((appends_to(&sent, 1).len(), appends_to(&sent, 2).len()), (1, 2), "the second serves first");
}

#[test]
fn r10_who_is_somewhat_quicker_does_not() {
    let mut node = rested(3);
    for index in 2..8 {
        store_in(&mut node, index, Span(6_000), Span(2_000));
    }
    node.take_sent();
    for _ in 0..2 {
        proposes(&mut node);
        node.now = node.now + MOMENT;
    }
    let sent = node.take_sent();
    assert_eq!((appends_to(&sent, 1).len(), appends_to(&sent, 2).len()), (2, 1));
}
