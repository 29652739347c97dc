//! What the store keeps for one key, in as few bytes as a million keys deserve.
//!
//! Most values are short, so they lie in the entry itself (see `bytes`). Most keys live for ever, so they do
//! not pay for an end: only a key that has one keeps it, together with the value, in a box.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::bytes::Bytes;
use super::command::WallClock;
use super::key::Key;
use super::operation::Revision;

/// A value, when it ends, the revision that it was given or its lifetime was changed at, and its share of the
/// store's digest: to work that out again when the value goes would mean to read what nobody wants any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    content: Content,
    revision: Revision,
    share: u64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Content {
    Endless(Bytes),
    Ending(Box<Ending>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Ending {
    end: WallClock,
    value: Bytes,
}

const _: () = assert!(size_of::<Entry>() == 56, "five words for the content, one each for the other two");

impl Entry {
    /// What a key has from now on.
    pub(super) fn new(key: &Key, value: Bytes, end: Option<WallClock>, revision: Revision) -> Entry {
        let share = share(key, &value, end, revision);
        let content = match end {
            Some(end) => Content::Ending(Box::new(Ending { end, value })),
            None => Content::Endless(value),
        };
        Entry { content, revision, share }
    }

    pub(super) fn value(&self) -> &[u8] {
        match &self.content {
            Content::Endless(value) => value,
            Content::Ending(ending) => &ending.value,
        }
    }

    pub(super) fn into_value(self) -> Bytes {
        match self.content {
            Content::Endless(value) => value,
            Content::Ending(ending) => ending.value,
        }
    }

    pub(super) fn end(&self) -> Option<WallClock> {
        match &self.content {
            Content::Endless(_) => None,
            Content::Ending(ending) => Some(ending.end),
        }
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// What it adds to the store's digest.
    pub(super) fn share(&self) -> u64 {
        self.share
    }

    /// Whether the key is gone for everybody, though nothing may have removed it yet.
    pub(super) fn is_due(&self, clock: WallClock) -> bool {
        self.end().is_some_and(|end| end <= clock)
    }
}

/// One key's share of the digest. Its revision, which no other key has, stands for what the 32 bits of its
/// hash may not tell.
fn share(key: &Key, value: &[u8], end: Option<WallClock>, revision: Revision) -> u64 {
    let end = end.map_or(0, |end| end.0);
    let place = (u64::from(key.hash()) << 32).wrapping_add(end.rotate_left(17));
    xxh3_64_with_seed(value, place.wrapping_add(revision.0.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}
