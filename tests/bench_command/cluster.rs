//! Three durable nodes as processes, ended with the test.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const SIZE: usize = 3;

pub(crate) struct Cluster {
    folder: PathBuf,
    nodes: Vec<Child>,
}

impl Cluster {
    /// Starts nodes with their files in a folder; they have a leader when this is done.
    pub(crate) fn start(folder: &Path) -> Cluster {
        let nodes = (1..=SIZE).map(|id| spawn(folder, id)).collect();
        let mut cluster = Cluster { folder: folder.to_owned(), nodes };
        for node in &mut cluster.nodes {
            let mut line = String::new();
            let out = node.stdout.as_mut().expect("its output is a pipe");
            BufReader::new(out).read_line(&mut line).expect("it says something");
            assert!(line.starts_with("ready: node "), "{line:?}");
        }
        cluster
    }

    /// Where clients reach the nodes.
    pub(crate) fn doors(&self) -> Vec<String> {
        (1..=SIZE).map(|id| self.folder.join(format!("c{id}")).display().to_string()).collect()
    }

    pub(crate) fn kill(&mut self, id: usize) {
        let node = &mut self.nodes[id - 1];
        node.kill().expect("our own process");
        node.wait().expect("our own process");
    }
}

fn spawn(folder: &Path, id: usize) -> Child {
    let path = |kind: &str, id: usize| folder.join(format!("{kind}{id}")).display().to_string();
    let peers: Vec<String> = (1..=SIZE).map(|id| format!("{id}=unix:{}", path("p", id))).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
    command.args(["serve", "--bootstrap", "--id", &id.to_string(), "--data", &path("d", id)]);
    command.args(["--client", &path("c", id), "--peer", &path("p", id), "--peers", &peers.join(",")]);
    let errors = File::create(path("stderr", id)).expect("our own folder");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
    command.spawn().expect("the program can be started")
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            // One may have been killed already.
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}
