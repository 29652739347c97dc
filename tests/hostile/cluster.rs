//! A small cluster of real nodes in one thread, with time and network made by hand: for traffic as it is on
//! real lines, and for disks as real nodes leave them.

use std::collections::{BTreeSet, VecDeque};

use quorate::course::raft_config;
use quorate::identity::{ClusterId, Incarnation};
use quorate::kv::{Operation, RequestId, WallClock};
use quorate::raft::{Config, Envelope, Instant, NodeId, ReadMode, Replication, Span};
use quorate::replica::{Answer, Asker, Event, Now, Reply, Request, Ticket};
use quorate::sim::{Make, Node};
use quorate::storage::StorageError;
use quorate::wal::{Identity, Options};

/// All of them together.
pub(crate) const CLUSTER: ClusterId = ClusterId(7);

/// A step of time, in milliseconds.
const STEP: u64 = 10;

/// Steps after which nothing that should happen is waited for any longer.
const PATIENCE: usize = 2_000;

/// Three nodes.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    /// Whom nothing reaches, and from whom nothing comes.
    pub(crate) apart: BTreeSet<NodeId>,
    /// Every message that was ever sent, if that is wanted.
    pub(crate) traffic: Option<Vec<Envelope>>,
    lines: VecDeque<Envelope>,
    replies: Vec<Reply>,
    milliseconds: u64,
    last_ticket: u64,
}

impl Cluster {
    /// Three nodes that have just been made and started.
    pub(crate) fn new(options: Options) -> Cluster {
        let nodes = (1..=3).map(|id| Node::new(make(id, options))).collect();
        let mut cluster = Cluster {
            nodes,
            apart: BTreeSet::new(),
            traffic: None,
            lines: VecDeque::new(),
            replies: Vec::new(),
            milliseconds: 0,
            last_ticket: 0,
        };
        cluster.nodes.iter().for_each(|node| node.format().expect("an empty disk takes a log"));
        for id in ids() {
            cluster.start(id).expect("a new log opens");
        }
        cluster
    }

    /// Who a node is.
    pub(crate) fn identity(id: u16) -> Identity {
        Identity { cluster: CLUSTER, node: NodeId(id), incarnation: Incarnation(9 + u64::from(id)) }
    }

    /// All processes end and power is lost; the disks stay, in a cluster of their own.
    pub(crate) fn powered_off(&self) -> Cluster {
        let off = |node: &Node| {
            let mut other = Node::new(node.make.clone());
            (other.log_disk, other.snapshot_disk) = (node.log_disk.fork(), node.snapshot_disk.fork());
            for disk in [&other.log_disk, &other.snapshot_disk] {
                disk.cut_power(quorate::disk::Survival::Nothing);
            }
            other
        };
        Cluster {
            nodes: self.nodes.iter().map(off).collect(),
            apart: BTreeSet::new(),
            traffic: None,
            lines: VecDeque::new(),
            replies: Vec::new(),
            milliseconds: 0,
            last_ticket: self.last_ticket,
        }
    }

    pub(crate) fn start(&mut self, id: NodeId) -> Result<(), StorageError> {
        let now = self.now().monotonic;
        // Far apart: a node mixes its name into its seed.
        self.node(id).start(now, u64::from(id.0) << 32).map(drop)
    }

    pub(crate) fn node(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[usize::from(id.0) - 1]
    }

    fn now(&self) -> Now {
        Now { monotonic: Instant(self.milliseconds * 1_000), wall: WallClock(1_000_000 + self.milliseconds) }
    }

    /// A step of time: everybody who lives acts, and whatever is said arrives.
    pub(crate) fn step(&mut self) {
        self.milliseconds += STEP;
        self.act();
        while let Some(envelope) = self.lines.pop_front() {
            if self.apart.contains(&envelope.from) || self.apart.contains(&envelope.to) {
                continue;
            }
            let now = self.now();
            if let Some(life) = &mut self.node(envelope.to).life {
                life.hear(now, Event::Peer(envelope));
            }
            self.act();
        }
    }

    fn act(&mut self) {
        let now = self.now();
        let Cluster { nodes, replies, traffic, lines, .. } = self;
        for life in nodes.iter_mut().filter_map(|node| node.life.as_mut()) {
            let mut sent = Vec::new();
            life.settle(now, replies, &mut sent).expect("these disks do not fail");
            if let Some(traffic) = traffic {
                traffic.extend(sent.iter().cloned());
            }
            lines.extend(sent);
        }
    }

    /// Lets time pass until somebody leads whom a majority can hear; `None` if that takes too long.
    pub(crate) fn leader(&mut self) -> Option<NodeId> {
        for _ in 0..PATIENCE {
            let leads = |id: &NodeId| {
                let life = self.nodes[usize::from(id.0) - 1].life.as_ref();
                !self.apart.contains(id) && life.is_some_and(|life| life.replica.status().leader == Some(*id))
            };
            if let Some(leader) = ids().find(leads) {
                return Some(leader);
            }
            self.step();
        }
        None
    }

    /// Asks whoever leads, again and again under the same name, until it is done.
    pub(crate) fn ask(&mut self, once: Option<&RequestId>, operations: &[Operation]) -> Option<Answer> {
        let mut is_asked = None;
        for _ in 0..PATIENCE {
            let leader = self.leader()?;
            if is_asked != Some(leader) {
                is_asked = Some(leader);
                self.last_ticket += 1;
                let asker = Asker::Here(Ticket(self.last_ticket));
                let request = Request { asker, once: once.cloned(), operations: operations.to_vec() };
                let now = self.now();
                let life = self.node(leader).life.as_mut().expect("a leader lives");
                life.hear(now, Event::Request(request));
            }
            self.step();
            for Reply { asker, answer } in std::mem::take(&mut self.replies) {
                let is_ours = asker == Asker::Here(Ticket(self.last_ticket));
                match answer {
                    Answer::Done(_) if is_ours => return Some(answer),
                    _ if is_ours => is_asked = None,
                    _ => {}
                }
            }
        }
        None
    }

    /// Lets time pass.
    pub(crate) fn rest(&mut self, steps: usize) {
        (0..steps).for_each(|_| self.step());
    }
}

/// The names of all nodes.
pub(crate) fn ids() -> impl Iterator<Item = NodeId> {
    (1..=3).map(NodeId)
}

/// Tiny segments.
pub(crate) const TINY: Options =
    Options { segment_bytes: 2_048, reserve_bytes: 160, batch_bytes: 512, landmark_bytes: 200 };

/// A node that takes a snapshot every few writes.
fn make(id: u16, options: Options) -> Make {
    let voters: Vec<NodeId> = ids().collect();
    let config = Config {
        election_timeout: Span::milliseconds(1_000),
        first_election: Span::milliseconds(100),
        heartbeat: Span::milliseconds(100),
        retry: Span::milliseconds(50),
        replication: Replication::Everyone { pace: Span(5_000) },
        reads: ReadMode::Confirmed,
        append_bytes_max: 1_000,
        tail_bytes: 200,
        ..raft_config(NodeId(id), &voters)
    };
    let identity = Cluster::identity(id);
    Make { config, identity, options, snapshot_bytes: 700, chunk_bytes: 100, read_back_bytes: 300 }
}
