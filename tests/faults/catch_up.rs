//! A follower that was away for long.

use std::time::Duration;

use super::figures;
use super::load::Load;
use super::nodes::{Nodes, wait_for};

const LONG: Duration = Duration::from_secs(120);

#[test]
#[ignore = "writes 200 MB three times over: half a minute or more"]
fn a_follower_that_missed_much_catches_up_by_snapshot_while_writes_go_on() {
    let mut nodes = Nodes::new("catch-up", 3).with(&["--snapshot-bytes", "16m"]).started();
    let leader = nodes.leader();
    let away = nodes.followers()[0];
    nodes.kill(away);
    let load = Load::over(&vec![nodes.socket(leader); 4], 64 << 10, 100);
    wait_for(LONG, "200 MB are written", || load.count() >= 3_200);
    let process = nodes.process(leader);
    let before = figures::resident(process);
    let mut highest = before;
    nodes.start(away, &[]);
    wait_for(LONG, "the follower catches up", || {
        highest = highest.max(figures::resident(process));
        nodes.said(away).contains("received the snapshot") && {
            let index = |id| nodes.info(id, "commit").parse::<u64>().expect("a number");
            index(away) + 200 > index(leader)
        }
    });
    let outcome = load.stop();
    let sent = nodes.said(leader).matches("the snapshot up to").count();
    let grown = (highest - before) >> 20;
    println!("{sent} snapshots sent, the leader grew by {grown} MB from {} MB", before >> 20);
    assert!((1..=2).contains(&sent), "{sent} snapshots were sent");
    wait_for(LONG, "all is there", || nodes.info(away, "commit") == nodes.info(leader, "commit"));
    outcome.assert_kept(&mut nodes.client(away));
    assert!(grown <= 64, "the leader grew by {grown} MB");
}
