//! The processes, and the folder that they live in.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::resp::{Connection, Reply};
use crate::settings::Settings;

/// How long a cluster that is left alone may take to agree on a leader.
const ELECTION_PATIENCE: Duration = Duration::from_secs(15);

/// The system refuses longer paths of sockets, at 108 bytes on some systems and at 104 on others.
const PATH_BYTES_MAX: usize = 100;

/// All nodes.
pub(crate) struct Cluster {
    pub(crate) folder: PathBuf,
    nodes: Vec<Mutex<Node>>,
}

/// One node, whether it runs or not.
pub(crate) struct Node {
    id: u64,
    folder: PathBuf,
    arguments: Vec<String>,
    is_formatted: bool,
    child: Option<Child>,
}

/// What a node says of the cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct View {
    pub(crate) leader: Option<u64>,
    pub(crate) term: u64,
}

impl Cluster {
    /// Starts all nodes on empty disks and waits until they have a leader.
    pub(crate) fn start(settings: &Settings) -> Cluster {
        // Tests of one process run at the same time.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("c{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder below target");
        let cluster = Cluster {
            nodes: (1..=settings.nodes).map(|id| Mutex::new(Node::new(id, &folder, settings))).collect(),
            folder,
        };
        cluster.ids().for_each(|id| cluster.with(id, Node::start));
        cluster.wait_for_leader().expect("a new cluster agrees on a leader");
        cluster
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> + use<> {
        1..=self.nodes.len() as u64
    }

    /// Does something with a node while nobody else does.
    pub(crate) fn with<T>(&self, id: u64, act: impl FnOnce(&mut Node) -> T) -> T {
        let place = usize::try_from(id - 1).expect("a few nodes");
        act(&mut self.nodes[place].lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Where clients reach a node.
    pub(crate) fn door(&self, id: u64) -> PathBuf {
        door(&self.folder, id)
    }

    /// What a node says of the cluster, if it says something soon.
    pub(crate) fn view(&self, id: u64) -> Option<View> {
        let patience = Instant::now() + Duration::from_millis(300);
        let reply = Connection::open(&self.door(id)).ok()?.ask(&[b"INFO"], patience).ok()?;
        let Reply::Bytes(Some(text)) = reply else { return None };
        let text = String::from_utf8(text).ok()?;
        let field = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok())
        };
        Some(View { leader: field("leader"), term: field("term")? })
    }

    /// Whoever leads, as far as anybody knows.
    pub(crate) fn leader(&self) -> Option<u64> {
        let views = self.ids().filter_map(|id| self.view(id));
        views.filter(|view| view.leader.is_some()).max_by_key(|view| view.term)?.leader
    }

    /// Waits until all nodes name the same leader.
    pub(crate) fn wait_for_leader(&self) -> Result<View, String> {
        let give_up = Instant::now() + ELECTION_PATIENCE;
        loop {
            let views: Vec<Option<View>> = self.ids().map(|id| self.view(id)).collect();
            match views[0] {
                Some(view) if view.leader.is_some() && views.iter().all(|other| *other == Some(view)) => {
                    return Ok(view);
                }
                _ if Instant::now() > give_up => {
                    return Err(format!("no leader after {ELECTION_PATIENCE:?}; the nodes say {views:?}"));
                }
                _ => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The end of what each node wrote to stderr.
    pub(crate) fn last_words(&self) -> String {
        const LINES: usize = 12;
        let mut words = String::new();
        for id in self.ids() {
            let text = fs::read_to_string(errors(&self.folder, id)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            words += &format!("node {id}:\n");
            for line in &lines[lines.len().saturating_sub(LINES)..] {
                words += &format!("  {line}\n");
            }
        }
        words
    }
}

fn door(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{id}.c"))
}

fn peer(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{id}.p"))
}

fn errors(folder: &Path, id: u64) -> PathBuf {
    folder.join(format!("{id}.stderr"))
}

/// The command line of a node, without what only the first start has.
fn arguments(id: u64, folder: &Path, settings: &Settings) -> Vec<String> {
    let members: Vec<String> = (1..=settings.nodes)
        .map(|member| format!("{member}=unix:{}", peer(folder, member).display()))
        .collect();
    let door = door(folder, id).display().to_string();
    assert!(
        door.len() < PATH_BYTES_MAX,
        "{door} is too long for a socket; set CARGO_TARGET_DIR to a shorter one"
    );
    let data = folder.join(format!("{id}.data")).display().to_string();
    let mut words = vec!["serve".to_owned()];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    option("--id", id.to_string());
    option("--data", data);
    option("--client", format!("unix:{door}"));
    option("--peer", format!("unix:{}", peer(folder, id).display()));
    option("--peers", members.join(","));
    option("--snapshot-bytes", settings.snapshot_bytes.to_string());
    if settings.leases {
        words.push("--leases".to_owned());
    }
    words
}

impl Node {
    fn new(id: u64, folder: &Path, settings: &Settings) -> Node {
        let arguments = arguments(id, folder, settings);
        Node { id, folder: folder.to_owned(), arguments, is_formatted: false, child: None }
    }

    /// Starts it, unless it runs.
    pub(crate) fn start(&mut self) {
        if self.child.is_some() {
            return;
        }
        let path = errors(&self.folder, self.id);
        let stderr = File::options().create(true).append(true).open(path).expect("our own folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_quorate"));
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
        if !self.is_formatted {
            command.arg("--bootstrap");
            self.is_formatted = true;
        }
        self.child = Some(command.spawn().expect("the binary starts"));
    }

    /// Ends it the hard way; whether it ran. If it had ended by itself this says so.
    pub(crate) fn kill(&mut self) -> Result<bool, String> {
        let fate = self.inspect();
        let Some(mut child) = self.child.take() else { return fate.map(|()| false) };
        child.kill().expect("our own process");
        child.wait().expect("our own process");
        Ok(true)
    }

    /// Says so if it should be running and is not.
    pub(crate) fn inspect(&mut self) -> Result<(), String> {
        let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("our own process"));
        match ended {
            None => Ok(()),
            Some(status) => {
                self.child = None;
                Err(format!("node {} ended by itself: {status}", self.id))
            }
        }
    }

    /// Stops or resumes it.
    pub(crate) fn signal(&mut self, signal: &str) {
        if let Some(child) = &self.child {
            let words = [signal.to_owned(), child.id().to_string()];
            let status = Command::new("kill").args(words).stderr(Stdio::null()).status();
            status.expect("there is a kill command");
        }
    }

    /// Asks it to end, and waits for that. `None` if it did not run, or had to be killed.
    pub(crate) fn end(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.signal("-TERM");
        let give_up = Instant::now() + patience;
        let mut child = self.child.take()?;
        while Instant::now() < give_up {
            if let Some(status) = child.try_wait().expect("our own process") {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
        child.kill().expect("our own process");
        child.wait().expect("our own process");
        None
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
