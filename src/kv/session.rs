//! Who has been answered what: the table that makes a request take effect once (8, R19).
//!
//! A request may reach the log twice: retried by its client, or proposed again after a change of leader.
//! The table is part of the state machine, so every replica agrees on which of the two counts, and the
//! second gets the first one's answer, byte for byte. It is bounded by answers and by bytes, and what is
//! forgotten is decided by the log's order alone: of one client the oldest answer, and of all clients the
//! one that has asked for nothing new for longest. The latest answer of all is always kept, however large.

use std::collections::{BTreeMap, VecDeque};

use xxhash_rust::xxh3::xxh3_64;

use super::command::{ClientId, RequestId, Token};
use super::value::Value;
use crate::codec;
use crate::limits::{ANSWER_BYTES_MAX, ANSWER_BYTES_PER_CLIENT_MAX, ANSWERS_PER_CLIENT_MAX, CLIENTS_MAX};

/// The requests that have taken effect, with their answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sessions {
    clients: BTreeMap<ClientId, Session>,
    /// Who asked for something new when, oldest first: the order in which clients are forgotten.
    by_use: BTreeMap<u64, ClientId>,
    uses: u64,
    bytes: usize,
    /// The sum of the hashes of all answers.
    digest: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Session {
    answers: BTreeMap<Token, Answer>,
    /// Oldest first.
    order: VecDeque<Token>,
    last_use: u64,
    bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    values: Box<[Value]>,
    bytes: usize,
    hash: u64,
}

impl Sessions {
    /// What this request was answered, if it has taken effect.
    pub(super) fn answer(&self, id: &RequestId) -> Option<&[Value]> {
        self.clients.get(&id.client)?.answers.get(&id.token).map(|answer| &*answer.values)
    }

    /// Keeps the answer to a request that has just taken effect for the first time.
    pub(super) fn record(&mut self, id: RequestId, values: &[Value]) {
        self.uses += 1;
        let RequestId { client, token } = id;
        let answer = Answer::new(client, &token, self.uses, values);
        self.bytes += answer.bytes;
        self.digest = self.digest.wrapping_add(answer.hash);
        let session = self.clients.entry(client).or_default();
        self.by_use.remove(&session.last_use);
        session.last_use = self.uses;
        self.by_use.insert(self.uses, client);
        session.push(token, answer);
        while session.is_too_large() {
            let forgotten = session.pop();
            self.bytes -= forgotten.bytes;
            self.digest = self.digest.wrapping_sub(forgotten.hash);
        }
        while self.clients.len() > 1 && (self.clients.len() > CLIENTS_MAX || self.bytes > ANSWER_BYTES_MAX) {
            self.forget_most_silent();
        }
    }

    /// Answers and the order in which they came, in one number.
    pub(super) fn digest(&self) -> u64 {
        self.digest.wrapping_add(self.uses)
    }

    fn forget_most_silent(&mut self) {
        let (_, silent) = self.by_use.pop_first().expect("every client has a last use");
        let session = self.clients.remove(&silent).expect("whoever used the table is in it");
        self.bytes -= session.bytes;
        for answer in session.answers.values() {
            self.digest = self.digest.wrapping_sub(answer.hash);
        }
    }
}

impl Session {
    fn push(&mut self, token: Token, answer: Answer) {
        self.bytes += answer.bytes;
        self.order.push_back(token.clone());
        let known = self.answers.insert(token, answer);
        assert!(known.is_none(), "a request takes effect once");
    }

    fn is_too_large(&self) -> bool {
        let many = self.order.len() > ANSWERS_PER_CLIENT_MAX || self.bytes > ANSWER_BYTES_PER_CLIENT_MAX;
        many && self.order.len() > 1
    }

    fn pop(&mut self) -> Answer {
        let oldest = self.order.pop_front().expect("a session that is too large holds something");
        let answer = self.answers.remove(&oldest).expect("every token in the order has an answer");
        self.bytes -= answer.bytes;
        answer
    }
}

impl Answer {
    fn new(client: ClientId, token: &Token, place: u64, values: &[Value]) -> Answer {
        /// The tree's and the queue's share, and the token is in both.
        const OVERHEAD: usize = 128;
        let bytes = OVERHEAD + 2 * token.0.len() + values.iter().map(Value::size).sum::<usize>();
        let hash = xxh3_64(&codec::encode(&(client, token, place, values)));
        Answer { values: values.into(), bytes, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(client: u64, token: usize) -> RequestId {
        RequestId { client: ClientId(client), token: Token(token.to_string().into()) }
    }

    fn swept(sessions: &Sessions) -> (usize, u64) {
        let answers = sessions.clients.values().flat_map(|session| session.answers.values());
        answers
            .fold((0, 0), |(bytes, digest), answer| (bytes + answer.bytes, answer.hash.wrapping_add(digest)))
    }

    #[test]
    fn a_token_counts_once_for_each_client() {
        let mut sessions = Sessions::default();
        sessions.record(id(1, 7), &[Value::Integer(5), Value::Nil]);
        assert_eq!(sessions.answer(&id(1, 7)), Some(&[Value::Integer(5), Value::Nil][..]));
        assert_eq!(sessions.answer(&id(2, 7)), None);
        assert_eq!(sessions.answer(&id(1, 8)), None);
    }

    #[test]
    fn the_oldest_answers_and_the_most_silent_clients_are_forgotten() {
        let mut sessions = Sessions::default();
        for token in 0..=ANSWERS_PER_CLIENT_MAX {
            sessions.record(id(0, token), &[Value::Okay]);
        }
        assert!(sessions.answer(&id(0, 0)).is_none() && sessions.answer(&id(0, 1)).is_some());
        for client in 1..CLIENTS_MAX as u64 {
            sessions.record(id(client, 0), &[Value::Okay]);
        }
        sessions.record(id(0, usize::MAX), &[Value::Okay]);
        sessions.record(id(u64::MAX, 0), &[Value::Okay]);
        assert!(sessions.answer(&id(0, usize::MAX)).is_some(), "used a moment ago");
        assert!(sessions.answer(&id(1, 0)).is_none(), "silent longest");
        assert_eq!(sessions.clients.len(), CLIENTS_MAX);
        assert_eq!(sessions.by_use.len(), CLIENTS_MAX);
        assert_eq!((sessions.bytes, sessions.digest), swept(&sessions));
    }

    #[test]
    fn large_answers_push_out_more() {
        let mut sessions = Sessions::default();
        let large = [Value::bytes(&vec![0; ANSWER_BYTES_PER_CLIENT_MAX / 2 - 1000])];
        for token in 0..3 {
            sessions.record(id(0, token), &large);
        }
        assert!(sessions.answer(&id(0, 0)).is_none() && sessions.answer(&id(0, 1)).is_some());
        let huge = [Value::bytes(&vec![0; ANSWER_BYTES_PER_CLIENT_MAX + 1])];
        sessions.record(id(0, 3), &huge);
        assert_eq!(sessions.answer(&id(0, 3)), Some(&huge[..]), "the latest is kept, whatever its size");
        assert!(sessions.answer(&id(0, 2)).is_none());
        for client in 1..=1 + 2 * (ANSWER_BYTES_MAX / ANSWER_BYTES_PER_CLIENT_MAX) as u64 {
            sessions.record(id(client, 4), &large);
        }
        assert!(sessions.bytes <= ANSWER_BYTES_MAX);
        assert!(sessions.answer(&id(0, 3)).is_none() && sessions.answer(&id(1, 4)).is_none());
        assert_eq!((sessions.bytes, sessions.digest), swept(&sessions));
    }
}
