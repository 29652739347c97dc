//! What the store keeps for one key, in as few bytes as a million keys deserve.
//!
//! Most keys live for ever, so they do not pay for an end: only a key that has one keeps it, together with
//! the value, in a box of its own. Rust tells the two apart by the pointer that a boxed slice never has.

use super::command::WallClock;
use super::operation::Revision;

/// A value, when it ends, and the revision that it was given or its lifetime was changed at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    content: Content,
    revision: Revision,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Content {
    Endless(Box<[u8]>),
    Ending(Box<Ending>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Ending {
    end: WallClock,
    value: Box<[u8]>,
}

const _: () = assert!(size_of::<Entry>() == 24, "two words for the value and one for the revision");

impl Entry {
    pub(super) fn new(value: Box<[u8]>, end: Option<WallClock>, revision: Revision) -> Entry {
        let content = match end {
            None => Content::Endless(value),
            Some(end) => Content::Ending(Box::new(Ending { end, value })),
        };
        Entry { content, revision }
    }

    pub(super) fn value(&self) -> &[u8] {
        match &self.content {
            Content::Endless(value) => value,
            Content::Ending(ending) => &ending.value,
        }
    }

    pub(super) fn into_value(self) -> Box<[u8]> {
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

    /// Whether the key is gone for everybody, though nothing may have removed it yet.
    pub(super) fn is_due(&self, clock: WallClock) -> bool {
        self.end().is_some_and(|end| end <= clock)
    }
}
