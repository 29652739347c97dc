//! A cluster whose network and disks do nothing by themselves.

use std::collections::VecDeque;

use quorate::raft::{
    Change, Changed, Config, Effects, Entry, Envelope, HardState, Instant, LogWrite, NodeId, Payload,
    Proposal, Raft, ReadId, ReadMode, Receipt, Recovered, Replication, Span, Status, Term,
};

use super::words;

struct Node {
    raft: Option<Raft>,
    /// What a crash leaves.
    hard: HardState,
    log: Vec<Entry>,
    under_way: VecDeque<LogWrite>,
    seen: Option<Status>,
}

pub(crate) struct Cluster {
    config: Config,
    nodes: Vec<Node>,
    /// Whether writes are durable as soon as they are asked for.
    instant_disks: bool,
    now: Instant,
    held: Vec<Envelope>,
    /// Which side of the cut each node is on.
    sides: Vec<usize>,
    last_read: u64,
    /// Whether the moment is worth telling.
    ticking: bool,
    trace: Vec<String>,
}

impl Cluster {
    pub(crate) fn new(options: &[&str]) -> Cluster {
        let mut cluster = Cluster {
            config: default_config(),
            nodes: Vec::new(),
            instant_disks: true,
            now: Instant(0),
            held: Vec::new(),
            sides: Vec::new(),
            last_read: 0,
            ticking: false,
            trace: Vec::new(),
        };
        let (mut count, mut spare) = (3, 0);
        for option in options {
            let (name, value) = option.split_once('=').expect("an option has a name and a value");
            match (name, value) {
                ("nodes", _) => count = value.parse().expect("a number of nodes"),
                ("spare", _) => spare = value.parse().expect("a number of nodes"),
                ("reads", "leased") => cluster.config.reads = ReadMode::Leased,
                ("replication", "majority") => cluster.config.replication = Replication::Majority,
                ("notice", _) => cluster.config.commit_notice = Some(span(value)),
                ("disks", "slow") => cluster.instant_disks = false,
                ("append", _) => cluster.config.append_bytes_max = value.parse().expect("a number of bytes"),
                _ => panic!("unknown option {option}"),
            }
        }
        cluster.config.voters = (0..count).map(NodeId).collect();
        cluster.sides = vec![0; usize::from(count + spare)];
        for at in 0..usize::from(count + spare) {
            cluster.nodes.push(Node::default());
            cluster.start(at);
        }
        cluster
    }

    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trace)
    }

    pub(crate) fn command(&mut self, words: &[&str]) {
        match words {
            ["tick", time] => self.tick(span(time), false),
            ["run", time] => self.tick(span(time), true),
            ["wait", node] => {
                let raft = self.nodes[place(node)].raft.as_ref().expect("it is up");
                self.tick(raft.deadline() - self.now, false);
            }
            ["deliver"] => self.deliver("*->*", ""),
            ["deliver", lines] => self.deliver(lines, ""),
            ["deliver", lines, which] => self.deliver(lines, which),
            ["settle"] => self.settle(),
            ["drop", lines] => drop(self.take(lines)),
            ["double", lines] => {
                let taken = self.take(lines);
                self.held.extend(taken.iter().flat_map(|one| [one.clone(), one.clone()]));
            }
            ["cut", sides @ ..] => self.cut(sides),
            ["heal"] => self.sides.fill(0),
            ["propose", node, text] => self.propose(place(node), text),
            ["add", node, member] => {
                self.change(place(node), &Change::Add { id: id(member), note: "".into() });
            }
            ["swap", node, changes @ ..] => self.change(place(node), &swap(changes)),
            ["transfer", node] => {
                let raft = self.nodes[place(node)].raft.as_mut().expect("it is up");
                let to = raft.hand_leadership_over(self.now, None);
                self.tell(format!("{node} hands over to {to:?}"));
                self.turn(place(node));
            }
            ["read", node] => self.read(place(node)),
            ["durable", node, "one"] => drop(self.store_one(place(node))),
            ["durable", nodes @ ..] => nodes.iter().for_each(|node| while self.store_one(place(node)) {}),
            ["crash", node] => self.crash(place(node)),
            ["restart", node] => self.start(place(node)),
            ["stored", node, term, terms @ ..] => self.start_from(place(node), term, terms),
            ["status"] => (0..self.nodes.len()).for_each(|at| self.tell_status(at)),
            _ => panic!("unknown command {words:?}"),
        }
    }

    /// Nodes take their turns in the order of their deadlines; lines are held, or take no time.
    fn tick(&mut self, time: Span, lines_work: bool) {
        let end = self.now + time;
        self.ticking = true;
        loop {
            let due = |(at, node): (usize, &Node)| node.raft.as_ref().map(|raft| (raft.deadline(), at));
            let next = self.nodes.iter().enumerate().filter_map(due).min();
            let Some((deadline, at)) = next.filter(|(deadline, _)| *deadline <= end) else { break };
            self.now = self.now.max(deadline);
            self.turn(at);
            if lines_work {
                self.settle();
            }
        }
        self.now = end;
        self.ticking = false;
    }

    /// Of what is held on these lines, all, or only the oldest or newest; every message in its own turn.
    fn deliver(&mut self, lines: &str, which: &str) {
        let mut taken = self.take(lines);
        if !taken.is_empty() {
            let chosen = match which {
                "oldest" => taken.remove(0),
                "newest" => taken.remove(taken.len() - 1),
                _ => return taken.into_iter().for_each(|envelope| self.arrive(envelope)),
            };
            self.held.append(&mut taken);
            self.arrive(chosen);
        }
    }

    fn settle(&mut self) {
        while !self.held.is_empty() {
            self.deliver("*->*", "");
        }
    }

    fn arrive(&mut self, envelope: Envelope) {
        let at = usize::from(envelope.to.0);
        let Some(raft) = &mut self.nodes[at].raft else { return };
        let line = format!("{}=>{} {}", envelope.from.0, at, envelope.message.kind());
        raft.receive(self.now, envelope);
        self.tell(line);
        self.turn(at);
    }

    fn propose(&mut self, at: usize, text: &str) {
        let raft = self.nodes[at].raft.as_mut().expect("it is up");
        match raft.propose(Payload::Command(text.as_bytes().into())) {
            Proposal::Appended(position) => self.tell(format!("{at} takes {}", words::position(position))),
            refused => self.tell(format!("{at} says {refused:?}")),
        }
        self.turn(at);
    }

    fn change(&mut self, at: usize, change: &Change) {
        let raft = self.nodes[at].raft.as_mut().expect("it is up");
        match raft.change(self.now, change) {
            Changed::Begun(position) => self.tell(format!("{at} takes {}", words::position(position))),
            refused => self.tell(format!("{at} says {refused:?}")),
        }
        self.turn(at);
    }

    fn read(&mut self, at: usize) {
        self.last_read += 1;
        self.nodes[at].raft.as_mut().expect("it is up").read(ReadId(self.last_read));
        self.turn(at);
    }

    fn turn(&mut self, at: usize) {
        let Some(raft) = &mut self.nodes[at].raft else { return };
        let mut effects = Effects::default();
        raft.flush(self.now, &mut effects);
        let status = raft.status();
        self.tell_change(at, status);
        for committed in &effects.committed {
            self.tell(format!("{at} applies {} {}", committed.index.0, words::entry(&committed.entry)));
        }
        for (reads, verb) in [(effects.reads_ready, "answers"), (effects.reads_failed, "refuses")] {
            reads.iter().for_each(|read| self.tell(format!("{at} {verb} read {}", read.0)));
        }
        let writes = effects.write.is_some();
        if let Some(write) = effects.write {
            self.tell(format!("{at} writes {}", words::write(&write)));
            self.nodes[at].under_way.push_back(write);
        }
        self.send(effects.send);
        if writes && self.instant_disks {
            self.store_one(at);
        }
    }

    fn store_one(&mut self, at: usize) -> bool {
        let Some(write) = self.nodes[at].under_way.pop_front() else { return false };
        let node = &mut self.nodes[at];
        node.hard = write.hard_state.unwrap_or(node.hard);
        if let Some(append) = write.entries {
            node.log.truncate(usize::try_from(append.first.0 - 1).expect("a short log"));
            node.log.extend(append.entries);
        }
        node.raft.as_mut().expect("it is up").durable(Receipt(write.sequence));
        if !self.instant_disks {
            self.tell(format!("{at} has stored it"));
        }
        self.send(write.then_send);
        self.turn(at);
        true
    }

    fn send(&mut self, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            let is_cut = self.sides[usize::from(envelope.from.0)] != self.sides[usize::from(envelope.to.0)];
            let fate = if is_cut { " (lost)" } else { "" };
            self.tell(format!("{}{fate}", words::envelope(&envelope)));
            if !is_cut {
                self.held.push(envelope);
            }
        }
    }

    fn take(&mut self, lines: &str) -> Vec<Envelope> {
        let (from, to) = lines.split_once("->").expect("lines are given as 0->1, with * for all");
        let fits = |end: &str, id: NodeId| end == "*" || end == id.0.to_string();
        let fits = |one: &Envelope| fits(from, one.from) && fits(to, one.to);
        let (taken, kept) = std::mem::take(&mut self.held).into_iter().partition(fits);
        self.held = kept;
        taken
    }

    /// What is under way already still arrives.
    fn cut(&mut self, sides: &[&str]) {
        for (side, members) in sides.split(|word| *word == "|").enumerate() {
            members.iter().for_each(|node| self.sides[place(node)] = side);
        }
    }

    fn crash(&mut self, at: usize) {
        self.nodes[at].raft = None;
        self.nodes[at].under_way.clear();
    }

    fn start(&mut self, at: usize) {
        let id = NodeId(u16::try_from(at).expect("a small cluster"));
        let mut config = Config { id, ..self.config.clone() };
        if !config.voters.contains(&id) {
            config.voters.clear();
        }
        let node = &mut self.nodes[at];
        let recovered =
            Recovered { hard_state: node.hard, entries: node.log.clone(), ..Recovered::default() };
        let raft = Raft::new(config, recovered, self.now, 1);
        node.seen = Some(raft.status());
        node.raft = Some(raft);
    }

    fn start_from(&mut self, at: usize, term: &str, terms: &[&str]) {
        self.crash(at);
        let number = |word: &str| Term(word.trim_start_matches('t').parse().expect("a term"));
        let entry = |term: &&str| Entry { term: number(term), payload: Payload::Noop };
        self.nodes[at].hard = HardState { term: number(term), vote: None };
        self.nodes[at].log = terms.iter().map(entry).collect();
        self.start(at);
    }

    fn tell_change(&mut self, at: usize, status: Status) {
        let before = self.nodes[at].seen.replace(status).expect("it is up");
        if (before.term, before.leader) != (status.term, status.leader) {
            self.tell(format!("{at} {}", standing(at, &status)));
        }
        if before.commit != status.commit {
            self.tell(format!("{at} knows {} to be committed", status.commit.0));
        }
    }

    fn tell_status(&mut self, at: usize) {
        let node = &self.nodes[at];
        let disk = format!("disk: {} {}", words::hard_state(node.hard), words::entries(&node.log));
        match &node.raft {
            Some(raft) => {
                let status = raft.status();
                let (standing, commit) = (standing(at, &status), status.commit.0);
                self.tell(format!("{at} {standing}, commit {commit}, {disk}"));
            }
            None => self.tell(format!("{at} is down, {disk}")),
        }
    }

    fn tell(&mut self, line: String) {
        let moment = self.now.0;
        let told = if self.ticking { format!("@{}ms {line}", moment / 1_000) } else { line };
        self.trace.push(told);
    }
}

impl Default for Node {
    fn default() -> Node {
        let under_way = VecDeque::new();
        Node { raft: None, hard: HardState::default(), log: Vec::new(), under_way, seen: None }
    }
}

fn default_config() -> Config {
    Config {
        id: NodeId(0),
        voters: Vec::new(),
        election_timeout: Span::milliseconds(1_000),
        first_election: Span::milliseconds(100),
        heartbeat: Span::milliseconds(200),
        retry: Span::milliseconds(10),
        vote_retry: Span::milliseconds(100),
        replication: Replication::Everyone { pace: Span(0) },
        reads: ReadMode::Confirmed,
        commit_notice: None,
        append_bytes_max: 4_096,
        inflight_max: 4,
        uncommitted_bytes_max: 1 << 20,
        tail_bytes: usize::MAX,
        write_patience: Span::milliseconds(100_000),
    }
}

fn standing(at: usize, status: &Status) -> String {
    let term = status.term.0;
    match status.leader {
        Some(leader) if usize::from(leader.0) == at => format!("leads t{term}"),
        Some(leader) => format!("follows {} in t{term}", leader.0),
        None => format!("has no leader in t{term}"),
    }
}

fn id(word: &str) -> NodeId {
    NodeId(word.parse().expect("a node is a number"))
}

/// Whom to promote, as `+3`, and whom to remove, as `-1`.
fn swap(words: &[&str]) -> Change {
    let those = |mark: char| words.iter().filter_map(|word| word.strip_prefix(mark)).map(id).collect();
    Change::Swap { promote: those('+'), remove: those('-') }
}

fn place(word: &str) -> usize {
    word.parse().expect("a node is a number")
}

fn span(word: &str) -> Span {
    let count = word.strip_suffix("ms").expect("times are in milliseconds");
    Span::milliseconds(count.parse().expect("a number of milliseconds"))
}
