//! The replica's part in the agreement: one value, fed with events, asked once a turn for the work to do.
//!
//! [`Raft::receive`], [`Raft::propose`], [`Raft::read`] and [`Raft::durable`] change state and nothing else;
//! [`Raft::flush`] lets time pass and derives what is to be written, sent, applied and answered. So whatever
//! happened in one turn shares one write and one append to each follower, without any batching code.

use super::change::MembersSeen;
use super::config::Config;
use super::effects::{Committed, Effects, LogStart, LogWrite, Receipt, SnapshotPart};
use super::election::Campaign;
use super::leader::Leader;
use super::log::Log;
use super::memberships::Memberships;
use super::message::{AppendOutcome, Beat, Envelope, Message, SnapshotOutcome};
use super::types::{
    Entry, HardState, Index, Instant, NodeId, Payload, Position, ReadId, Recovered, SnapshotId, Term,
    WriteSequence,
};
use crate::prng::Prng;

/// One replica's consensus state.
#[derive(Debug)]
pub struct Raft {
    pub(super) config: Config,
    pub(super) memberships: Memberships,
    pub(super) hard: HardState,
    /// What of `hard` the log's writer has been given, and with which write.
    written: HardState,
    written_with: WriteSequence,
    pub(super) log: Log,
    /// Known to be committed. Never falls.
    pub(super) commit: Index,
    /// Handed out in [`Effects::committed`]. At most `commit`, and at most what is durable here (R5).
    pub(super) applied: Index,
    /// The newest snapshot that this replica has.
    pub(super) snapshot: Option<SnapshotId>,
    /// Where the log begins anew, until the writer is told.
    pub(super) start: Option<LogStart>,
    /// Parts of a leader's snapshot, until the owner is given them.
    pub(super) parts: Vec<SnapshotPart>,
    /// Whom to answer when the one that is with the owner has been stored, in the term in which it came.
    pub(super) receiving: Option<(NodeId, Beat)>,
    /// Whether the owner has one. No other is taken meanwhile: its sender will repeat it.
    pub(super) is_storing: bool,
    pub(super) role: Role,
    /// When a leader was last heard (R6), or the start, where a promise of before the start may still bind.
    pub(super) contact: Option<Instant>,
    /// The place in the line of succession that the last leader assigned; before any, the one by id.
    pub(super) rank: usize,
    pub(super) prng: Prng,
    /// Answers and votes: they wait for whatever is being written when they are decided (R2).
    pub(super) after_write: Vec<Envelope>,
    /// Envelopes that rest on nothing unwritten.
    pub(super) at_once: Vec<Envelope>,
    /// Reads to be given up.
    pub(super) reads_failed: Vec<ReadId>,
    /// By which the owner can be told that other members count: see [`Raft::note_members`].
    pub(super) members_seen: MembersSeen,
}

/// What a replica is doing in its term.
#[derive(Debug)]
pub(super) enum Role {
    /// Listens to a leader, or waits for one until the deadline.
    Follower { leader: Option<NodeId>, deadline: Instant },
    /// Asks whether it could win before it disturbs anybody.
    PreCandidate(Campaign),
    /// Has voted for itself in a new term and asks for votes.
    Candidate(Campaign),
    /// Leads.
    Leader(Box<Leader>),
}

/// What became of a proposal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proposal {
    /// It stands in this leader's log. It will be committed there or replaced there; which, only
    /// [`Effects::committed`] can tell.
    Appended(Position),
    /// Nothing happened: this replica does not lead, or is about to go (R14).
    NotLeader,
    /// Nothing happened: too much waits already (R11).
    Full,
}

/// What is known of a replica from the outside (R26).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// The current term.
    pub term: Term,
    /// Its leader, where known.
    pub leader: Option<NodeId>,
    /// Where the log ends.
    pub last: Position,
    /// Known to be committed.
    pub commit: Index,
    /// Handed to the state machine.
    pub applied: Index,
    /// On this replica's stable storage.
    pub durable: Index,
    /// Where its newest snapshot ends.
    pub snapshot: Index,
}

impl Raft {
    /// A replica with what its stable storage gave back, at the moment `now`. Equal seeds behave equally.
    pub fn new(config: Config, recovered: Recovered, now: Instant, seed: u64) -> Raft {
        config.assert_sound();
        let Recovered { hard_state: hard, start, entries, snapshot, membership } = recovered;
        let log = Log::recovered(start, entries);
        let stands_for = snapshot.map_or(Position::default(), |snapshot| snapshot.last);
        assert!(log.position(stands_for.index) == Some(stands_for), "snapshot and log join (S22)");
        assert!(log.last().term <= hard.term, "a log is never ahead of the stored term (S15)");
        let fresh = hard == HardState::default() && log.last() == Position::default();
        let membership = membership.unwrap_or_else(|| config.founders());
        let mut memberships = Memberships::new(stands_for.index, membership);
        let first = stands_for.index.next();
        memberships.follow(first, log.rest(first));
        let mut raft = Raft {
            rank: memberships.voters().rank(config.id),
            memberships,
            written: hard,
            written_with: WriteSequence::default(),
            hard,
            log,
            commit: stands_for.index,
            applied: stands_for.index,
            snapshot,
            start: None,
            parts: Vec::new(),
            receiving: None,
            is_storing: false,
            role: Role::Follower { leader: None, deadline: now },
            // A voter that comes back may have promised a lease just before it went (R20).
            contact: (!fresh).then_some(now),
            prng: Prng::new(seed ^ u64::from(config.id.0)),
            after_write: Vec::new(),
            at_once: Vec::new(),
            reads_failed: Vec::new(),
            members_seen: MembersSeen::default(),
            config,
        };
        let deadline = now + raft.patience();
        raft.role = Role::Follower { leader: None, deadline };
        raft
    }

    /// Whom this replica believes to lead its term; itself included.
    pub fn leader(&self) -> Option<NodeId> {
        match &self.role {
            Role::Leader(_) => Some(self.config.id),
            Role::Follower { leader, .. } => *leader,
            Role::PreCandidate(_) | Role::Candidate(_) => None,
        }
    }

    /// Whether this replica leads its term.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Where a leader's own work begins: what comes after this index was not known to be committed when it
    /// was elected, so nobody may have been told of it. `None` for all who do not lead.
    pub fn inherited(&self) -> Option<Index> {
        match &self.role {
            Role::Leader(leader) => Some(leader.inherited),
            _ => None,
        }
    }

    /// The figures an observer asks for.
    pub fn status(&self) -> Status {
        Status {
            term: self.hard.term,
            leader: self.leader(),
            last: self.log.last(),
            commit: self.commit,
            applied: self.applied,
            durable: self.log.durable(),
            snapshot: self.snapshot.map_or(Index(0), |snapshot| snapshot.last.index),
        }
    }

    /// Takes a command into the log, if this replica leads and has room.
    pub fn propose(&mut self, payload: Payload) -> Proposal {
        let entry = Entry { term: self.hard.term, payload };
        let bytes = entry.size();
        let Role::Leader(leader) = &mut self.role else { return Proposal::NotLeader };
        if leader.transfer.is_some() || self.memberships.active().get(self.config.id).is_none() {
            return Proposal::NotLeader;
        }
        if !leader.admit(bytes, self.config.uncommitted_bytes_max) {
            return Proposal::Full;
        }
        Proposal::Appended(self.log.push(entry))
    }

    /// Takes a read; it comes back in [`Effects::reads_ready`] or [`Effects::reads_failed`].
    pub fn read(&mut self, read: ReadId) {
        match &mut self.role {
            Role::Leader(leader) => leader.reads.push(read),
            _ => self.reads_failed.push(read),
        }
    }

    /// The writer reports a write, and with it every earlier one, to be on stable storage.
    pub fn durable(&mut self, receipt: Receipt) {
        self.log.confirm(receipt);
    }

    /// Whatever was on its way to a peer is lost, and will not be answered (R3).
    pub fn interrupted(&mut self, now: Instant, peer: NodeId) {
        if let Role::Leader(leader) = &mut self.role
            && let Some(follower) = leader.follower(peer)
        {
            follower.cut_off(now);
        }
    }

    /// Takes a message of a peer. Garbage and the past are ignored; a stranger is not, because it may be a
    /// member of which this replica has not heard yet (6). Its votes and acknowledgements count nowhere.
    pub fn receive(&mut self, now: Instant, envelope: Envelope) {
        let Envelope { from, to, term, message } = envelope;
        if to != self.config.id || from == to {
            return;
        }
        // A pre-vote moves no term, and its answer is matched by campaign, not by term (R1).
        match message {
            Message::PreVote { last, campaign } => return self.on_pre_vote(now, from, term, last, campaign),
            Message::PreVoteReply { campaign, granted, commit } => {
                return self.on_pre_vote_reply(now, from, term, campaign, granted, commit);
            }
            // While a leader is fresh nobody helps a campaign against it, whatever its term (R6).
            Message::Vote { transfer: false, .. } if term >= self.hard.term && self.is_leader_fresh(now) => {
                return;
            }
            _ => {}
        }
        if term > self.hard.term {
            self.enter_term(now, term);
        }
        if term < self.hard.term {
            return self.refuse(from, &message);
        }
        match message {
            Message::Vote { last, .. } => self.on_vote(now, from, last),
            Message::VoteReply { granted, commit } => self.on_vote_reply(now, from, granted, commit),
            Message::Append { reign, previous, entries, commit } => {
                self.follow(now, from, reign.rank);
                self.on_append(from, reign.beat, previous, entries, commit);
            }
            Message::AppendReply { beat, outcome } => self.on_append_reply(now, from, beat, outcome),
            Message::Heartbeat { reign, commit, reply } => {
                self.follow(now, from, reign.rank);
                self.on_heartbeat(from, reign.beat, commit, reply);
            }
            Message::HeartbeatReply { beat } => self.on_heartbeat_reply(now, from, beat),
            Message::Snapshot { reign, id, offset, bytes } => {
                self.follow(now, from, reign.rank);
                self.on_snapshot(from, reign.beat, SnapshotPart { from, id, offset, bytes });
            }
            Message::SnapshotReply { beat, last, outcome } => {
                self.on_snapshot_reply(now, from, beat, last, outcome);
            }
            Message::TimeoutNow => self.on_timeout_now(now, from),
            Message::PreVote { .. } | Message::PreVoteReply { .. } => unreachable!("handled above"),
        }
    }

    /// Lets time pass up to `now` and derives the work of the turn. `effects` is cleared first.
    pub fn flush(&mut self, now: Instant, effects: &mut Effects) {
        effects.clear();
        self.pass_time(now);
        if self.is_leader() {
            self.advance_commit(now);
            self.settle_membership(now);
        }
        self.hand_out_committed(effects);
        if self.is_leader() {
            self.lead(now, effects);
        }
        effects.reads_failed.append(&mut self.reads_failed);
        effects.parts.append(&mut self.parts);
        self.write(now, effects);
        self.log.forget(self.applied, self.config.tail_bytes);
        self.memberships.forget_before(self.applied);
        effects.members_changed = self.note_members();
        effects.send.append(&mut self.at_once);
        super::invariants::check(self);
    }

    /// When [`Raft::flush`] is next needed though nothing happens. May lie in the past.
    pub fn deadline(&self) -> Instant {
        match &self.role {
            Role::Follower { deadline, .. } => *deadline,
            Role::PreCandidate(campaign) | Role::Candidate(campaign) => campaign.next_event(),
            Role::Leader(leader) => {
                let event = leader.next_event(&self.config, self.memberships.voters());
                let event = self.next_due().map_or(event, |at| event.min(at));
                self.log.writing_since().map_or(event, |since| event.min(since + self.config.write_patience))
            }
        }
    }

    /// Whether stable storage has not answered for so long that this replica had better not lead (R8).
    pub(super) fn is_writing_late(&self, now: Instant) -> bool {
        self.log.writing_since().is_some_and(|since| since + self.config.write_patience <= now)
    }

    /// Whether the present term and vote are on stable storage.
    pub(super) fn is_vote_stored(&self) -> bool {
        self.hard == self.written && self.log.is_confirmed(self.written_with)
    }

    fn pass_time(&mut self, now: Instant) {
        let is_over = self.is_writing_late(now) || self.has_finished();
        let is_asked = self.is_vote_stored();
        if let Role::Candidate(campaign) = &mut self.role
            && campaign.deadline <= now
            && !is_asked
        {
            // The disk is slow, and nobody has been asked yet: another term would be as slow.
            campaign.deadline = now + self.config.election_timeout;
        }
        match &mut self.role {
            Role::Follower { deadline, .. } if *deadline <= now => self.become_pre_candidate(now),
            Role::Follower { .. } => {}
            Role::PreCandidate(campaign) | Role::Candidate(campaign) if campaign.deadline <= now => {
                self.become_pre_candidate(now);
            }
            Role::PreCandidate(_) | Role::Candidate(_) => {
                self.repeat_questions(now);
                self.win_if_won(now);
            }
            Role::Leader(leader)
                if is_over || leader.has_lost_quorum(now, &self.config, self.memberships.voters()) =>
            {
                self.become_follower(now, None);
            }
            Role::Leader(leader) => leader.count_misses(now),
        }
    }

    /// Takes over a later term: no vote in it yet, no leader known.
    pub(super) fn enter_term(&mut self, now: Instant, term: Term) {
        assert!(term > self.hard.term, "a term never falls (S11)");
        self.hard = HardState { term, vote: None };
        // An answer in this term must not echo what was said in an earlier one (R9).
        self.receiving = None;
        self.become_follower(now, None);
    }

    pub(super) fn become_follower(&mut self, now: Instant, leader: Option<NodeId>) {
        let deadline = now + self.patience();
        if let Role::Leader(led) = std::mem::replace(&mut self.role, Role::Follower { leader, deadline }) {
            led.reads.abandon(&mut self.reads_failed);
        }
    }

    /// Listens to the leader of the current term; any of its messages resets the timer (R4).
    fn follow(&mut self, now: Instant, from: NodeId, rank: u16) {
        assert!(!self.is_leader(), "two leaders in one term: {from:?} and this one (S1)");
        self.contact = Some(now);
        self.rank = usize::from(rank);
        self.become_follower(now, Some(from));
    }

    /// Answers a message of an earlier term: whoever asks learns the present one, answers are dropped (R1).
    fn refuse(&mut self, to: NodeId, message: &Message) {
        match message {
            Message::Vote { .. } => {
                self.answer(to, Message::VoteReply { granted: false, commit: self.commit });
            }
            Message::Append { reign, .. } | Message::Heartbeat { reign, .. } => {
                let outcome = AppendOutcome::Deposed;
                self.answer(to, Message::AppendReply { beat: reign.beat, outcome });
            }
            Message::Snapshot { reign, id, .. } => {
                let outcome = SnapshotOutcome::Deposed;
                self.answer(to, Message::SnapshotReply { beat: reign.beat, last: id.last, outcome });
            }
            _ => {}
        }
    }

    /// Sends `message` once everything decided so far is durable.
    pub(super) fn answer(&mut self, to: NodeId, message: Message) {
        self.after_write.push(Envelope { from: self.config.id, to, term: self.hard.term, message });
    }

    /// Commit moves forward only, and never past the end of the log.
    pub(super) fn commit_to(&mut self, index: Index) {
        assert!(index <= self.log.last().index, "{index:?} is committed but not here (S12)");
        self.commit = self.commit.max(index);
    }

    pub(super) fn applied(&self) -> Index {
        self.applied
    }

    /// The last entry that has been handed to the state machine.
    pub fn applied_position(&self) -> Position {
        self.log.position(self.applied).expect("memory begins where the state machine is, or before (S12)")
    }

    fn hand_out_committed(&mut self, effects: &mut Effects) {
        let until = self.commit.min(self.log.durable());
        while self.applied < until {
            self.applied = self.applied.next();
            let entry = self.log.entry(self.applied).expect("what is committed is in the log").clone();
            effects.committed.push(Committed { index: self.applied, entry });
        }
    }

    /// One write for all that changed. Answers ride on it; when nothing changed but a write is still under
    /// way they ride on an empty one, since they may rest on what that one carries.
    fn write(&mut self, now: Instant, effects: &mut Effects) {
        let hard_state = (self.hard != self.written).then_some(self.hard);
        self.written = self.hard;
        let changed = hard_state.is_some() || self.start.is_some() || self.log.has_unwritten();
        if !changed && self.is_writing_late(now) {
            // The disk hangs or is full. Answers that wait for it are given up like lost messages, or they
            // would pile up for as long as that lasts.
            self.after_write.clear();
        }
        if changed || (self.log.writing_since().is_some() && !self.after_write.is_empty()) {
            let (sequence, entries) = self.log.open_write(now);
            if hard_state.is_some() {
                self.written_with = sequence;
            }
            let (start, then_send) = (self.start.take(), std::mem::take(&mut self.after_write));
            effects.write = Some(LogWrite { sequence, hard_state, start, entries, then_send });
        } else {
            effects.send.append(&mut self.after_write);
        }
    }
}
