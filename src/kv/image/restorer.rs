//! From the blocks of an image to the store that it shows.

use super::block::{Content, Head, Reader};
use crate::codec::Garbage;
use crate::kv::keyspace::Keyspace;
use crate::kv::session::Sessions;
use crate::kv::store::Store;

/// Builds a store from the blocks of an image. One that has refused a block is of no use any more.
#[derive(Debug, Default)]
pub struct Restorer {
    head: Option<Head>,
    space: Keyspace,
    sessions: Sessions,
}

impl Restorer {
    /// One that awaits the first block.
    pub fn new() -> Restorer {
        Restorer::default()
    }

    /// Takes the next block, in the order in which they were given out.
    ///
    /// # Errors
    ///
    /// [`Garbage`] when no store has given out this block, or not now.
    pub fn take(&mut self, block: &[u8]) -> Result<(), Garbage> {
        match (Content::of(block)?, self.head) {
            (Content::Head(head), None) => {
                self.space = Keyspace::begun_at(head.clock, head.revision);
                self.head = Some(head);
                Ok(())
            }
            (Content::Keys(reader), Some(_)) => self.take_keys(reader),
            (Content::Answers(reader), Some(_)) => self.take_answers(reader),
            _ => Err(Garbage),
        }
    }

    fn take_keys(&mut self, mut reader: Reader<'_>) -> Result<(), Garbage> {
        while !reader.is_empty() {
            let (key, entry) = reader.key()?;
            self.space.restore(key, entry).ok_or(Garbage)?;
        }
        Ok(())
    }

    fn take_answers(&mut self, mut reader: Reader<'_>) -> Result<(), Garbage> {
        while !reader.is_empty() {
            let answer = reader.answer()?;
            let restored = self.sessions.restore(answer.place, answer.client, answer.token, &answer.values);
            restored.ok_or(Garbage)?;
        }
        Ok(())
    }

    /// The store as it was when the image began.
    ///
    /// # Errors
    ///
    /// [`Garbage`] when blocks are missing, or do not add up to what the first one announced.
    pub fn finish(self) -> Result<Store, Garbage> {
        let head = self.head.ok_or(Garbage)?;
        let mut space = self.space;
        space.settle();
        let store = Store::of(space, self.sessions);
        if store.head() == head { Ok(store) } else { Err(Garbage) }
    }
}
