//! The state machine itself: a command in, its answers out.

use xxhash_rust::xxh3::xxh3_64;

use super::command::{Command, RequestId, WallClock};
use super::image::Head;
use super::keyspace::Keyspace;
use super::operation::Operation;
use super::session::Sessions;
use super::value::Value;
use super::{read, write};

/// What the log has made so far.
#[derive(Clone, Debug, Default)]
pub struct Store {
    space: Keyspace,
    sessions: Sessions,
    /// How far an image is; none is under way most of the time.
    image: Option<Image>,
}

/// An image that is under way.
#[derive(Clone, Copy, Debug)]
struct Image {
    next: Stage,
    /// How long a block gets, in bytes.
    bytes: usize,
}

/// What of it comes next.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Head(Head),
    Keys,
    Answers,
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

    /// Brings near what these operations are about to ask for.
    pub fn look_ahead<'a>(&self, operations: impl Iterator<Item = &'a Operation> + Clone) {
        self.space.look_ahead(operations);
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

    /// Begins an image of the present state, in blocks of about so many bytes; a single large entry may
    /// exceed that. What is changed from now on does not show in it. Takes no time to speak of, however much
    /// there is.
    ///
    /// # Panics
    ///
    /// When one is under way: there is one at a time.
    pub fn begin_image(&mut self, bytes: usize) {
        assert!(self.image.is_none(), "one image at a time");
        self.image = Some(Image { next: Stage::Head(self.head()), bytes });
        self.space.begin_image(bytes);
        self.sessions.begin_image();
    }

    /// The next block of the image. `None` when all has been given out: then the image is over.
    pub fn next_image_block(&mut self) -> Option<Vec<u8>> {
        loop {
            let image = self.image.as_mut()?;
            let block = match image.next {
                Stage::Head(head) => Some(head.block()),
                Stage::Keys => self.space.next_image_block(),
                Stage::Answers => self.sessions.next_image_block(image.bytes),
            };
            match (image.next, &block) {
                (Stage::Head(_), _) => image.next = Stage::Keys,
                (Stage::Keys, None) => image.next = Stage::Answers,
                (Stage::Answers, None) => self.image = None,
                (_, Some(_)) => {}
            }
            if block.is_some() {
                return block;
            }
        }
    }

    /// Whether an image is under way.
    pub fn is_imaging(&self) -> bool {
        self.image.is_some()
    }

    /// Ends an image before all of it has been given out, if one is under way.
    pub fn abandon_image(&mut self) {
        self.image = None;
        self.space.abandon_image();
        self.sessions.abandon_image();
    }

    /// A store that consists of these.
    pub(super) fn of(space: Keyspace, sessions: Sessions) -> Store {
        Store { space, sessions, image: None }
    }

    /// What an image that began now would begin with.
    pub(super) fn head(&self) -> Head {
        let count = |entries: usize| u64::try_from(entries).expect("it fits memory");
        Head {
            keys: count(self.space.entries()),
            answers: count(self.sessions.answers()),
            clock: self.space.clock(),
            revision: self.space.revision(),
            digest: self.digest(),
        }
    }
}

/// Whether an image is under way makes no difference.
impl PartialEq for Store {
    fn eq(&self, other: &Store) -> bool {
        let Store { space, sessions, image: _ } = self;
        (space, sessions) == (&other.space, &other.sessions)
    }
}

impl Eq for Store {}
