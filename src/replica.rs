//! One replica without its threads and sockets: consensus, store, and who waits for what.
//!
//! Still a pure value, so that a simulator can run it as it is. Two rules make every request end well:
//!
//! * **Whoever commits, answers.** An entry names its request, so a new leader that commits what the old
//!   one left behind answers its clients. Followers stay silent, and so does a leader about what was known to
//!   be committed before its election: that has been answered.
//! * **A request in a log is not sent elsewhere** until it is certain that it will never take effect: when
//!   another entry has been committed at its index.

use std::collections::{BTreeMap, BTreeSet};

use crate::kv::{Command, RequestId, Store, Write};
use crate::limits::PENDING_REQUESTS_MAX;
use crate::raft::{
    Committed, Config, Effects, Envelope, HardState, Index, Instant, LogWrite, NodeId, Payload, Proposal,
    Raft, ReadId, Receipt, Status, Term,
};

/// What happens to a replica.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client asks.
    Request(Request),
    /// Another replica speaks.
    Peer(Envelope),
}

/// What a client asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its name.
    pub id: RequestId,
    /// What is wanted.
    pub operation: Operation,
}

/// Read or write.
#[derive(Clone, Debug)]
pub enum Operation {
    /// The value of a key.
    Get(Box<str>),
    /// A change.
    Write(Write),
}

/// An answer and whose it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// The request's name.
    pub id: RequestId,
    /// The answer.
    pub answer: Answer,
}

/// How a request ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The change has taken effect, here and for ever.
    Done,
    /// What the key holds, if anything.
    Value(Option<Box<str>>),
    /// Nothing has happened and nothing will: ask the leader.
    NotLeader,
    /// Nothing has happened: too much waits already, ask again later.
    Busy,
}

/// The work of one turn, for the owner of sockets and disk. Everything is appended, nothing cleared.
#[derive(Debug, Default)]
pub struct Output {
    /// Answers; they go out first.
    pub replies: Vec<Reply>,
    /// Messages that may leave now.
    pub peers: Vec<Envelope>,
    /// To be made durable.
    pub write: Option<LogWrite>,
    /// Who leads, as far as this replica knows.
    pub leader: Option<NodeId>,
}

/// One replica.
#[derive(Debug)]
pub struct Replica {
    raft: Raft,
    store: Store,
    effects: Effects,
    /// Writes that this replica took into its log as leader, by their place there. Of several terms there
    /// may be one each for an index: cut here, each may still survive elsewhere, until one is committed.
    writes: BTreeMap<(Index, Term), RequestId>,
    /// Their names: a request that comes again meanwhile needs no second entry.
    in_log: BTreeSet<RequestId>,
    reads: BTreeMap<ReadId, (RequestId, Box<str>)>,
    last_read: ReadId,
    /// Answers that were clear at once.
    replies: Vec<Reply>,
}

impl Replica {
    /// A replica without any past.
    pub fn new(config: Config, now: Instant, seed: u64) -> Replica {
        Replica {
            raft: Raft::new(config, HardState::default(), Vec::new(), now, seed),
            store: Store::default(),
            effects: Effects::default(),
            writes: BTreeMap::new(),
            in_log: BTreeSet::new(),
            reads: BTreeMap::new(),
            last_read: ReadId(0),
            replies: Vec::new(),
        }
    }

    /// Takes one event. Its consequences show in the next [`Replica::turn`].
    pub fn on(&mut self, now: Instant, event: Event) {
        match event {
            Event::Peer(envelope) => self.raft.receive(now, envelope),
            Event::Request(Request { id, operation }) => match operation {
                Operation::Get(key) => self.get(id, key),
                Operation::Write(write) => self.write(id, write),
            },
        }
    }

    /// Everything up to this write is on stable storage.
    pub fn durable(&mut self, receipt: Receipt) {
        self.raft.durable(receipt);
    }

    /// Ends a turn: lets time pass and adds what is to be done to `output`.
    pub fn turn(&mut self, now: Instant, output: &mut Output) {
        let mut effects = std::mem::take(&mut self.effects);
        self.raft.flush(now, &mut effects);
        for committed in effects.committed.drain(..) {
            self.apply(committed);
        }
        for read in effects.reads_ready.drain(..) {
            self.answer_read(read);
        }
        for read in effects.reads_failed.drain(..) {
            let (id, _) = self.reads.remove(&read).expect("a read fails once");
            self.reply(id, Answer::NotLeader);
        }
        output.replies.append(&mut self.replies);
        output.peers.append(&mut effects.send);
        assert!(output.write.is_none() || effects.write.is_none(), "a write would be lost");
        output.write = output.write.take().or(effects.write.take());
        output.leader = self.raft.leader();
        self.effects = effects;
    }

    /// When the next turn is due though nothing happens.
    pub fn deadline(&self) -> Instant {
        self.raft.deadline()
    }

    /// The consensus core's figures.
    pub fn status(&self) -> Status {
        self.raft.status()
    }

    /// The state machine, for comparisons.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn get(&mut self, id: RequestId, key: Box<str>) {
        if !self.raft.is_leader() {
            return self.reply(id, Answer::NotLeader);
        }
        if self.reads.len() >= PENDING_REQUESTS_MAX {
            return self.reply(id, Answer::Busy);
        }
        self.last_read = ReadId(self.last_read.0 + 1);
        self.reads.insert(self.last_read, (id, key));
        self.raft.read(self.last_read);
    }

    fn write(&mut self, id: RequestId, write: Write) {
        if self.in_log.contains(&id) {
            return;
        }
        if !self.raft.is_leader() {
            return self.reply(id, Answer::NotLeader);
        }
        if self.store.is_done(&id) {
            return self.reply(id, Answer::Done);
        }
        if self.writes.len() >= PENDING_REQUESTS_MAX {
            return self.reply(id, Answer::Busy);
        }
        let command = Command { id, write };
        match self.raft.propose(Payload::Command(command.encode())) {
            Proposal::Appended(position) => {
                self.in_log.insert(command.id.clone());
                self.writes.insert((position.index, position.term), command.id);
            }
            Proposal::NotLeader => self.reply(command.id, Answer::NotLeader),
            Proposal::Full => self.reply(command.id, Answer::Busy),
        }
    }

    fn apply(&mut self, committed: Committed) {
        let Committed { index, entry } = committed;
        while let Some(first) = self.writes.first_entry().filter(|first| first.key().0 <= index) {
            let ((_, term), id) = first.remove_entry();
            self.in_log.remove(&id);
            if term != entry.term {
                self.reply(id, Answer::NotLeader);
            }
        }
        if let Payload::Command(bytes) = entry.payload {
            let command = Command::decode(&bytes);
            if self.raft.inherited().is_some_and(|inherited| index > inherited) {
                self.reply(command.id.clone(), Answer::Done);
            }
            self.store.apply(command);
        }
    }

    fn answer_read(&mut self, read: ReadId) {
        let (id, key) = self.reads.remove(&read).expect("a read is answered once");
        let value = self.store.get(&key).map(Into::into);
        self.reply(id, Answer::Value(value));
    }

    fn reply(&mut self, id: RequestId, answer: Answer) {
        self.replies.push(Reply { id, answer });
    }
}
