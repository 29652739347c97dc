//! Signals: to end in good order, to end at once, to stop for a while.

use std::thread;
use std::time::Duration;

use super::client::Reply;
use super::load::Load;
use super::nodes::Nodes;

#[test]
fn nodes_that_are_told_to_end_one_after_the_other_disturb_nobody() {
    let mut nodes = Nodes::new("rolling", 3).started();
    let mut kept = Vec::new();
    for id in 1..=3 {
        let others: Vec<_> = (1..=3).filter(|other| *other != id).map(|other| nodes.socket(other)).collect();
        let load = Load::start(&others, 10);
        load.await_more(30);
        nodes.signal(id, "TERM");
        let (code, said) = nodes.ended(id);
        assert_eq!(code, Some(0), "{said}");
        load.await_more(30);
        nodes.restart(id);
        load.await_more(30);
        let outcome = load.stop();
        assert!(outcome.errors.is_empty(), "node {id} ended, others' clients heard {:?}", outcome.errors);
        kept.push(outcome);
    }
    for id in 1..=3 {
        kept.iter().for_each(|outcome| outcome.assert_kept(&mut nodes.client(id)));
    }
}

#[test]
fn a_second_signal_ends_at_once_and_an_interrupt_ends_too() {
    let mut nodes = Nodes::new("twice", 3).started();
    nodes.signal(1, "INT");
    assert_eq!(nodes.ended(1).0, Some(0));
    // Without a majority nobody can take over, so the node would try for a while.
    nodes.kill(2);
    nodes.signal(3, "TERM");
    thread::sleep(Duration::from_millis(50));
    nodes.signal(3, "TERM");
    let (code, said) = nodes.ended(3);
    assert!(code.is_none() || code == Some(0), "{code:?}: {said}");
}

#[test]
fn a_leader_that_slept_does_not_answer_from_its_dreams() {
    let mut nodes = Nodes::new("sleep", 3).started();
    let sleeper = nodes.leader();
    let other = nodes.followers()[0];
    let mut at_sleeper = nodes.client(sleeper);
    assert_eq!(at_sleeper.say(&["SET", "k", "old"]), Reply::ok());
    nodes.signal(sleeper, "STOP");
    // What waits in its socket is older than what is written meanwhile, and may only see that or be refused.
    at_sleeper.send(&super::client::command(&["GET", "k"])).expect("the socket has room");
    let mut awake = nodes.client(other);
    super::nodes::wait_until("the others go on", || awake.say(&["SET", "k", "new"]) == Reply::ok());
    thread::sleep(Duration::from_secs(1));
    nodes.signal(sleeper, "CONT");
    let answer = at_sleeper.hear().expect("an answer");
    assert!(answer == Reply::bulk("new") || matches!(answer, Reply::Error(_)), "{answer:?}");
    for _ in 0..20 {
        let answer = at_sleeper.say(&["GET", "k"]);
        assert!(answer == Reply::bulk("new") || matches!(answer, Reply::Error(_)), "{answer:?}");
    }
    super::nodes::wait_until("it serves again", || at_sleeper.say(&["GET", "k"]) == Reply::bulk("new"));
}
