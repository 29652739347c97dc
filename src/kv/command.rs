//! What a log entry asks of the store, and on whose behalf.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::codec;

/// A client, as the protocol in front names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ClientId(pub u64);

/// A client's own name for one request, never used for another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Token(pub Box<str>);

/// Names a request in the whole cluster: whoever commits it knows by this whom to answer, and whoever sees
/// it again knows that it is done.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct RequestId {
    /// Who asks.
    pub client: ClientId,
    /// Which of its requests.
    pub token: Token,
}

/// A change of the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Write {
    /// Let `key` have `value`.
    Put {
        /// Any text.
        key: Box<str>,
        /// Any text.
        value: Box<str>,
    },
}

/// A log entry's content.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Command {
    /// For whom.
    pub id: RequestId,
    /// What.
    pub write: Write,
}

impl Command {
    /// The bytes that travel and are stored. Encoded once, by the leader.
    pub fn encode(&self) -> Arc<[u8]> {
        codec::encode(self).into()
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
