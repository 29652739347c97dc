//! R2 (the disk first), R3 (append, the leader's side), R4 (the follower's), R5 (commit), R10 (batches and
//! windows) and R11 (bounds).

use quorate::raft::{
    AppendOutcome, Config, Envelope, Index, Message, NodeId, Proposal, ReadMode, Replication, Span, Term,
};

use super::node::{
    HEARTBEAT, Node, RETRY, TIMEOUT, append, appends_to, at, config, heartbeat, matched, outcome, vote,
};

#[test]
fn r2_an_answer_waits_for_the_write_that_it_may_rest_on() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1], 0));
    node.turn();
    node.hears(1, 1, append(at(0, 0), &[1], 0));
    node.hears(2, 0, vote(at(0, 0)));
    node.turn();
    assert!(node.take_sent().is_empty(), "entry 1 and term 1 are still under way");
    assert_eq!(node.writes_under_way(), 2, "an empty write keeps the order");
    node.stores_one();
    assert_eq!(node.take_kinds(), ["append-reply>1"]);
    node.stores_one();
    assert_eq!(node.take_kinds(), ["append-reply>1", "vote-reply>2"]);
}

#[test]
fn r2_a_leader_sends_entries_while_it_writes_them() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.turn();
    assert!(node.is_writing());
    assert_eq!(appends_to(&node.take_sent(), 1), [(2, 1)]);
}

#[test]
fn r2_a_leader_counts_itself_only_when_its_own_disk_has_it() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.turn();
    let receipt = node.stores_one();
    node.acknowledges(1, 1);
    node.turn();
    assert_eq!(node.commit(), 1);
    node.raft.durable(receipt);
    node.turn();
    assert_eq!(node.commit(), 1, "one of three disks");

    let mut alone = Node::established(config(1));
    alone.propose("x");
    alone.turn();
    assert_eq!((alone.commit(), alone.applied.len()), (1, 1), "no acknowledgement before its own disk");
    alone.settle();
    assert_eq!((alone.commit(), alone.applied.len()), (2, 2));
}

#[test]
fn r2_an_old_receipt_does_not_bless_what_replaced_its_entries() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1], 0));
    node.turn();
    node.hears(2, 2, append(at(0, 0), &[2, 2], 2));
    node.turn();
    let old = node.stores_one();
    node.raft.durable(old);
    node.turn();
    assert!(node.applied.is_empty(), "the entries of term 2 are still under way (ABA)");
    node.settle();
    assert_eq!(node.applied.len(), 2);
}

/// Nobody else votes, so nobody waits for its vote to be stored before an answer. A learner would be spoken
/// to in a term that the next life may lead anew.
#[test]
fn r2_a_lone_voter_leads_when_its_own_vote_is_stored() {
    for reads in [ReadMode::Confirmed, ReadMode::Leased] {
        let mut node = Node::new(Config { reads, ..config(1) }, 0, &[]);
        node.campaigns();
        node.passes_without_disk(TIMEOUT.times(3));
        assert_eq!((node.term(), node.raft.is_leader()), (1, false));
        assert_eq!(node.propose("x"), Proposal::NotLeader);
        let receipt = node.stores_one();
        assert_eq!((node.stored.term, node.stored.vote), (Term(1), Some(NodeId(0))));
        node.raft.durable(receipt);
        node.turn();
        assert!(node.raft.is_leader());
        node.read(1);
        node.turn();
        assert_eq!((node.commit(), node.ready.len()), (0, 0), "its opening entry is not stored");
        node.settle();
        assert_eq!((node.commit(), &node.ready[..]), (1, &[1][..]));
    }
}

#[test]
fn r3_only_an_append_that_was_accepted_moves_the_match() {
    let mut node = Node::elected(config(3), 0, &[]);
    node.answers_heartbeat(1);
    node.answers_heartbeat(2);
    node.settle();
    assert_eq!(node.commit(), 0, "a heartbeat's echo says nothing about the log");
}

#[test]
fn r3_a_late_acknowledgement_never_lowers_the_match() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.settle();
    node.acknowledges(1, 2);
    node.acknowledges(1, 1);
    node.take_sent();
    node.settle();
    assert_eq!(node.commit(), 2);
    assert!(appends_to(&node.take_sent(), 1).is_empty(), "it has all there is");
}

#[test]
fn r3_one_append_probes_until_the_first_is_accepted() {
    let mut node = Node::elected(config(3), 0, &[]);
    for text in ["x", "y", "z"] {
        node.propose(text);
        node.settle();
    }
    assert_eq!(appends_to(&node.take_sent(), 1), [(1, 1)]);
    node.acknowledges(1, 1);
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 1), [(2, 3)]);
    node.propose("w");
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 1), [(5, 1)], "and from then on without waiting");
}

#[test]
fn r3_late_refusals_are_ignored() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.settle();
    node.take_sent();
    node.answers_append(1, AppendOutcome::Missing { previous: Index(1), hint: at(0, 0) });
    node.settle();
    assert!(appends_to(&node.take_sent(), 1).is_empty(), "entry 1 is acknowledged");

    let mut prober = Node::elected(config(3), 4, &[1, 1, 4]);
    prober.answers_append(1, AppendOutcome::Missing { previous: Index(3), hint: at(2, 1) });
    prober.settle();
    prober.take_sent();
    prober.answers_append(1, AppendOutcome::Missing { previous: Index(3), hint: at(0, 0) });
    prober.settle();
    assert!(appends_to(&prober.take_sent(), 1).is_empty(), "that question has been answered");
}

#[test]
fn r3_a_round_passes_over_a_whole_term() {
    let mut node = Node::elected(config(3), 9, &[1, 4, 4, 5, 5, 6, 6, 6]);
    node.take_sent();
    // The follower has 1 2 2 3 3 3 3 3, of which only entry 1 is the leader's.
    node.answers_append(1, AppendOutcome::Missing { previous: Index(8), hint: at(8, 3) });
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 1), [(2, 8)], "the last own entry of a term not above 3");
}

#[test]
fn r3_a_missing_answer_rewinds_to_what_is_acknowledged() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.settle();
    node.acknowledges(2, 2);
    node.propose("y");
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 1), [(2, 1), (3, 1)]);
    node.passes(RETRY.times(4));
    assert_eq!(appends_to(&node.take_sent(), 1), [(2, 2)], "both count as lost");
}

#[test]
fn r3_a_new_line_to_a_follower_rewinds_to_what_is_acknowledged() {
    let mut node = Node::established(config(3));
    for text in ["x", "y"] {
        node.propose(text);
        node.settle();
    }
    assert_eq!(appends_to(&node.take_sent(), 1), [(2, 1), (3, 1)]);
    node.raft.interrupted(node.now, NodeId(1));
    node.settle();
    let sent = node.take_sent();
    assert_eq!(appends_to(&sent, 1), [(2, 2)], "at once, since nothing on the old line will be answered");
    assert!(appends_to(&sent, 2).is_empty(), "the line to the other has not changed");
    // What came through all the same counts.
    node.acknowledges(1, 3);
    node.settle();
    assert_eq!(node.commit(), 3);
    for stranger in [0, 7] {
        node.raft.interrupted(node.now, NodeId(stranger));
    }
    let mut follower = Node::fresh(3);
    follower.raft.interrupted(follower.now, NodeId(1));
    follower.settle();
    assert!(follower.take_sent().is_empty(), "only a leader has anything to send again");
}

#[test]
fn r3_a_lossy_line_is_tried_again_at_once_and_a_dead_one_less_and_less() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.settle();
    let start = node.now;
    let mut tries = Vec::new();
    node.take_sent();
    while node.now < start + TIMEOUT.times(5) {
        node.passes(Span::milliseconds(5));
        node.answers_heartbeat(2);
        let sent = node.take_sent();
        tries.extend(appends_to(&sent, 1).iter().map(|_| node.now - start));
    }
    let waits: Vec<Span> = tries.windows(2).map(|pair| Span(pair[1].0 - pair[0].0)).collect();
    assert!(
        waits[..2].iter().all(|wait| *wait <= RETRY.times(4)),
        "two losses in a row are bad luck: {waits:?}"
    );
    assert!(waits.iter().all(|wait| *wait <= TIMEOUT), "never longer than an election takes: {waits:?}");
    assert!(waits[waits.len() - 3..].iter().all(|wait| *wait >= HEARTBEAT), "nobody may be there: {waits:?}");
}

#[test]
fn r4_a_short_or_late_append_cuts_nothing() {
    let mut node = Node::with_log(3, 2, &[1, 1, 2, 2]);
    for (previous, terms, end) in [(at(1, 1), &[1][..], 2), (at(2, 1), &[], 2), (at(0, 0), &[1, 1], 2)] {
        node.hears(1, 2, append(previous, terms, 0));
        node.settle();
        assert_eq!(outcome(&mut node), matched(end), "no more than it has shown to be equal");
        assert_eq!(node.last(), at(4, 2));
    }
}

#[test]
fn r4_an_append_from_before_the_commit_index_is_no_conflict() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1, 1], 3));
    node.settle();
    node.take_sent();
    node.hears(1, 1, append(at(1, 1), &[1], 1));
    node.settle();
    assert_eq!(outcome(&mut node), matched(2));
    assert_eq!(node.commit(), 3, "a commit index never falls (S11)");
}

#[test]
#[should_panic(expected = "S14")]
fn r4_a_committed_entry_is_never_replaced() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1], 2));
    node.settle();
    node.hears(2, 2, append(at(1, 1), &[2], 0));
}

#[test]
fn r4_a_refusal_names_the_last_entry_that_may_match() {
    let mut node = Node::with_log(3, 9, &[1, 1, 4, 4, 4]);
    for (previous, hint) in [(at(5, 3), at(2, 1)), (at(9, 8), at(5, 4)), (at(4, 5), at(4, 4))] {
        node.hears(1, 9, append(previous, &[], 0));
        node.settle();
        assert_eq!(outcome(&mut node), AppendOutcome::Missing { previous: previous.index, hint });
    }
}

#[test]
fn r4_a_heartbeat_commits_what_is_here() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1], 0));
    node.hears(1, 1, heartbeat(1));
    node.settle();
    assert_eq!(node.commit(), 1);
    node.hears(1, 1, heartbeat(9));
    node.settle();
    assert_eq!(node.commit(), 1, "a commit index beyond the log proves nothing and stops nobody");
}

#[test]
fn r4_a_heartbeat_tells_no_more_than_the_follower_has() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.settle();
    node.acknowledges(2, 2);
    node.passes(HEARTBEAT);
    node.take_sent();
    // The follower answers, and is asked for its entries again and again; but what it has is entry 1.
    node.answers_heartbeat(1);
    node.read(1);
    node.settle();
    for envelope in node.take_sent() {
        if let Message::Heartbeat { commit, .. } = envelope.message {
            assert_eq!(commit, Index(if envelope.to == NodeId(1) { 1 } else { 2 }));
        }
    }
    assert_eq!(node.commit(), 2);
}

#[test]
fn r5_a_majority_of_followers_commits_before_the_leaders_own_disk() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.turn();
    node.acknowledges(1, 2);
    node.acknowledges(2, 2);
    node.turn();
    assert_eq!((node.commit(), node.applied.len()), (2, 1), "committed, and applied when it is durable here");
    node.settle();
    assert_eq!(node.applied.len(), 2);
}

#[test]
fn r5_a_new_leader_opens_its_term_with_an_entry() {
    let mut node = Node::elected(config(3), 4, &[1, 4]);
    assert_eq!(node.last(), at(3, 5));
    let sent = node.take_sent();
    assert_eq!(appends_to(&sent, 1), [(3, 1)], "first guess: the follower has everything before it");
    assert_eq!(sent.last().expect("an append").term, Term(5));
}

#[test]
fn r5_the_commit_index_rides_on_appends() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.settle();
    let sent = node.take_sent();
    assert!(sent.iter().all(|one| matches!(one.message, Message::Append { commit: Index(1), .. })));
}

#[test]
fn r10_a_turn_makes_one_write_and_one_append_for_each_follower() {
    let mut node = Node::established(config(3));
    for text in ["x", "y", "z"] {
        node.propose(text);
    }
    node.turn();
    assert_eq!(node.writes_under_way(), 1);
    let sent = node.take_sent();
    assert_eq!((appends_to(&sent, 1), appends_to(&sent, 2)), (vec![(2, 3)], vec![(2, 3)]));
    assert_eq!(sent.len(), 2);
}

#[test]
fn r10_several_appends_of_one_turn_share_an_answer() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1], 0));
    node.hears(1, 1, append(at(1, 1), &[1], 0));
    node.settle();
    assert_eq!(outcome(&mut node), matched(2));
}

#[test]
fn r10_a_late_append_does_not_take_the_place_of_a_better_answer() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1, 1], 0));
    node.hears(1, 1, append(at(0, 0), &[1], 0));
    node.settle();
    let best =
        |one: &Envelope| matches!(one.message, Message::AppendReply { outcome, .. } if outcome == matched(3));
    assert!(node.take_sent().iter().any(best), "or entries 2 and 3 would be sent again");
}

#[test]
fn r10_each_leader_and_each_term_has_its_own_answer() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1], 0));
    node.hears(2, 2, append(at(1, 1), &[2], 0));
    node.hears(2, 3, append(at(2, 2), &[3], 0));
    node.settle();
    let answers: Vec<(u16, u64)> = node.take_sent().iter().map(|one| (one.to.0, one.term.0)).collect();
    assert_eq!(answers, [(1, 1), (2, 2), (2, 3)]);
}

#[test]
fn r10_an_append_is_bounded_but_holds_one_entry_at_least() {
    let mut tight = config(3);
    tight.append_bytes_max = 60;
    let mut node = Node::established(tight);
    node.propose("a text that is far too long for any append of this cluster, and yet it must go");
    for text in ["x", "y", "z"] {
        node.propose(text);
    }
    for first_and_count in [(2, 1), (3, 2), (5, 1)] {
        node.turn();
        assert_eq!(appends_to(&node.take_sent(), 1), [first_and_count]);
    }
}

#[test]
fn r10_a_full_window_holds_back_one_follower_and_nobody_else() {
    let mut node = Node::established(config(3));
    for _ in 0..6 {
        node.propose("x");
        node.settle();
        node.acknowledges(2, node.last().index.0);
    }
    let sent = node.take_sent();
    assert_eq!(appends_to(&sent, 1).len(), 4, "four unanswered appends fill the window");
    assert_eq!(appends_to(&sent, 2).len(), 6);
    node.settle();
    assert_eq!(node.commit(), 7, "commits go on");
    node.passes(HEARTBEAT);
    assert!(!appends_to(&node.take_sent(), 1).is_empty(), "a lost window stalls for a heartbeat at most");
}

#[test]
fn r10_only_a_majority_is_sent_entries_at_once_where_told_so() {
    let mut eager = config(5);
    eager.replication = Replication::Majority;
    let mut node = Node::established(eager);
    node.propose("x");
    node.settle();
    assert_eq!(node.take_kinds(), ["append>1", "append>2"]);
    node.acknowledges(1, 2);
    node.passes(RETRY.times(4));
    assert_eq!(node.take_kinds(), ["append>3"], "a reserve stands in for who does not answer");
    node.acknowledges(3, 2);
    node.settle();
    assert_eq!(node.commit(), 2);
    node.passes(HEARTBEAT);
    let sent = node.take_sent();
    assert_eq!((appends_to(&sent, 2), appends_to(&sent, 4)), (vec![(2, 1)], vec![(2, 1)]), "with the beat");
}

#[test]
fn r11_proposals_are_refused_beyond_the_bound() {
    let mut bounded = config(3);
    bounded.uncommitted_bytes_max = 100;
    let mut node = Node::established(bounded);
    let large = "x".repeat(500);
    assert_eq!(node.propose(&large), Proposal::Appended(at(2, 1)), "one always fits when nothing waits");
    for _ in 0..10 {
        assert_eq!(node.propose("y"), Proposal::Full);
    }
    assert_eq!(node.last(), at(2, 1), "and nothing has happened, nor is it counted");
    node.settle();
    node.acknowledges(1, 2);
    node.settle();
    assert_eq!(node.propose("y"), Proposal::Appended(at(3, 1)), "room again");
}

#[test]
fn r11_what_is_committed_makes_room_though_more_waits() {
    let mut bounded = config(3);
    bounded.uncommitted_bytes_max = 100;
    let mut node = Node::established(bounded);
    for index in 2..50 {
        assert_eq!(node.propose("x"), Proposal::Appended(at(index, 1)));
        node.settle();
        node.acknowledges(1, index - 1);
        node.settle();
    }
}

#[test]
fn r3_a_follower_that_never_answers_costs_a_message_a_heartbeat() {
    let mut node = Node::established(config(3));
    for _ in 0..30 {
        node.passes(HEARTBEAT);
        node.answers_heartbeat(2);
    }
    node.take_sent();
    let mut count = 0;
    for _ in 0..100 {
        node.passes(Span(HEARTBEAT.0 / 10));
        node.answers_heartbeat(2);
        count += node.take_sent().iter().filter(|one| one.to == NodeId(1)).count();
    }
    assert!((9..=12).contains(&count), "{count} messages in ten heartbeats");
    assert!(TIMEOUT >= HEARTBEAT.times(10), "all of it in what could be one timeout");
}

#[test]
fn r3_refusals_of_what_was_given_up_do_not_start_it_again() {
    let mut node = Node::established(config(3));
    let mut beats = Vec::new();
    for text in ["a", "b", "c", "d"] {
        node.now = node.now + Span::milliseconds(1);
        node.propose(text);
        node.settle();
        beats.push(node.beat(1));
    }
    // The first of four appends is overtaken by the others, and each of those is refused.
    let refusal = |previous| AppendOutcome::Missing { previous: Index(previous), hint: at(1, 1) };
    node.now = node.now + Span::milliseconds(1);
    node.hears(1, 1, Message::AppendReply { beat: beats[1], outcome: refusal(2) });
    node.settle();
    // The first arrives as well, so where the logs meet is known again.
    node.hears(1, 1, Message::AppendReply { beat: beats[0], outcome: matched(2) });
    node.settle();
    node.take_sent();
    for late in [2, 3] {
        node.hears(1, 1, Message::AppendReply { beat: beats[late], outcome: refusal(late as u64 + 1) });
        node.settle();
    }
    let again = appends_to(&node.take_sent(), 1);
    assert!(again.is_empty(), "what they refuse was given up with the first of them: {again:?}");
}
