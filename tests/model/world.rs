//! A cluster of pure cores with everything around them that can go wrong.
//!
//! Time is a number. Messages, finished writes, requests and faults stand in one queue by the moment they
//! happen; each node collects input until its turn, as its owner would. Everything that a node does in a
//! turn is shown to the [`Ghost`] before it takes effect.

use std::collections::{BTreeMap, BTreeSet};

use quorate::prng::Prng;
use quorate::raft::{
    Change, Changed, Config, Effects, Envelope, Fetch, Index, Instant, Membership, NodeId, Payload, Proposal,
    Raft, ReadId, Receipt, Span, Status, Stretch, Term, Wanted,
};
use quorate::sim::draw_change;

use super::disk::Disk;
use super::ghost::Ghost;
use super::members::{membership_of, memberships_behind};
use super::settings::{ELECTION_TIMEOUT, Settings};
use super::sometimes::Sometimes;

/// What stands in the queue.
enum Event {
    Delivered(Envelope),
    DiskDone(NodeId),
    ClientActs,
    AdministratorActs,
    FaultStrikes,
    Restarted(NodeId),
}

/// What a node finds when its turn comes.
enum Input {
    Received(Envelope),
    Proposed(Payload),
    Changed(Change),
    HandsOver,
    Asked(ReadId),
    Stored(Receipt),
    Reconnected(NodeId),
    /// The files have been read for a follower, from this index on.
    Fetched(NodeId, Index, Stretch),
}

struct Node {
    id: NodeId,
    /// `None` while it is down.
    raft: Option<Raft>,
    disk: Disk,
    inbox: Vec<Input>,
    turn_at: Option<Instant>,
    /// Stopped and unaware of it until then; its clock goes on.
    paused_until: Instant,
    applied: Index,
    seen: Status,
    /// Whom it takes for the members, and how many memberships its log holds.
    membership: Membership,
    memberships: usize,
}

pub(crate) struct World {
    settings: Settings,
    founders: Membership,
    prng: Prng,
    now: Instant,
    queue: BTreeMap<(Instant, u64), Event>,
    queued: u64,
    nodes: Vec<Node>,
    /// Ordered pairs that cannot talk.
    cut: BTreeSet<(NodeId, NodeId)>,
    calm: bool,
    ghost: Ghost,
    last_command: u64,
    last_read: u64,
    turns: u64,
    pub(crate) sometimes: Sometimes,
    trace: bool,
}

impl World {
    pub(crate) fn new(seed: u64, trace: bool) -> World {
        let mut prng = Prng::new(seed);
        let settings = Settings::draw(&mut prng);
        if trace {
            eprintln!("{settings:?}");
        }
        let mut world = World {
            nodes: (0..settings.nodes).map(|id| Node::new(NodeId(id))).collect(),
            founders: Membership::of_founders(&settings.config.voters),
            settings,
            prng,
            now: Instant(0),
            queue: BTreeMap::new(),
            queued: 0,
            cut: BTreeSet::new(),
            calm: false,
            ghost: Ghost::default(),
            last_command: 0,
            last_read: 0,
            turns: 0,
            sometimes: Sometimes::default(),
            trace,
        };
        for at in 0..world.nodes.len() {
            world.start(at);
        }
        world.enqueue(Span(0), Event::ClientActs);
        world.enqueue(Span(0), Event::AdministratorActs);
        world.enqueue(Span(0), Event::FaultStrikes);
        world
    }

    /// Lets everything happen that happens within `span`.
    pub(crate) fn run(&mut self, span: Span) {
        let end = self.now + span;
        loop {
            let turn = self.nodes.iter().filter_map(Node::next_turn).min().unwrap_or(Instant(u64::MAX));
            let event = self.queue.first_key_value().map_or(Instant(u64::MAX), |((at, _), _)| *at);
            if turn.min(event) > end {
                break;
            }
            self.now = self.now.max(turn.min(event));
            if event <= turn {
                let (_, event) = self.queue.pop_first().expect("it was there just now");
                self.happens(event);
            } else {
                let next = self.nodes.iter().position(|node| node.next_turn() == Some(turn));
                self.take_turn(next.expect("some node has the earliest turn"));
            }
        }
        self.now = end;
    }

    /// No fault from here on: all nodes up, all links whole, no client.
    pub(crate) fn calm_down(&mut self) {
        self.calm = true;
        self.settings.calm_down();
        self.cut.clear();
        for at in 0..self.nodes.len() {
            self.nodes[at].paused_until = Instant(0);
            if self.nodes[at].raft.is_none() {
                self.start(at);
            }
        }
    }

    /// L1: one leader, whom every member follows.
    pub(crate) fn assert_one_leader(&self) -> NodeId {
        let statuses: Vec<Status> = self.nodes.iter().map(|node| node.seen).collect();
        let leaders = self.nodes.iter().filter(|node| node.leads());
        let leader = leaders.max_by_key(|node| node.seen.term);
        let leader = leader
            .unwrap_or_else(|| panic!("no leader ten timeouts after the last fault (L1): {statuses:?}"));
        for member in leader.membership.members() {
            let seen = self.nodes[usize::from(member.id.0)].seen;
            let agrees = seen.leader == Some(leader.id) && seen.term == leader.seen.term;
            assert!(agrees, "{:?} has another leader than {:?} (L1): {statuses:?}", member.id, leader.id);
        }
        leader.id
    }

    fn members(&self, leader: NodeId) -> impl Iterator<Item = &Node> {
        let members = self.nodes[usize::from(leader.0)].membership.members();
        members.iter().map(|member| &self.nodes[usize::from(member.id.0)])
    }

    /// Waits until nobody lags; not for ever, but some runs allow only one entry an append, and one append
    /// at a time, and so have a long way to go (L5).
    pub(crate) fn catch_up(&mut self) {
        let leader = self.assert_one_leader();
        let longest = self.nodes[usize::from(leader.0)].disk.handed.len() as u64;
        let end = self.now + ELECTION_TIMEOUT.times(10) + Span::milliseconds(20).times(longest);
        while self.now < end && self.members(leader).any(|node| node.applied.0 < longest) {
            self.run(ELECTION_TIMEOUT);
        }
    }

    /// L2: all members' logs are equal, committed and applied. L6: no change of members stays half done.
    pub(crate) fn assert_converged(&self) {
        let leader = self.assert_one_leader();
        let membership = &self.nodes[usize::from(leader.0)].membership;
        assert!(!membership.is_joint(), "a joint membership stays (L6): {membership:?}");
        let first = &self.nodes[usize::from(leader.0)].disk.handed;
        for node in self.members(leader) {
            let (own, others) = (node.disk.handed.len(), first.len());
            let equal = node.disk.handed == *first;
            assert!(equal, "the log of {:?} differs: {own} entries, not {others} (L2)", node.id);
            assert_eq!(node.applied.0, first.len() as u64, "{:?} has not applied all (L2)", node.id);
        }
        assert_eq!(self.ghost.committed.len(), first.len(), "not all is committed (L2)");
        assert_eq!(self.ghost.waiting_reads(), 0, "a read was never answered (L3)");
    }

    pub(crate) fn acknowledged(&self) -> Index {
        self.ghost.acknowledged
    }

    pub(crate) fn term(&self, node: NodeId) -> Term {
        self.nodes[usize::from(node.0)].seen.term
    }

    pub(crate) fn propose(&mut self, node: NodeId) {
        self.last_command += 1;
        let payload = Payload::Command(self.last_command.to_be_bytes().as_slice().into());
        self.input(usize::from(node.0), Input::Proposed(payload));
    }

    pub(crate) fn read(&mut self, node: NodeId) {
        self.last_read += 1;
        let read = ReadId(self.last_read);
        self.say(|| format!("{node:?} is asked {read:?}"));
        self.ghost.reads(read, node);
        self.input(usize::from(node.0), Input::Asked(read));
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Delivered(envelope) => {
                let at = usize::from(envelope.to.0);
                if self.nodes[at].raft.is_some() {
                    self.input(at, Input::Received(envelope));
                }
            }
            Event::DiskDone(id) => self.complete_write(usize::from(id.0)),
            Event::ClientActs if !self.calm => {
                self.client_acts();
                let gap = Span(self.prng.below(self.settings.request_gap.0));
                self.enqueue(gap, Event::ClientActs);
            }
            Event::AdministratorActs if !self.calm => {
                let Some(gap) = self.settings.change_gap else { return };
                self.administrator_acts();
                let gap = Span(self.prng.below(gap.0));
                self.enqueue(gap, Event::AdministratorActs);
            }
            Event::FaultStrikes if !self.calm => {
                self.fault_strikes();
                let gap = Span(self.prng.below(self.settings.fault_gap.0));
                self.enqueue(gap, Event::FaultStrikes);
            }
            Event::Restarted(id) if self.nodes[usize::from(id.0)].raft.is_none() => {
                self.start(usize::from(id.0));
            }
            Event::ClientActs | Event::AdministratorActs | Event::FaultStrikes | Event::Restarted(_) => {}
        }
    }

    /// Mostly asks a node that takes itself for the leader, and often several things at once.
    fn client_acts(&mut self) {
        for _ in 0..=self.prng.below(3) {
            let up = self.nodes.iter().filter(|node| node.raft.is_some());
            let (leaders, others): (Vec<_>, Vec<_>) = up.partition(|node| node.leads());
            let some = if leaders.is_empty() || self.prng.chance(50) { others } else { leaders };
            if some.is_empty() {
                return;
            }
            let id = some[self.prng.place(some.len())].id;
            if self.prng.chance(500) {
                self.propose(id);
            } else {
                self.read(id);
            }
        }
    }

    /// Asks whoever takes itself for the leader, each of them if there are several: administrators do not
    /// know of each other.
    fn administrator_acts(&mut self) {
        let leaders: Vec<usize> = (0..self.nodes.len()).filter(|at| self.nodes[*at].leads()).collect();
        for at in leaders {
            let input = if self.prng.chance(150) {
                Input::HandsOver
            } else {
                let membership = &self.nodes[at].membership;
                Input::Changed(draw_change(&mut self.prng, membership, self.settings.nodes))
            };
            self.input(at, input);
        }
    }

    /// Leaders are struck more often than others: most rules are about what is left behind by one.
    fn fault_strikes(&mut self) {
        let any = self.prng.place(self.nodes.len());
        let leader = self.nodes.iter().position(Node::leads).unwrap_or(any);
        let at = if self.prng.chance(500) { leader } else { any };
        match self.prng.below(12) {
            0 | 1 => self.crash(at),
            2 if self.prng.chance(200) => (0..self.nodes.len()).for_each(|at| self.crash(at)),
            2 | 3 => self.split(),
            4 | 5 => self.isolate(at),
            6 | 7 => {
                let span = Span(self.prng.below(ELECTION_TIMEOUT.0 * 3));
                self.nodes[at].paused_until = self.now + span;
            }
            8 => self.shake(leader),
            _ => self.heal(),
        }
    }

    /// All lines work again, and some nodes are told so: what was under way is lost, they think. Some of it
    /// is not, which must do no harm.
    fn heal(&mut self) {
        self.cut.clear();
        for at in 0..self.nodes.len() {
            let peer = self.nodes[self.prng.place(self.nodes.len())].id;
            if self.nodes[at].raft.is_some() && self.prng.chance(500) {
                self.input(at, Input::Reconnected(peer));
            }
        }
    }

    /// The leader is cut off, unaware, while others restart: whatever they have promised it is forgotten,
    /// unless they take care (R20).
    fn shake(&mut self, leader: usize) {
        self.cut.clear();
        let id = self.nodes[leader].id;
        for at in (0..self.nodes.len()).filter(|at| *at != leader) {
            self.cut.extend([(id, self.nodes[at].id), (self.nodes[at].id, id)]);
            if self.prng.chance(600) {
                self.crash(at);
            }
        }
    }

    /// Two halves that hear nothing of each other, or only one of the other.
    fn split(&mut self) {
        let sides = self.prng.next_u64();
        let one_way = self.prng.chance(300);
        let side = |node: &Node| sides >> node.id.0 & 1;
        for from in &self.nodes {
            for to in &self.nodes {
                if side(from) > side(to) || (side(from) < side(to) && !one_way) {
                    self.cut.insert((from.id, to.id));
                }
            }
        }
    }

    /// One node that is not heard, does not hear, or both.
    fn isolate(&mut self, at: usize) {
        let (mute, deaf) = (self.prng.chance(700), self.prng.chance(700));
        let lonely = self.nodes[at].id;
        for other in self.nodes.iter().map(|node| node.id) {
            if mute {
                self.cut.insert((lonely, other));
            }
            if deaf {
                self.cut.insert((other, lonely));
            }
        }
    }

    fn crash(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        let led = node.leads().then_some(node.seen.term);
        if node.raft.take().is_none() {
            return;
        }
        node.disk.crash(&mut self.prng);
        node.inbox.clear();
        node.turn_at = None;
        node.paused_until = Instant(0);
        node.seen.commit = Index(0);
        let id = node.id;
        self.ghost.crashes(id, led, &node.disk);
        self.say(|| format!("{id:?} crashes"));
        let down = self.prng.pick(&[ELECTION_TIMEOUT.divided(50), ELECTION_TIMEOUT.times(4)]);
        let down = Span(self.prng.below(down.0));
        self.enqueue(down, Event::Restarted(id));
    }

    /// From its disk alone.
    fn start(&mut self, at: usize) {
        let seed = self.prng.next_u64();
        let node = &mut self.nodes[at];
        let mut config = Config { id: node.id, ..self.settings.config.clone() };
        if !config.voters.contains(&node.id) {
            config.voters.clear();
        }
        let raft = Raft::new(config, node.disk.recovered(), self.now, seed);
        node.applied = Index(0);
        node.seen = raft.status();
        node.membership = raft.membership().clone();
        assert_eq!(node.seen.term, node.disk.hard.term, "a term survives a crash (S11)");
        let (id, seen) = (node.id, node.seen);
        node.raft = Some(raft);
        self.say(|| format!("{id:?} starts with {seen:?}"));
    }

    fn input(&mut self, at: usize, input: Input) {
        let patience = Span(self.prng.below(self.settings.turn.0));
        let node = &mut self.nodes[at];
        if let Input::Received(envelope) = &input
            && self.trace
        {
            eprintln!("{:?} {:?} <- {envelope:?}", self.now, node.id);
        }
        node.inbox.push(input);
        node.turn_at.get_or_insert(self.now + patience);
    }

    fn take_turn(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.turn_at = None;
        let raft = node.raft.as_mut().expect("only who is up takes turns");
        for input in std::mem::take(&mut node.inbox) {
            match input {
                Input::Received(envelope) => raft.receive(self.now, envelope),
                Input::Asked(read) => raft.read(read),
                Input::Stored(receipt) => raft.durable(receipt),
                Input::Reconnected(peer) => raft.interrupted(self.now, peer),
                Input::Fetched(to, first, stretch) => {
                    raft.fetched_entries(self.now, to, first, Some(stretch));
                }
                Input::HandsOver => {
                    let to = raft.hand_leadership_over(self.now, None);
                    self.sometimes.leaderships_handed_over += u64::from(to.is_some());
                }
                Input::Changed(change) => match raft.change(self.now, &change) {
                    Changed::Begun(_) => self.sometimes.changes_begun += 1,
                    Changed::Refused(_) => self.sometimes.changes_refused += 1,
                    Changed::NotLeader => {}
                },
                Input::Proposed(payload) => match raft.propose(payload) {
                    Proposal::Appended(position) => assert_eq!(position, raft.status().last),
                    Proposal::NotLeader => {
                        let goes = raft.is_handing_over() || raft.membership().get(node.id).is_none();
                        assert!(!raft.is_leader() || goes, "a leader says that it is none");
                    }
                    Proposal::Full => self.sometimes.proposals_refused += 1,
                },
            }
        }
        let mut effects = Effects::default();
        raft.flush(self.now, &mut effects);
        assert!(raft.deadline() > self.now, "a deadline that has passed after a flush makes a busy loop");
        let (status, membership) = (raft.status(), raft.membership().clone());
        self.observe(at, status, membership, &mut effects);
        self.carry_out(at, effects);
        self.turns += 1;
        if self.turns.is_multiple_of(64) {
            self.sweep();
        }
    }

    /// Shows the ghost what a turn has come to.
    fn observe(&mut self, at: usize, status: Status, membership: Membership, effects: &mut Effects) {
        let (now, seed_delay) = (self.now, Span(self.prng.below(self.settings.disk.0)));
        let before = self.nodes[at].seen;
        let leads = status.leader == Some(self.nodes[at].id);
        let id = self.nodes[at].id;
        if before != status {
            self.say(|| format!("{id:?} is now {status:?}"));
        }
        self.sometimes.note_turn(&before, &status, self.nodes[at].disk.is_busy(), effects);
        // What is committed in this turn was counted before a joint membership was left for that.
        let mut just_left = false;
        if let Some(write) = effects.write.take() {
            let node = &mut self.nodes[at];
            let last = write.entries.as_ref().and_then(|append| append.entries.last());
            just_left = last.is_some_and(
                |entry| matches!(&entry.payload, Payload::Membership(membership) if !membership.is_joint()),
            );
            if let Some(append) = &write.entries {
                self.ghost.writes(id, &node.disk.handed, append);
            }
            node.disk.submit(now + seed_delay, write);
            let due = node.disk.next_due().expect("a write is pending");
            self.enqueue(due - now, Event::DiskDone(id));
        }
        assert!(status.term >= before.term, "a term falls (S11)");
        assert!(status.commit >= before.commit, "a commit index falls (S11)");
        self.nodes[at].seen = status;
        let disks: Vec<&Disk> = self.nodes.iter().map(|node| &node.disk).collect();
        let log = &self.nodes[at].disk.handed;
        assert_eq!(status.last.index.0, log.len() as u64, "all of the log is given to the writer");
        if leads {
            self.ghost.elects(status.term, id, log);
            let counting = membership_of(&log[..log.len() - usize::from(just_left)], &self.founders);
            self.ghost.commits(status.term, status.commit, log, &counting, &disks);
            for other in self.nodes.iter().filter(|other| other.leads()) {
                self.ghost.assert_complete(other.seen.term, other.id, &other.disk.handed);
            }
        }
        self.ghost.assert_committed(id, status.commit, log);
        self.note_membership(at, &before, membership);
    }

    /// S18: what counts is what the log says. S17: and of what the log says, all but one is committed.
    fn note_membership(&mut self, at: usize, before: &Status, membership: Membership) {
        let node = &self.nodes[at];
        let founders =
            if self.founders.get(node.id).is_some() { &self.founders } else { &Membership::default() };
        let told = membership_of(&node.disk.handed, founders);
        assert_eq!(membership, told, "{:?} goes by another membership than its log's (S18)", node.id);
        if membership == node.membership && before.leader == node.seen.leader {
            return;
        }
        let known = Index(self.ghost.committed.len() as u64);
        let open = memberships_behind(&node.disk.handed, known);
        assert!(open <= 1, "{:?} has {open} uncommitted memberships (S17)", node.id);
        let memberships = memberships_behind(&node.disk.handed, Index(0));
        let (is_joint, was_joint) = (membership.is_joint(), node.membership.is_joint());
        let (leads, led) = (node.leads(), before.leader == Some(node.id));
        let sometimes = &mut self.sometimes;
        sometimes.memberships_joint += u64::from(is_joint && !was_joint);
        sometimes.memberships_left += u64::from(was_joint && !is_joint);
        sometimes.memberships_cut += u64::from(memberships < node.memberships);
        sometimes.leaders_of_joint_memberships_elected += u64::from(leads && !led && is_joint);
        sometimes.leaders_removed += u64::from(led && !leads && membership.get(node.id).is_none());
        self.nodes[at].membership = membership;
        self.nodes[at].memberships = memberships;
    }

    /// Does what a turn asks for.
    fn carry_out(&mut self, at: usize, effects: Effects) {
        let node = &mut self.nodes[at];
        let leads = node.leads();
        if leads && !(effects.committed.is_empty() && effects.reads_ready.is_empty()) {
            self.ghost.assert_reign_is_stored(node.id, node.seen.term, &node.disk);
        }
        self.ghost.applies(node.id, &mut node.applied, &effects.committed, leads);
        for read in effects.reads_ready {
            assert!(leads, "only a leader answers reads");
            if self.trace {
                eprintln!("{:?} {:?} answers {read:?}", self.now, node.id);
            }
            self.ghost.answers_read(read, node.id, node.applied);
        }
        for read in effects.reads_failed {
            self.ghost.fails_read(read);
        }
        if !node.disk.is_busy() {
            let known = node.disk.hard.term == node.seen.term;
            assert!(known, "a term is given to the disk in the turn that brings it (R2)");
        }
        for Fetch { to, wanted } in effects.fetches {
            let Wanted::Entries(first) = wanted else { unreachable!("there are no snapshots here") };
            self.sometimes.entries_read_back += 1;
            let stretch = self.nodes[at].disk.read(first);
            self.input(at, Input::Fetched(to, first, stretch));
        }
        self.transmit(at, effects.send);
    }

    fn complete_write(&mut self, at: usize) {
        if self.nodes[at].raft.is_none() {
            return;
        }
        if let Some((receipt, released)) = self.nodes[at].disk.complete(self.now) {
            self.input(at, Input::Stored(receipt));
            self.transmit(at, released);
        }
        if let Some(due) = self.nodes[at].disk.next_due() {
            self.enqueue(due - self.now, Event::DiskDone(self.nodes[at].id));
        }
    }

    fn transmit(&mut self, at: usize, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            self.ghost.sends(&envelope, &self.nodes[at].disk);
            let copies = 1 + u64::from(self.prng.chance(self.settings.doubled));
            for _ in 0..copies {
                let lost = self.prng.chance(self.settings.lost);
                if lost || self.cut.contains(&(envelope.from, envelope.to)) {
                    continue;
                }
                let mut delay = Span(self.prng.below(self.settings.delay.0));
                if self.prng.chance(self.settings.late) {
                    delay = Span(self.prng.below(ELECTION_TIMEOUT.0 * 3));
                }
                self.enqueue(delay, Event::Delivered(envelope.clone()));
            }
        }
    }

    /// What is too dear to check after every turn.
    fn sweep(&self) {
        let logs: Vec<_> = self.nodes.iter().map(|node| (&node.disk.handed[..], node.seen.commit)).collect();
        self.ghost.assert_order_is_right(&logs);
    }

    fn enqueue(&mut self, delay: Span, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now + delay, self.queued), event);
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.trace {
            eprintln!("{:?} {}", self.now, text());
        }
    }
}

impl Node {
    fn new(id: NodeId) -> Node {
        Node {
            id,
            raft: None,
            disk: Disk::default(),
            inbox: Vec::new(),
            turn_at: None,
            paused_until: Instant(0),
            applied: Index(0),
            seen: Status::default(),
            membership: Membership::default(),
            memberships: 0,
        }
    }

    fn leads(&self) -> bool {
        self.raft.is_some() && self.seen.leader == Some(self.id)
    }

    fn next_turn(&self) -> Option<Instant> {
        let raft = self.raft.as_ref()?;
        let wanted = self.turn_at.map_or(raft.deadline(), |at| at.min(raft.deadline()));
        Some(wanted.max(self.paused_until))
    }
}
