//! Figure 2 of the paper, line by line, under its own headings.

use quorate::raft::{AppendOutcome, Index, Message, NodeId, Payload, Proposal, Span, Term};

use super::node::{
    HEARTBEAT, Node, TIMEOUT, append, appends_to, at, config, entries, heartbeat, is_granted, matched,
    outcome, pre_vote, vote, vote_reply,
};

// State.

#[test]
fn state_term_and_vote_are_stored_before_a_vote_leaves() {
    let mut node = Node::fresh(3);
    node.hears(1, 4, vote(at(0, 0)));
    node.turn();
    assert!(node.take_sent().is_empty(), "the vote waits for the disk");
    node.stores_one();
    assert!(is_granted(&mut node));
    assert_eq!((node.stored.term, node.stored.vote), (Term(4), Some(NodeId(1))));
}

#[test]
fn state_entries_are_stored_before_they_are_acknowledged() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1], 0));
    node.turn();
    assert!(node.take_sent().is_empty(), "the answer waits for the disk");
    node.stores_one();
    assert_eq!(outcome(&mut node), matched(2));
    assert_eq!(node.stored_terms(), [1, 1]);
}

#[test]
fn state_a_restart_brings_back_term_vote_and_log() {
    let mut node = Node::with_log(3, 5, &[1, 5]);
    assert_eq!((node.term(), node.last(), node.commit()), (5, at(2, 5), 0));
    node.hears(1, 5, vote(at(2, 5)));
    node.settle();
    assert!(is_granted(&mut node));
}

// AppendEntries, receiver.

#[test]
fn append_1_of_an_earlier_term_is_refused() {
    let mut node = Node::with_log(3, 5, &[1]);
    node.hears(1, 4, append(at(1, 1), &[4], 1));
    node.settle();
    let reply = node.take_one();
    assert_eq!(reply.term, Term(5), "the sender learns the present term");
    assert!(matches!(reply.message, Message::AppendReply { outcome: AppendOutcome::Deposed, .. }));
    assert_eq!((node.last(), node.commit(), node.leader()), (at(1, 1), 0, None));
}

#[test]
fn append_2_is_refused_without_the_entry_before_it() {
    let mut node = Node::with_log(3, 2, &[1, 1]);
    for previous in [at(3, 1), at(2, 2)] {
        node.hears(1, 2, append(previous, &[2], 0));
        node.settle();
        assert!(matches!(outcome(&mut node), AppendOutcome::Missing { .. }), "{previous:?}");
        assert_eq!(node.last(), at(2, 1));
    }
}

#[test]
fn append_3_a_conflicting_entry_goes_with_all_that_follow_it() {
    let mut node = Node::with_log(3, 3, &[1, 2, 2, 2]);
    node.hears(1, 3, append(at(1, 1), &[3], 0));
    node.settle();
    assert_eq!(node.stored_terms(), [1, 3]);
    assert_eq!(node.last(), at(2, 3));
}

#[test]
fn append_4_only_entries_that_are_not_there_yet_are_added() {
    let mut node = Node::with_log(3, 2, &[1, 1]);
    node.hears(1, 2, append(at(0, 0), &[1, 1, 2], 0));
    node.settle();
    assert_eq!(outcome(&mut node), matched(3));
    assert_eq!(node.stored_terms(), [1, 1, 2]);
}

#[test]
fn append_5_commit_is_the_lesser_of_the_leaders_and_the_last_new_entry() {
    let mut node = Node::with_log(3, 2, &[1, 1, 1]);
    node.hears(1, 2, append(at(1, 1), &[1], 3));
    node.settle();
    assert_eq!(node.commit(), 2, "entry 3 may be another leader's");
    node.hears(1, 2, append(at(2, 1), &[1, 2], 3));
    node.settle();
    assert_eq!(node.commit(), 3);
}

// RequestVote, receiver.

#[test]
fn vote_1_for_an_earlier_term_is_refused() {
    let mut node = Node::with_log(3, 5, &[]);
    node.hears(1, 4, vote(at(9, 4)));
    node.settle();
    let reply = node.take_one();
    assert_eq!((reply.term, reply.message), (Term(5), vote_reply(false)));
    assert_eq!(node.stored.vote, None);
}

#[test]
fn vote_2_is_given_once_a_term_and_repeated_to_the_same() {
    let mut node = Node::fresh(3);
    let mut ask = |from| {
        node.hears(from, 1, vote(at(0, 0)));
        node.settle();
        is_granted(&mut node)
    };
    assert!(ask(1));
    assert!(!ask(2), "a second vote in one term (S2)");
    assert!(ask(1), "the same vote, asked for again");
}

#[test]
fn vote_2_is_refused_to_a_log_that_ends_in_an_earlier_term() {
    let mut node = Node::with_log(3, 2, &[1, 2]);
    node.hears(1, 3, vote(at(9, 1)));
    node.settle();
    assert!(!is_granted(&mut node));
    assert_eq!(node.term(), 3);
}

#[test]
fn vote_2_is_refused_to_a_shorter_log_of_the_same_last_term() {
    let mut node = Node::with_log(3, 2, &[1, 2]);
    node.hears(1, 3, vote(at(1, 2)));
    node.settle();
    assert!(!is_granted(&mut node));
    node.hears(2, 3, vote(at(2, 2)));
    node.settle();
    assert!(is_granted(&mut node), "an equal log is good enough");
}

// All servers.

#[test]
fn all_servers_apply_what_is_committed_in_order_and_once() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1, 1], 2));
    node.settle();
    assert_eq!(node.applied.len(), 2);
    node.hears(1, 1, heartbeat(3));
    node.settle();
    node.hears(1, 1, heartbeat(3));
    node.settle();
    assert_eq!(node.applied, entries(&[1, 1, 1]));
}

#[test]
fn all_servers_follow_a_later_term_whatever_they_were() {
    let mut leader = Node::established(config(3));
    leader.hears(1, 7, Message::HeartbeatReply { beat: leader.beat(1) });
    leader.settle();
    assert_eq!((leader.term(), leader.raft.is_leader(), leader.stored.vote), (7, false, None));

    let mut candidate = Node::fresh(3);
    candidate.campaigns();
    candidate.grants_pre_vote(1);
    candidate.settle();
    candidate.hears(2, 7, vote_reply(false));
    candidate.hears(1, 1, vote_reply(true));
    candidate.settle();
    assert_eq!((candidate.term(), candidate.raft.is_leader()), (7, false));
}

// Followers.

#[test]
fn followers_campaign_when_they_hear_nobody_and_only_then() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, heartbeat(0));
    node.settle();
    node.take_sent();
    for message in [append(at(0, 0), &[], 0), heartbeat(0), append(at(4, 1), &[], 0)] {
        node.passes(Span(TIMEOUT.0 - 1));
        assert!(node.take_sent().is_empty(), "a leader was heard within T");
        node.hears(1, 1, message);
        node.settle();
        node.take_sent();
    }
    node.passes(TIMEOUT.times(2));
    assert_eq!(node.take_kinds(), ["pre-vote>1", "pre-vote>2"]);
}

#[test]
fn followers_wait_again_after_they_have_voted() {
    let mut node = Node::with_log(3, 1, &[]);
    node.hears(2, 2, vote_reply(false));
    node.settle();
    node.now = node.raft.deadline();
    node.hears(1, 2, vote(at(0, 0)));
    node.settle();
    assert_eq!(node.take_kinds(), ["vote-reply>1"]);
    assert!(node.raft.deadline() >= node.now + TIMEOUT);
}

// Candidates.

#[test]
fn candidates_raise_the_term_vote_for_themselves_and_ask_everybody() {
    let mut node = Node::with_log(5, 3, &[1, 3]);
    node.campaigns();
    node.grants_pre_vote(3);
    node.grants_pre_vote(4);
    node.take_sent();
    node.turn();
    assert!(node.take_sent().is_empty(), "its own vote counts, so it is stored first (R2)");
    node.stores_one();
    assert_eq!((node.stored.term, node.stored.vote), (Term(4), Some(NodeId(0))));
    let sent = node.take_sent();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|one| one.term == Term(4) && one.message == vote(at(2, 3))));
}

#[test]
fn candidates_lead_with_the_votes_of_a_majority_and_not_before() {
    for (count, others_needed) in [(2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)] {
        let mut node = Node::fresh(count);
        node.campaigns();
        (1..=others_needed).for_each(|from| node.grants_pre_vote(from));
        node.settle();
        for from in 1..=others_needed {
            assert!(!node.raft.is_leader(), "{from} of {count} votes are no majority");
            node.hears(from, 1, vote_reply(true));
        }
        assert!(node.raft.is_leader(), "{} of {count} votes are a majority", others_needed + 1);
    }
}

#[test]
fn candidates_count_a_voter_once_and_refusals_never() {
    let mut node = Node::fresh(5);
    node.campaigns();
    node.grants_pre_vote(1);
    node.grants_pre_vote(1);
    assert_eq!(node.term(), 0, "one peer is no majority of five");
    node.grants_pre_vote(2);
    node.settle();
    node.hears(1, 1, vote_reply(true));
    node.hears(1, 1, vote_reply(true));
    node.hears(2, 1, vote_reply(false));
    node.hears(3, 1, vote_reply(false));
    assert!(!node.raft.is_leader());
}

#[test]
fn candidates_follow_the_leader_of_their_term() {
    let mut node = Node::fresh(3);
    node.campaigns();
    node.grants_pre_vote(1);
    node.settle();
    node.hears(2, 1, append(at(0, 0), &[1], 0));
    node.hears(1, 1, vote_reply(true));
    node.settle();
    assert_eq!((node.leader(), node.term()), (Some(2), 1));
    assert_eq!(node.stored.vote, Some(NodeId(0)), "the vote of the term stays given");
}

#[test]
fn candidates_start_anew_when_their_time_is_over() {
    let mut node = Node::fresh(3);
    node.campaigns();
    node.grants_pre_vote(1);
    node.settle();
    node.take_sent();
    node.passes(TIMEOUT.times(2));
    assert_eq!(node.take_kinds(), ["pre-vote>1", "pre-vote>2"]);
    node.hears(1, 1, vote_reply(true));
    assert!(!node.raft.is_leader(), "a vote of the campaign that is over");
    node.hears(1, 1, pre_vote(at(0, 0)));
    node.settle();
    assert!(is_granted(&mut node), "it has heard no leader");
}

// Leaders.

#[test]
fn leaders_speak_at_once_and_before_any_follower_loses_patience() {
    let mut node = Node::elected(config(3), 0, &[]);
    let sent = node.take_sent();
    assert_eq!(appends_to(&sent, 1), [(1, 1)], "the opening entry, 5.4.2 and 8");
    assert_eq!(appends_to(&sent, 2), [(1, 1)]);
    node.acknowledges(1, 1);
    node.acknowledges(2, 1);
    node.settle();
    node.take_sent();
    for _ in 0..3 {
        node.passes(HEARTBEAT);
        assert_eq!(node.take_kinds(), ["heartbeat>1", "heartbeat>2"]);
        node.answers_heartbeat(1);
        node.answers_heartbeat(2);
    }
}

#[test]
fn leaders_append_a_command_and_others_do_not() {
    let mut node = Node::fresh(3);
    assert_eq!(node.propose("x"), Proposal::NotLeader);
    let mut node = Node::established(config(3));
    assert_eq!(node.propose("x"), Proposal::Appended(at(2, 1)));
    node.settle();
    assert!(node.applied.len() == 1, "only the opening entry is committed");
    node.acknowledges(2, 2);
    node.settle();
    assert_eq!(node.applied[1].payload, Payload::Command(b"x".as_slice().into()));
}

#[test]
fn leaders_send_what_a_follower_lacks_and_go_on_from_what_it_has() {
    let mut node = Node::established(config(3));
    node.propose("x");
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 1), [(2, 1)]);
    node.acknowledges(1, 2);
    node.propose("y");
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 1), [(3, 1)]);
}

#[test]
fn leaders_look_further_back_after_a_refusal() {
    let mut node = Node::elected(config(3), 4, &[1, 1, 4]);
    assert_eq!(appends_to(&node.take_sent(), 1), [(4, 1)]);
    node.answers_append(1, AppendOutcome::Missing { previous: Index(3), hint: at(2, 1) });
    node.settle();
    assert_eq!(appends_to(&node.take_sent(), 1), [(3, 2)]);
}

#[test]
fn leaders_commit_what_a_majority_stores_and_not_before() {
    for (count, others_needed) in [(2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)] {
        let mut node = Node::established(config(count));
        node.propose("x");
        node.settle();
        for from in 1..=others_needed {
            assert_eq!(node.commit(), 1, "{from} of {count} are no majority");
            node.acknowledges(from, 2);
            node.settle();
        }
        assert_eq!(node.commit(), 2, "{} of {count} are a majority", others_needed + 1);
    }
}

#[test]
fn leaders_commit_no_entry_of_an_earlier_term_by_counting() {
    // Figure 8, (c): entry 2 of term 2 is on a majority, and may be replaced all the same.
    let mut node = Node::elected(config(5), 3, &[1, 2]);
    node.acknowledges(1, 2);
    node.acknowledges(2, 2);
    node.settle();
    assert_eq!(node.commit(), 0);
    // (e): an entry of the leader's own term commits it as well.
    node.acknowledges(1, 3);
    node.acknowledges(2, 3);
    node.settle();
    assert_eq!(node.commit(), 3);
    assert_eq!(node.applied, entries(&[1, 2, 4]));
}
