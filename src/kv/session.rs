//! Who has been answered what: the table that makes a request take effect once (8, R19).
//!
//! A request may reach the log twice: retried by its client, or proposed again after a change of leader.
//! The table is part of the state machine, so every replica agrees on which of the two counts. It is
//! bounded, and what is forgotten is decided by the log's order alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::command::{ClientId, RequestId, Token};
use crate::limits::{ANSWERS_PER_CLIENT_MAX, CLIENTS_MAX};

/// The requests that have taken effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions {
    clients: BTreeMap<ClientId, Session>,
    /// Who used the table when, oldest first: the order in which clients are forgotten.
    by_use: BTreeMap<u64, ClientId>,
    uses: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Session {
    done: BTreeSet<Token>,
    order: VecDeque<Token>,
    last_use: u64,
}

impl Sessions {
    pub(super) fn is_done(&self, id: &RequestId) -> bool {
        self.clients.get(&id.client).is_some_and(|session| session.done.contains(&id.token))
    }

    /// Notes that `id` has taken effect. Answers whether this is the first time.
    pub(super) fn record(&mut self, id: RequestId) -> bool {
        self.uses += 1;
        let session = self.clients.entry(id.client).or_default();
        self.by_use.remove(&session.last_use);
        session.last_use = self.uses;
        self.by_use.insert(self.uses, id.client);
        let first = session.record(id.token);
        if self.clients.len() > CLIENTS_MAX {
            let (_, silent) = self.by_use.pop_first().expect("every client has a last use");
            self.clients.remove(&silent);
        }
        first
    }
}

impl Session {
    fn record(&mut self, token: Token) -> bool {
        let first = self.done.insert(token.clone());
        if first {
            self.order.push_back(token);
        }
        if self.order.len() > ANSWERS_PER_CLIENT_MAX {
            let oldest = self.order.pop_front().expect("it holds more than the limit");
            self.done.remove(&oldest);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(client: u64, token: usize) -> RequestId {
        RequestId { client: ClientId(client), token: Token(token.to_string().into()) }
    }

    #[test]
    fn a_token_counts_once_for_each_client() {
        let mut sessions = Sessions::default();
        assert!(sessions.record(id(1, 7)));
        assert!(!sessions.record(id(1, 7)));
        assert!(sessions.record(id(2, 7)));
        assert!(sessions.is_done(&id(2, 7)) && !sessions.is_done(&id(3, 7)));
    }

    #[test]
    fn the_oldest_answers_and_the_most_silent_clients_are_forgotten() {
        let mut sessions = Sessions::default();
        for token in 0..=ANSWERS_PER_CLIENT_MAX {
            sessions.record(id(0, token));
        }
        assert!(!sessions.is_done(&id(0, 0)) && sessions.is_done(&id(0, 1)));
        for client in 1..CLIENTS_MAX as u64 {
            sessions.record(id(client, 0));
        }
        sessions.record(id(0, 1));
        sessions.record(id(u64::MAX, 0));
        assert!(sessions.is_done(&id(0, 1)), "used a moment ago");
        assert!(!sessions.is_done(&id(1, 0)), "silent longest");
        assert_eq!(sessions.clients.len(), CLIENTS_MAX);
        assert_eq!(sessions.by_use.len(), CLIENTS_MAX);
    }
}
