//! Directories and nodes that are not who they should be (R18).

use std::fs;

use super::client::Reply;
use super::nodes::{Nodes, wait_until};

#[test]
fn a_directory_has_one_owner_and_one_node() {
    let mut nodes = Nodes::new("owner", 1).started();
    nodes.client(1).say(&["SET", "k", "v"]);
    let second = nodes.size + 1;
    let mut others = Nodes::new("owner-second", 2);
    std::os::unix::fs::symlink(nodes.data(1), others.data(1)).expect("a link");
    let (code, said) = others.refused(1, &["--bootstrap"]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("in use by another process") && said.lines().count() == 1, "{said}");
    assert_eq!(nodes.client(1).say(&["GET", "k"]), Reply::bulk("v"), "the owner goes on");
    nodes.kill(1);
    // Another node's name on the same directory, and another cluster's.
    std::os::unix::fs::symlink(nodes.data(1), others.data(second)).expect("a link");
    for (id, more) in [(1, &["--cluster", "blue"][..]), (2, &[])] {
        let (code, said) = others.refused(id, more);
        assert_eq!(code, Some(64), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    nodes.restart(1);
    assert_eq!(nodes.client(1).say(&["GET", "k"]), Reply::bulk("v"));
}

#[test]
fn an_empty_directory_is_formatted_only_when_told_so() {
    let mut nodes = Nodes::new("empty", 1);
    let (code, said) = nodes.refused(1, &[]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("start it once with --bootstrap"), "{said}");
    assert!(!nodes.data(1).exists(), "nothing was made");
}

#[test]
fn a_wiped_node_under_its_old_name_is_refused_and_counts_no_more() {
    let mut nodes = Nodes::new("wiped", 3).started();
    let (leader, followers) = (nodes.leader(), nodes.followers());
    let (wiped, other) = (followers[0], followers[1]);
    assert_eq!(nodes.client(leader).say(&["SET", "k", "v"]), Reply::ok());
    wait_until("everybody has met everybody", || {
        (1..=3).all(|id| {
            let peers = fs::read_to_string(nodes.data(id).join("peers")).unwrap_or_default();
            peers.lines().count() == 2
        })
    });
    nodes.kill(wiped);
    fs::remove_dir_all(nodes.data(wiped)).expect("ours");
    nodes.start(wiped, &["--bootstrap"]);
    let sentence = format!("node {wiped} has come back with an empty disk");
    [leader, other, wiped].iter().for_each(|id| nodes.await_said(*id, &sentence));
    // Two of three go on; one of three must not find a majority in an empty disk.
    assert_eq!(nodes.client(leader).say(&["SET", "k", "w"]), Reply::ok());
    nodes.kill(other);
    let answer = nodes.client(leader).say(&["SET", "k", "x"]);
    assert!(matches!(&answer, Reply::Error(_)), "{answer:?}");
    nodes.kill(leader);
    nodes.start(other, &[]);
    let answer = nodes.client(other).say(&["GET", "k"]);
    assert!(answer.is_error("CLUSTERDOWN"), "{answer:?}");
    nodes.restart(leader);
    let answer = nodes.client(other).say(&["GET", "k"]);
    assert!([Reply::bulk("w"), Reply::bulk("x")].contains(&answer), "{answer:?}");
    let said = nodes.said(wiped);
    assert!(said.matches("empty disk").count() <= 6, "it is not said every second: {said}");
}

#[test]
fn two_wiped_nodes_of_three_do_not_overrule_the_third() {
    let mut nodes = Nodes::new("wiped-two", 3).started();
    let kept = nodes.leader();
    let wiped = nodes.followers();
    assert_eq!(nodes.client(kept).say(&["SET", "k", "v"]), Reply::ok());
    wait_until("it has met the others", || {
        fs::read_to_string(nodes.data(kept).join("peers")).is_ok_and(|peers| peers.lines().count() == 2)
    });
    for id in &wiped {
        nodes.kill(*id);
        fs::remove_dir_all(nodes.data(*id)).expect("ours");
    }
    wiped.iter().for_each(|id| nodes.start(*id, &["--bootstrap"]));
    wiped
        .iter()
        .for_each(|id| nodes.await_said(kept, &format!("node {id} has come back with an empty disk")));
    let answer = nodes.client(kept).say(&["GET", "k"]);
    assert!(matches!(answer, Reply::Error(_)), "never an empty store: {answer:?}");
}

#[test]
fn another_clusters_node_is_refused_and_both_sides_go_on() {
    let mut nodes = Nodes::new("stranger", 3);
    for id in [1, 2] {
        nodes.start(id, &["--bootstrap"]);
    }
    nodes.start(3, &["--bootstrap", "--cluster", "blue"]);
    nodes.await_ready(1);
    nodes.await_ready(2);
    for id in [1, 2, 3] {
        nodes.await_said(id, "which is not ours");
    }
    assert_eq!(nodes.client(1).say(&["SET", "k", "v"]), Reply::ok());
    let before = nodes.said(1).lines().count();
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(nodes.said(1).lines().count() < before + 3, "it is not said all the time: {}", nodes.said(1));
    assert!(nodes.client(3).say(&["GET", "k"]).is_error("CLUSTERDOWN"));
    assert_eq!(nodes.client(2).say(&["GET", "k"]), Reply::bulk("v"));
}
