//! Keys and values in memory.

use std::collections::BTreeMap;

use super::command::{Command, RequestId, Write};
use super::session::Sessions;

/// What the log has made so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    values: BTreeMap<Box<str>, Box<str>>,
    sessions: Sessions,
}

impl Store {
    /// Carries out a committed command, unless it was carried out before.
    pub fn apply(&mut self, command: Command) {
        if !self.sessions.record(command.id) {
            return;
        }
        match command.write {
            Write::Put { key, value } => {
                self.values.insert(key, value);
            }
        }
    }

    /// The value of `key`, if it has one.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(AsRef::as_ref)
    }

    /// Whether this request has taken effect already.
    pub fn is_done(&self, id: &RequestId) -> bool {
        self.sessions.is_done(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ClientId, Token};
    use super::*;

    fn put(token: &str, value: &str) -> Command {
        let id = RequestId { client: ClientId(1), token: Token(token.into()) };
        Command { id, write: Write::Put { key: "k".into(), value: value.into() } }
    }

    #[test]
    fn a_command_that_comes_twice_takes_effect_once() {
        let mut store = Store::default();
        store.apply(put("a", "1"));
        store.apply(put("b", "2"));
        store.apply(put("a", "1"));
        assert_eq!(store.get("k"), Some("2"));
        assert!(store.is_done(&put("a", "").id));
    }

    #[test]
    fn a_command_survives_its_encoding() {
        let command = put("a", "\u{1F600}");
        assert_eq!(Command::decode(&command.encode()), command);
    }
}
