//! The event loop: every socket of a node, its replica, and who waits for what.
//!
//! A turn: take all that is ready; hand it to the replica; flush it; hand its writes to the log's thread;
//! deliver answers and messages; write every socket once; wait. What must wait for the disk comes back from
//! the log's thread and leaves in a later turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind};

use log::{info, warn};
use mio::event::Event as Readiness;
use mio::{Events, Poll, Token};

use super::client::{Batch, Client};
use super::links::Links;
use super::log_thread::LogReport;
use super::peer::{Forwarded, PeerMessage};
use super::picture::{Member, Picture};
use crate::kv::Operation;
use crate::limits::{CLIENT_CONNECTIONS_MAX, HELD_REQUESTS_MAX, PEER_CONNECTIONS_MAX};
use crate::net::{Connection, Flow, Listener};
use crate::raft::{Instant, LogWrite, NodeId, Span};
use crate::replica::{Answer, Asker, Event, Now, Output, Replica, Reply, Request, Ticket};
use crate::runtime::{Address as Mail, Clock, Mailbox, Undelivered};

/// How long a client waits at most: shorter than any client's own patience, so that it is told what is known
/// and does not try again blindly.
const PATIENCE: Span = Span::milliseconds(2_000);

/// How long the loop sleeps at most.
const IDLE: Span = Span::milliseconds(3_600_000);

/// How soon it tries again when the log's thread had no room.
const AGAIN: Span = Span::milliseconds(1);

const NOTHING_HAPPENED: &str = "TRYAGAIN nothing was done: the leader changed, ask again";
const BUSY: &str = "TRYAGAIN nothing was done: too much waits already, ask again later";
const NO_LEADER: &str = "CLUSTERDOWN nothing was done: no leader is known, a majority may be out of reach";
const DISK_FULL: &str =
    "MISCONF nothing was done: the leader's disk is full, writes are refused until it has room";
const UNCERTAIN: &str = "UNCERTAIN it may have been done or may yet be: no answer came in time";

/// Where a node listens.
#[derive(Debug)]
pub struct Doors {
    /// For clients.
    pub clients: Vec<Listener>,
    /// For the other replicas.
    pub peers: Vec<Listener>,
}

/// A node's place in its cluster.
#[derive(Debug)]
pub struct Seat {
    /// Its name.
    pub id: NodeId,
    /// All replicas and how to reach them, as text for people; itself included.
    pub members: Vec<(NodeId, String)>,
}

/// A durable node.
pub struct Node {
    poll: Poll,
    clock: Clock,
    seat: Seat,
    replica: Replica,
    links: Links,
    doors: Doors,
    clients: BTreeMap<Token, Client>,
    /// Those with something to be read, taken or written.
    busy: BTreeSet<Token>,
    next_token: usize,
    tickets: BTreeMap<Ticket, Waiting>,
    last_ticket: Ticket,
    /// Requests for which there is no leader to carry them out.
    held: VecDeque<(Ticket, Batch)>,
    reports: Mailbox<LogReport>,
    log: Mail<LogWrite>,
    /// A write that the log's thread had no room for. While it waits nothing new is flushed.
    backlog: Option<LogWrite>,
    output: Output,
    is_full: bool,
    is_announced: bool,
}

/// A client's batch that is under way.
#[derive(Debug)]
struct Waiting {
    client: Token,
    until: Instant,
    /// Whether it may take effect without our hearing of it.
    may_happen: bool,
}

/// What a node is made of.
pub struct Parts {
    /// Its event loop.
    pub poll: Poll,
    /// Its clock.
    pub clock: Clock,
    /// Its place.
    pub seat: Seat,
    /// Its replica.
    pub replica: Replica,
    /// Its lines to the others.
    pub links: Links,
    /// Where it listens.
    pub doors: Doors,
    /// What the log's thread reports.
    pub reports: Mailbox<LogReport>,
    /// Where the log's thread takes writes.
    pub log: Mail<LogWrite>,
}

impl Node {
    /// Puts a node together.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says of its listeners.
    pub fn new(parts: Parts) -> io::Result<Node> {
        let Parts { poll, clock, seat, replica, links, mut doors, reports, log } = parts;
        let doors_in_order = doors.clients.iter_mut().chain(&mut doors.peers);
        for (place, listener) in doors_in_order.enumerate() {
            listener.register(poll.registry(), Token(FIRST_DOOR + place))?;
        }
        Ok(Node {
            poll,
            clock,
            seat,
            replica,
            links,
            doors,
            clients: BTreeMap::new(),
            busy: BTreeSet::new(),
            next_token: FIRST_CONNECTION,
            tickets: BTreeMap::new(),
            last_ticket: Ticket(0),
            held: VecDeque::new(),
            reports,
            log,
            backlog: None,
            output: Output::default(),
            is_full: false,
            is_announced: false,
        })
    }

    /// Serves for ever.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says of the event loop, or the end of the log's thread.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        loop {
            let timeout = self.clock.until(self.deadline());
            match self.poll.poll(&mut events, Some(timeout)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let now = self.clock.present();
            for event in &events {
                self.note(now, event);
            }
            self.turn(now)?;
        }
    }

    fn turn(&mut self, now: Now) -> io::Result<()> {
        self.links.dial(now.monotonic, self.poll.registry());
        self.take_reports();
        self.hear_peers(now);
        self.hear_clients(now);
        self.submit_held(now);
        self.flush(now)?;
        self.deliver();
        self.give_up(now);
        self.write_sockets(now);
        self.announce();
        Ok(())
    }

    fn deadline(&self) -> Instant {
        let now = self.clock.now();
        if self.links.has_more() || self.busy.iter().any(|token| self.has_more(*token)) {
            return now;
        }
        let mut deadline = now + if self.backlog.is_some() { AGAIN } else { IDLE };
        if self.backlog.is_none() {
            deadline = deadline.min(self.replica.deadline());
        }
        let oldest = self.tickets.values().next().map(|waiting| waiting.until);
        [oldest, self.links.deadline()].into_iter().flatten().fold(deadline, Instant::min)
    }

    /// Whether a client has sent more than was taken in its turn.
    fn has_more(&self, token: Token) -> bool {
        self.clients.get(&token).is_some_and(|client| client.is_heard() && client.connection.is_readable())
    }

    fn note(&mut self, now: Now, event: &Readiness) {
        let token = event.token();
        if token.0 >= FIRST_DOOR && token.0 < FIRST_DOOR + self.doors.clients.len() + self.doors.peers.len() {
            self.accept(token.0 - FIRST_DOOR);
        } else if let Some(client) = self.clients.get_mut(&token) {
            client.connection.ready(event);
            self.busy.insert(token);
        } else {
            if let Some(peer) = self.links.ready(now.monotonic, event) {
                self.replica.on(now, Event::Reconnected(peer));
            }
        }
    }

    /// Takes the connections that wait at a door.
    fn accept(&mut self, door: usize) {
        let is_client = door < self.doors.clients.len();
        loop {
            let listener = match door.checked_sub(self.doors.clients.len()) {
                None => &self.doors.clients[door],
                Some(place) => &self.doors.peers[place],
            };
            let stream = match listener.accept() {
                Ok(stream) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return warn!("cannot accept a connection: {error}"),
            };
            self.next_token += 1;
            let token = Token(self.next_token);
            if !is_client {
                if self.links.incoming_count() < PEER_CONNECTIONS_MAX {
                    self.links.accept(stream, self.poll.registry(), token);
                }
            } else if self.clients.len() < CLIENT_CONNECTIONS_MAX {
                self.welcome(Connection::new(stream, self.poll.registry(), token), token);
            }
        }
    }

    fn welcome(&mut self, connection: io::Result<Connection>, token: Token) {
        match connection {
            Ok(connection) => {
                self.clients.insert(token, Client::new(connection, token.0 as u64));
                self.busy.insert(token);
            }
            Err(error) => warn!("cannot take a client's connection: {error}"),
        }
    }

    fn take_reports(&mut self) {
        for report in self.reports.drain() {
            match report {
                LogReport::Written(receipt, envelopes) => {
                    self.replica.durable(receipt);
                    self.output.peers.extend(envelopes);
                }
                LogReport::Full => self.is_full = true,
                LogReport::Room => self.is_full = false,
            }
        }
    }

    fn hear_peers(&mut self, now: Now) {
        let (replica, replies, is_full) = (&mut self.replica, &mut self.output.replies, self.is_full);
        self.links.read(now.monotonic, |from, message| match message {
            PeerMessage::Raft(envelope) => replica.on(now, Event::Peer(envelope)),
            PeerMessage::Ask(Forwarded { ticket, once, operations }) => {
                let asker = Asker::Peer(from, ticket);
                if is_full && !operations.iter().all(Operation::is_read) {
                    replies.push(Reply { asker, answer: Answer::Busy });
                } else {
                    replica.on(now, Event::Request(Request { asker, once, operations }));
                }
            }
            PeerMessage::Answer(ticket, answer) => replies.push(Reply { asker: Asker::Here(ticket), answer }),
            PeerMessage::Hello(_) | PeerMessage::Unwelcome(_) => {}
        });
    }

    fn hear_clients(&mut self, now: Now) {
        let picture = self.picture(now);
        let busy: Vec<Token> = self.busy.iter().copied().collect();
        for token in busy {
            let Some(client) = self.clients.get_mut(&token) else { continue };
            if client.is_heard()
                && client.connection.is_readable()
                && client.connection.read() == Flow::Closed
            {
                self.drop_client(token);
                continue;
            }
            let Some(client) = self.clients.get_mut(&token).filter(|client| client.is_heard()) else {
                continue;
            };
            let batch = client.collect(&picture);
            if !batch.is_empty() {
                self.last_ticket = Ticket(self.last_ticket.0 + 1);
                client.waiting = Some(self.last_ticket);
                let until = now.monotonic + PATIENCE;
                let waiting = Waiting { client: token, until, may_happen: false };
                self.tickets.insert(self.last_ticket, waiting);
                self.submit(now, self.last_ticket, batch);
            }
        }
    }

    /// Gives a batch to whoever leads, or keeps it until somebody does.
    fn submit(&mut self, now: Now, ticket: Ticket, batch: Batch) {
        let changes = !batch.operations.iter().all(Operation::is_read);
        let leader = self.replica.status().leader;
        if leader == Some(self.seat.id) {
            if changes && self.is_full {
                return self.fail(ticket, DISK_FULL);
            }
            self.may_happen(ticket, changes);
            let Batch { once, operations, .. } = batch;
            let request = Request { asker: Asker::Here(ticket), once, operations };
            return self.replica.on(now, Event::Request(request));
        }
        let Some(leader) = leader.filter(|leader| self.links.is_up(*leader)) else {
            if self.held.len() >= HELD_REQUESTS_MAX {
                return self.fail(ticket, BUSY);
            }
            return self.held.push_back((ticket, batch));
        };
        let Batch { once, operations, .. } = batch;
        let forwarded = PeerMessage::Ask(Forwarded { ticket, once, operations });
        if self.links.send(leader, &forwarded) {
            self.may_happen(ticket, changes);
        } else {
            self.fail(ticket, BUSY);
        }
    }

    fn may_happen(&mut self, ticket: Ticket, changes: bool) {
        if let Some(waiting) = self.tickets.get_mut(&ticket) {
            waiting.may_happen = changes;
        }
    }

    fn submit_held(&mut self, now: Now) {
        let leader = self.replica.status().leader;
        if leader.is_some_and(|leader| leader == self.seat.id || self.links.is_up(leader)) {
            for (ticket, batch) in std::mem::take(&mut self.held) {
                if self.tickets.contains_key(&ticket) {
                    self.submit(now, ticket, batch);
                }
            }
        }
    }

    /// Ends the replica's turn and hands its write to the log's thread.
    fn flush(&mut self, now: Now) -> io::Result<()> {
        if self.backlog.is_none() {
            self.replica.turn(now, &mut self.output);
            self.backlog = self.output.write.take();
        }
        let Some(write) = self.backlog.take() else { return Ok(()) };
        match self.log.try_send(write) {
            Ok(()) => Ok(()),
            Err(Undelivered::Full(write)) => {
                self.backlog = Some(write);
                Ok(())
            }
            Err(Undelivered::Gone(_)) => Err(io::Error::other("the log's thread is gone")),
        }
    }

    fn deliver(&mut self) {
        for Reply { asker, answer } in std::mem::take(&mut self.output.replies) {
            match asker {
                Asker::Here(ticket) => self.answer(ticket, answer),
                Asker::Peer(node, ticket) => {
                    // If the line is down the other side tells its client what it knows.
                    self.links.send(node, &PeerMessage::Answer(ticket, answer));
                }
                // A request with a name whose asker is connected elsewhere, or was.
                Asker::Anywhere(_) => {}
            }
        }
        for envelope in std::mem::take(&mut self.output.peers) {
            self.links.send(envelope.to, &PeerMessage::Raft(envelope));
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Answer) {
        match answer {
            Answer::NotLeader => self.fail(ticket, NOTHING_HAPPENED),
            Answer::Busy => self.fail(ticket, BUSY),
            Answer::Done(values) => {
                if let Some(waiting) = self.tickets.remove(&ticket)
                    && let Some(client) = self.clients.get_mut(&waiting.client)
                {
                    client.answer(values);
                    self.busy.insert(waiting.client);
                }
            }
        }
    }

    fn fail(&mut self, ticket: Ticket, error: &str) {
        if let Some(waiting) = self.tickets.remove(&ticket)
            && let Some(client) = self.clients.get_mut(&waiting.client)
        {
            client.fail(error);
            self.busy.insert(waiting.client);
        }
    }

    /// Tells the clients whose time is over what is known.
    fn give_up(&mut self, now: Now) {
        while let Some((ticket, waiting)) = self.tickets.first_key_value() {
            if waiting.until > now.monotonic {
                return;
            }
            let error = if waiting.may_happen { UNCERTAIN } else { NO_LEADER };
            self.fail(*ticket, error);
        }
    }

    fn write_sockets(&mut self, now: Now) {
        self.links.write(now.monotonic);
        let mut over = Vec::new();
        self.busy.retain(|token| {
            let Some(client) = self.clients.get_mut(token) else { return false };
            let is_over =
                client.write() == Flow::Closed || (client.is_closing() && client.connection.unwritten() == 0);
            if is_over {
                over.push(*token);
            }
            // Whoever is not heard now is busy again when it is answered or reported on.
            !is_over && client.is_heard() && client.connection.is_readable()
        });
        over.into_iter().for_each(|token| self.drop_client(token));
    }

    /// A client has gone. What it has asked for goes on; nobody will be told.
    fn drop_client(&mut self, token: Token) {
        if let Some(ticket) = self.clients.remove(&token).and_then(|client| client.waiting) {
            self.tickets.remove(&ticket);
        }
        self.busy.remove(&token);
    }

    fn picture(&self, now: Now) -> Picture {
        let member = |(id, address): &(NodeId, String)| Member { id: *id, address: address.clone() };
        Picture {
            me: self.seat.id,
            members: self.seat.members.iter().map(member).collect(),
            status: self.replica.status(),
            clients: self.clients.len(),
            wall: now.wall,
            is_full: self.is_full,
        }
    }

    /// Says once that this node can serve: it knows a leader.
    fn announce(&mut self) {
        if !self.is_announced && self.output.leader.is_some() {
            self.is_announced = true;
            info!("ready");
            crate::cli::announce(&format!("ready: node {}", self.seat.id.0));
        }
    }
}

/// Tokens: the log's wake-up, then listeners, then the lines we make, then whoever connects.
pub(crate) const WAKE: Token = Token(0);
const FIRST_DOOR: usize = 1;
pub(crate) const FIRST_LINE: usize = 1 << 8;
const FIRST_CONNECTION: usize = 1 << 16;
