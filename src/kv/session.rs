//! Who has been answered what: the table that makes a request take effect once (8, R19).
//!
//! A request may reach the log twice: retried by its client, or proposed again after a change of leader.
//! The table is part of the state machine, so every replica agrees on which of the two counts, and the
//! second gets the first one's answer, byte for byte. It is bounded by answers and by bytes, and what is
//! forgotten is decided by the log's order alone: of one client the oldest answer, and of all clients the
//! one that has asked for nothing new for longest. The latest answer of all is always kept, however large.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use xxhash_rust::xxh3::xxh3_64;

use super::command::{ClientId, RequestId, Token};
use super::image::{Block, Walk};
use super::value::Value;
use crate::codec;
use crate::limits::{ANSWER_BYTES_MAX, ANSWER_BYTES_PER_CLIENT_MAX, ANSWERS_PER_CLIENT_MAX, CLIENTS_MAX};

/// The requests that have taken effect, with their answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    clients: BTreeMap<ClientId, Session>,
    /// All answers, each at its place: the number of the use that it was given at. So the oldest is first.
    answers: BTreeMap<u64, Answer>,
    /// Who asked for something new when, oldest first: the order in which clients are forgotten.
    by_use: BTreeMap<u64, ClientId>,
    /// The place of the latest answer.
    uses: u64,
    bytes: usize,
    /// The sum of the hashes of all answers.
    digest: u64,
    /// What an image that is under way needs beside the answers.
    image: Option<Box<Image>>,
}

/// The places of one client's answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Session {
    places: BTreeMap<Token, u64>,
    /// Oldest first.
    order: VecDeque<u64>,
    bytes: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    client: ClientId,
    token: Token,
    values: Box<[Value]>,
    bytes: usize,
    hash: u64,
}

/// An image shows the answers up to a place: what comes later is not in it. Answers never change, so it only
/// has to be given those that are forgotten.
#[derive(Clone, Debug)]
struct Image {
    last: u64,
    walk: Walk<u64, Answer>,
}

impl Sessions {
    /// What this request was answered, if it has taken effect.
    pub(super) fn answer(&self, id: &RequestId) -> Option<&[Value]> {
        let place = self.clients.get(&id.client)?.places.get(&id.token)?;
        Some(&self.answers[place].values)
    }

    /// How many answers are remembered.
    pub(super) fn answers(&self) -> usize {
        self.answers.len()
    }

    /// Keeps the answer to a request that has just taken effect for the first time.
    pub(super) fn record(&mut self, id: RequestId, values: &[Value]) {
        let RequestId { client, token } = id;
        self.add(self.uses + 1, client, token, values);
        while self.clients.get(&client).is_some_and(Session::is_too_large) {
            self.forget_oldest_of(client);
        }
        while self.clients.len() > 1 && (self.clients.len() > CLIENTS_MAX || self.bytes > ANSWER_BYTES_MAX) {
            self.forget_most_silent();
        }
    }

    /// Answers and the order in which they came, in one number.
    pub(super) fn digest(&self) -> u64 {
        self.digest.wrapping_add(self.uses)
    }

    fn add(&mut self, place: u64, client: ClientId, token: Token, values: &[Value]) {
        self.uses = place;
        let answer = Answer::new(client, token, place, values);
        self.bytes += answer.bytes;
        self.digest = self.digest.wrapping_add(answer.hash);
        let session = self.clients.entry(client).or_default();
        if let Some(last_use) = session.order.back() {
            self.by_use.remove(last_use);
        }
        self.by_use.insert(place, client);
        session.push(place, &answer);
        self.answers.insert(place, answer);
    }

    fn forget_oldest_of(&mut self, client: ClientId) {
        let session = self.clients.get_mut(&client).expect("whoever used the table is in it");
        let place = session.order.pop_front().expect("a session that is too large holds something");
        let answer = self.answers.remove(&place).expect("there is an answer at every place in the order");
        session.places.remove(&answer.token);
        session.bytes -= answer.bytes;
        self.let_go(place, answer);
    }

    fn forget_most_silent(&mut self) {
        let (_, silent) = self.by_use.pop_first().expect("every client has a last use");
        let session = self.clients.remove(&silent).expect("whoever used the table is in it");
        for place in session.order {
            let answer = self.answers.remove(&place).expect("there is an answer at every place in the order");
            self.let_go(place, answer);
        }
    }

    fn let_go(&mut self, place: u64, answer: Answer) {
        self.bytes -= answer.bytes;
        self.digest = self.digest.wrapping_sub(answer.hash);
        if let Some(image) = &mut self.image
            && place <= image.last
            && image.walk.awaits(&place)
        {
            image.walk.save(place, answer);
        }
    }

    /// Begins an image of the answers.
    pub(super) fn begin_image(&mut self) {
        self.image = Some(Box::new(Image { last: self.uses, walk: Walk::new() }));
    }

    /// The next answers of the image; when there are no more, it is over.
    pub(super) fn next_image_block(&mut self, bytes: usize) -> Option<Vec<u8>> {
        let Image { last, walk } = &mut **self.image.as_mut()?;
        let mut block = Block::of_answers(bytes);
        let mut give =
            |place: &u64, answer: &Answer| block.answer(*place, answer.client, &answer.token, &answer.values);
        let range = |from: Bound<&u64>| self.answers.range((from, Bound::Unbounded));
        walk.go_on(range, |place, _| place <= last, &mut give);
        let block = block.finish();
        if block.is_none() {
            self.image = None;
        }
        block
    }

    /// Ends an image before its time.
    pub(super) fn abandon_image(&mut self) {
        self.image = None;
    }

    /// Puts back an answer of an image, behind all others. Refuses what no image can hold.
    pub(super) fn restore(
        &mut self,
        place: u64,
        client: ClientId,
        token: Token,
        values: &[Value],
    ) -> Option<()> {
        let is_known = self.clients.get(&client).is_some_and(|session| session.places.contains_key(&token));
        if place <= self.uses || is_known {
            return None;
        }
        self.add(place, client, token, values);
        Some(())
    }
}

/// Whether an image is under way makes no difference.
impl PartialEq for Sessions {
    fn eq(&self, other: &Sessions) -> bool {
        let Sessions { clients, answers, by_use, uses, bytes, digest, image: _ } = self;
        (clients, answers, by_use, uses, bytes, digest)
            == (&other.clients, &other.answers, &other.by_use, &other.uses, &other.bytes, &other.digest)
    }
}

impl Eq for Sessions {}

impl Session {
    fn push(&mut self, place: u64, answer: &Answer) {
        self.bytes += answer.bytes;
        self.order.push_back(place);
        let known = self.places.insert(answer.token.clone(), place);
        assert!(known.is_none(), "a request takes effect once");
    }

    fn is_too_large(&self) -> bool {
        let many = self.order.len() > ANSWERS_PER_CLIENT_MAX || self.bytes > ANSWER_BYTES_PER_CLIENT_MAX;
        many && self.order.len() > 1
    }
}

impl Answer {
    fn new(client: ClientId, token: Token, place: u64, values: &[Value]) -> Answer {
        /// The trees' and the queue's share; and the token is there twice.
        const OVERHEAD: usize = 128;
        let bytes = OVERHEAD + 2 * token.0.len() + values.iter().map(Value::size).sum::<usize>();
        let hash = xxh3_64(&codec::encode(&(client, &token, place, values)));
        Answer { client, token, values: values.into(), bytes, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(client: u64, token: usize) -> RequestId {
        RequestId { client: ClientId(client), token: Token(token.to_string().into()) }
    }

    fn swept(sessions: &Sessions) -> (usize, u64) {
        let answers = sessions.answers.values();
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
