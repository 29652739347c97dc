//! The keys of an image: a walk through the table, and what changes before the walk has come by.
//!
//! Whoever is about to change an entry shows it to the image first. If the walk has still to come by there,
//! and the entry is as old as the image, it is written into the block in the making at once, wherever that
//! block is by then; the walk knows from the revision of what it finds there that it has nothing more to do.
//! So a change costs a few words copied to the end of a block, and nothing has to be found again.

use std::collections::VecDeque;
use std::mem;

use super::block::Block;
use super::walk::Rest;
use crate::kv::entry::Entry;
use crate::kv::key::Key;
use crate::kv::operation::Revision;
use crate::kv::table::Table;

/// The keys as they were at a revision: an entry of a later one is not among them.
#[derive(Clone, Debug)]
pub(in crate::kv) struct KeyImage {
    revision: Revision,
    /// How long a block gets, in bytes.
    bytes: usize,
    /// What the walk has still to come by.
    rest: Rest<Key>,
    /// The keys that were there, if they have all been removed at once since.
    cleared: Option<Table>,
    /// Blocks that are complete.
    complete: VecDeque<Vec<u8>>,
    /// The one that is not.
    block: Block,
}

impl KeyImage {
    /// An image of all entries up to `revision`, in blocks of about so many bytes.
    pub(in crate::kv) fn new(revision: Revision, bytes: usize) -> KeyImage {
        KeyImage {
            revision,
            bytes,
            rest: Rest::Everything,
            cleared: None,
            complete: VecDeque::new(),
            block: Block::of_keys(bytes),
        }
    }

    /// An entry is about to change or to go.
    pub(in crate::kv) fn let_go(&mut self, key: &Key, entry: &Entry) {
        if self.rest.includes(key) && entry.revision() <= self.revision {
            self.give(key, entry);
        }
    }

    /// All keys are about to be removed. When that happens again, none of them is in the image.
    pub(in crate::kv) fn keep_all(&mut self, entries: &mut Table) {
        if self.cleared.is_none() && !matches!(self.rest, Rest::Nothing) {
            self.cleared = Some(mem::take(entries));
        }
    }

    /// The next block, of `entries` as they are now; `None` at the end.
    pub(in crate::kv) fn next_block(&mut self, entries: &Table) -> Option<Vec<u8>> {
        if self.complete.is_empty() {
            match self.cleared.take() {
                Some(mut cleared) => {
                    self.walk(&cleared);
                    if let Rest::From(next) = &self.rest {
                        cleared.drop_before(next);
                    }
                    self.cleared = Some(cleared);
                }
                None => self.walk(entries),
            }
        }
        let last = || mem::replace(&mut self.block, Block::of_keys(self.bytes)).finish();
        self.complete.pop_front().or_else(last)
    }

    /// Goes on until a block is complete, or to the end.
    fn walk(&mut self, entries: &Table) {
        let Some(from) = self.rest.begin() else { return };
        for (key, entry) in entries.sweep(from) {
            if !self.complete.is_empty() {
                self.rest = Rest::From(key.clone());
                return;
            }
            if entry.revision() <= self.revision {
                self.give(key, entry);
            }
        }
        self.rest = Rest::Nothing;
    }

    fn give(&mut self, key: &Key, entry: &Entry) {
        if !self.block.key(key, entry) {
            let block = mem::replace(&mut self.block, Block::of_keys(self.bytes));
            self.complete.extend(block.finish());
        }
    }
}
