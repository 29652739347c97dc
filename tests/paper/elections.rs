//! R1 (terms), R6 (elections), R7 (a leader needs a majority) and R23 (who leads).

use quorate::raft::{AppendOutcome, Envelope, Index, Instant, Message, NodeId, Span, Term};

use super::node::{
    HEARTBEAT, Node, TIMEOUT, append, at, config, heartbeat, is_granted, pre_vote, pre_vote_reply, vote,
    vote_reply,
};

#[test]
fn r1_a_pre_vote_changes_no_term() {
    let mut node = Node::with_log(3, 2, &[]);
    let deadline = node.raft.deadline();
    node.hears(1, 9, pre_vote(at(0, 0)));
    node.settle();
    assert!(is_granted(&mut node));
    assert_eq!((node.term(), node.stored.term, node.stored.vote), (2, Term(2), None));
    assert_eq!(node.raft.deadline(), deadline, "no timer is touched (R6)");
}

#[test]
fn r1_asking_for_pre_votes_changes_no_term() {
    let mut node = Node::with_log(3, 2, &[]);
    for _ in 0..10 {
        node.campaigns();
        assert!(node.take_kinds().contains(&"pre-vote>1".to_owned()));
    }
    assert!(!node.is_writing(), "and writes nothing");
    assert_eq!(node.term(), 2);
}

#[test]
fn r1_questions_of_an_earlier_term_are_answered_with_the_present_one() {
    let mut node = Node::with_log(3, 5, &[]);
    for message in [append(at(0, 0), &[], 0), heartbeat(0), vote(at(9, 9)), pre_vote(at(9, 9))] {
        node.hears(1, 4, message);
        node.settle();
        assert_eq!(node.take_one().term, Term(5), "or it would be stuck with its term for ever");
        assert_eq!(node.leader(), None);
    }
}

#[test]
fn r1_answers_of_an_earlier_term_count_for_nothing() {
    let mut node = Node::elected(config(3), 4, &[]);
    let beat = node.beat(1);
    let outcome = AppendOutcome::Matched(node.last().index);
    node.hears(1, 4, Message::AppendReply { beat, outcome });
    node.settle();
    assert_eq!(node.commit(), 0);
    node.acknowledges(1, 1);
    node.settle();
    assert_eq!(node.commit(), 1);

    let mut candidate = Node::with_log(3, 4, &[]);
    candidate.campaigns();
    candidate.grants_pre_vote(1);
    candidate.settle();
    candidate.hears(1, 4, vote_reply(true));
    assert!(!candidate.raft.is_leader(), "a vote of term 4 for a candidate of term 5");
}

#[test]
fn r1_a_pre_vote_is_no_vote() {
    let mut node = Node::fresh(3);
    node.campaigns();
    let campaign = node.campaign().expect("it asked");
    node.grants_pre_vote(1);
    node.settle();
    node.hears(2, 0, pre_vote_reply(campaign, true));
    node.hears(2, 1, pre_vote_reply(campaign, true));
    assert!(!node.raft.is_leader());
}

#[test]
fn r1_answers_to_an_earlier_campaign_count_for_nothing() {
    let mut node = Node::fresh(3);
    node.campaigns();
    let earlier = node.campaign().expect("it asked");
    node.take_sent();
    node.passes(TIMEOUT.times(2));
    assert_ne!(node.campaign(), Some(earlier), "a campaign has a name of its own");
    node.hears(1, 0, pre_vote_reply(earlier, true));
    node.settle();
    assert_eq!(node.term(), 0);
}

#[test]
fn r1_what_is_for_another_or_from_itself_is_not_heard() {
    let mut node = Node::with_log(3, 2, &[]);
    node.hears(0, 9, heartbeat(0));
    let message = append(at(0, 0), &[9], 1);
    let envelope = Envelope { from: NodeId(1), to: NodeId(2), term: Term(9), message };
    node.raft.receive(node.now, envelope);
    node.settle();
    assert!(node.take_sent().is_empty());
    assert_eq!((node.term(), node.last()), (2, at(0, 0)));
}

#[test]
fn r6_a_pre_vote_needs_a_log_as_good_as_the_own() {
    let mut node = Node::with_log(3, 2, &[1, 2]);
    for (last, granted) in [(at(1, 2), false), (at(9, 1), false), (at(2, 2), true)] {
        node.hears(1, 2, pre_vote(last));
        node.settle();
        assert_eq!(is_granted(&mut node), granted, "{last:?}");
    }
    node.hears(1, 1, pre_vote(at(9, 9)));
    node.settle();
    assert!(!is_granted(&mut node), "for term 2, which is no later than the own");
}

#[test]
fn r6_a_pre_vote_is_refused_while_a_leader_is_fresh() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, heartbeat(0));
    node.settle();
    node.take_sent();
    for (wait, granted) in [(Span(TIMEOUT.0 - 1), false), (Span(1), true)] {
        node.now = node.now + wait;
        node.hears(2, 1, pre_vote(at(0, 0)));
        node.turn();
        assert_eq!(is_granted(&mut node), granted, "{wait:?}");
    }
}

#[test]
fn r6_a_vote_is_not_even_answered_while_a_leader_is_fresh() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, heartbeat(0));
    node.settle();
    node.take_sent();
    node.now = node.now + Span(TIMEOUT.0 - 1);
    node.hears(2, 9, vote(at(9, 9)));
    node.settle();
    assert!(node.take_sent().is_empty());
    assert_eq!((node.term(), node.leader()), (1, Some(1)), "its term is not taken over (R1)");
}

#[test]
fn r6_a_leader_with_a_majority_helps_nobody_to_depose_it() {
    let mut node = Node::established(config(3));
    node.hears(2, 9, vote(at(9, 9)));
    node.settle();
    assert!(node.raft.is_leader() && node.take_sent().is_empty());
    node.hears(2, 9, pre_vote(at(9, 9)));
    node.settle();
    assert!(!is_granted(&mut node));
    assert_eq!(node.term(), 1);
}

#[test]
fn r6_a_refused_pre_vote_spreads_a_later_term() {
    // The longest log on an old term and the newest term on a short log: nobody could ever win.
    let mut node = Node::with_log(3, 2, &[1, 2]);
    node.campaigns();
    let campaign = node.campaign().expect("it asked");
    node.take_sent();
    node.hears(1, 8, pre_vote_reply(campaign, false));
    node.settle();
    assert_eq!((node.term(), node.stored.term), (8, Term(8)));
    node.campaigns();
    let asked = node.take_sent();
    assert!(asked.iter().all(|one| one.term == Term(8)));
}

#[test]
fn r6_patience_lies_between_one_and_two_timeouts_and_the_heirs_is_the_shortest() {
    let waits = |rank| {
        let mut node = Node::fresh(5);
        let reign = quorate::raft::Reign { beat: quorate::raft::Beat::default(), rank };
        let beat = |reign| Message::Heartbeat { reign, commit: quorate::raft::Index(0), reply: false };
        (0..100)
            .map(|_| {
                node.hears(1, 1, beat(reign));
                node.raft.deadline() - node.now
            })
            .collect::<Vec<Span>>()
    };
    let (heir, last) = (waits(0), waits(3));
    let in_range = |wait: &Span| *wait >= TIMEOUT && *wait < TIMEOUT.times(2);
    assert!(heir.iter().all(in_range) && last.iter().all(in_range), "T to 2 T");
    assert!(heir.iter().max() < last.iter().min(), "the line of succession");
    assert!(heir.iter().any(|wait| *wait != heir[0]), "drawn anew at each reset");
}

#[test]
fn r6_a_restarted_node_waits_a_full_timeout_before_it_campaigns() {
    let node = Node::new(config(3), 2, &[1]);
    assert!(node.raft.deadline() >= node.now + TIMEOUT);
}

#[test]
fn r6_questions_are_repeated_to_those_who_have_not_answered() {
    let mut node = Node::fresh(5);
    node.campaigns();
    node.take_sent();
    node.passes(Span::milliseconds(20));
    assert_eq!(node.take_kinds().len(), 4, "a lost question is asked again");
    node.campaigns();
    node.grants_pre_vote(1);
    node.grants_pre_vote(2);
    node.settle();
    node.take_sent();
    node.hears(1, 1, vote_reply(true));
    node.hears(2, 1, vote_reply(false));
    node.passes(Span::milliseconds(20));
    assert_eq!(node.take_kinds(), ["vote>3", "vote>4"], "a vote refused stays refused in its term");
}

#[test]
fn r5_a_winner_takes_over_what_voters_know_to_be_committed() {
    let mut node = Node::with_log(5, 1, &[1, 1, 1, 1]);
    node.campaigns();
    let campaign = node.campaign().expect("it asked");
    node.hears(1, 1, Message::PreVoteReply { campaign, granted: true, commit: Index(2) });
    node.hears(2, 1, pre_vote_reply(campaign, true));
    node.settle();
    assert_eq!((node.commit(), node.raft.inherited()), (0, None), "a candidate may have another log there");
    node.hears(3, 2, Message::VoteReply { granted: false, commit: Index(1) });
    node.hears(1, 2, vote_reply(true));
    node.hears(2, 2, vote_reply(true));
    node.settle();
    assert_eq!((node.commit(), node.applied.len()), (2, 2), "a leader has all of it (5.4.3)");
    assert_eq!(node.raft.inherited(), Some(Index(2)));
    node.acknowledges(1, 5);
    node.acknowledges(2, 5);
    node.settle();
    assert_eq!((node.commit(), node.raft.inherited()), (5, Some(Index(2))));
}

#[test]
fn r5_voters_tell_what_they_know_to_be_committed() {
    let mut node = Node::fresh(3);
    node.hears(1, 1, append(at(0, 0), &[1, 1, 1], 2));
    node.settle();
    node.take_sent();
    node.now = node.now + TIMEOUT;
    node.hears(2, 1, pre_vote(at(3, 1)));
    node.turn();
    assert!(matches!(node.take_one().message, Message::PreVoteReply { granted: true, commit: Index(2), .. }));
    node.hears(2, 2, vote(at(3, 1)));
    node.settle();
    assert_eq!(node.take_one().message, Message::VoteReply { granted: true, commit: Index(2) });
}

#[test]
fn r7_a_leader_without_a_majority_steps_down() {
    let mut node = Node::established(config(5));
    let heard = node.now;
    while node.now < heard + Span(TIMEOUT.0 - HEARTBEAT.0) {
        node.passes(HEARTBEAT);
        node.answers_heartbeat(1);
    }
    assert!(node.raft.is_leader(), "a majority was heard within T");
    node.read(5);
    node.now = heard + TIMEOUT;
    node.take_sent();
    node.settle();
    assert_eq!((node.leader(), node.term()), (None, 1));
    assert_eq!(node.failed, [5], "whoever waits is told (C9)");
    assert!(node.take_sent().is_empty(), "and nobody hears a heartbeat of it any more");
    node.passes(HEARTBEAT);
    assert!(node.take_sent().is_empty());
}

#[test]
fn r7_a_leader_that_hears_a_majority_stays() {
    let mut node = Node::established(config(5));
    for _ in 0..50 {
        node.passes(HEARTBEAT);
        node.answers_heartbeat(1);
        node.answers_heartbeat(4);
    }
    assert!(node.raft.is_leader());
}

#[test]
fn r7_a_leader_that_has_lost_its_majority_may_vote() {
    let mut node = Node::established(config(3));
    node.now = node.now + TIMEOUT;
    node.hears(2, 9, vote(at(9, 9)));
    node.settle();
    assert!(is_granted(&mut node));
    assert_eq!(node.stored.vote, Some(NodeId(2)));
}

#[test]
fn r23_the_leader_is_known_from_its_own_messages_only() {
    let mut node = Node::fresh(3);
    node.hears(1, 3, vote_reply(false));
    assert_eq!((node.term(), node.leader()), (3, None));
    node.hears(1, 3, heartbeat(0));
    assert_eq!(node.leader(), Some(1));
}

#[test]
fn r23_no_leader_is_named_in_a_new_term_or_a_campaign() {
    let mut node = Node::fresh(3);
    node.hears(1, 3, heartbeat(0));
    node.hears(2, 4, vote_reply(false));
    assert_eq!(node.leader(), None, "a new term has no known leader");
    node.hears(2, 4, heartbeat(0));
    node.settle();
    node.campaigns();
    assert_eq!(node.leader(), None, "who campaigns follows nobody");
    let mut voter = Node::fresh(3);
    voter.hears(1, 3, heartbeat(0));
    voter.now = voter.now + TIMEOUT;
    voter.hears(2, 4, vote(at(0, 0)));
    assert_eq!(voter.leader(), None, "a candidate is no leader yet");
}

#[test]
fn a_first_election_goes_by_rank() {
    let waits = |id: u16| {
        let mut own = config(3);
        own.id = NodeId(id);
        let node = Node::new(own, 0, &[]);
        node.raft.deadline() - node.now
    };
    assert!(waits(0) < waits(1) && waits(1) < waits(2));
    assert_eq!(waits(0), Span::milliseconds(50));
    assert!(waits(2) < TIMEOUT, "there is nobody to depose");
    assert!(Node::fresh(3).raft.deadline() > Instant(0));
}
