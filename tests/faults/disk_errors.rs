//! A disk that reports an error when something is to be made durable.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};

use super::load::Load;
use super::nodes::{Nodes, wait_until};

/// Has the n-th fdatasync from now on of a node's threads fail; `None` where that cannot be done.
fn fail_sync(nodes: &mut Nodes, id: u16, number: u32) -> Option<Tracer> {
    let said = nodes.folder.join(format!("trace{id}"));
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e"]);
    command.arg(format!("inject=fdatasync:error=EIO:when={number}"));
    command.args(["-p", &nodes.process(id).to_string()]).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(File::create(&said).expect("a file of ours"));
    let Ok(tracer) = command.spawn() else {
        eprintln!("skipped: there is no strace");
        return None;
    };
    let mut tracer = Tracer(tracer);
    let is_attached = || fs::read_to_string(&said).is_ok_and(|said| said.contains("attached"));
    wait_until("strace watches or gives up", || {
        is_attached() || tracer.0.try_wait().expect("a child").is_some()
    });
    // It may be over already, with the process that it watched.
    if !is_attached() {
        eprintln!("skipped: strace may not watch another process here");
        return None;
    }
    Some(tracer)
}

struct Tracer(Child);

impl Drop for Tracer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn assert_ended_by_the_disk(nodes: &mut Nodes, id: u16) {
    let (code, said) = nodes.ended(id);
    assert_eq!(code, Some(74), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.contains("ERROR")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    assert!(errors[0].contains("Check the disk, then start again"), "{said}");
}

#[test]
fn a_failed_sync_ends_a_node_alone_and_loses_nothing() {
    for number in [1, 2, 7, 40] {
        let mut nodes = Nodes::new("sync-alone", 1).started();
        let load = Load::start(&vec![nodes.socket(1); 2], 10);
        load.await_more(20);
        let Some(_tracer) = fail_sync(&mut nodes, 1, number) else { return };
        assert_ended_by_the_disk(&mut nodes, 1);
        let outcome = load.stop();
        nodes.restart(1);
        outcome.assert_kept(&mut nodes.client(1));
    }
}

#[test]
fn a_failed_sync_of_the_leader_ends_it_and_the_others_go_on() {
    for number in [1, 9] {
        let mut nodes = Nodes::new("sync-leader", 3).started();
        let leader = nodes.leader();
        let load = Load::start(&[1, 2, 3].map(|id| nodes.socket(id)), 10);
        load.await_more(20);
        let Some(_tracer) = fail_sync(&mut nodes, leader, number) else { return };
        assert_ended_by_the_disk(&mut nodes, leader);
        load.await_more(50);
        let outcome = load.stop();
        nodes.restart(leader);
        outcome.assert_kept(&mut nodes.client(leader));
        assert_eq!(nodes.info(leader, "node"), leader.to_string());
    }
}
