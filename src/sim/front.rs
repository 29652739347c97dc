//! What a node's event loop does with requests, answers and messages: who is asked, who is answered. Here,
//! too, is where most faults are planted.

use super::clients::Attempt;
use super::ghost::{Checked, fail};
use super::network::{self, Packet};
use super::planted::Planted;
use super::settings::up_to;
use super::telling;
use super::world::{Event, Input, STRANGERS, Station, Waiting, World, hash_of};
use crate::keepers::{SnapshotOrder, SnapshotReport};
use crate::kv::{Operation, RequestId, Value};
use crate::raft::{
    AppendOutcome, Envelope, HardState, Index, LogStart, Message, NodeId, Position, Receipt, Recovered, Term,
};
use crate::replica::{Answer, Asker, Event as ReplicaEvent, Now, Output, Reply, Request, Ticket};

impl World {
    /// A node takes one of the things that waited for its turn.
    pub(super) fn take(&mut self, at: usize, now: Now, input: Input) -> Checked {
        match input {
            Input::Client(attempt) => self.take_request(at, now, attempt),
            Input::Packet(from, packet) => self.take_packet(at, now, from, packet),
            Input::Log(report) => {
                if let Some(life) = &mut self.stations[at].node.life {
                    life.take_log_report(now, report);
                }
                Ok(())
            }
            Input::Snapshot(report) => {
                self.take_snapshot_report(at, now, report);
                Ok(())
            }
            Input::Reconnected(peer) => {
                if let Some(life) = &mut self.stations[at].node.life {
                    life.hear(
                        now,
                        ReplicaEvent::Interrupted(NodeId(u16::try_from(peer).expect("few nodes"))),
                    );
                }
                Ok(())
            }
        }
    }

    fn take_snapshot_report(&mut self, at: usize, now: Now, mut report: SnapshotReport) {
        let Some(life) = &mut self.stations[at].node.life else { return };
        if self.planted == Some(Planted::KeepStore)
            && let SnapshotReport::Received(_, image) = &mut report
        {
            image.store = life.replica.store().clone();
            image.store.abandon_image();
        }
        life.take_snapshot_report(now, report);
    }

    /// A client's request: to the own replica, or on to the leader, once.
    fn take_request(&mut self, at: usize, now: Now, attempt: Attempt) -> Checked {
        let Some((mut once, operations)) = self.wish_of(attempt) else { return Ok(()) };
        if let Some(once) = once.as_mut().filter(|_| self.planted == Some(Planted::RenameRetry)) {
            once.client.0 += 1_000 * attempt.attempt;
        }
        if self.planted == Some(Planted::ReceiptOfAnotherLife)
            && let Station { old_receipt: Some(receipt), node, .. } = &mut self.stations[at]
            && let Some(life) = &mut node.life
        {
            life.replica.durable(*receipt);
        }
        if self.answers_too_early(at, attempt, &operations)? {
            return Ok(());
        }
        let is_write = !operations.iter().all(Operation::is_read);
        let Station { node, tickets, last_ticket, .. } = &mut self.stations[at];
        let Some(life) = &mut node.life else { return Ok(()) };
        let (own, leader) = (node.make.config.id, life.replica.status().leader);
        let refused = Answer::Busy;
        match leader {
            Some(leader) if leader == own && !(is_write && life.is_full()) => {
                *last_ticket += 1;
                tickets.insert(Ticket(*last_ticket), Waiting { attempt, is_own_read: !is_write });
                let request = World::request(Asker::Here(Ticket(*last_ticket)), (once, operations));
                life.hear(now, ReplicaEvent::Request(request));
            }
            Some(leader) if leader != own && self.prng.chance(self.settings.clients.forwarded) => {
                *last_ticket += 1;
                let ticket = Ticket(*last_ticket);
                tickets.insert(ticket, Waiting { attempt, is_own_read: false });
                self.send_on(at, leader, ticket, attempt, once, operations);
            }
            _ => self.tell(attempt, refused, leader.filter(|leader| *leader != own)),
        }
        Ok(())
    }

    fn send_on(
        &mut self,
        at: usize,
        leader: NodeId,
        ticket: Ticket,
        attempt: Attempt,
        once: Option<RequestId>,
        operations: Vec<Operation>,
    ) {
        self.sometimes.forwarded += 1;
        self.asked.insert((at, ticket), attempt);
        let once = once.filter(|_| self.planted != Some(Planted::DropName));
        let packet = Packet::Ask(ticket, once, operations);
        let to = usize::from(leader.0);
        if self.planted == Some(Planted::SendTwice) {
            self.send(at, to, &packet);
        }
        self.send(at, to, &packet);
    }

    fn take_packet(&mut self, at: usize, now: Now, from: usize, mut packet: Packet) -> Checked {
        self.mistake(at, from, &mut packet);
        let Some(life) = &mut self.stations[at].node.life else { return Ok(()) };
        match packet {
            Packet::Raft(envelope) => life.hear(now, ReplicaEvent::Peer(envelope)),
            Packet::Ask(ticket, once, operations) => {
                let asker = Asker::Peer(NodeId(u16::try_from(from).expect("few nodes")), ticket);
                let is_write = !operations.iter().all(Operation::is_read);
                if is_write && life.is_full() {
                    self.send(at, from, &Packet::Answer(ticket, Answer::Busy));
                } else {
                    life.hear(now, ReplicaEvent::Request(Request { asker, once, operations }));
                }
            }
            Packet::Answer(ticket, answer) => {
                let tickets = &mut self.stations[at].tickets;
                let waiting = if self.planted == Some(Planted::SwapAnswers) {
                    tickets.pop_first().map(|(_, waiting)| waiting)
                } else {
                    tickets.remove(&ticket)
                };
                if let Some(Waiting { attempt, .. }) = waiting {
                    self.tell(attempt, answer, None);
                }
            }
        }
        Ok(())
    }

    /// A replica answers somebody.
    pub(super) fn reply(&mut self, at: usize, applied: Index, reply: Reply) -> Checked {
        let Reply { asker, answer } = reply;
        let attempt = match asker {
            Asker::Here(ticket) => self.stations[at].tickets.get(&ticket).map(|waiting| waiting.attempt),
            Asker::Peer(node, ticket) => self.asked.get(&(usize::from(node.0), ticket)).copied(),
            Asker::Anywhere(_) => None,
        };
        let Some(attempt) = attempt else { return Ok(()) };
        self.is_whole(at)?;
        let is_denied = matches!(answer, Answer::Returned(_));
        if is_denied && self.planted == Some(Planted::ForgetReads) {
            return Ok(());
        }
        if let Answer::Done(values) = &answer {
            self.say(|| format!("node {at} answers request {} at {applied:?}: {values:?}", attempt.number));
            self.ghost.answers(attempt.number, applied, values)?;
        }
        match asker {
            Asker::Here(ticket) => {
                self.stations[at].tickets.remove(&ticket);
                let own = NodeId(self.stations[at].id());
                let leader =
                    self.stations[at].node.life.as_ref().and_then(|life| life.replica.status().leader);
                self.tell(attempt, answer, leader.filter(|leader| *leader != own));
            }
            Asker::Peer(node, ticket) => self.send(at, usize::from(node.0), &Packet::Answer(ticket, answer)),
            Asker::Anywhere(_) => {}
        }
        Ok(())
    }

    /// A message of the consensus core leaves.
    pub(super) fn send_raft(&mut self, at: usize, mut envelope: Envelope) -> Checked {
        let to = usize::from(envelope.to.0);
        self.is_whole(at)?;
        self.ghost.sends(at, Some(to), &envelope)?;
        self.is_in_bounds(at, &envelope)?;
        self.note_idle_message(at, to);
        let last = self.stations[at].node.life.as_ref().map(|life| life.replica.status().last.index);
        match &mut envelope.message {
            Message::Append { reign, .. } | Message::Heartbeat { reign, .. }
                if self.planted == Some(Planted::ConfirmWithAnyAnswer) =>
            {
                self.newest_beats.insert((at, to), reign.beat);
            }
            Message::PreVoteReply { granted: false, .. } => self.sometimes.pre_votes_refused += 1,
            Message::VoteReply { granted: false, .. } => self.sometimes.votes_refused += 1,
            Message::AppendReply { outcome: AppendOutcome::Matched(index), .. }
                if self.planted == Some(Planted::MatchOwnTail) =>
            {
                *index = last.unwrap_or(*index);
            }
            Message::AppendReply { outcome, .. } => {
                if let AppendOutcome::Missing { previous, .. } = *outcome {
                    self.sometimes.appends_refused += 1;
                    if self.planted == Some(Planted::TakeRefusalForSuccess) {
                        *outcome = AppendOutcome::Matched(previous);
                    }
                }
            }
            Message::VoteReply { granted: true, .. } if self.planted == Some(Planted::CountVoteTwice) => {
                let others = (0..self.stations.len()).filter(|other| *other != at && *other != to);
                let others: Vec<usize> = others.collect();
                for other in others {
                    let mut copy = envelope.clone();
                    copy.from = NodeId(u16::try_from(other).expect("few nodes"));
                    self.send(at, to, &Packet::Raft(copy));
                }
            }
            _ => {}
        }
        self.send(at, to, &Packet::Raft(envelope));
        Ok(())
    }

    /// Puts a packet on its line. Only the core's messages may come twice: requests travel on connections.
    fn send(&mut self, at: usize, to: usize, packet: &Packet) {
        let bytes = network::encode(self.stations[at].node.make.identity.cluster, packet);
        self.trace.note(&[at as u64, to as u64, hash_of(&bytes)]);
        let may_double = matches!(packet, Packet::Raft(_)) && self.prng.chance(self.settings.network.doubled);
        self.sometimes.messages_doubled += u64::from(may_double);
        if self.prng.chance(self.settings.network.stray) {
            self.sometimes.strays += 1;
            let delay = up_to(&mut self.prng, self.settings.network.delay);
            self.enqueue(delay, Event::Strays((at, to), network::encode(STRANGERS, packet)));
        }
        for _ in 0..=u64::from(may_double) {
            let passage = self.lines.send(&mut self.prng, &self.settings.network, self.now, (at, to), &bytes);
            self.say(|| {
                let fate = if passage.is_none() { "-x" } else { "->" };
                format!("{at} {fate} {to}   {}", telling::packet(packet))
            });
            match passage {
                Some(passage) => {
                    let event = Event::Arrives((at, to), passage.bytes, passage.is_damaged);
                    self.enqueue(passage.arrives - self.now, event);
                }
                None => self.sometimes.messages_lost += 1,
            }
        }
    }

    /// D5: a node whose disk has failed says nothing any more.
    fn is_whole(&self, at: usize) -> Checked {
        let Station { node, .. } = &self.stations[at];
        if node.log_disk.has_failed() || node.snapshot_disk.has_failed() {
            return fail("D5", format!("node {at} goes on though its disk has failed"));
        }
        Ok(())
    }

    /// Planted: what a node takes an arriving packet for.
    fn mistake(&mut self, at: usize, from: usize, packet: &mut Packet) {
        let Packet::Raft(Envelope { term, message, .. }) = packet else { return };
        let Some(life) = &self.stations[at].node.life else { return };
        let status = life.replica.status();
        let is_late = *term < status.term;
        match (self.planted, message) {
            (Some(Planted::CommitBeyondMatch), Message::Heartbeat { commit, .. }) => {
                *commit = status.last.index;
            }
            (
                Some(Planted::BelieveDeposed),
                Message::Append { .. } | Message::Heartbeat { .. } | Message::Snapshot { .. },
            ) if is_late => *term = status.term,
            (Some(Planted::CountLateVotes), Message::VoteReply { granted: true, .. }) if is_late => {
                *term = status.term;
            }
            (
                Some(Planted::ConfirmWithAnyAnswer),
                Message::AppendReply { beat, .. } | Message::HeartbeatReply { beat },
            ) => {
                let newest = self.newest_beats.get(&(at, from)).copied();
                *beat = newest.filter(|_| !is_late).unwrap_or(*beat);
            }
            _ => {}
        }
    }

    /// Planted: a deposed leader that says more than it knows.
    pub(super) fn steps_down(&mut self, at: usize) {
        if self.planted == Some(Planted::DenyAtStepDown) {
            for Waiting { attempt, .. } in std::mem::take(&mut self.stations[at].tickets).into_values() {
                self.tell(attempt, Answer::Busy, None);
            }
        }
    }

    /// Planted: a node that answers from what it happens to have.
    fn answers_too_early(
        &mut self,
        at: usize,
        attempt: Attempt,
        operations: &[Operation],
    ) -> Result<bool, super::Violation> {
        let leads = self.leads(at);
        let Some(life) = &self.stations[at].node.life else { return Ok(false) };
        let is_read = operations.iter().all(Operation::is_read);
        let is_set = operations.iter().all(|operation| matches!(operation, Operation::Set { .. }));
        let values = match self.planted {
            Some(Planted::ReadAtOnce) if is_read && leads => {
                operations.iter().map(|operation| life.replica.store().read(operation)).collect()
            }
            Some(Planted::ReadAtFollower) if is_read => {
                operations.iter().map(|operation| life.replica.store().read(operation)).collect()
            }
            Some(Planted::AnswerBeforeCommit) if is_set && leads => vec![Value::Okay; operations.len()],
            _ => return Ok(false),
        };
        let applied = life.replica.status().applied;
        self.ghost.answers(attempt.number, applied, &values)?;
        self.tell(attempt, Answer::Done(values), None);
        Ok(true)
    }

    /// Planted: what a node does wrong with what a turn has come to.
    pub(super) fn sabotage(&mut self, at: usize, output: &mut Output) {
        let Some(write) = &mut output.write else { return };
        self.stations[at].last_write = Some(Receipt(write.sequence));
        match self.planted {
            Some(Planted::AcknowledgeBeforeSync) => output.peers.append(&mut write.then_send),
            Some(Planted::ReceiptBeforeSync) => {
                if let Some(life) = &mut self.stations[at].node.life {
                    life.replica.durable(Receipt(write.sequence));
                }
            }
            Some(Planted::SkipMark) => write.start = None,
            Some(Planted::DropHardState) => write.hard_state = None,
            Some(Planted::LoseWrite) if write.sequence.0.is_multiple_of(20) => write.entries = None,
            _ => {}
        }
        if matches!(write.start, Some(LogStart { keeps_tail: false, .. })) {
            self.sometimes.tails_dropped += 1;
        }
    }

    /// Planted: a snapshot that is begun is stored under another position; writes change places.
    pub(super) fn misplace(&mut self, at: usize) {
        if self.planted == Some(Planted::SwapWrites)
            && let Some(life) = &mut self.stations[at].node.life
            && life.log_mail.len() > 1
        {
            life.log_mail.swap(0, 1);
        }
        if self.planted == Some(Planted::MisplaceSnapshot)
            && let Some(life) = &mut self.stations[at].node.life
            && let Some(SnapshotOrder::Begin(last, _)) = life.snapshot_mail.back_mut()
            && last.index.0 > 1
        {
            *last = Position { term: last.term, index: last.index.previous() };
        }
    }

    /// Planted: what a restart does not know any more, or should not.
    pub(super) fn forget(&mut self, at: usize, recovered: &mut Recovered) {
        let last = recovered.entries.last().map_or(recovered.start.term, |entry| entry.term);
        match self.planted {
            Some(Planted::ForgetVote) => recovered.hard_state.vote = None,
            Some(Planted::ForgetTerm) => {
                recovered.hard_state = HardState { term: last.max(Term(0)), vote: None }
            }
            Some(Planted::ForgetLastEntry) => drop(recovered.entries.pop()),
            Some(Planted::ReceiptOfAnotherLife) => {
                self.stations[at].old_receipt = self.stations[at].last_receipt;
            }
            _ => {}
        }
    }
}
