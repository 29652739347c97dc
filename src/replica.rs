//! One replica without its threads and sockets: consensus, store, and who waits for what.
//!
//! Still a pure value, so that a simulator can run it as it is. Three rules make every request end well:
//!
//! * **A request in a log is not sent elsewhere** until it is certain that it will never take effect: when
//!   another entry has been committed at its place.
//! * **Whoever asked here is answered here**, once its entry is committed, whoever leads by then.
//! * **Where clients have no connection** (the course), whoever commits, answers. An entry names its request,
//!   so a new leader that commits what the old one left behind answers its clients. Followers stay silent,
//!   and so does a leader about what was known to be committed before its election: that has been answered.
//!
//! A request holds all that one client said in one breath. If there is a change in it, all of it becomes one
//! log entry, reads included; if not, it needs no entry at all.
//!
//! Time to live is decided by the log's clock: the leader stamps each entry, and when a key is due and
//! nothing else is written it proposes an entry that holds nothing but a stamp.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::kv::{Command, Operation, RequestId, Store, Value, WallClock};
use crate::limits::{PENDING_REQUESTS_MAX, READ_ANSWER_BYTES, SNAPSHOT_BLOCK_BYTES};
use crate::raft::{
    Change, Changed, Committed, Config, Effects, Envelope, Fetch, Index, Instant, LogWrite, Membership,
    NodeId, Payload, Position, Proposal, Raft, ReadId, Receipt, Recovered, Refusal, SnapshotId, SnapshotPart,
    Span, Status, Stretch, Term,
};

/// The present, as the owner of the clocks sees it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Never goes back; for waiting.
    pub monotonic: Instant,
    /// What people call the time; for expiry, and only on the leader.
    pub wall: WallClock,
}

/// What happens to a replica.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client asks.
    Request(Request),
    /// An administrator wants something of the leader.
    Order(Asker, Order),
    /// Another replica's consensus core speaks.
    Peer(Envelope),
    /// The line to another replica has broken or come up; what was under way on it before is lost.
    Interrupted(NodeId),
}

/// What an administrator wants of the leader.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Another membership. Done when nothing of the old one counts any more.
    Change(Change),
    /// Another leader: this one, or whoever knows most. Done when the old one has gone.
    HandOver(Option<NodeId>),
}

/// The front's name for one request that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Ticket(pub u64);

/// What a client asks.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who is to be answered.
    pub asker: Asker,
    /// Its name, where it must not take effect twice whatever is retried.
    pub once: Option<RequestId>,
    /// What is wanted, in this order.
    pub operations: Vec<Operation>,
}

/// Who asks, and so who is answered.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Asker {
    /// A connection to this replica.
    Here(Ticket),
    /// A connection to another replica, which has sent the request on.
    Peer(NodeId, Ticket),
    /// A client without a connection; whoever commits its request answers it.
    Anywhere(RequestId),
}

/// An answer and whose it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// Whose.
    pub asker: Asker,
    /// The answer.
    pub answer: Answer,
}

/// How a request ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// It has been carried out; a value for each of its operations.
    Done(#[serde(deserialize_with = "crate::bounded::list")] Vec<Value>),
    /// Reads, answered as far as one answer goes; the rest is to be asked again. Only the first that does not
    /// fit is in there all the same, so there is always some progress.
    Part(#[serde(deserialize_with = "crate::bounded::list")] Vec<Value>, Returned),
    /// Nothing has happened: this replica does not lead, or is about to go. Whoever leads can be asked the
    /// same.
    Returned(Returned),
    /// Nothing has happened and nothing will: what this replica took in was replaced in the log.
    Replaced,
    /// Nothing has happened: too much waits already, ask again later.
    Busy,
    /// Nothing has happened: this cannot be done now, or not at all.
    Refused(Refusal),
    /// It has been carried out, but the way back to whoever asked was choked.
    Unsaid,
}

/// A request that was not taken.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Returned {
    /// Its name, if it has one.
    pub once: Option<RequestId>,
    /// What was wanted.
    #[serde(deserialize_with = "crate::bounded::list")]
    pub operations: Vec<Operation>,
}

/// A write that stands in the log and is not committed.
#[derive(Clone, Debug)]
struct Write {
    place: (Index, Term),
    asker: Asker,
    /// What it does, until it is carried out: to read that from the log takes longer than all the rest of it.
    command: Option<Command>,
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
    /// To be fetched from the files, each answered once.
    pub fetches: Vec<Fetch>,
    /// Parts of another replica's snapshot, to be stored, each answered once.
    pub parts: Vec<SnapshotPart>,
    /// Who leads, as far as this replica knows.
    pub leader: Option<NodeId>,
    /// Whether [`Replica::members`] may say something new. The owner takes it down.
    pub members_changed: bool,
}

/// One replica.
#[derive(Debug)]
pub struct Replica {
    raft: Raft,
    store: Store,
    effects: Effects,
    /// Writes that this replica took into its log as leader, in the order of their places there. Of several
    /// terms there may be one each for an index: cut here, each may still survive elsewhere, until one is
    /// committed.
    writes: VecDeque<Write>,
    /// Those of them that anybody may answer: one that comes again meanwhile needs no second entry.
    in_log: BTreeSet<RequestId>,
    /// Who waits for the end of a change that has come half way: voters change in two steps.
    changing: Option<Asker>,
    /// Who waits for this replica to lead no more.
    going: Option<Asker>,
    reads: BTreeMap<ReadId, (Asker, Vec<Operation>)>,
    last_read: ReadId,
    /// The last proposal of a mere stamp: one at a time is enough.
    last_expiry: Option<Index>,
    /// When the next key falls due, if this replica leads.
    expiry: Option<Instant>,
    /// Answers that were clear at once.
    replies: Vec<Reply>,
}

impl Replica {
    /// A replica with what its stable storage gave back, and the store that its snapshot holds.
    pub fn new(config: Config, recovered: Recovered, store: Store, now: Instant, seed: u64) -> Replica {
        Replica {
            raft: Raft::new(config, recovered, now, seed),
            store,
            effects: Effects::default(),
            writes: VecDeque::new(),
            in_log: BTreeSet::new(),
            changing: None,
            going: None,
            reads: BTreeMap::new(),
            last_read: ReadId(0),
            last_expiry: None,
            expiry: None,
            replies: Vec::new(),
        }
    }

    /// Takes one event. Its consequences show in the next [`Replica::turn`].
    pub fn on(&mut self, now: Now, event: Event) {
        match event {
            Event::Peer(envelope) => self.raft.receive(now.monotonic, envelope),
            Event::Interrupted(peer) => self.raft.interrupted(now.monotonic, peer),
            Event::Request(request) => self.ask(now, request),
            Event::Order(asker, Order::Change(change)) => self.change(now, asker, &change),
            Event::Order(asker, Order::HandOver(to)) => self.hand_over(now, asker, to),
        }
    }

    /// Everything up to this write is on stable storage.
    pub fn durable(&mut self, receipt: Receipt) {
        self.raft.durable(receipt);
    }

    /// What the log's files hold from `first` on, for a follower; see [`Raft::fetched_entries`].
    pub fn fetched_entries(&mut self, now: Now, to: NodeId, first: Index, stretch: Option<Stretch>) {
        self.raft.fetched_entries(now.monotonic, to, first, stretch);
    }

    /// Some bytes of a snapshot, for a follower; see [`Raft::fetched_part`].
    pub fn fetched_part(
        &mut self,
        now: Now,
        to: NodeId,
        id: SnapshotId,
        offset: u64,
        bytes: Option<Arc<[u8]>>,
    ) {
        self.raft.fetched_part(now.monotonic, to, id, offset, bytes);
    }

    /// Of a leader's snapshot everything up to `offset` has been stored.
    pub fn stored_part(&mut self, id: SnapshotId, offset: u64) {
        self.raft.stored_part(id, offset);
    }

    /// A leader's snapshot is durable here, and this store was made from it. Whoever waits for an entry that
    /// it stands for will not hear from here: nobody can tell any more whether that entry was the one at its
    /// place.
    pub fn install(&mut self, id: SnapshotId, store: Store, membership: Option<Membership>) {
        if self.raft.install(id, membership) {
            self.store = store;
            while let Some(first) = self.writes.pop_front_if(|first| first.place.0 <= id.last.index) {
                if let Asker::Anywhere(request) = first.asker {
                    self.in_log.remove(&request);
                }
            }
        }
    }

    /// Begins an image of the store for a snapshot. Answers up to where in the log it stands for everything.
    pub fn begin_image(&mut self) -> Position {
        self.store.begin_image(SNAPSHOT_BLOCK_BYTES);
        self.raft.applied_position()
    }

    /// The membership at that place.
    pub fn applied_membership(&self) -> &Membership {
        self.raft.applied_membership()
    }

    /// The next block of the image; `None` at its end.
    pub fn next_image_block(&mut self) -> Option<Vec<u8>> {
        self.store.next_image_block()
    }

    /// Nobody wants the image any more.
    pub fn abandon_image(&mut self) {
        self.store.abandon_image();
    }

    /// This replica's snapshot is durable; see [`Raft::took_snapshot`].
    pub fn took_snapshot(&mut self, id: SnapshotId, keep_after: Option<Position>) {
        self.raft.took_snapshot(id, keep_after);
    }

    /// Hands the leadership over, if this replica has it and anybody can take it.
    pub fn hand_leadership_over(&mut self, now: Now) -> Option<NodeId> {
        self.raft.hand_leadership_over(now.monotonic, None)
    }

    /// Ends a turn: lets time pass and adds what is to be done to `output`.
    pub fn turn(&mut self, now: Now, output: &mut Output) {
        let mut effects = std::mem::take(&mut self.effects);
        self.propose_expiry(now);
        self.raft.flush(now.monotonic, &mut effects);
        self.see_off();
        self.apply_all(&mut effects.committed);
        for read in effects.reads_ready.drain(..) {
            self.answer_read(read);
        }
        for read in effects.reads_failed.drain(..) {
            let (asker, operations) = self.reads.remove(&read).expect("a read fails once");
            self.reply(asker, Answer::Returned(Returned { once: None, operations }));
        }
        self.expiry = self.next_expiry(now);
        output.replies.append(&mut self.replies);
        output.peers.append(&mut effects.send);
        output.fetches.append(&mut effects.fetches);
        output.parts.append(&mut effects.parts);
        assert!(output.write.is_none() || effects.write.is_none(), "a write would be lost");
        output.write = output.write.take().or(effects.write.take());
        output.leader = self.raft.leader();
        output.members_changed |= effects.members_changed;
        self.effects = effects;
    }

    /// When the next turn is due though nothing happens.
    pub fn deadline(&self) -> Instant {
        let core = self.raft.deadline();
        self.expiry.map_or(core, |expiry| expiry.min(core))
    }

    /// Whether anybody waits for the end of a write that this replica took into its log.
    pub fn has_waiting_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Who takes part, as far as this replica knows, and everyone with whom it may have to speak.
    pub fn members(&self) -> (&Membership, Vec<NodeId>) {
        (self.raft.membership(), self.raft.peers())
    }

    /// Whether it is known here that this replica is no member any more.
    pub fn is_removed(&self) -> bool {
        self.raft.is_removed()
    }

    /// The consensus core's figures.
    pub fn status(&self) -> Status {
        self.raft.status()
    }

    /// The state machine.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn ask(&mut self, now: Now, request: Request) {
        let Request { asker, once, operations } = request;
        if let Asker::Anywhere(id) = &asker
            && self.in_log.contains(id)
        {
            return;
        }
        if !self.raft.is_leader() {
            return self.reply(asker, Answer::Returned(Returned { once, operations }));
        }
        if let Some(values) = once.as_ref().and_then(|id| self.store.is_done(id)) {
            let answer = Answer::Done(values.to_vec());
            return self.reply(asker, answer);
        }
        if self.writes.len() + self.reads.len() >= PENDING_REQUESTS_MAX {
            return self.reply(asker, Answer::Busy);
        }
        if operations.iter().all(Operation::is_read) {
            self.last_read = ReadId(self.last_read.0 + 1);
            self.reads.insert(self.last_read, (asker, operations));
            self.raft.read(self.last_read);
        } else {
            self.write(asker, Command { stamp: now.wall, once, operations });
        }
    }

    fn write(&mut self, asker: Asker, command: Command) {
        let bytes = command.encode();
        // Short operations are larger in memory than in bytes, which alone count for what may wait (R11).
        let is_kept = command.operations.len() * size_of::<Operation>() <= 2 * bytes.len();
        match self.raft.propose(Payload::Command(bytes)) {
            Proposal::Appended(position) => {
                if let Asker::Anywhere(id) = &asker {
                    self.in_log.insert(id.clone());
                }
                self.wait_for(position, asker, is_kept.then_some(command));
            }
            Proposal::NotLeader => {
                let Command { once, operations, .. } = command;
                self.reply(asker, Answer::Returned(Returned { once, operations }));
            }
            Proposal::Full => self.reply(asker, Answer::Busy),
        }
    }

    fn wait_for(&mut self, at: Position, asker: Asker, command: Option<Command>) {
        let place = (at.index, at.term);
        let behind = self.writes.partition_point(|write| write.place < place);
        self.writes.insert(behind, Write { place, asker, command });
    }

    fn change(&mut self, now: Now, asker: Asker, change: &Change) {
        match self.raft.change(now.monotonic, change) {
            Changed::Begun(position) => self.wait_for(position, asker, None),
            Changed::NotLeader => self.reply(asker, Answer::Replaced),
            Changed::Refused(refusal) => self.reply(asker, Answer::Refused(refusal)),
        }
    }

    fn hand_over(&mut self, now: Now, asker: Asker, to: Option<NodeId>) {
        if !self.raft.is_leader() {
            self.reply(asker, Answer::Replaced);
        } else if self.going.is_some() {
            self.reply(asker, Answer::Refused(Refusal::Busy));
        } else if self.raft.hand_leadership_over(now.monotonic, to).is_some() {
            self.going = Some(asker);
        } else {
            self.reply(asker, Answer::Refused(to.map_or(Refusal::NoQuorum, Refusal::Behind)));
        }
    }

    /// Tells whoever wanted another leader how that went, when it is over.
    fn see_off(&mut self) {
        if self.raft.is_handing_over() {
            return;
        }
        if let Some(asker) = self.going.take() {
            let has_gone = !self.raft.is_leader();
            let answer = if has_gone { done() } else { Answer::Refused(Refusal::NoQuorum) };
            self.reply(asker, answer);
        }
    }

    /// Another membership is committed. Whoever asked for it is answered when it is the last step.
    fn follow_change(&mut self, asker: Option<Asker>, membership: &Membership) {
        if membership.is_joint() {
            self.changing = asker.or(self.changing.take());
            return;
        }
        for asker in self.changing.take().into_iter().chain(asker) {
            self.reply(asker, done());
        }
    }

    /// Carries out what has been committed. The keys of several commands are looked at before the first of
    /// these is carried out, since most commands have one key only and the processor would wait for each.
    fn apply_all(&mut self, committed: &mut Vec<Committed>) {
        let mut commands = Vec::with_capacity(committed.len().min(LOOK_AHEAD_OPERATIONS));
        let mut operations = 0;
        for Committed { index, entry } in committed.drain(..) {
            match entry.payload {
                Payload::Command(bytes) => {
                    let own = self.own_command(index, entry.term);
                    // What is carried out here as it was given is carried out elsewhere as it is read.
                    debug_assert!(own.as_ref().is_none_or(|own| *own == Command::decode(&bytes)), "{own:?}");
                    let command = own.unwrap_or_else(|| Command::decode(&bytes));
                    operations += command.operations.len();
                    commands.push((index, entry.term, command));
                    if operations < LOOK_AHEAD_OPERATIONS {
                        continue;
                    }
                    self.apply_commands(&mut commands);
                }
                Payload::Noop => {
                    self.apply_commands(&mut commands);
                    self.settle(index, entry.term);
                }
                Payload::Membership(membership) => {
                    self.apply_commands(&mut commands);
                    let waiting = self.settle(index, entry.term);
                    self.follow_change(waiting, &membership);
                }
            }
            operations = 0;
        }
        self.apply_commands(&mut commands);
    }

    /// The command of that entry, if it was taken in here.
    fn own_command(&mut self, index: Index, term: Term) -> Option<Command> {
        let found = self.writes.binary_search_by_key(&(index, term), |write| write.place).ok()?;
        self.writes[found].command.take()
    }

    fn apply_commands(&mut self, commands: &mut Vec<(Index, Term, Command)>) {
        self.store.look_ahead(commands.iter().flat_map(|(.., command)| &command.operations));
        commands.drain(..).for_each(|(index, term, command)| self.apply(index, term, command));
    }

    fn apply(&mut self, index: Index, term: Term, command: Command) {
        let asker = match self.settle(index, term) {
            Some(asker @ (Asker::Here(_) | Asker::Peer(..))) => Some(asker),
            _ if self.raft.inherited().is_some_and(|inherited| index > inherited) => {
                command.once.clone().map(Asker::Anywhere)
            }
            _ => None,
        };
        let values = self.store.apply(command);
        if let Some(asker) = asker {
            self.reply(asker, Answer::Done(values));
        }
    }

    /// Takes out who waits for the entry of `term` at `index`. Whoever waits for another at that place waits
    /// in vain, and can be told so for certain.
    fn settle(&mut self, index: Index, term: Term) -> Option<Asker> {
        let mut waiting = None;
        while let Some(first) = self.writes.pop_front_if(|first| first.place.0 <= index) {
            let Write { place: (_, proposed), asker, .. } = first;
            if let Asker::Anywhere(id) = &asker {
                self.in_log.remove(id);
            }
            if proposed == term {
                waiting = Some(asker);
            } else {
                self.reply(asker, Answer::Replaced);
            }
        }
        waiting
    }

    fn answer_read(&mut self, read: ReadId) {
        let (asker, mut operations) = self.reads.remove(&read).expect("a read is answered once");
        self.store.look_ahead(operations.iter());
        let (mut values, mut bytes) = (Vec::with_capacity(operations.len()), 0);
        for operation in &operations {
            let value = self.store.read(operation);
            bytes += value.size();
            values.push(value);
            if bytes >= READ_ANSWER_BYTES {
                break;
            }
        }
        let rest = operations.split_off(values.len());
        let answer = if rest.is_empty() {
            Answer::Done(values)
        } else {
            Answer::Part(values, Returned { once: None, operations: rest })
        };
        self.reply(asker, answer);
    }

    /// A key is due and no entry says so: one that holds nothing but a stamp makes it so, everywhere. It is
    /// proposed in this term and goes down with it, so a deposed leader's clock decides nothing.
    fn propose_expiry(&mut self, now: Now) {
        let is_due =
            self.raft.is_leader() && self.store.next_expiry().is_some_and(|expiry| expiry <= now.wall);
        let is_under_way = self.last_expiry.is_some_and(|index| index > self.raft.status().commit);
        if !is_due || is_under_way {
            return;
        }
        let command = Command { stamp: now.wall, once: None, operations: vec![Operation::Expire] };
        if let Proposal::Appended(position) = self.raft.propose(Payload::Command(command.encode())) {
            self.last_expiry = Some(position.index);
        }
    }

    fn next_expiry(&self, now: Now) -> Option<Instant> {
        let expiry = self.store.next_expiry().filter(|_| self.raft.is_leader())?;
        Some(now.monotonic + Span::milliseconds(expiry.0.saturating_sub(now.wall.0).max(EXPIRY_PACE_MS)))
    }

    fn reply(&mut self, asker: Asker, answer: Answer) {
        self.replies.push(Reply { asker, answer });
    }
}

fn done() -> Answer {
    Answer::Done(vec![Value::Okay])
}

/// Keys that fall due within so many milliseconds of each other share an entry.
const EXPIRY_PACE_MS: u64 = 10;

/// So many keys are looked at together: what they lead to fits the nearest caches.
const LOOK_AHEAD_OPERATIONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{ReadMode, Replication};

    fn replica() -> Replica {
        let config = Config {
            id: NodeId(1),
            voters: vec![NodeId(1)],
            election_timeout: Span::milliseconds(1_000),
            first_election: Span::milliseconds(100),
            heartbeat: Span::milliseconds(100),
            retry: Span::milliseconds(100),
            vote_retry: Span::milliseconds(50),
            replication: Replication::Majority,
            reads: ReadMode::Confirmed,
            commit_notice: None,
            append_bytes_max: 1 << 20,
            inflight_max: 16,
            uncommitted_bytes_max: 1 << 20,
            tail_bytes: 0,
            write_patience: Span::milliseconds(2_000),
        };
        Replica::new(config, Recovered::default(), Store::default(), Instant(0), 1)
    }

    #[test]
    fn whoever_waits_is_found_though_a_later_term_begins_further_back() {
        let mut replica = replica();
        let asker = |index, term| Asker::Here(Ticket(index * 10 + term));
        for (index, term) in [(5, 1), (7, 1), (5, 3), (6, 3)] {
            let at = Position { index: Index(index), term: Term(term) };
            replica.wait_for(at, asker(index, term), None);
        }
        assert_eq!(replica.settle(Index(5), Term(3)), Some(asker(5, 3)));
        let replaced = Reply { asker: asker(5, 1), answer: Answer::Replaced };
        assert_eq!(replica.replies, [replaced]);
        assert_eq!(replica.settle(Index(6), Term(3)), Some(asker(6, 3)));
        assert_eq!(replica.settle(Index(7), Term(3)), None);
        assert!(!replica.has_waiting_writes());
    }
}
