//! What replicas of a durable cluster say to each other, beyond the consensus core's own messages.

use serde::{Deserialize, Serialize};

use crate::identity::Incarnation;
use crate::kv::{Operation, RequestId};
use crate::raft::{Envelope, NodeId};
use crate::replica::{Answer, Order, Ticket};

/// The body of a frame.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum PeerMessage {
    /// The first on every connection: who speaks.
    Hello(Hello),
    /// The answer to a hello that is not welcome; the connection ends with it.
    Unwelcome(#[serde(deserialize_with = "crate::bounded::text")] Box<str>),
    /// The consensus core's.
    Raft(Envelope),
    /// A request that a client brought to a follower. It is never sent on a second time.
    Ask(Forwarded),
    /// An administrator's order, likewise.
    Order(Ticket, Order),
    /// The leader's answer to one.
    Answer(Ticket, Answer),
    /// The leader has not taken a request, because its disk is full.
    NoRoom(Ticket),
    /// Whether the sender's disk is full: then it is not the one to lead. Said on every new connection, and
    /// when it changes.
    Full(bool),
}

/// Who speaks, and to whom.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The replica that has connected.
    pub from: NodeId,
    /// The replica that it means to have connected to.
    pub to: NodeId,
    /// The sender's life: a wiped disk under an old name is another replica.
    pub life: Incarnation,
    /// The receiver's life, as the sender knows it from earlier, if they have met.
    pub known: Option<Incarnation>,
    /// Where the sender can be reached: the receiver may not have heard of it yet, and has to answer.
    #[serde(deserialize_with = "crate::bounded::text")]
    pub address: Box<str>,
}

/// A client's request on its way to the leader.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Forwarded {
    /// The sender's name for it.
    pub ticket: Ticket,
    /// Its own name, if it has one.
    pub once: Option<RequestId>,
    /// What is wanted.
    #[serde(deserialize_with = "crate::bounded::list")]
    pub operations: Vec<Operation>,
}
