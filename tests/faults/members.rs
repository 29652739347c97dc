//! Members that come and go while everybody works (R12 to R14, R18).

use std::fs;

use super::client::Reply;
use super::load::Load;
use super::nodes::{Nodes, wait_until};

/// A cluster of three that has something in it.
fn three(name: &str) -> Nodes {
    let nodes = Nodes::new(name, 3).started();
    assert_eq!(nodes.client(1).say(&["SET", "before", "it"]), Reply::ok());
    nodes
}

/// Asks until it is done: an error that says that nothing was done is worth another attempt.
fn order(nodes: &Nodes, of: u16, words: &[&str]) {
    let mut last = Reply::Nil;
    wait_until(&format!("{words:?} is done"), || {
        last = nodes.client(of).say(words);
        assert!(!last.is_error("UNCERTAIN"), "nobody is lost here: {last:?}");
        last == Reply::ok()
    });
}

/// The standing of each member, as a node sees it.
fn members(nodes: &Nodes, of: u16) -> Vec<(i64, String)> {
    let Reply::Array(rows) = nodes.client(of).say(&["RAFT.MEMBERS"]) else { panic!("a list of members") };
    let member = |row: Reply| match row {
        Reply::Array(fields) => match (&fields[1], &fields[3]) {
            (Reply::Integer(node), Reply::Bulk(standing)) => {
                (*node, String::from_utf8_lossy(standing).into_owned())
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    rows.into_iter().map(member).collect()
}

fn are_voters(nodes: &Nodes, of: u16, wanted: &[i64]) -> bool {
    let voters: Vec<(i64, String)> = wanted.iter().map(|id| (*id, "voter".to_owned())).collect();
    members(nodes, of) == voters
}

#[test]
fn a_dead_node_is_replaced_while_its_replacement_comes_and_goes() {
    let mut nodes = three("replaced");
    let dead = nodes.followers()[0];
    let left: Vec<u16> = (1..=3).filter(|id| *id != dead).collect();
    nodes.kill(dead);
    let load = Load::start(&left.iter().map(|id| nodes.socket(*id)).collect::<Vec<_>>(), 10);
    load.await_more(20);
    nodes.start_newcomer(4);
    nodes.await_said(4, "waits to be taken in");
    order(&nodes, left[0], &["RAFT.ADD", "4", "unix:p4"]);
    nodes.await_ready(4);
    for _ in 0..3 {
        nodes.kill(4);
        load.await_more(20);
        nodes.start_newcomer(4);
        load.await_more(20);
    }
    order(&nodes, left[1], &["RAFT.PROMOTE", "4", "REPLACING", &dead.to_string()]);
    nodes.kill(4);
    load.await_more(20);
    nodes.start_newcomer(4);
    nodes.await_ready(4);
    load.await_more(20);
    let outcome = load.stop();
    assert!(outcome.errors.is_empty(), "clients heard {:?}", outcome.errors);
    let wanted = [i64::from(left[0]), i64::from(left[1]), 4];
    for id in [left[0], left[1], 4] {
        wait_until("everybody knows the new members", || are_voters(&nodes, id, &wanted));
        outcome.assert_kept(&mut nodes.client(id));
    }
    // The newcomer's vote counts: with one of the founders away there is still a majority.
    nodes.kill(left[0]);
    wait_until("the other two go on", || nodes.client(4).say(&["SET", "after", "it"]) == Reply::ok());
    assert_eq!(nodes.client(left[1]).say(&["GET", "after"]), Reply::bulk("it"));
}

#[test]
fn members_are_remembered_by_nodes_that_are_told_of_the_founders_alone() {
    let mut nodes = Nodes::new("remembered", 3).with(&["--snapshot-bytes", "64k"]).started();
    for number in 0..60 {
        let value = "x".repeat(8_000);
        assert_eq!(nodes.client(1).say(&["SET", &format!("k{number}"), &value]), Reply::ok());
    }
    nodes.start_newcomer(4);
    nodes.await_said(4, "waits to be taken in");
    order(&nodes, 2, &["RAFT.ADD", "4", "unix:p4"]);
    nodes.await_ready(4);
    order(&nodes, 3, &["RAFT.PROMOTE", "4"]);
    order(&nodes, 2, &["RAFT.REMOVE", "1"]);
    for number in 60..120 {
        let value = "x".repeat(8_000);
        assert_eq!(nodes.client(4).say(&["SET", &format!("k{number}"), &value]), Reply::ok());
    }
    for id in 1..=4 {
        nodes.kill(id);
    }
    // Node 1 has gone for good; the others are started as ever.
    for id in [2, 3] {
        nodes.start(id, &[]);
    }
    nodes.start_newcomer(4);
    for id in 2..=4 {
        nodes.await_ready(id);
        wait_until("the members are the last ones", || are_voters(&nodes, id, &[2, 3, 4]));
        assert_eq!(nodes.client(id).say(&["DBSIZE"]), Reply::Integer(120));
    }
}

#[test]
fn a_wiped_node_comes_back_under_its_name_when_it_is_removed_and_added_again() {
    let mut nodes = three("back");
    let wiped = nodes.followers()[0];
    let other = (1..=3).find(|id| *id != wiped).expect("there are three");
    let name = wiped.to_string();
    nodes.kill(wiped);
    fs::remove_dir_all(nodes.data(wiped)).expect("ours");
    order(&nodes, other, &["RAFT.REMOVE", &name]);
    nodes.start_newcomer(wiped);
    nodes.await_said(wiped, "waits to be taken in");
    order(&nodes, other, &["RAFT.ADD", &name, &format!("unix:p{wiped}")]);
    order(&nodes, other, &["RAFT.PROMOTE", &name]);
    nodes.await_ready(wiped);
    assert_eq!(nodes.client(wiped).say(&["GET", "before"]), Reply::bulk("it"));
    for id in 1..=3 {
        wait_until("all three vote", || are_voters(&nodes, id, &[1, 2, 3]));
        assert!(!nodes.said(id).contains("empty disk"), "{}", nodes.said(id));
    }
}

#[test]
fn a_leader_is_removed_by_way_of_a_follower_and_says_so() {
    let mut nodes = three("leader-removed");
    let (leader, follower) = (nodes.leader(), nodes.followers()[0]);
    order(&nodes, follower, &["RAFT.REMOVE", &leader.to_string()]);
    nodes.await_said(leader, "is no member of its cluster any more");
    let answer = nodes.client(leader).say(&["GET", "before"]);
    assert!(answer.is_error("CLUSTERDOWN nothing was done: this node is no member"), "{answer:?}");
    assert_eq!(nodes.client(follower).say(&["GET", "before"]), Reply::bulk("it"));
    nodes.signal(leader, "TERM");
    assert_eq!(nodes.ended(leader).0, Some(0));
}

#[test]
fn the_office_is_handed_to_whom_one_wants() {
    let nodes = three("transfer");
    for _ in 0..3 {
        let (leader, successor) = (nodes.leader(), nodes.followers()[0]);
        order(&nodes, leader, &["RAFT.TRANSFER", &successor.to_string()]);
        wait_until("another leads", || nodes.leader() == successor);
    }
    order(&nodes, 1, &["RAFT.TRANSFER"]);
    let answer = nodes.client(1).say(&["RAFT.TRANSFER", "9"]);
    assert!(answer.is_error("ERR nothing was done: node 9 does not answer"), "{answer:?}");
}

#[test]
fn orders_that_make_no_sense_or_would_lose_the_majority_are_refused() {
    let mut nodes = three("refused-orders");
    let mut client = nodes.client(1);
    for (words, error) in [
        (&["RAFT.ADD", "4"][..], "ERR wrong number of arguments"),
        (&["RAFT.ADD", "four", "unix:p4"], "ERR \"four\" is no node"),
        (&["RAFT.ADD", "4", "nowhere"], "ERR \"nowhere\" is no address"),
        (&["RAFT.ADD", "3", "unix:p3"], "ERR nothing was done: node 3 is a member already"),
        (&["RAFT.PROMOTE", "3"], "ERR nothing was done: node 3 is no learner"),
        (&["RAFT.PROMOTE", "3", "INSTEAD", "2"], "ERR syntax error"),
        (&["RAFT.PROMOTE", "7"], "ERR nothing was done: node 7 is no member"),
        (&["RAFT.REMOVE", "7"], "ERR nothing was done: node 7 is no member"),
    ] {
        let answer = client.say(words);
        assert!(answer.is_error(error), "{words:?}: {answer:?}");
    }
    assert_eq!(client.say(&["MULTI"]), Reply::ok());
    assert!(client.say(&["RAFT.REMOVE", "3"]).is_error("ERR Command not allowed inside a transaction"));
    assert_eq!(client.say(&["DISCARD"]), Reply::ok());
    let followers = nodes.followers();
    nodes.kill(followers[0]);
    let leader = nodes.leader();
    wait_until("the leader has missed it", || {
        let answer = nodes.client(leader).say(&["RAFT.TRANSFER", &followers[0].to_string()]);
        answer.is_error("ERR nothing was done: node")
    });
    wait_until("it is refused", || {
        let answer = nodes.client(leader).say(&["RAFT.REMOVE", &followers[1].to_string()]);
        answer.is_error("ERR nothing was done: too few of the voters answer")
    });
    // The dead one may go: who is left is a majority, before and after.
    order(&nodes, leader, &["RAFT.REMOVE", &followers[0].to_string()]);
    assert_eq!(nodes.client(leader).say(&["SET", "after", "it"]), Reply::ok());
}
