//! Nodes as processes: started, watched, signalled and ended.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Client, Reply};

/// How long anything may take that should be done in a second.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster whose members are processes; ended with the test, whatever happens.
pub(super) struct Nodes {
    pub(super) folder: PathBuf,
    pub(super) size: u16,
    options: Vec<String>,
    descriptors: Option<u32>,
    election_timeout: u32,
    running: Vec<Option<Child>>,
}

impl Nodes {
    /// A cluster of so many, none of them started.
    pub(super) fn new(name: &str, size: u16) -> Nodes {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder below target");
        let running = (0..=size).map(|_| None).collect();
        Nodes { folder, size, options: Vec::new(), descriptors: None, election_timeout: 500, running }
    }

    /// The same with further words on the command line.
    pub(super) fn with(mut self, options: &[&str]) -> Nodes {
        self.options.extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// The same as it would be without a word on the command line about time.
    pub(super) fn with_usual_timeouts(mut self) -> Nodes {
        self.election_timeout = 1_000;
        self
    }

    /// The same with so few descriptors for each.
    pub(super) fn with_descriptors(mut self, limit: u32) -> Nodes {
        self.descriptors = Some(limit);
        self
    }

    /// The same, all of them started.
    pub(super) fn started(mut self) -> Nodes {
        self.start_all();
        self
    }

    pub(super) fn start_all(&mut self) {
        for id in 1..=self.size {
            self.start(id, &["--bootstrap"]);
        }
        (1..=self.size).for_each(|id| self.await_ready(id));
    }

    /// Starts a node; paths are relative to the folder, since those of sockets must be short.
    pub(super) fn start(&mut self, id: u16, more: &[&str]) {
        let peers: Vec<String> = (1..=self.size).map(|id| format!("{id}=unix:p{id}")).collect();
        let words = ["--peers", &peers.join(",")];
        self.launch(id, &[&words, more].concat());
    }

    /// Starts a node that knows of no other: it waits to be taken in.
    pub(super) fn start_newcomer(&mut self, id: u16) {
        self.running.resize_with(self.running.len().max(usize::from(id) + 1), || None);
        self.launch(id, &["--join"]);
    }

    fn launch(&mut self, id: u16, words: &[&str]) {
        let mut command = match self.descriptors {
            None => Command::new(env!("CARGO_BIN_EXE_quorate")),
            Some(limit) => {
                let mut shell = Command::new("sh");
                let line = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
                shell.args(["-c", &line, env!("CARGO_BIN_EXE_quorate")]);
                shell
            }
        };
        command.args([
            "serve",
            "--election-timeout",
            &self.election_timeout.to_string(),
            "--id",
            &id.to_string(),
        ]);
        command.args(["--data", &format!("d{id}"), "--client", &format!("unix:c{id}")]);
        command.args(["--peer", &format!("unix:p{id}")]);
        command.args(&self.options).args(words).current_dir(&self.folder).stdin(Stdio::null());
        let out = |name: &str| File::create(self.folder.join(format!("{name}{id}"))).expect("a file of ours");
        command.stdout(out("out")).stderr(out("err"));
        self.running[usize::from(id)] = Some(command.spawn().expect("the binary starts"));
    }

    /// Starts a node again and waits until it serves.
    pub(super) fn restart(&mut self, id: u16) {
        self.start(id, &[]);
        self.await_ready(id);
    }

    pub(super) fn await_ready(&mut self, id: u16) {
        let out = self.folder.join(format!("out{id}"));
        let is_ready =
            || fs::read_to_string(&out).is_ok_and(|out| out.contains(&format!("ready: node {id}")));
        let give_up = Instant::now() + PATIENCE;
        while !is_ready() {
            let ended = self.child(id).try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < give_up, "node {id}: {ended:?}: {}", self.said(id));
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn child(&mut self, id: u16) -> &mut Child {
        self.running[usize::from(id)].as_mut().expect("it was started")
    }

    pub(super) fn process(&mut self, id: u16) -> u32 {
        self.child(id).id()
    }

    /// Sends a signal by its name.
    pub(super) fn signal(&mut self, id: u16, signal: &str) {
        let process = self.process(id).to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &process]).status();
        assert!(status.expect("kill is there").success(), "{signal} to node {id}");
    }

    /// Kills a node at once.
    pub(super) fn kill(&mut self, id: u16) {
        let mut child = self.running[usize::from(id)].take().expect("it was started");
        child.kill().expect("ours to kill");
        child.wait().expect("a child");
    }

    /// Waits for a node to end by itself; answers its exit code and what it said.
    pub(super) fn ended(&mut self, id: u16) -> (Option<i32>, String) {
        let child = self.child(id);
        let give_up = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < give_up, "node {id} goes on");
            thread::sleep(Duration::from_millis(5));
        };
        self.running[usize::from(id)] = None;
        (status.code(), self.said(id))
    }

    /// Starts a node that must refuse to serve; answers its exit code and what it said.
    pub(super) fn refused(&mut self, id: u16, more: &[&str]) -> (Option<i32>, String) {
        self.start(id, more);
        self.ended(id)
    }

    /// What a node has written to stderr since it was started.
    pub(super) fn said(&self, id: u16) -> String {
        let bytes = fs::read(self.folder.join(format!("err{id}"))).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn await_said(&self, id: u16, part: &str) {
        wait_until(&format!("node {id} says {part:?}"), || self.said(id).contains(part));
    }

    pub(super) fn socket(&self, id: u16) -> PathBuf {
        self.folder.join(format!("c{id}"))
    }

    pub(super) fn data(&self, id: u16) -> PathBuf {
        self.folder.join(format!("d{id}"))
    }

    pub(super) fn client(&self, id: u16) -> Client {
        let mut client = None;
        wait_until("the node listens", || {
            client = Client::connect(&self.socket(id)).ok();
            client.is_some()
        });
        client.expect("it was awaited")
    }

    /// A field of a node's INFO.
    pub(super) fn info(&self, id: u16, field: &str) -> String {
        let Reply::Bulk(text) = self.client(id).say(&["INFO"]) else { panic!("INFO is a text") };
        let text = String::from_utf8(text).expect("INFO is a text");
        let value = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
        value.unwrap_or_else(|| panic!("INFO has {field}: {text}")).trim_end().to_owned()
    }

    /// Who leads, when a node that runs says so of itself and the others agree.
    pub(super) fn leader(&self) -> u16 {
        let mut leader = 0;
        wait_until("there is one leader", || {
            let running: Vec<u16> =
                (1..=self.size).filter(|id| self.running[usize::from(*id)].is_some()).collect();
            let views: Vec<String> = running.iter().map(|id| self.info(*id, "leader")).collect();
            leader = views[0].parse().unwrap_or_default();
            running.contains(&leader) && views.iter().all(|view| *view == views[0])
        });
        leader
    }

    pub(super) fn followers(&self) -> Vec<u16> {
        let leader = self.leader();
        (1..=self.size).filter(|id| *id != leader).collect()
    }

    /// Every file of a folder of a node's data whose name ends so, in order.
    pub(super) fn files(&self, id: u16, folder: &str, ending: &str) -> Vec<PathBuf> {
        let folder = self.data(id).join(folder);
        let entries = fs::read_dir(folder).expect("a folder of the node");
        let paths = entries.map(|entry| entry.expect("a file").path());
        let mut paths: Vec<PathBuf> = paths.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
        paths.sort();
        paths
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if thread::panicking() {
            (1..=self.size).for_each(|id| eprintln!("node {id} said:\n{}", self.said(id)));
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Waits for something that must come.
pub(super) fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    wait_for(PATIENCE, what, is_so);
}

/// The same with another patience.
pub(super) fn wait_for(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let give_up = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < give_up, "not within {patience:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether this test may do what only root may; says so if not.
pub(super) fn is_root(what: &str) -> bool {
    let id = Command::new("id").arg("-u").output();
    let is_root = id.is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        eprintln!("skipped: {what} needs root");
    }
    is_root
}
