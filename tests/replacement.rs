//! A dead node of three is replaced while its replacement comes and goes (R12): how long does nothing commit?
//!
//! Four cores in virtual time, lines that take a millisecond, disks that take two. A change that had to add
//! first and remove afterwards would need three of four in between, two of which flap or are dead; the joint
//! one needs two of the old three and two of the new three, and those are there throughout.

use std::collections::{BTreeMap, VecDeque};

use quorate::raft::{
    Change, Changed, Config, Effects, Envelope, Index, Instant, LogWrite, NodeId, Payload, Raft, ReadMode,
    Receipt, Recovered, Replication, Span, Standing,
};

const TIMEOUT: Span = Span::milliseconds(1_000);
const LINE: Span = Span::milliseconds(1);
const DISK: Span = Span::milliseconds(2);
const DEAD: usize = 2;
const REPLACEMENT: usize = 3;

struct Node {
    /// `None` while it is down.
    raft: Option<Raft>,
    stored: Recovered,
    writes: VecDeque<(Instant, LogWrite)>,
}

struct World {
    now: Instant,
    nodes: Vec<Node>,
    lines: BTreeMap<(Instant, u64), Envelope>,
    sent: u64,
    committed: Index,
    committed_at: Instant,
    longest_gap: Span,
}

impl World {
    fn new() -> World {
        let node = |_| Node { raft: None, stored: Recovered::default(), writes: VecDeque::new() };
        let mut world = World {
            now: Instant(1_000_000),
            nodes: (0..4).map(node).collect(),
            lines: BTreeMap::new(),
            sent: 0,
            committed: Index(0),
            committed_at: Instant(1_000_000),
            longest_gap: Span(0),
        };
        (0..3).for_each(|at| world.start(at));
        world
    }

    fn start(&mut self, at: usize) {
        let founders = if at == REPLACEMENT { Vec::new() } else { (0..3).map(NodeId).collect() };
        let config = config(id(at), founders);
        self.nodes[at].raft = Some(Raft::new(config, self.nodes[at].stored.clone(), self.now, at as u64));
    }

    fn stop(&mut self, at: usize) {
        self.nodes[at].raft = None;
        self.nodes[at].writes.clear();
    }

    fn leader(&mut self) -> Option<&mut Raft> {
        self.nodes.iter_mut().filter_map(|node| node.raft.as_mut()).find(|raft| raft.is_leader())
    }

    /// One millisecond: what arrives, what is stored, what is due, and a proposal.
    fn step(&mut self) {
        self.now = self.now + Span::milliseconds(1);
        while let Some(first) = self.lines.first_entry().filter(|first| first.key().0 <= self.now) {
            let envelope = first.remove();
            if let Some(raft) = &mut self.nodes[usize::from(envelope.to.0)].raft {
                raft.receive(self.now, envelope);
            }
        }
        let now = self.now;
        if let Some(leader) = self.leader() {
            leader.propose(Payload::Command(now.0.to_le_bytes().as_slice().into()));
        }
        (0..self.nodes.len()).for_each(|at| self.turn(at));
        let commits = self.nodes.iter().filter_map(|node| Some(node.raft.as_ref()?.status().commit));
        let commit = commits.max().unwrap_or_default();
        self.longest_gap = self.longest_gap.max(self.now - self.committed_at);
        if commit > self.committed {
            (self.committed, self.committed_at) = (commit, self.now);
        }
    }

    fn turn(&mut self, at: usize) {
        let Node { raft: Some(raft), stored, writes } = &mut self.nodes[at] else { return };
        let mut sent = Vec::new();
        while let Some((_, write)) = writes.pop_front_if(|(due, _)| *due <= self.now) {
            stored.hard_state = write.hard_state.unwrap_or(stored.hard_state);
            if let Some(append) = write.entries {
                stored.entries.truncate(usize::try_from(append.first.0 - 1).expect("a short log"));
                stored.entries.extend(append.entries);
            }
            raft.durable(Receipt(write.sequence));
            sent.extend(write.then_send);
        }
        let mut effects = Effects::default();
        raft.flush(self.now, &mut effects);
        writes.extend(effects.write.map(|write| (self.now + DISK, write)));
        for envelope in sent.into_iter().chain(effects.send) {
            self.sent += 1;
            self.lines.insert((self.now + LINE, self.sent), envelope);
        }
    }

    fn run(&mut self, span: Span) {
        for _ in 0..span.0 / 1_000 {
            self.step();
        }
    }

    /// Asks whoever leads until the change has begun, while the replacement comes and goes.
    fn change(&mut self, change: &Change) {
        for _ in 0..200 {
            let now = self.now;
            if let Some(Changed::Begun(_)) = self.leader().map(|leader| leader.change(now, change)) {
                return;
            }
            self.flap();
        }
        panic!("{change:?} never begins");
    }

    fn flap(&mut self) {
        self.start(REPLACEMENT);
        self.run(TIMEOUT.divided(4));
        self.stop(REPLACEMENT);
        self.run(TIMEOUT.divided(7));
        self.start(REPLACEMENT);
        self.run(TIMEOUT.divided(11));
    }
}

fn id(at: usize) -> NodeId {
    NodeId(u16::try_from(at).expect("four nodes"))
}

fn config(id: NodeId, founders: Vec<NodeId>) -> Config {
    Config {
        id,
        voters: founders,
        election_timeout: TIMEOUT,
        first_election: Span::milliseconds(100),
        heartbeat: TIMEOUT.divided(10),
        retry: TIMEOUT,
        vote_retry: Span::milliseconds(50),
        replication: Replication::Everyone { pace: Span(5_000) },
        reads: ReadMode::Confirmed,
        commit_notice: None,
        append_bytes_max: 1 << 20,
        inflight_max: 256,
        uncommitted_bytes_max: 1 << 20,
        tail_bytes: usize::MAX,
        write_patience: TIMEOUT.times(2),
    }
}

#[test]
fn a_dead_node_of_three_is_replaced_while_its_replacement_flaps() {
    let mut world = World::new();
    world.run(TIMEOUT.times(2));
    world.longest_gap = Span(0);
    world.stop(DEAD);
    world.run(TIMEOUT.times(2));
    world.start(REPLACEMENT);
    world.change(&Change::Add { id: id(REPLACEMENT), note: "".into() });
    world.flap();
    world.change(&Change::Swap { promote: vec![id(REPLACEMENT)], remove: vec![id(DEAD)] });
    for _ in 0..20 {
        world.flap();
    }
    let membership = world.leader().expect("somebody leads").membership().clone();
    let voters: Vec<u16> = membership.members().iter().map(|member| member.id.0).collect();
    assert_eq!(voters, [0, 1, 3]);
    assert!(membership.members().iter().all(|member| member.standing == Standing::Voter));
    println!("longest time without a commit: {:?} of {TIMEOUT:?}", world.longest_gap);
    assert!(world.longest_gap <= TIMEOUT.times(4), "{:?}", world.longest_gap);
}
