//! R9 (reads by rounds) and R20 (reads by lease).

use quorate::raft::{AppendOutcome, Beat, Config, Index, Message, ReadMode, Reign, Round, Span};

use super::node::{HEARTBEAT, Node, TIMEOUT, append, at, config, heartbeat, is_granted, vote, vote_reply};

fn leased(count: u16) -> Config {
    Config { reads: ReadMode::Leased, ..config(count) }
}

#[test]
fn r9_a_read_is_refused_by_who_does_not_lead() {
    let mut node = Node::fresh(3);
    node.read(1);
    node.settle();
    assert_eq!((node.failed, node.ready), (vec![1], vec![]));
}

#[test]
fn r9_a_read_waits_for_a_majority_to_answer_a_later_message() {
    let mut node = Node::established(config(5));
    node.read(1);
    node.settle();
    assert!(node.ready.is_empty());
    assert_eq!(node.take_kinds(), ["heartbeat>1", "heartbeat>2", "heartbeat>3", "heartbeat>4"]);
    node.answers_heartbeat(1);
    node.settle();
    assert!(node.ready.is_empty(), "two of five are no majority");
    node.answers_heartbeat(1);
    node.settle();
    assert!(node.ready.is_empty(), "nor is the same one twice");
    node.answers_heartbeat(4);
    node.settle();
    assert_eq!(node.ready, [1]);
}

#[test]
fn r9_answers_to_earlier_messages_confirm_nothing() {
    let mut node = Node::established(config(3));
    node.passes(HEARTBEAT);
    let before = node.beat(1);
    node.read(1);
    node.settle();
    node.hears(1, 1, Message::HeartbeatReply { beat: before });
    node.hears(2, 1, Message::HeartbeatReply { beat: before });
    node.settle();
    assert!(node.ready.is_empty(), "the round must start after the read came in");
    node.answers_heartbeat(1);
    node.settle();
    assert_eq!(node.ready, [1]);
}

#[test]
fn r9_a_round_is_never_used_twice() {
    let mut node = Node::established(config(3));
    node.read(1);
    node.settle();
    let first = node.beat(1);
    node.read(2);
    node.settle();
    node.hears(1, 1, Message::HeartbeatReply { beat: first });
    node.settle();
    assert_eq!(node.ready, [1], "the second came while the round was under way");
    let second = node.beat(1);
    assert!(second.round > first.round, "so it has one of its own");
    node.hears(2, 1, Message::HeartbeatReply { beat: first });
    node.settle();
    assert_eq!(node.ready, [1], "a late answer to the first (etcd 20418)");
    node.hears(2, 1, Message::HeartbeatReply { beat: second });
    node.settle();
    assert_eq!(node.ready, [1, 2]);
}

#[test]
fn r9_reads_of_one_turn_share_a_round() {
    let mut node = Node::established(config(3));
    (1..=5).for_each(|read| node.read(read));
    node.settle();
    assert_eq!(node.take_kinds(), ["heartbeat>1", "heartbeat>2"]);
    assert_eq!(node.beat(1).round, Round(1));
    node.answers_heartbeat(2);
    node.settle();
    assert_eq!(node.ready, [1, 2, 3, 4, 5]);
}

#[test]
fn r9_an_append_carries_the_round_as_well() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.read(1);
    node.settle();
    assert_eq!(node.take_kinds(), ["append>1", "append>2"]);
    node.acknowledges(1, 2);
    node.settle();
    assert_eq!(node.ready, [1]);
}

#[test]
fn r9_no_read_is_answered_before_the_opening_entry_is_committed() {
    for mode in [ReadMode::Confirmed, ReadMode::Leased] {
        let mut node = Node::elected(Config { reads: mode, ..config(3) }, 4, &[1, 4]);
        node.read(1);
        node.answers_heartbeat(1);
        node.answers_heartbeat(2);
        node.settle();
        node.passes(HEARTBEAT);
        node.answers_heartbeat(1);
        node.answers_heartbeat(2);
        node.settle();
        assert!(node.ready.is_empty(), "an earlier leader may have committed more than is known");
        node.acknowledges(1, 3);
        node.settle();
        node.answers_heartbeat(1);
        node.settle();
        assert_eq!((node.ready, node.applied.len()), (vec![1], 3));
    }
}

#[test]
fn r9_a_read_waits_until_the_state_is_there() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.turn();
    node.acknowledges(1, 2);
    node.acknowledges(2, 2);
    node.turn();
    assert_eq!((node.commit(), node.applied.len()), (2, 1));
    node.read(1);
    node.turn();
    node.answers_heartbeat(1);
    node.turn();
    assert!(node.ready.is_empty(), "entry 2 is committed, may be known elsewhere, and is not applied here");
    node.settle();
    assert_eq!((node.ready, node.applied.len()), (vec![1], 2));
}

#[test]
fn r9_reads_fail_with_the_term() {
    let mut node = Node::established(config(3));
    node.read(1);
    node.settle();
    node.read(2);
    node.hears(2, 5, append(at(1, 1), &[5], 0));
    node.answers_heartbeat(1);
    node.settle();
    node.failed.sort_unstable();
    assert_eq!((node.failed, node.ready), (vec![1, 2], vec![]));
}

#[test]
fn r9_a_lone_voter_confirms_itself() {
    for mode in [ReadMode::Confirmed, ReadMode::Leased] {
        let mut node = Node::established(Config { reads: mode, ..config(1) });
        node.read(1);
        node.turn();
        assert_eq!(node.ready, [1]);
    }
}

#[test]
fn r20_a_lease_answers_without_a_message() {
    let mut node = Node::established(leased(3));
    node.read(1);
    node.settle();
    assert_eq!(node.ready, [1]);
    assert!(node.take_sent().is_empty());
}

#[test]
fn r20_a_lease_runs_from_the_sending_and_a_tenth_shorter_than_the_promise() {
    let mut node = Node::established(leased(3));
    node.passes(HEARTBEAT);
    let sent = node.now;
    let beat = node.beat(1);
    node.now = sent + TIMEOUT.divided(2);
    node.hears(1, 1, Message::HeartbeatReply { beat });
    node.settle();
    node.now = sent + Span(TIMEOUT.0 / 10 * 9 - 1);
    node.read(1);
    node.turn();
    assert_eq!(node.ready, [1]);
    node.now = sent + Span(TIMEOUT.0 / 10 * 9);
    node.read(2);
    node.take_sent();
    node.turn();
    assert_eq!(node.ready, [1], "the answer came late, the promise did not start with it");
    assert!(!node.take_sent().is_empty(), "so a round is asked for");
    node.answers_heartbeat(2);
    node.turn();
    assert_eq!(node.ready, [1, 2]);
}

#[test]
fn r20_a_lease_needs_a_majority() {
    let mut node = Node::established(leased(5));
    node.now = node.now + TIMEOUT.divided(2);
    node.turn();
    node.answers_heartbeat(1);
    node.now = node.now + TIMEOUT.divided(2);
    node.answers_heartbeat(1);
    node.read(1);
    node.turn();
    assert!(node.ready.is_empty(), "one follower of four has promised anything");
}

#[test]
fn r20_a_restarted_voter_waits_before_it_votes() {
    let mut node = Node::new(config(3), 2, &[1]);
    node.now = node.now + Span(TIMEOUT.0 - 1);
    node.hears(1, 3, vote(at(1, 1)));
    node.settle();
    assert!(node.take_sent().is_empty(), "it may have promised a lease just before it went");
    assert_eq!(node.term(), 2);
    node.now = node.now + Span(1);
    node.hears(1, 3, vote(at(1, 1)));
    node.settle();
    assert!(is_granted(&mut node));
}

#[test]
fn r20_a_promise_outlives_a_change_of_term() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, heartbeat(0));
    node.hears(2, 5, vote_reply(false));
    node.settle();
    node.take_sent();
    node.now = node.now + Span(TIMEOUT.0 - 1);
    node.hears(2, 6, vote(at(9, 9)));
    node.settle();
    assert!(node.take_sent().is_empty());
    assert!(node.raft.deadline() >= node.now + Span(1), "nor does it campaign itself");
}

/// A node leads term 1, is deposed, and leads term 3. Then a message of its first reign arrives, is refused
/// in term 3, and the refusal echoes a round of the first reign, which is ahead of those of the second.
fn leads_again(config: Config) -> (Node, Beat) {
    let mut node = Node::established(config);
    for read in 1..=3 {
        node.read(read);
        node.settle();
        node.answers_heartbeat(2);
        node.settle();
    }
    let earlier = node.beat(1);
    node.hears(2, 2, vote_reply(false));
    node.settle();
    node.campaigns();
    node.grants_pre_vote(2);
    node.settle();
    node.hears(2, 3, vote_reply(true));
    node.settle();
    node.acknowledges(2, 2);
    node.settle();
    assert_eq!((node.term(), node.commit(), node.raft.is_leader()), (3, 2, true));
    node.ready.clear();
    (node, earlier)
}

#[test]
fn r9_a_refused_append_of_an_earlier_reign_confirms_nothing() {
    let (mut node, beat) = leads_again(config(3));
    node.hears(1, 3, Message::AppendReply { beat, outcome: AppendOutcome::Deposed });
    node.read(9);
    node.settle();
    assert_eq!(node.ready, [0; 0], "nobody has answered a message that was sent after the read came in");
}

#[test]
fn r9_a_refused_heartbeat_of_an_earlier_reign_confirms_nothing() {
    let (mut node, _) = leads_again(config(3));
    // What a follower of term 3 says to a heartbeat of term 1.
    let mut follower = Node::with_log(3, 3, &[1]);
    follower.hears(1, 1, Message::Heartbeat { reign: reign(7), commit: Index(1), reply: true });
    follower.settle();
    node.hears(1, 3, follower.take_one().message);
    node.read(9);
    node.settle();
    assert_eq!(node.ready, [0; 0], "nobody has answered a message that was sent after the read came in");
}

#[test]
fn r20_a_refusal_of_an_earlier_reign_is_no_promise() {
    // Its moment was told by the clock of an earlier life of this leader, which began elsewhere.
    let (mut node, mut beat) = leads_again(leased(3));
    beat.sent = node.now + TIMEOUT.times(1_000);
    node.hears(1, 3, Message::AppendReply { beat, outcome: AppendOutcome::Deposed });
    node.now = node.now + Span(TIMEOUT.0 - 1);
    node.read(9);
    node.turn();
    assert_eq!(node.ready, [0; 0], "the only lease was that of follower 2, and it has run out");
}

fn reign(round: u64) -> Reign {
    Reign { beat: Beat { round: Round(round), ..Beat::default() }, rank: 0 }
}
