//! The event loop: every socket of a node, its replica, and who waits for what.
//!
//! A turn: take all that is ready; hand it to the replica; flush it; hand its writes to the log's thread;
//! deliver answers and messages; write every socket once; write the log, where that is the node's task; wait.
//! What must wait for the disk leaves in a later turn, when the log has reported it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use log::info;
use mio::event::Event as Readiness;
use mio::{Events, Poll, Token};

use super::client::{Batch, Client, bounds};
use super::doors::{self, Doors};
use super::files::Leaving;
use super::idle::Vigil;
use super::links::Links;
use super::log_seat::LogSeat;
use super::peer::{Forwarded, PeerMessage};
use super::picture::{Member, Picture};
use super::report::Report;
use super::requests::Waiting;
use crate::disk::Directory;
use crate::keepers::{Imaging, SnapshotOrder};
use crate::kv::Operation;
use crate::net::{Flow, Scratch};
use crate::raft::{Index, Instant, LogWrite, NodeId, Span};
use crate::replica::{Answer, Asker, Event, Now, Output, Replica, Reply, Request, Ticket};
use crate::resp::Bounds;
use crate::runtime::{Address as Mail, Clock, Mailbox, arbitrary_seed};

/// How long the loop sleeps at most.
const IDLE: Span = Span::milliseconds(3_600_000);

/// How soon it tries again when the log's thread had no room.
const AGAIN: Span = Span::milliseconds(1);

/// A node's place in its cluster.
#[derive(Debug)]
pub(super) struct Seat {
    /// Its name.
    pub(super) id: NodeId,
    /// All replicas and how to reach them, as text for people; itself included.
    pub(super) members: Arc<[Member]>,
}

/// A durable node.
pub(super) struct Node {
    pub(super) poll: Poll,
    pub(super) clock: Clock,
    pub(super) seat: Seat,
    pub(super) replica: Replica,
    pub(super) links: Links,
    pub(super) doors: Doors,
    /// Until when no door is tried, since one could not be opened.
    pub(super) doors_pause: Option<Instant>,
    pub(super) clients: BTreeMap<Token, Client>,
    pub(super) clients_max: usize,
    /// Those with something to be read, taken or written.
    pub(super) busy: BTreeSet<Token>,
    pub(super) next_token: usize,
    pub(super) tickets: BTreeMap<Ticket, Waiting>,
    pub(super) last_ticket: Ticket,
    /// Requests for which there is no leader to carry them out.
    pub(super) held: VecDeque<(Ticket, Batch)>,
    /// Who has just refused one, though it was believed to lead, and until when it is not asked again.
    pub(super) refused: Option<(NodeId, Instant)>,
    pub(super) reports: Mailbox<Report>,
    pub(super) log: LogSeat<Directory>,
    /// Whether the log has reported something at the end of this turn.
    pub(super) has_reports: bool,
    /// A write that the log's thread had no room for. While it waits nothing new is flushed.
    pub(super) backlog: Option<LogWrite>,
    /// Reads of the log that its thread has not taken yet.
    pub(super) reads: VecDeque<(NodeId, Index)>,
    pub(super) snapshots: Mail<SnapshotOrder>,
    pub(super) imaging: Imaging,
    pub(super) output: Output,
    pub(super) scratch: Scratch,
    /// What a client may claim.
    pub(super) bounds: Bounds,
    /// Whether the log's disk is full.
    pub(super) is_full: bool,
    /// The others whose disks are.
    pub(super) full_peers: BTreeSet<NodeId>,
    /// When a leader whose disk is full tries again to hand over.
    pub(super) next_handover: Instant,
    /// Set when this node is to end.
    pub(super) leaving: Option<Leaving>,
    /// Whether this node is known to be no member any more.
    pub(super) is_removed: bool,
    is_announced: bool,
    pub(super) vigil: Vigil,
}

/// What a node is made of.
pub(super) struct Parts {
    /// Its event loop.
    pub(super) poll: Poll,
    /// Its clock.
    pub(super) clock: Clock,
    /// Its place.
    pub(super) seat: Seat,
    /// Its replica.
    pub(super) replica: Replica,
    /// Its lines to the others.
    pub(super) links: Links,
    /// Where it listens.
    pub(super) doors: Doors,
    /// What the other threads report.
    pub(super) reports: Mailbox<Report>,
    /// Where the log is kept.
    pub(super) log: LogSeat<Directory>,
    /// Where the snapshots' thread takes orders.
    pub(super) snapshots: Mail<SnapshotOrder>,
    /// Longest value that it takes from a client, in bytes.
    pub(super) value_bytes_max: usize,
    /// The least number of bytes of log between two snapshots.
    pub(super) snapshot_bytes: u64,
    /// The size of the last snapshot.
    pub(super) last_snapshot_bytes: u64,
}

impl Node {
    /// Puts a node together.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says of its listeners.
    pub(super) fn new(parts: Parts) -> io::Result<Node> {
        let Parts { poll, clock, seat, replica, links, mut doors, reports, log, snapshots, .. } = parts;
        doors.register(poll.registry(), FIRST_DOOR)?;
        let clients_max = doors::clients_max(replica.members().1.len() + 1);
        info!("takes up to {clients_max} clients");
        let mut node = Node {
            poll,
            clock,
            seat,
            replica,
            links,
            doors,
            doors_pause: None,
            clients: BTreeMap::new(),
            clients_max,
            busy: BTreeSet::new(),
            next_token: FIRST_CONNECTION,
            tickets: BTreeMap::new(),
            // Others may still hold answers for an earlier life: its tickets must not come again.
            last_ticket: Ticket(arbitrary_seed() >> 1),
            held: VecDeque::new(),
            refused: None,
            reports,
            log,
            has_reports: false,
            backlog: None,
            reads: VecDeque::new(),
            snapshots,
            imaging: Imaging::new(parts.snapshot_bytes, parts.last_snapshot_bytes),
            leaving: None,
            output: Output::default(),
            scratch: Scratch::default(),
            bounds: bounds(parts.value_bytes_max),
            is_full: false,
            full_peers: BTreeSet::new(),
            next_handover: Instant(0),
            is_removed: false,
            is_announced: false,
            vigil: Vigil::default(),
        };
        node.follow_members();
        Ok(node)
    }

    /// Serves until it is told to end.
    ///
    /// # Errors
    ///
    /// Whatever the operating system says of the event loop, or the end of the log's thread.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        loop {
            self.wait(&mut events)?;
            let now = self.clock.present();
            for event in &events {
                self.note(now, event);
            }
            self.turn(now)?;
            if self.has_left(now) {
                return Ok(());
            }
        }
    }

    fn turn(&mut self, now: Now) -> io::Result<()> {
        self.links.dial(now.monotonic, self.poll.registry());
        self.accept_late(now.monotonic);
        self.take_reports(now);
        self.make_room_for_another(now);
        self.hear_peers(now);
        self.hear_clients(now);
        self.submit_held(now);
        self.flush(now)?;
        if std::mem::take(&mut self.output.members_changed) {
            self.follow_members();
        }
        self.deliver(now);
        self.give_up(now);
        self.write_sockets(now);
        for lost in self.links.take_lost() {
            self.full_peers.remove(&lost);
            // Nobody is to be counted on who cannot be reached: as with a new line, all starts anew.
            self.replica.on(now, Event::Interrupted(lost));
            self.lose(lost);
        }
        self.announce();
        self.keep_log(now)
    }

    /// When there is something to do at the latest.
    pub(super) fn deadline(&self) -> Instant {
        let now = self.clock.now();
        let is_hearing = self.leaving.is_none();
        if self.links.has_more() || (is_hearing && self.busy.iter().any(|token| self.has_more(*token))) {
            return now;
        }
        let is_choked = self.backlog.is_some() || !self.reads.is_empty();
        let mut deadline = now + if is_choked { AGAIN } else { IDLE };
        if self.backlog.is_none() {
            deadline = deadline.min(self.replica.deadline());
        }
        let leaving = self.leaving.map(|leaving| leaving.until);
        let oldest = self.tickets.values().next().map(|waiting| waiting.until);
        let log = self.log_deadline(now);
        [oldest, self.links.deadline(), leaving, self.held_deadline(now), log, self.doors_pause]
            .into_iter()
            .flatten()
            .fold(deadline, Instant::min)
    }

    /// Whether a client has sent more than was taken in its turn.
    fn has_more(&self, token: Token) -> bool {
        self.clients.get(&token).is_some_and(Client::has_more)
    }

    fn note(&mut self, now: Now, event: &Readiness) {
        let token = event.token();
        if token.0 >= FIRST_DOOR && token.0 < FIRST_DOOR + self.doors.count() {
            self.accept(now.monotonic, token.0 - FIRST_DOOR);
        } else if let Some(client) = self.clients.get_mut(&token) {
            client.connection.ready(event);
            self.busy.insert(token);
        } else {
            if let Some(peer) = self.links.ready(now.monotonic, event) {
                self.replica.on(now, Event::Interrupted(peer));
                self.links.send(peer, &PeerMessage::Full(self.is_full));
            }
        }
    }

    fn hear_peers(&mut self, now: Now) {
        let mut said = Vec::new();
        // Most of what is said is for the replica, and goes there at once.
        self.links.read(now.monotonic, &mut self.scratch, |from, message| match message {
            PeerMessage::Raft(envelope) => self.replica.on(now, Event::Peer(envelope)),
            message => said.push((from, message)),
        });
        for (from, message) in said {
            self.hear_peer(now, from, message);
        }
    }

    fn hear_peer(&mut self, now: Now, from: NodeId, message: PeerMessage) {
        match message {
            PeerMessage::Ask(Forwarded { ticket, once, operations }) => {
                if self.is_full && self.leads() && !operations.iter().all(Operation::is_read) {
                    self.links.send(from, &PeerMessage::NoRoom(ticket));
                } else {
                    let asker = Asker::Peer(from, ticket);
                    self.replica.on(now, Event::Request(Request { asker, once, operations }));
                }
            }
            PeerMessage::Order(ticket, order) => {
                self.replica.on(now, Event::Order(Asker::Peer(from, ticket), order));
            }
            PeerMessage::Answer(ticket, answer)
                if self.tickets.get(&ticket).is_some_and(|waiting| waiting.is_asked_of(from)) =>
            {
                self.output.replies.push(Reply { asker: Asker::Here(ticket), answer });
            }
            PeerMessage::NoRoom(ticket)
                if self.tickets.get(&ticket).is_some_and(|waiting| waiting.is_asked_of(from)) =>
            {
                self.no_room(ticket);
            }
            PeerMessage::Full(true) => drop(self.full_peers.insert(from)),
            PeerMessage::Full(false) => drop(self.full_peers.remove(&from)),
            PeerMessage::Answer(..)
            | PeerMessage::NoRoom(_)
            | PeerMessage::Hello(_)
            | PeerMessage::Unwelcome(_)
            | PeerMessage::Raft(_) => {}
        }
    }

    /// Whether this node leads.
    pub(super) fn leads(&self) -> bool {
        self.replica.status().leader == Some(self.seat.id)
    }

    fn deliver(&mut self, now: Now) {
        self.vigil.meet(self.output.replies.len());
        let mut replies = std::mem::take(&mut self.output.replies);
        for Reply { asker, answer } in replies.drain(..) {
            match asker {
                Asker::Here(ticket) => self.answer(now, ticket, answer),
                Asker::Peer(node, ticket) => {
                    // If the line is down the other side tells its client what it knows.
                    if !self.links.send(node, &PeerMessage::Answer(ticket, answer)) {
                        self.links.insist(node, &PeerMessage::Answer(ticket, Answer::Unsaid));
                    }
                }
                // A request with a name whose asker is connected elsewhere, or was.
                Asker::Anywhere(_) => {}
            }
        }
        for envelope in self.output.peers.drain(..) {
            self.links.send(envelope.to, &PeerMessage::Raft(envelope));
        }
        assert!(self.output.replies.is_empty(), "no answer gives rise to another");
        self.output.replies = replies;
    }

    fn write_sockets(&mut self, now: Now) {
        self.links.write(now.monotonic);
        let mut over = Vec::new();
        self.busy.retain(|token| {
            let Some(client) = self.clients.get_mut(token) else { return false };
            let is_over = client.write() == Flow::Closed || client.is_over();
            if is_over {
                over.push(*token);
            }
            // Whoever is not heard now is busy again when it is answered or reported on.
            !is_over && client.has_more()
        });
        over.into_iter().for_each(|token| self.drop_client(token));
    }

    /// A client has gone. What it has asked for goes on; nobody will be told.
    pub(super) fn drop_client(&mut self, token: Token) {
        if let Some(ticket) = self.clients.remove(&token).and_then(|client| client.waiting) {
            self.tickets.remove(&ticket);
            self.forget_held();
        }
        self.busy.remove(&token);
    }

    pub(super) fn picture(&self, now: Now) -> Picture {
        Picture {
            me: self.seat.id,
            members: Arc::clone(&self.seat.members),
            status: self.replica.status(),
            clients: self.clients.len(),
            clients_max: self.clients_max,
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
pub(super) const WAKE: Token = Token(0);
const FIRST_DOOR: usize = 1;
pub(super) const FIRST_LINE: usize = 1 << 8;
const FIRST_CONNECTION: usize = 1 << 16;
