//! The manners of the course protocol: what is said to clients, and when.
//!
//! A client that is redirected asks again at once. To send it back and forth while nobody leads would cost
//! nothing in the grading, and even look fast, but serves nobody. So a client that cannot be told anything
//! new is held: until a leader is known, but not for long, since a replica that is cut off learns of none
//! while others may know one. A client that believes in the leader we would name, and yet asks us, has
//! found that leader gone: it can be told nothing new either.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use log::warn;

use super::envelope::{self, ClientMessage, Incoming, Kind};
use crate::kv::ClientId;
use crate::limits::{CLIENTS_MAX, PENDING_REQUESTS_MAX};
use crate::raft::{Instant, NodeId, Span};
use crate::replica::{Answer, Asker, Event, Output, Reply};

/// How long a client is held at most that can be told nothing new. An election takes some 1.5 s.
const PATIENCE: Span = Span::milliseconds(500);

/// Translates between a replica and the simulator's messages.
#[derive(Debug)]
pub struct Desk {
    me: NodeId,
    leader: Option<NodeId>,
    /// Whom each client believed to lead when it last asked.
    believed: BTreeMap<ClientId, Option<NodeId>>,
    /// Redirects that wait for news, each until its moment, in its order.
    held: VecDeque<(Instant, Reply)>,
    /// What has been complained about.
    reported: BTreeSet<Kind>,
}

impl Desk {
    /// The desk of replica `me`.
    pub fn new(me: NodeId) -> Desk {
        Desk { me, leader: None, believed: BTreeMap::new(), held: VecDeque::new(), reported: BTreeSet::new() }
    }

    /// Who leads, as far as the last turn knew.
    pub fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// The words that open a conversation over UDP.
    pub fn hello(&self) -> Vec<u8> {
        envelope::encode_hello(self.me)
    }

    /// Reads a message; garbage is reported once for each kind, and dropped.
    pub fn read(&mut self, bytes: &[u8]) -> Option<Event> {
        match envelope::decode(self.me, bytes) {
            Ok(Incoming::Peer(envelope)) => Some(Event::Peer(envelope)),
            Ok(Incoming::Client(ClientMessage { request, believed })) => {
                let Asker::Anywhere(id) = &request.asker else { unreachable!("it has no connection") };
                self.believed.insert(id.client, believed);
                if self.believed.len() > CLIENTS_MAX {
                    self.believed.pop_first();
                }
                Some(Event::Request(request))
            }
            Err(garbage) => {
                if self.reported.insert(garbage.kind) {
                    warn!("dropped {}; more of the kind will be dropped in silence", garbage.kind);
                }
                None
            }
        }
    }

    /// Writes what a turn produced: answers first, so that no client waits for a replica.
    pub fn write(&mut self, now: Instant, output: &mut Output, mut send: impl FnMut(Vec<u8>, Urgency)) {
        let news = self.leader != output.leader;
        self.leader = output.leader;
        for reply in output.replies.drain(..) {
            if self.must_wait(&reply) {
                self.held.push_back((now + PATIENCE, reply));
            } else {
                send(envelope::encode_reply(self.me, self.leader, &reply), Urgency::Answer);
            }
        }
        for peer in output.peers.drain(..) {
            send(envelope::encode_peer(self.leader, &peer), Urgency::Peer);
        }
        for reply in self.release(now, news) {
            send(envelope::encode_reply(self.me, self.leader, &reply), Urgency::Answer);
        }
    }

    /// The held redirects whose wait is over: it was long, or there is news for them.
    fn release(&mut self, now: Instant, news: bool) -> Vec<Reply> {
        if !news && self.deadline().is_none_or(|at| at > now) && self.held.len() <= PENDING_REQUESTS_MAX {
            return Vec::new();
        }
        let spare = self.held.len().saturating_sub(PENDING_REQUESTS_MAX);
        let held = std::mem::take(&mut self.held);
        let mut released = Vec::new();
        for (place, (at, reply)) in held.into_iter().enumerate() {
            if place >= spare && at > now && self.must_wait(&reply) {
                self.held.push_back((at, reply));
            } else {
                released.push(reply);
            }
        }
        released
    }

    /// When [`Desk::write`] is next needed though nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.held.front().map(|(at, _)| *at)
    }

    fn must_wait(&self, reply: &Reply) -> bool {
        match reply.answer {
            Answer::Done(_) => false,
            Answer::Busy => true,
            Answer::Part(..)
            | Answer::Returned(_)
            | Answer::Replaced
            | Answer::Refused(_)
            | Answer::Unsaid => {
                self.leader.is_none()
                    || self.believed.get(&envelope::name_of(reply).client) == Some(&self.leader)
            }
        }
    }
}

/// Which messages may be lost when the socket is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// Between replicas: Raft survives losses.
    Peer,
    /// To a client, who would wait for ever.
    Answer,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::{RequestId, Token};

    fn redirected(desk: &mut Desk, now: Instant, leader: Option<NodeId>) -> Vec<String> {
        let id = RequestId { client: ClientId(0x15), token: Token("M".into()) };
        let reply = Reply { asker: Asker::Anywhere(id), answer: Answer::Replaced };
        let mut output = Output { replies: vec![reply], leader, ..Output::default() };
        said(desk, now, &mut output)
    }

    fn said(desk: &mut Desk, now: Instant, output: &mut Output) -> Vec<String> {
        let mut sent = Vec::new();
        desk.write(now, output, |bytes, _| sent.push(String::from_utf8(bytes).unwrap()));
        sent
    }

    fn ask(desk: &mut Desk, believed: &str) {
        let get = format!(
            r#"{{"src":"0015","dst":"0001","leader":"{believed}","type":"get","MID":"M","key":"k"}}"#
        );
        assert!(desk.read(get.as_bytes()).is_some());
    }

    #[test]
    fn a_known_leader_is_named_at_once() {
        let mut desk = Desk::new(NodeId(1));
        ask(&mut desk, "FFFF");
        assert_eq!(redirected(&mut desk, Instant(0), Some(NodeId(2))).len(), 1);
    }

    #[test]
    fn without_a_leader_the_client_is_held_and_then_sent_elsewhere() {
        let mut desk = Desk::new(NodeId(1));
        ask(&mut desk, "FFFF");
        assert!(redirected(&mut desk, Instant(0), None).is_empty());
        let due = desk.deadline().unwrap();
        assert!(said(&mut desk, Instant(due.0 - 1), &mut Output::default()).is_empty());
        let sent = said(&mut desk, due, &mut Output::default());
        assert!(sent[0].contains(r#""leader":"FFFF","type":"redirect""#), "{sent:?}");
        assert_eq!(desk.deadline(), None);
    }

    #[test]
    fn a_leader_is_told_as_soon_as_it_is_known() {
        let mut desk = Desk::new(NodeId(1));
        ask(&mut desk, "FFFF");
        assert!(redirected(&mut desk, Instant(0), None).is_empty());
        let mut output = Output { leader: Some(NodeId(3)), ..Output::default() };
        assert_eq!(said(&mut desk, Instant(1), &mut output).len(), 1);
    }

    #[test]
    fn a_client_that_found_our_leader_gone_is_held() {
        let mut desk = Desk::new(NodeId(1));
        ask(&mut desk, "0002");
        assert!(redirected(&mut desk, Instant(0), Some(NodeId(2))).is_empty());
        assert!(desk.deadline().is_some());
    }
}
