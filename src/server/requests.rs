//! Clients' requests: taken from their connections, given to whoever leads, answered in the end.
//!
//! Every batch of a client has a ticket. Whatever happens, the ticket ends with an answer: what the store
//! said, or an error that says whether anything may have happened.

use mio::Token;

use super::client::{Batch, Client};
use super::node::Node;
use super::peer::{Forwarded, PeerMessage};
use crate::limits::{HELD_BYTES_MAX, HELD_REQUESTS_MAX};
use crate::raft::{Instant, NodeId, Span};
use crate::replica::{Answer, Asker, Event, Now, Request, Returned, Ticket};

/// How long a client waits at most: shorter than any client's own patience, so that it is told what is known
/// and does not try again blindly.
const PATIENCE: Span = Span::milliseconds(2_000);

const NOTHING_HAPPENED: &str = "TRYAGAIN nothing was done: the leader changed, ask again";
const BUSY: &str = "TRYAGAIN nothing was done: too much waits already, ask again later";
const NO_LEADER: &str = "CLUSTERDOWN nothing was done: no leader is known, a majority may be out of reach";
const REMOVED: &str = "CLUSTERDOWN nothing was done: this node is no member of its cluster any more";
const DISK_FULL: &str =
    "MISCONF nothing was done: the leader's disk is full, writes are refused until it has room";
const UNCERTAIN: &str = "UNCERTAIN it may have been done or may yet be: the leader was lost, or slow";
const READ_LOST: &str = "TRYAGAIN nothing was done: the leader was lost before it could be read, ask again";

/// How long a node that said it does not lead is not asked again.
const REFUSED: Span = Span::milliseconds(10);

/// A client's batch that is under way.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) client: Token,
    pub(super) until: Instant,
    /// Who has it.
    asked: Option<NodeId>,
    /// Whether it may take effect without our hearing of it.
    may_happen: bool,
}

impl Waiting {
    /// Whether this node has it: nobody else's answer counts.
    pub(super) fn is_asked_of(&self, node: NodeId) -> bool {
        self.asked == Some(node)
    }
}

impl Node {
    pub(super) fn hear_clients(&mut self, now: Now) {
        if self.leaving.is_some() {
            return;
        }
        let picture = self.picture(now);
        let busy: Vec<Token> = self.busy.iter().copied().collect();
        for token in busy {
            let Some(client) = self.clients.get_mut(&token) else { continue };
            if !client.is_heard() {
                continue;
            }
            client.read(&mut self.scratch);
            let batch = client.collect(&picture, &self.bounds);
            if !batch.is_empty() {
                self.last_ticket = Ticket(self.last_ticket.0 + 1);
                client.waiting = Some(self.last_ticket);
                let until = now.monotonic + PATIENCE;
                let waiting = Waiting { client: token, until, asked: None, may_happen: false };
                self.tickets.insert(self.last_ticket, waiting);
                self.submit(now, self.last_ticket, batch);
            }
        }
    }

    /// Gives a batch to whoever leads, or keeps it until somebody does.
    fn submit(&mut self, now: Now, ticket: Ticket, batch: Batch) {
        if self.is_removed {
            return self.fail(ticket, REMOVED);
        }
        let changes = batch.changes();
        let Some(leader) = self.willing_leader(now) else { return self.hold(ticket, batch) };
        let Batch { once, operations, order, .. } = batch;
        if leader != self.seat.id {
            let forwarded = match order {
                Some(order) => PeerMessage::Order(ticket, order),
                None => PeerMessage::Ask(Forwarded { ticket, once, operations }),
            };
            if self.links.send(leader, &forwarded) {
                self.note_asked(ticket, leader, changes);
            } else {
                self.fail(ticket, BUSY);
            }
        } else if changes && self.is_full {
            self.fail(ticket, DISK_FULL);
        } else {
            self.note_asked(ticket, leader, changes);
            let asker = Asker::Here(ticket);
            self.replica.on(
                now,
                match order {
                    Some(order) => Event::Order(asker, order),
                    None => Event::Request(Request { asker, once, operations }),
                },
            );
        }
    }

    /// Keeps a batch until somebody can take it.
    fn hold(&mut self, ticket: Ticket, batch: Batch) {
        let bytes: usize = self.held.iter().map(|(_, batch)| batch.bytes()).sum();
        if self.held.len() >= HELD_REQUESTS_MAX || bytes >= HELD_BYTES_MAX {
            return self.fail(ticket, BUSY);
        }
        if let Some(waiting) = self.tickets.get_mut(&ticket) {
            waiting.may_happen = false;
            self.held.push_back((ticket, batch));
        }
    }

    /// Who leads, if it can be reached and has not just said that it does not.
    fn willing_leader(&self, now: Now) -> Option<NodeId> {
        let is_refused =
            |leader| self.refused.is_some_and(|(by, until)| by == leader && now.monotonic < until);
        let leader = self.replica.status().leader.filter(|leader| !is_refused(*leader))?;
        (leader == self.seat.id || self.links.is_up(leader)).then_some(leader)
    }

    fn note_asked(&mut self, ticket: Ticket, of: NodeId, changes: bool) {
        if let Some(waiting) = self.tickets.get_mut(&ticket) {
            waiting.asked = Some(of);
            waiting.may_happen = changes;
        }
    }

    pub(super) fn submit_held(&mut self, now: Now) {
        if !self.held.is_empty() && self.willing_leader(now).is_some() {
            for (ticket, batch) in std::mem::take(&mut self.held) {
                if self.tickets.contains_key(&ticket) {
                    self.submit(now, ticket, batch);
                }
            }
        }
    }

    /// When what is held may find somebody, though nothing else happens.
    pub(super) fn held_deadline(&self, now: Instant) -> Option<Instant> {
        let until = self.refused.filter(|_| !self.held.is_empty()).map(|(_, until)| until);
        until.filter(|until| *until > now)
    }

    /// The line to a node is broken: whatever it was asked, its answers will not come.
    pub(super) fn lose(&mut self, node: NodeId) {
        let lost = self.tickets.iter().filter(|(_, waiting)| waiting.asked == Some(node));
        let lost: Vec<(Ticket, bool)> = lost.map(|(ticket, waiting)| (*ticket, waiting.may_happen)).collect();
        for (ticket, may_happen) in lost {
            self.fail(ticket, if may_happen { UNCERTAIN } else { READ_LOST });
        }
    }

    /// The leader has no space for a request.
    pub(super) fn no_room(&mut self, ticket: Ticket) {
        self.fail(ticket, DISK_FULL);
    }

    pub(super) fn answer(&mut self, now: Now, ticket: Ticket, answer: Answer) {
        match answer {
            Answer::Part(values, Returned { once, operations }) => {
                self.reply(ticket, |client| client.answer_part(values, Batch::new(once, operations)));
            }
            Answer::Returned(Returned { once, operations }) => {
                if let Some(by) = self.tickets.get_mut(&ticket).and_then(|waiting| waiting.asked.take()) {
                    self.refused = Some((by, now.monotonic + REFUSED));
                }
                self.hold(ticket, Batch::new(once, operations));
            }
            Answer::Replaced => self.fail(ticket, NOTHING_HAPPENED),
            Answer::Refused(refusal) => self.fail(ticket, &format!("ERR nothing was done: {refusal}")),
            Answer::Busy => self.fail(ticket, BUSY),
            Answer::Unsaid => {
                let may_happen = self.tickets.get(&ticket).is_some_and(|waiting| waiting.may_happen);
                self.fail(ticket, if may_happen { UNCERTAIN } else { BUSY });
            }
            Answer::Done(values) => self.reply(ticket, |client| client.answer(values)),
        }
    }

    pub(super) fn fail(&mut self, ticket: Ticket, error: &str) {
        self.reply(ticket, |client| client.fail(error));
    }

    /// Ends a ticket, if its client is still there.
    fn reply(&mut self, ticket: Ticket, say: impl FnOnce(&mut Client)) {
        if let Some(waiting) = self.tickets.remove(&ticket)
            && let Some(client) = self.clients.get_mut(&waiting.client)
        {
            say(client);
            self.busy.insert(waiting.client);
        }
    }

    /// Tells the clients whose time is over what is known.
    pub(super) fn give_up(&mut self, now: Now) {
        let before = self.tickets.len();
        while let Some((ticket, waiting)) = self.tickets.first_key_value() {
            if waiting.until > now.monotonic {
                break;
            }
            let error = if waiting.may_happen { UNCERTAIN } else { NO_LEADER };
            self.fail(*ticket, error);
        }
        if self.tickets.len() < before {
            self.forget_held();
        }
    }

    /// Nobody waits any more for some of what is held.
    pub(super) fn forget_held(&mut self) {
        self.held.retain(|(ticket, _)| self.tickets.contains_key(ticket));
    }
}
