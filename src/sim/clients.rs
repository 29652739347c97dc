//! Clients: each asks one thing at a time, waits, and tries elsewhere when it may.
//!
//! A request with a name is repeated under that name until it is answered. One without is repeated only when
//! its client was told for certain that nothing had happened; if that was wrong, it takes effect twice, and
//! is found out.

use super::ghost::{Checked, FLEETING};
use super::history::End;
use super::settings::up_to;
use super::telling;
use super::world::{Event, World};
use crate::kv::{Bytes, ClientId, Key, Moment, NewLifetime, Operation, RequestId, SetOptions, Token, Value};
use crate::raft::{NodeId, Span};
use crate::replica::{Answer, Asker, Request};

/// One client.
#[derive(Default)]
pub(super) struct Client {
    pending: Option<Pending>,
    /// Where it asks first.
    favourite: usize,
}

/// What a client waits for.
#[derive(Clone)]
struct Pending {
    number: u64,
    operations: Vec<Operation>,
    once: Option<RequestId>,
    attempt: u64,
    /// Whether an attempt may have taken effect unseen.
    is_unsure: bool,
    /// When it was first asked, counted in events.
    invoked: u64,
}

/// One attempt of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Attempt {
    pub(super) client: usize,
    pub(super) number: u64,
    pub(super) attempt: u64,
}

/// What a client hears.
#[derive(Clone, Debug)]
pub(super) enum Heard {
    Done(Vec<Value>),
    /// Nothing has happened; perhaps somebody else can do it.
    Refused(Option<NodeId>),
}

/// How often a client tries before it gives up.
const ATTEMPTS_MAX: u64 = 6;

impl Client {
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_none()
    }
}

impl World {
    /// A client thinks of something.
    pub(super) fn client_acts(&mut self, at: usize) {
        if !self.clients[at].is_idle() || self.operations_max.is_some_and(|max| self.last_request >= max) {
            return;
        }
        self.last_request += 1;
        let number = self.last_request;
        let operations = self.draw_operations(number);
        let is_write = !operations.iter().all(Operation::is_read);
        // What only adds can be told apart by its name alone.
        let is_named = is_write
            && (self.prng.chance(self.settings.clients.named)
                || matches!(operations[0], Operation::Add { .. } | Operation::Transaction { .. }));
        let token = Token(number.to_string().into());
        let once = is_named.then_some(RequestId { client: ClientId(at as u64), token });
        self.ghost.asks(number, operations.clone(), is_named);
        self.sometimes.requests += 1;
        let name = if is_named { "with a name" } else { "without a name" };
        self.say(|| format!("client {at} wants {number}, {name}: {}", telling::operations(&operations)));
        let (attempt, is_unsure, invoked) = (0, false, self.events);
        self.clients[at].pending = Some(Pending { number, operations, once, attempt, is_unsure, invoked });
        let favourite = self.clients[at].favourite;
        self.attempt(at, favourite, Span(0));
    }

    fn draw_operations(&mut self, number: u64) -> Vec<Operation> {
        let reads = self.settings.clients.reads;
        let (first, second) = (self.draw_key(b'v'), self.draw_key(b'v'));
        let counter = self.draw_key(b'c');
        if self.prng.chance(reads) {
            return match self.prng.below(3) {
                0 => vec![Operation::GetMany { keys: vec![first, counter] }],
                1 => vec![Operation::Get { key: counter }],
                _ => vec![Operation::Get { key: first }],
            };
        }
        let text = format!("{number};");
        let value = Bytes::from(text.clone());
        let padded = Bytes::from(format!("{text}{}", "x".repeat(self.prng.place(120))));
        let set = |key, value| Operation::Set { key, value, options: SetOptions::default() };
        match self.prng.below(6) {
            0 => vec![Operation::Add { key: counter, delta: 1 }],
            1 => vec![set(first.clone(), padded), Operation::Get { key: first }],
            2 => vec![Operation::Append { key: second, value }],
            3 => {
                let operations = vec![Operation::Add { key: counter, delta: 2 }, set(first, padded)];
                vec![Operation::Transaction { watched: Vec::new(), operations }]
            }
            4 => {
                let lifetime = NewLifetime::Until(Moment::After(1 + self.prng.below(900)));
                let options = SetOptions { lifetime, ..SetOptions::default() };
                vec![Operation::Set { key: self.draw_key(FLEETING), value, options }]
            }
            _ => vec![set(first, padded)],
        }
    }

    fn draw_key(&mut self, kind: u8) -> Key {
        let number = self.prng.below(self.settings.clients.keys);
        Key::new(format!("{}{number}", char::from(kind)).as_bytes())
    }

    /// Asks a node, after a while.
    fn attempt(&mut self, at: usize, node: usize, wait: Span) {
        let patience = self.settings.clients.patience;
        let Some(pending) = &mut self.clients[at].pending else { return };
        pending.attempt += 1;
        let attempt = Attempt { client: at, number: pending.number, attempt: pending.attempt };
        let is_retry = pending.attempt > 1;
        self.sometimes.retried += u64::from(is_retry);
        self.clients[at].favourite = node;
        self.enqueue(wait + patience, Event::ClientGivesUp(attempt));
        if !self.prng.chance(self.settings.network.lost) {
            let delay = up_to(&mut self.prng, self.settings.network.delay);
            self.enqueue(wait + delay, Event::ClientAsks(node, attempt));
        }
    }

    /// The request of an attempt that is still of interest.
    pub(super) fn wish_of(&self, attempt: Attempt) -> Option<(Option<RequestId>, Vec<Operation>)> {
        let pending = self.clients[attempt.client].pending.as_ref()?;
        (pending.number == attempt.number).then(|| (pending.once.clone(), pending.operations.clone()))
    }

    fn is_current(&self, attempt: Attempt) -> bool {
        let pending = self.clients[attempt.client].pending.as_ref();
        pending.is_some_and(|pending| (pending.number, pending.attempt) == (attempt.number, attempt.attempt))
    }

    /// Nobody has answered in time.
    pub(super) fn client_gives_up(&mut self, attempt: Attempt) -> Checked {
        if !self.is_current(attempt) {
            return Ok(());
        }
        let Some(pending) = &mut self.clients[attempt.client].pending else { return Ok(()) };
        pending.is_unsure = true;
        let may_repeat = pending.once.is_some() || pending.operations.iter().all(Operation::is_read);
        if may_repeat && (self.is_calm || pending.attempt < ATTEMPTS_MAX) {
            let node = self.prng.place(self.stations.len());
            self.attempt(attempt.client, node, Span(0));
        } else {
            self.sometimes.unknown += 1;
            self.say(|| format!("client {} gives {} up", attempt.client, attempt.number));
            self.client_ends(attempt.client, &End::Unknown);
        }
        Ok(())
    }

    pub(super) fn client_hears(&mut self, attempt: Attempt, heard: &Heard) -> Checked {
        if !self.is_current(attempt) {
            return Ok(());
        }
        match heard {
            Heard::Done(values) => {
                self.ghost.reaches(attempt.client, attempt.number, values)?;
                self.sometimes.answers += 1;
                self.say(|| format!("client {} has the answer to {}", attempt.client, attempt.number));
                self.client_ends(attempt.client, &End::Done(values));
                Ok(())
            }
            Heard::Refused(hint) => self.client_is_refused(attempt, *hint),
        }
    }

    fn client_is_refused(&mut self, attempt: Attempt, hint: Option<NodeId>) -> Checked {
        let Some(pending) = &self.clients[attempt.client].pending else { return Ok(()) };
        if self.is_calm || pending.attempt < ATTEMPTS_MAX {
            let random = self.prng.place(self.stations.len());
            let hinted = hint.map(|node| usize::from(node.0)).filter(|_| self.prng.chance(800));
            let wait = Span(self.prng.below(20_000));
            self.attempt(attempt.client, hinted.unwrap_or(random), wait);
            return Ok(());
        }
        if pending.is_unsure {
            self.sometimes.unknown += 1;
            self.client_ends(attempt.client, &End::Unknown);
        } else {
            self.sometimes.denied += 1;
            self.ghost.denies(attempt.number)?;
            self.client_ends(attempt.client, &End::Nothing);
        }
        Ok(())
    }

    fn client_ends(&mut self, at: usize, end: &End<'_>) {
        if let Some(Pending { operations, invoked, .. }) = self.clients[at].pending.take() {
            self.history.add(at, &operations, (invoked, self.events), end);
        }
        if !self.is_calm {
            let gap = Span(self.prng.below(self.settings.clients.gap.0 * 2));
            self.enqueue(gap, Event::ClientActs(at));
        }
    }

    /// A node's answer on its way to a client.
    pub(super) fn tell(&mut self, attempt: Attempt, answer: Answer, hint: Option<NodeId>) {
        if self.prng.chance(self.settings.network.lost) {
            return;
        }
        let heard = match answer {
            Answer::Done(values) => Heard::Done(values),
            Answer::Returned(_) | Answer::Replaced | Answer::Busy => Heard::Refused(hint),
            Answer::Part(..) | Answer::Refused(_) | Answer::Unsaid => {
                unreachable!("answers are short here, lines wide, and clients give no orders")
            }
        };
        let delay = up_to(&mut self.prng, self.settings.network.delay);
        self.enqueue(delay, Event::ClientHears(attempt, heard));
    }

    /// A request as a node's replica takes it.
    pub(super) fn request(asker: Asker, wish: (Option<RequestId>, Vec<Operation>)) -> Request {
        Request { asker, once: wish.0, operations: wish.1 }
    }
}
