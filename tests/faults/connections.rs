//! Many connections, too many connections, and no descriptors left.

use std::fs;
use std::thread;
use std::time::Duration;

use super::client::{Client, Reply};
use super::figures;
use super::nodes::{Nodes, wait_until};

#[test]
fn idle_connections_cost_little() {
    let mut nodes = Nodes::new("many", 1).started();
    let count = 10_000.min(figures::descriptors().saturating_sub(500));
    let allowed: usize = nodes.info(1, "maxclients").parse().expect("a number");
    let count = count.min(allowed - 1);
    let process = nodes.process(1);
    let before = figures::resident(process);
    let mut clients: Vec<Client> = (0..count).map(|_| nodes.client(1)).collect();
    wait_until("all are taken", || {
        nodes.info(1, "connected_clients").parse::<usize>().is_ok_and(|connected| connected > count)
    });
    let idle = (figures::resident(process) - before) / count as u64;
    for client in &mut clients {
        assert_eq!(client.say(&["PING"]), Reply::Status("PONG".to_owned()));
    }
    let used = (figures::resident(process) - before) / count as u64;
    println!("{count} connections: {idle} bytes each, {used} after a command each");
    assert!(idle < 4 << 10, "{idle} bytes each");
    let worked = figures::processor(process);
    thread::sleep(Duration::from_secs(1));
    assert!(figures::processor(process) - worked < 100, "idle connections take no time");
    drop(clients);
    wait_until("all are gone", || nodes.info(1, "connected_clients") == "1");
}

#[test]
fn too_many_clients_are_told_so_and_peers_get_through() {
    let mut nodes = Nodes::new("limit", 3).with_descriptors(100).started();
    let leader = nodes.leader();
    let follower = nodes.followers()[0];
    let allowed: usize = nodes.info(leader, "maxclients").parse().expect("a number");
    assert!((10..100).contains(&allowed), "{allowed}");
    let mut taken = Vec::new();
    // Connections that asked before may not be gone yet, so it is tried until there is no room.
    loop {
        let mut client = nodes.client(leader);
        match client.ask(&["PING"]) {
            Ok(Reply::Status(_)) => taken.push(client),
            _ => break,
        }
    }
    assert!(taken.len() <= allowed && taken.len() + 5 > allowed, "{} of {allowed}", taken.len());
    for _ in 0..100 {
        let mut client = nodes.client(leader);
        let answer = client.hear().expect("an answer");
        assert_eq!(answer, Reply::Error("ERR max number of clients reached".to_owned()));
        assert!(client.is_hung_up_on());
    }
    // The other replicas come and go as they like, and the log opens what it needs.
    nodes.kill(follower);
    nodes.restart(follower);
    assert_eq!(taken[0].say(&["SET", "k", "v"]), Reply::ok());
    let large = "x".repeat(1 << 20);
    for _ in 0..20 {
        assert_eq!(taken[1].say(&["SET", "large", &large]), Reply::ok());
    }
    let process = nodes.process(leader);
    let worked = figures::processor(process);
    thread::sleep(Duration::from_secs(1));
    assert!(figures::processor(process) - worked < 200, "no spinning");
    taken.clear();
    wait_until("there is room again", || {
        nodes.client(leader).ask(&["GET", "k"]).is_ok_and(|answer| answer == Reply::bulk("v"))
    });
    assert_eq!(nodes.client(follower).say(&["GET", "k"]), Reply::bulk("v"));
}

#[test]
fn without_descriptors_a_node_waits_and_does_not_spin() {
    // So few that the one client who is always let in finds none.
    let mut nodes = Nodes::new("none", 1).with_descriptors(100).started();
    let process = nodes.process(1);
    let open = || fs::read_dir(format!("/proc/{process}/fd")).expect("it runs").count();
    let limit = open();
    let lowered = std::process::Command::new("prlimit")
        .args(["--pid", &process.to_string(), &format!("--nofile={limit}:")])
        .status();
    if !lowered.is_ok_and(|status| status.success()) {
        return eprintln!("skipped: there is no prlimit");
    }
    let mut clients: Vec<Client> = (0..20).map(|_| nodes.client(1)).collect();
    nodes.await_said(1, "cannot accept connections");
    let worked = figures::processor(process);
    thread::sleep(Duration::from_secs(1));
    let worked = figures::processor(process) - worked;
    println!("without descriptors: {worked} ms worked in 1 s");
    assert!(worked < 200, "{worked} ms");
    assert_eq!(nodes.said(1).matches("cannot accept").count(), 1, "it is said once: {}", nodes.said(1));
    let raised =
        std::process::Command::new("prlimit").args(["--pid", &process.to_string(), "--nofile=100:"]).status();
    assert!(raised.expect("it was there").success());
    for client in &mut clients {
        assert_eq!(client.say(&["PING"]), Reply::Status("PONG".to_owned()), "whoever waited is served");
    }
}
