//! A disk without space: small file systems in memory, which only root may mount.
//!
//! Promised: a write is refused before anything of it is proposed, reads go on, and when there is space
//! again nobody has to do anything.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::Reply;
use super::load::Load;
use super::nodes::{Nodes, is_root, wait_for, wait_until};

/// A mounted file system; unmounted whatever happens.
struct Mount(PathBuf);

impl Mount {
    fn new(folder: &Path) -> Option<Mount> {
        fs::create_dir_all(folder).expect("a folder of ours");
        let mut command = Command::new("mount");
        let status = command.args(["-t", "tmpfs", "-o", "size=256m", "tmpfs"]).arg(folder).status();
        if status.is_ok_and(|status| status.success()) {
            return Some(Mount(folder.to_owned()));
        }
        eprintln!("skipped: nothing can be mounted here");
        None
    }

    /// Takes all the space that is left.
    fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).expect("a file of ours");
        for bytes in [1 << 20, 4096, 1] {
            while file.write_all(&vec![1; bytes]).is_ok() {}
        }
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("ballast")).expect("it was made");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        // What was mounted could not be removed with the rest of the nodes' folder; the last one can.
        if let Some(folder) = self.0.parent().filter(|_| !std::thread::panicking()) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Nodes whose data directories are small, for those named; the mounts outlive the nodes.
fn small(name: &str, size: u16, which: &[u16]) -> Option<(Nodes, Vec<Mount>)> {
    if !is_root("a file system of one's own") {
        return None;
    }
    let mut nodes = Nodes::new(name, size).with(&["--snapshot-bytes", "1g"]);
    let mounts = which.iter().map(|id| Mount::new(&nodes.data(*id))).collect::<Option<Vec<_>>>()?;
    nodes.start_all();
    Some((nodes, mounts))
}

#[test]
fn a_node_alone_refuses_writes_until_there_is_space() {
    let Some((mut nodes, mounts)) = small("full-alone", 1, &[1]) else { return };
    assert_eq!(nodes.client(1).say(&["SET", "early", "v"]), Reply::ok());
    wait_until("the next segment is prepared", || nodes.data(1).join("log/spare").exists());
    mounts[0].fill();
    let load = Load::start(&vec![nodes.socket(1); 2], 512 << 10);
    wait_until("the log is full", || nodes.info(1, "log_is_full") == "1");
    let answer = nodes.client(1).say(&["SET", "refused", "v"]);
    assert!(answer.is_error("MISCONF"), "{answer:?}");
    assert_eq!(nodes.client(1).say(&["GET", "early"]), Reply::bulk("v"), "reads go on");
    assert_eq!(nodes.client(1).say(&["GET", "refused"]), Reply::Nil, "what is refused does not happen");
    mounts[0].empty();
    let emptied = Instant::now();
    wait_for(Duration::from_secs(5), "there is space again", || nodes.info(1, "log_is_full") == "0");
    println!("writes are taken again {} ms after there is space", emptied.elapsed().as_millis());
    assert_eq!(nodes.client(1).say(&["SET", "late", "v"]), Reply::ok());
    let outcome = load.stop();
    assert!(outcome.errors.iter().any(|error| error.contains("MISCONF")), "{:?}", outcome.errors);
    outcome.assert_kept(&mut nodes.client(1));
    nodes.kill(1);
    nodes.restart(1);
    outcome.assert_kept(&mut nodes.client(1));
    assert_eq!(nodes.client(1).say(&["GET", "refused"]), Reply::Nil);
    drop(nodes);
}

#[test]
fn a_full_follower_keeps_nobody_from_writing() {
    let Some((mut nodes, mounts)) = small("full-follower", 3, &[1, 2, 3]) else { return };
    let full = nodes.followers()[0];
    let rest: Vec<u16> = (1..=3).filter(|id| *id != full).collect();
    wait_until("the next segment is prepared", || nodes.data(full).join("log/spare").exists());
    mounts[usize::from(full) - 1].fill();
    let load = Load::start(&[1, 2, 3].map(|id| nodes.socket(id)), 16 << 10);
    wait_until("the log is full", || nodes.info(full, "log_is_full") == "1");
    let count = load.count();
    load.await_more(100);
    mounts[usize::from(full) - 1].empty();
    wait_until("there is space again", || nodes.info(full, "log_is_full") == "0");
    let outcome = load.stop();
    assert!(count > 0 && outcome.errors.is_empty(), "nobody noticed: {:?}", outcome.errors);
    wait_until("it has caught up", || nodes.info(full, "commit") == nodes.info(rest[0], "commit"));
    nodes.kill(rest[0]);
    nodes.leader();
    outcome.assert_kept(&mut nodes.client(full));
    drop(nodes);
}

#[test]
fn a_full_leader_hands_over_to_a_node_with_space() {
    let Some((nodes, mounts)) = small("full-leader", 3, &[1, 2, 3]) else { return };
    let full = nodes.leader();
    wait_until("the next segment is prepared", || nodes.data(full).join("log/spare").exists());
    mounts[usize::from(full) - 1].fill();
    let load = Load::start(&[1, 2, 3].map(|id| nodes.socket(id)), 256 << 10);
    wait_until("the log is full", || nodes.info(full, "log_is_full") == "1");
    wait_until("another leads", || nodes.leader() != full);
    // Few: the others' disks are small as well.
    load.await_more(20);
    let outcome = load.stop();
    let other = |error: &String| !error.contains("MISCONF") && !error.contains("UNCERTAIN");
    assert!(!outcome.errors.iter().any(other), "{:?}", outcome.errors);
    mounts[usize::from(full) - 1].empty();
    wait_until("there is space again", || nodes.info(full, "log_is_full") == "0");
    outcome.assert_kept(&mut nodes.client(full));
    drop(nodes);
}
