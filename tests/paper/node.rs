//! One core on a bench: its peers are the test itself, its disk writes when told to.

use std::collections::{BTreeMap, VecDeque};

use quorate::raft::{
    AppendOutcome, Beat, Config, Effects, Entry, Envelope, HardState, Index, Instant, LogWrite, Message,
    NodeId, Payload, Position, Proposal, Raft, ReadId, ReadMode, Receipt, Recovered, Reign, Replication,
    Span, Term,
};

/// T of R6 on this bench.
pub(crate) const TIMEOUT: Span = Span::milliseconds(1000);
pub(crate) const HEARTBEAT: Span = Span::milliseconds(100);
pub(crate) const RETRY: Span = Span::milliseconds(10);

/// Node 0 of a cluster, with what it has done so far.
pub(crate) struct Node {
    pub(crate) raft: Raft,
    pub(crate) now: Instant,
    /// Writes that are under way.
    held: VecDeque<LogWrite>,
    /// What has left since the last [`Node::take_sent`].
    sent: Vec<Envelope>,
    /// The beat of the latest message to each follower.
    beats: BTreeMap<NodeId, Beat>,
    pub(crate) applied: Vec<Entry>,
    pub(crate) ready: Vec<u64>,
    pub(crate) failed: Vec<u64>,
    /// What a crash would leave.
    pub(crate) stored: HardState,
    pub(crate) stored_log: Vec<Entry>,
}

/// Reads by rounds, entries to everyone, nothing that blurs a rule.
pub(crate) fn config(count: u16) -> Config {
    Config {
        id: NodeId(0),
        voters: (0..count).map(NodeId).collect(),
        election_timeout: TIMEOUT,
        first_election: Span::milliseconds(50),
        heartbeat: HEARTBEAT,
        retry: RETRY,
        vote_retry: Span::milliseconds(20),
        replication: Replication::Everyone { pace: Span(0) },
        reads: ReadMode::Confirmed,
        commit_notice: None,
        append_bytes_max: 1 << 20,
        inflight_max: 4,
        uncommitted_bytes_max: 1 << 20,
        tail_bytes: usize::MAX,
        write_patience: TIMEOUT.times(100),
    }
}

impl Node {
    /// Without any past.
    pub(crate) fn fresh(count: u16) -> Node {
        Node::new(config(count), 0, &[])
    }

    /// Restarted with a stored term and entries of these terms, so long ago that no promise binds it.
    pub(crate) fn with_log(count: u16, term: u64, terms: &[u64]) -> Node {
        let mut node = Node::new(config(count), term, terms);
        node.now = node.now + TIMEOUT;
        node
    }

    pub(crate) fn new(config: Config, term: u64, terms: &[u64]) -> Node {
        let stored = HardState { term: Term(term), vote: None };
        let stored_log = entries(terms);
        let recovered = Recovered { hard_state: stored, entries: stored_log.clone(), ..Recovered::default() };
        let now = Instant(1_000_000_000);
        Node {
            raft: Raft::new(config, recovered, now, 7),
            now,
            held: VecDeque::new(),
            sent: Vec::new(),
            beats: BTreeMap::new(),
            applied: Vec::new(),
            ready: Vec::new(),
            failed: Vec::new(),
            stored,
            stored_log,
        }
    }

    /// Leads term `term + 1` of a cluster; its opening entry has been sent and written, not acknowledged.
    pub(crate) fn elected(config: Config, term: u64, terms: &[u64]) -> Node {
        let majority = u16::try_from(config.voters.len() / 2).expect("a small cluster");
        let mut node = Node::new(config, term, terms);
        node.campaigns();
        for from in 1..=majority {
            node.grants_pre_vote(from);
        }
        node.settle();
        for from in 1..=majority {
            node.hears(from, term + 1, vote_reply(true));
        }
        node.settle();
        assert!(node.raft.is_leader(), "a majority has voted for it");
        node
    }

    /// Leads a cluster, and its opening entry is committed.
    pub(crate) fn established(config: Config) -> Node {
        let others = u16::try_from(config.voters.len()).expect("a small cluster");
        let mut node = Node::elected(config, 0, &[]);
        for from in 1..others {
            node.acknowledges(from, 1);
        }
        node.settle();
        assert_eq!(node.raft.status().commit, Index(1), "its opening entry is committed");
        node.take_sent();
        node
    }

    /// Waits until its patience is over and asks for pre-votes.
    pub(crate) fn campaigns(&mut self) {
        self.now = self.raft.deadline().max(self.now);
        self.turn();
    }

    /// A peer answers the latest pre-vote favourably.
    pub(crate) fn grants_pre_vote(&mut self, from: u16) {
        let campaign = self.campaign().expect("it asked for pre-votes");
        let term = self.raft.status().term.0;
        self.hears(from, term, pre_vote_reply(campaign, true));
    }

    /// The name of the campaign whose pre-votes were sent last.
    pub(crate) fn campaign(&self) -> Option<u64> {
        self.sent.iter().rev().find_map(|envelope| match envelope.message {
            Message::PreVote { campaign, .. } => Some(campaign),
            _ => None,
        })
    }

    /// A message comes in; nothing is done about it before the next turn.
    pub(crate) fn hears(&mut self, from: u16, term: u64, message: Message) {
        let envelope = Envelope { from: NodeId(from), to: NodeId(0), term: Term(term), message };
        self.raft.receive(self.now, envelope);
    }

    /// A follower acknowledges the latest message, with its log equal up to `index`.
    pub(crate) fn acknowledges(&mut self, from: u16, index: u64) {
        let outcome = AppendOutcome::Matched(Index(index));
        self.answers_append(from, outcome);
    }

    pub(crate) fn answers_append(&mut self, from: u16, outcome: AppendOutcome) {
        let beat = self.beat(from);
        self.hears(from, self.raft.status().term.0, Message::AppendReply { beat, outcome });
    }

    /// A follower answers the latest message as if it had been a heartbeat.
    pub(crate) fn answers_heartbeat(&mut self, from: u16) {
        let beat = self.beat(from);
        self.hears(from, self.raft.status().term.0, Message::HeartbeatReply { beat });
    }

    pub(crate) fn beat(&self, follower: u16) -> Beat {
        self.beats.get(&NodeId(follower)).copied().unwrap_or_default()
    }

    pub(crate) fn propose(&mut self, text: &str) -> Proposal {
        self.raft.propose(Payload::Command(text.as_bytes().into()))
    }

    pub(crate) fn read(&mut self, read: u64) {
        self.raft.read(ReadId(read));
    }

    /// One turn; what it writes stays under way.
    pub(crate) fn turn(&mut self) {
        let mut effects = Effects::default();
        self.raft.flush(self.now, &mut effects);
        self.held.extend(effects.write);
        self.leaves(effects.send);
        self.applied.extend(effects.committed.into_iter().map(|committed| committed.entry));
        self.ready.extend(effects.reads_ready.iter().map(|read| read.0));
        self.failed.extend(effects.reads_failed.iter().map(|read| read.0));
    }

    /// The oldest write under way becomes durable and what waited for it leaves; no turn yet.
    pub(crate) fn stores_one(&mut self) -> Receipt {
        let write = self.held.pop_front().expect("a write is under way");
        self.stored = write.hard_state.unwrap_or(self.stored);
        if let Some(append) = write.entries {
            self.stored_log.truncate(usize::try_from(append.first.0 - 1).expect("a short log"));
            self.stored_log.extend(append.entries);
        }
        self.leaves(write.then_send);
        Receipt(write.sequence)
    }

    /// Turns until nothing is under way any more.
    pub(crate) fn settle(&mut self) {
        self.turn();
        while self.is_writing() {
            let receipt = self.stores_one();
            self.raft.durable(receipt);
            self.turn();
        }
    }

    /// Time passes, and a turn ends it.
    pub(crate) fn passes(&mut self, span: Span) {
        self.now = self.now + span;
        self.settle();
    }

    /// The same, but no write gets done.
    pub(crate) fn passes_without_disk(&mut self, span: Span) {
        self.now = self.now + span;
        self.turn();
    }

    pub(crate) fn is_writing(&self) -> bool {
        !self.held.is_empty()
    }

    pub(crate) fn writes_under_way(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn term(&self) -> u64 {
        self.raft.status().term.0
    }

    pub(crate) fn commit(&self) -> u64 {
        self.raft.status().commit.0
    }

    pub(crate) fn last(&self) -> Position {
        self.raft.status().last
    }

    pub(crate) fn leader(&self) -> Option<u16> {
        self.raft.leader().map(|leader| leader.0)
    }

    pub(crate) fn stored_terms(&self) -> Vec<u64> {
        self.stored_log.iter().map(|entry| entry.term.0).collect()
    }

    pub(crate) fn take_sent(&mut self) -> Vec<Envelope> {
        std::mem::take(&mut self.sent)
    }

    /// The kinds and addresses of what has left, as in `"append>1"`, taken.
    pub(crate) fn take_kinds(&mut self) -> Vec<String> {
        let kind = |envelope: Envelope| format!("{}>{}", envelope.message.kind(), envelope.to.0);
        self.take_sent().into_iter().map(kind).collect()
    }

    /// The only message that has left, taken.
    pub(crate) fn take_one(&mut self) -> Envelope {
        let mut sent = self.take_sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    fn leaves(&mut self, envelopes: Vec<Envelope>) {
        for envelope in &envelopes {
            if let Message::Append { reign, .. } | Message::Heartbeat { reign, .. } = &envelope.message {
                self.beats.insert(envelope.to, reign.beat);
            }
        }
        self.sent.extend(envelopes);
    }
}

pub(crate) fn at(index: u64, term: u64) -> Position {
    Position { index: Index(index), term: Term(term) }
}

/// Entries of these terms.
pub(crate) fn entries(terms: &[u64]) -> Vec<Entry> {
    terms.iter().map(|term| Entry { term: Term(*term), payload: Payload::Noop }).collect()
}

pub(crate) fn append(previous: Position, terms: &[u64], commit: u64) -> Message {
    Message::Append { reign: reign(), previous, entries: entries(terms), commit: Index(commit) }
}

pub(crate) fn heartbeat(commit: u64) -> Message {
    Message::Heartbeat { reign: reign(), commit: Index(commit), reply: true }
}

pub(crate) fn vote(last: Position) -> Message {
    Message::Vote { last, transfer: false }
}

pub(crate) fn pre_vote(last: Position) -> Message {
    Message::PreVote { last, campaign: 99 }
}

pub(crate) fn vote_reply(granted: bool) -> Message {
    Message::VoteReply { granted, commit: Index(0) }
}

pub(crate) fn pre_vote_reply(campaign: u64, granted: bool) -> Message {
    Message::PreVoteReply { campaign, granted, commit: Index(0) }
}

pub(crate) fn matched(index: u64) -> AppendOutcome {
    AppendOutcome::Matched(Index(index))
}

fn reign() -> Reign {
    Reign { beat: Beat::default(), rank: 0 }
}

/// How the only message that has left answers an append.
pub(crate) fn outcome(node: &mut Node) -> AppendOutcome {
    match node.take_one().message {
        Message::AppendReply { outcome, .. } => outcome,
        other => panic!("not an answer to an append: {other:?}"),
    }
}

/// Whether the only message that has left grants a vote or pre-vote.
pub(crate) fn is_granted(node: &mut Node) -> bool {
    match node.take_one().message {
        Message::VoteReply { granted, .. } | Message::PreVoteReply { granted, .. } => granted,
        other => panic!("not an answer to a vote: {other:?}"),
    }
}

/// Where the appends among `sent` to a follower begin and how many entries they carry.
pub(crate) fn appends_to(sent: &[Envelope], follower: u16) -> Vec<(u64, usize)> {
    let to = sent.iter().filter(|envelope| envelope.to == NodeId(follower));
    to.filter_map(|envelope| match &envelope.message {
        Message::Append { previous, entries, .. } => Some((previous.index.0 + 1, entries.len())),
        _ => None,
    })
    .collect()
}
