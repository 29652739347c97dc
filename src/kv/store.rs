//! The state machine itself: a command in, its answers out.

use xxhash_rust::xxh3::xxh3_64;

use super::command::{Command, RequestId, WallClock};
use super::keyspace::Keyspace;
use super::operation::Operation;
use super::session::Sessions;
use super::value::Value;
use super::{read, write};

/// What the log has made so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    space: Keyspace,
    sessions: Sessions,
}

impl Store {
    /// Carries out a committed command. Answers each of its operations.
    ///
    /// A command that has taken effect before, under the same name, changes no key and is answered as it was
    /// then. Time goes on all the same: the stamp says what it is, not what was asked.
    pub fn apply(&mut self, command: Command) -> Vec<Value> {
        let Command { stamp, once, operations } = command;
        self.space.advance(stamp);
        if let Some(values) = once.as_ref().and_then(|id| self.sessions.answer(id)) {
            return values.to_vec();
        }
        let values = write::carry_out_all(&mut self.space, operations);
        if let Some(id) = once {
            self.sessions.record(id, &values);
        }
        values
    }

    /// The answer to a read, at the time that the store knows.
    ///
    /// # Panics
    ///
    /// When the operation is a write: that needs a place in the log.
    pub fn read(&self, operation: &Operation) -> Value {
        read::read(&self.space, operation)
    }

    /// The latest stamp of any command so far.
    pub fn clock(&self) -> WallClock {
        self.space.clock()
    }

    /// When the next key ends, or has ended without being removed: time for an [`Operation::Expire`].
    pub fn next_expiry(&self) -> Option<WallClock> {
        self.space.next_end()
    }

    /// Keys, values, lifetimes, revisions, clock, and who has been answered what: one number, the same for
    /// equal stores. It is kept up to date with every change, so asking for it costs next to nothing.
    pub fn digest(&self) -> u64 {
        let parts = [self.space.digest(), self.sessions.digest()].map(u64::to_le_bytes);
        xxh3_64(parts.as_flattened())
    }

    /// What this request was answered, if it has taken effect and is remembered.
    pub fn is_done(&self, id: &RequestId) -> Option<&[Value]> {
        self.sessions.answer(id)
    }
}
impl Store {
    /// Stub.
    pub fn begin_image(&mut self) {}
    /// Stub.
    pub fn next_image_block(&mut self, _bytes: usize) -> Option<Vec<u8>> {
        None
    }
    /// Stub.
    pub fn abandon_image(&mut self) {}
}
