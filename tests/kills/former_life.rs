//! An answer that comes too late for whoever asked, because that node has been killed and lives again.
//!
//! A follower sends a client's request to the leader under a number of its own. When it is killed and started
//! again these numbers must not begin anew, or the leader's answer to the old request is taken for the answer
//! to another client's new one (C8).
//!
//! Once they did, and it was.

use std::thread;
use std::time::{Duration, Instant};

use crate::node::{Cluster, Node};
use crate::resp::{Connection, Reply};
use crate::settings::Settings;

const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to a node that may just be starting.
fn open(cluster: &Cluster, id: u64) -> Connection {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match Connection::open(&cluster.door(id)) {
            Ok(connection) => return connection,
            Err(error) => assert!(Instant::now() < give_up, "node {id} does not listen: {error}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_answer_to_a_former_life_is_given_to_nobody() {
    let settings = Settings::from_environment(0, false);
    let cluster = Cluster::start(&Settings { nodes: 3, ..settings });
    let leader = cluster.leader().expect("it has just agreed on one");
    let mut others = cluster.ids().filter(|id| *id != leader);
    let (follower, absent) = (others.next().expect("two others"), others.next().expect("two others"));
    // Without the third node nothing is agreed on unless the follower stores it.
    cluster.with(absent, Node::kill).expect("it runs");
    cluster.with(follower, Node::kill).expect("it runs");
    cluster.with(follower, Node::start);
    let give_up = Instant::now() + PATIENCE;
    while cluster.view(follower).is_none_or(|view| view.leader != Some(leader)) {
        assert!(Instant::now() < give_up, "the follower does not find its leader");
        thread::sleep(Duration::from_millis(5));
    }
    // The follower's first request is on its way to a leader that sleeps.
    cluster.with(leader, |node| node.signal("-STOP"));
    let mut first = open(&cluster, follower);
    first.say(&[b"SET", b"key", b"value"], give_up).expect("it listens");
    thread::sleep(Duration::from_millis(50));
    cluster.with(follower, Node::kill).expect("it runs");
    cluster.with(follower, Node::start);
    // And so is the first request of its next life. Now the leader answers the other one.
    let mut second = open(&cluster, follower);
    second.say(&[b"INCR", b"counter"], give_up).expect("it listens");
    cluster.with(leader, |node| node.signal("-CONT"));
    let reply = second.hear(give_up).expect("it answers");
    let is_right = match &reply {
        Reply::Integer(1) => true,
        Reply::Error(text) => {
            ["TRYAGAIN", "CLUSTERDOWN", "UNCERTAIN"].iter().any(|known| text.starts_with(known))
        }
        _ => false,
    };
    assert!(is_right, "INCR was answered {reply:?}");
    std::fs::remove_dir_all(&cluster.folder).expect("our own folder");
}
