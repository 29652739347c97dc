//! A log entry's content: what to do, for whom, and what time it is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::operation::Operation;
use crate::codec;

/// A client, as the protocol in front names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ClientId(pub u64);

/// A client's own name for one request, never used for another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Token(#[serde(deserialize_with = "crate::bounded::text")] pub Box<str>);

/// Names a request in the whole cluster: whoever commits it knows by this whom to answer, and whoever sees
/// it again knows that it is done.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RequestId {
    /// Who asks.
    pub client: ClientId,
    /// Which of its requests.
    pub token: Token,
}

/// Milliseconds since 1970, as a leader stamped them: the only time that the store knows.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct WallClock(pub u64);

/// A log entry's content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Command {
    /// The leader's clock when it took the command into its log.
    pub stamp: WallClock,
    /// Under which name it takes effect once only, however often it is committed.
    pub once: Option<RequestId>,
    /// What to do, in this order. Each takes effect by itself; a transaction is one operation.
    #[serde(deserialize_with = "crate::bounded::list")]
    pub operations: Vec<Operation>,
}

impl Command {
    /// The bytes that travel and are stored. Encoded once, by the leader.
    pub fn encode(&self) -> Arc<[u8]> {
        codec::encode_shared(self)
    }

    /// The command in an entry of the log.
    ///
    /// # Panics
    ///
    /// When the bytes are no command: leaders append nothing else, so the log is not what it was.
    pub fn decode(bytes: &[u8]) -> Command {
        codec::decode(bytes).expect("the log holds only commands that a leader encoded")
    }
}
