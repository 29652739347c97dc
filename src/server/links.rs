//! The lines to the other replicas: one connection each way with every one of them.
//!
//! A replica speaks on the connections that it has made, and listens on those that others have made to it.
//! So neither has to agree with the other on which of two connections counts, and a line that is broken in
//! one direction only is broken in one direction only. A connection begins with a hello; whoever is not
//! welcome is told why, once, and hung up on. Whoever connects and says nothing is a stranger; of those
//! there are only so many, and the oldest has to go when another comes, so that none keeps a replica out.
//!
//! There is a line to everyone with whom the consensus core may have to speak, and to whoever has introduced
//! itself as a node of this cluster without being known: it may be a member of which this node has not heard
//! yet, and then its leader, and has to be answered.
//!
//! What does not get through is lost: the consensus core repeats what matters. A follower that takes nothing
//! for long costs a bounded buffer, no more (R24).

use std::collections::BTreeMap;

use log::{info, warn};
use mio::event::Event;
use mio::{Registry, Token};

use super::acquaintances::{self, Acquaintances};
use super::address_book::AddressBook;
use super::hearing::{Hearing, refusal};
use super::peer::{Hello, PeerMessage};
use crate::codec;
use crate::identity::{ClusterId, Incarnation};
use crate::limits::LINK_UNWRITTEN_MAX;
use crate::net::{Address, Connection, Flow, Scratch, Stream, append_frame};
use crate::prng::Prng;
use crate::raft::{Index, Instant, Membership, NodeId, Span};

/// The first wait before a broken line is tried again; doubled each time, with up to as much again at random.
const BACKOFF_MIN: Span = Span::milliseconds(50);
const BACKOFF_MAX: Span = Span::milliseconds(1_000);

/// Connections without a hello beyond one for each other replica.
const STRANGERS_MAX: usize = 8;

/// Nodes that are no members, as far as this one knows, and are heard all the same.
const GUESTS_MAX: usize = 8;

/// Tokens of the lines that this node makes: so many, over and over.
const LINE_TOKENS: usize = 1 << 15;

/// How long a connection may take to come about.
const CONNECT_PATIENCE: Span = Span::milliseconds(2_000);

/// Who this replica is to the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    /// Its cluster.
    pub(super) cluster: ClusterId,
    /// Its name there.
    pub(super) id: NodeId,
    /// Its life: the number that was drawn when its disk was formatted.
    pub(super) life: Incarnation,
}

/// All lines of one replica.
#[derive(Debug)]
pub(super) struct Links {
    identity: Identity,
    acquaintances: Acquaintances,
    book: AddressBook,
    /// Where this replica can be reached, as it says itself.
    own_address: Box<str>,
    /// Everyone with whom the core may have to speak; of members, the entry that made them one.
    peers: BTreeMap<NodeId, Option<Index>>,
    first_line: usize,
    lines_made: usize,
    outgoing: BTreeMap<NodeId, Outgoing>,
    incoming: BTreeMap<Token, Incoming>,
    /// Whose lines have broken since somebody asked.
    lost: Vec<NodeId>,
    /// The last refusal that was logged: the same one is not said every second.
    refusal: String,
    prng: Prng,
}

/// The line on which we speak.
#[derive(Debug)]
struct Outgoing {
    address: Address,
    token: Token,
    state: State,
    backoff: Span,
    /// Why the other side does not want us, as it said last.
    refusal: String,
}

#[derive(Debug)]
enum State {
    /// Not connected; to be tried at this moment.
    Down(Instant),
    /// Under way until it is writable.
    Connecting(Connection, Instant),
    Up(Connection),
}

/// A line on which another speaks.
#[derive(Debug)]
struct Incoming {
    connection: Connection,
    hearing: Hearing,
}

impl Links {
    /// No lines yet. Those that will be made have tokens from `first_line` on.
    pub(super) fn new(
        identity: Identity,
        acquaintances: Acquaintances,
        given: &[(NodeId, Address)],
        first_line: usize,
        seed: u64,
    ) -> Links {
        let own = given.iter().find(|(id, _)| *id == identity.id);
        Links {
            identity,
            acquaintances,
            book: AddressBook::new(given),
            own_address: own.map_or_else(Box::default, |(_, address)| address.to_string().into()),
            peers: BTreeMap::new(),
            first_line,
            lines_made: 0,
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
            lost: Vec::new(),
            refusal: String::new(),
            prng: Prng::new(seed),
        }
    }

    /// Where a replica can be reached, of which the membership says `note`.
    pub(super) fn reach(&self, id: NodeId, note: &str) -> Option<String> {
        self.book.find(id, note).map(|address| address.to_string())
    }

    /// Has a line to each of `peers`, and to nobody else who is not connected. Answers those of whom it does
    /// not know where they are.
    pub(super) fn follow(&mut self, peers: &[NodeId], membership: &Membership) -> Vec<NodeId> {
        let since = |id: &NodeId| membership.get(*id).map(|member| member.since);
        self.peers = peers.iter().map(|id| (*id, since(id))).collect();
        self.judge_again();
        let mut lacking = Vec::new();
        for id in peers {
            let note = membership.get(*id).map_or("", |member| &member.note);
            match self.book.find(*id, note) {
                Some(address) => self.make_line(*id, address),
                None if !self.outgoing.contains_key(id) => lacking.push(*id),
                None => {}
            }
        }
        self.drop_guests();
        lacking
    }

    fn make_line(&mut self, to: NodeId, address: Address) {
        if self.outgoing.get(&to).is_some_and(|line| line.address == address) {
            return;
        }
        let token = Token(self.first_line + self.lines_made % LINE_TOKENS);
        self.lines_made += 1;
        let state = State::Down(Instant(0));
        let line = Outgoing { address, token, state, backoff: BACKOFF_MIN, refusal: String::new() };
        self.outgoing.insert(to, line);
    }

    /// Whoever was heard as a guest and is a member now is held to what is known of it.
    fn judge_again(&mut self) {
        let Links { incoming, peers, acquaintances, refusal, .. } = self;
        incoming.retain(|_, incoming| {
            let Some(Hello { from, life, .. }) = incoming.hearing.hello() else { return true };
            let Some(Some(since)) = peers.get(from) else { return true };
            match acquaintances.meet(*from, *since, *life) {
                Ok(()) => true,
                Err(why) => {
                    note_refusal(refusal, &why);
                    false
                }
            }
        });
    }

    /// There is no line to whoever is no peer and not connected.
    fn drop_guests(&mut self) {
        let Links { outgoing, incoming, peers, .. } = self;
        outgoing.retain(|id, _| peers.contains_key(id) || incoming.values().any(|line| line.is_from(*id)));
    }

    /// A replica, or somebody who pretends to be one, has connected.
    pub(super) fn accept(&mut self, stream: Stream, registry: &Registry, token: Token) {
        let mut strangers = self.incoming.iter().filter(|(_, incoming)| incoming.hearing.hello().is_none());
        // Tokens ascend, so the first is the oldest.
        let oldest = strangers.next().map(|(token, _)| *token);
        if strangers.count() + 1 >= self.outgoing.len() + STRANGERS_MAX
            && let Some(oldest) = oldest
        {
            self.incoming.remove(&oldest);
        }
        match Connection::new(stream, registry, token) {
            Ok(connection) => {
                self.incoming.insert(token, Incoming { connection, hearing: Hearing::default() });
            }
            Err(error) => warn!("cannot take a peer's connection: {error}"),
        }
    }

    /// When [`Links::dial`] is next needed.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let down = self.outgoing.values().filter_map(|line| match line.state {
            State::Down(at) => Some(at),
            State::Connecting(_, until) => Some(until),
            State::Up(_) => None,
        });
        down.min()
    }

    /// Tries the lines whose wait is over.
    pub(super) fn dial(&mut self, now: Instant, registry: &Registry) {
        for line in self.outgoing.values_mut() {
            if matches!(line.state, State::Connecting(_, until) if until <= now) {
                line.rest(now, &mut self.prng);
            }
            if matches!(line.state, State::Down(at) if at <= now) {
                let connected = line.address.connect();
                match connected.and_then(|stream| Connection::new(stream, registry, line.token)) {
                    Ok(connection) => line.state = State::Connecting(connection, now + CONNECT_PATIENCE),
                    Err(_) => line.rest(now, &mut self.prng),
                }
            }
        }
    }

    /// The event loop reports on a connection. Answers which line has come up by this, if one has: whatever
    /// was under way on it before is lost.
    pub(super) fn ready(&mut self, now: Instant, event: &Event) -> Option<NodeId> {
        let token = event.token();
        if let Some(incoming) = self.incoming.get_mut(&token) {
            incoming.connection.ready(event);
            return None;
        }
        let identity = self.identity;
        let (to, line) = self.outgoing.iter_mut().find(|(_, line)| line.token == token)?;
        match std::mem::replace(&mut line.state, State::Down(now)) {
            State::Down(at) => line.state = State::Down(at),
            State::Up(mut connection) => {
                connection.ready(event);
                line.state = State::Up(connection);
            }
            State::Connecting(mut connection, until) => {
                connection.ready(event);
                if !connection.is_writable() {
                    line.state = State::Connecting(connection, until);
                } else if connection.check().is_ok() {
                    let (from, to, life) = (identity.id, *to, identity.life);
                    let since = self.peers.get(&to).copied().flatten();
                    let known = since.and_then(|since| self.acquaintances.life_of(to, since));
                    let address = self.own_address.clone();
                    let hello = PeerMessage::Hello(Hello { from, to, life, known, address });
                    say(&mut connection, identity.cluster, &hello);
                    line.state = State::Up(connection);
                    line.backoff = BACKOFF_MIN;
                    if line.refusal.is_empty() {
                        info!("connected to {to:?} at {}", line.address);
                    }
                    return Some(to);
                } else {
                    line.rest(now, &mut self.prng);
                }
            }
        }
        None
    }

    /// Reads what others have said, and hands it to `take`.
    pub(super) fn read(
        &mut self,
        now: Instant,
        scratch: &mut Scratch,
        mut take: impl FnMut(NodeId, PeerMessage),
    ) {
        self.read_incoming(scratch, &mut take);
        for (to, line) in &mut self.outgoing {
            let State::Up(connection) = &mut line.state else { continue };
            let flow = if connection.is_readable() { connection.read(scratch) } else { Flow::Open };
            // Nobody speaks on this connection but to refuse it.
            let refusal = refusal(connection.input(), self.identity.cluster);
            let is_refused = refusal.is_some();
            if let Some(why) = refusal {
                if line.refusal != why {
                    warn!("{to:?} at {} refuses this replica: {why}", line.address);
                    line.refusal = why;
                }
                line.backoff = BACKOFF_MAX;
            }
            if flow == Flow::Closed || is_refused {
                if !is_refused {
                    line.refusal.clear();
                }
                line.rest(now, &mut self.prng);
                self.lost.push(*to);
            }
        }
    }

    fn read_incoming(&mut self, scratch: &mut Scratch, take: &mut impl FnMut(NodeId, PeerMessage)) {
        let Links { identity, acquaintances, peers, outgoing, incoming, refusal, .. } = self;
        let guests = outgoing.keys().filter(|id| !peers.contains_key(id)).count();
        let (mut met, mut has_lost) = (Vec::new(), false);
        incoming.retain(|token, incoming| {
            let flow = if incoming.connection.is_readable() {
                incoming.connection.read(scratch)
            } else {
                Flow::Open
            };
            let was_stranger = incoming.hearing.hello().is_none();
            let has_room = |id: &NodeId| outgoing.contains_key(id) || guests < GUESTS_MAX;
            let judge = |hello: &Hello| judge(*identity, peers, has_room, acquaintances, hello);
            match incoming.hearing.hear(incoming.connection.input(), identity.cluster, judge, take) {
                Ok(used) => {
                    incoming.connection.consume(used);
                    let hello = incoming.hearing.hello().filter(|_| was_stranger);
                    met.extend(hello.map(|hello| (hello.clone(), *token)));
                    has_lost |= flow == Flow::Closed;
                    flow == Flow::Open
                }
                Err(why) => {
                    note_refusal(refusal, &why);
                    has_lost = true;
                    say(&mut incoming.connection, identity.cluster, &PeerMessage::Unwelcome(why.into()));
                    incoming.connection.write();
                    false
                }
            }
        });
        for (hello, token) in met {
            self.welcome(&hello, token);
        }
        if has_lost {
            self.drop_guests();
        }
    }

    /// Somebody has introduced itself on a new connection.
    fn welcome(&mut self, hello: &Hello, newest: Token) {
        // A replica speaks on one connection: an older one is dead, though nobody may have told us.
        self.incoming.retain(|token, incoming| !incoming.is_from(hello.from) || *token == newest);
        self.book.tell(hello.from, &hello.address);
        if !self.outgoing.contains_key(&hello.from)
            && let Some(address) = self.book.find(hello.from, "")
        {
            self.make_line(hello.from, address);
        }
    }

    /// Says something to another replica, if the line is up and not choked. Answers whether it was said.
    pub(super) fn send(&mut self, to: NodeId, message: &PeerMessage) -> bool {
        let is_choked = self.connection(to).is_none_or(|line| line.unwritten() >= LINK_UNWRITTEN_MAX);
        if !is_choked {
            self.insist(to, message);
        }
        !is_choked
    }

    /// Says something short, choked or not, if the line is up.
    pub(super) fn insist(&mut self, to: NodeId, message: &PeerMessage) {
        let cluster = self.identity.cluster;
        if let Some(connection) = self.connection(to) {
            say(connection, cluster, message);
        }
    }

    /// The connection on which we speak to a replica, if it is up.
    fn connection(&mut self, to: NodeId) -> Option<&mut Connection> {
        match &mut self.outgoing.get_mut(&to)?.state {
            State::Up(connection) => Some(connection),
            State::Down(_) | State::Connecting(..) => None,
        }
    }

    /// Whether the line to a replica is up.
    pub(super) fn is_up(&self, id: NodeId) -> bool {
        self.outgoing.get(&id).is_some_and(|line| matches!(line.state, State::Up(_)))
    }

    /// Writes what was said since the last turn.
    pub(super) fn write(&mut self, now: Instant) {
        for (to, line) in &mut self.outgoing {
            if let State::Up(connection) = &mut line.state
                && connection.write() == Flow::Closed
            {
                line.rest(now, &mut self.prng);
                self.lost.push(*to);
            }
        }
    }

    /// Whose lines have broken since the last time.
    pub(super) fn take_lost(&mut self) -> Vec<NodeId> {
        std::mem::take(&mut self.lost)
    }

    /// Whether everything that was said has left.
    pub(super) fn is_written(&self) -> bool {
        self.outgoing.values().all(|line| match &line.state {
            State::Up(connection) => connection.unwritten() == 0,
            State::Down(_) | State::Connecting(..) => true,
        })
    }

    /// Whether there is more to read though nothing was reported.
    pub(super) fn has_more(&self) -> bool {
        self.incoming.values().any(|incoming| incoming.connection.is_readable())
    }
}

impl Outgoing {
    fn rest(&mut self, now: Instant, prng: &mut Prng) {
        self.state = State::Down(now + self.backoff + Span(prng.below(self.backoff.0)));
        self.backoff = self.backoff.times(2).min(BACKOFF_MAX);
    }
}

/// Says why somebody is not welcome, unless that was the last thing that was said.
fn note_refusal(last: &mut String, why: &str) {
    if last != why {
        warn!("hung up on a peer: {why}");
        why.clone_into(last);
    }
}

impl Incoming {
    fn is_from(&self, id: NodeId) -> bool {
        self.hearing.hello().is_some_and(|hello| hello.from == id)
    }
}

/// Whether a hello is welcome. Whoever is not known yet is written down before a word of it is heard.
fn judge(
    identity: Identity,
    peers: &BTreeMap<NodeId, Option<Index>>,
    has_room: impl Fn(&NodeId) -> bool,
    acquaintances: &mut Acquaintances,
    hello: &Hello,
) -> Result<(), String> {
    if hello.to != identity.id {
        return Err(format!("it looks for {:?}, this is {:?}", hello.to, identity.id));
    }
    if hello.known.is_some_and(|known| known != identity.life) {
        return Err(acquaintances::wiped(identity.id));
    }
    match peers.get(&hello.from) {
        Some(Some(since)) => acquaintances.meet(hello.from, *since, hello.life),
        _ if has_room(&hello.from) => Ok(()),
        _ => Err(format!("{:?} is not a member, and too many are here who are none", hello.from)),
    }
}

fn say(connection: &mut Connection, cluster: ClusterId, message: &PeerMessage) {
    append_frame(connection.output(), cluster, |buffer| codec::encode_into(message, buffer));
}
