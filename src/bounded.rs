//! How lists and texts are read from bytes of others: with memory for what is there and not for what a length
//! says, and with no more of it than any value has that somebody would write.
//!
//! A few bytes can ask for much: a text by its length; a list by elements that are larger in memory than in
//! bytes (an operation of four bytes takes 88); a list within a list within a list by the stack that each
//! takes, of which there is no more when it is used up. For use as
//! `#[serde(deserialize_with = "crate::bounded::list")]`, and `text` likewise.
//!
//! serde hands no context down to the parts of a value, so the counts are kept beside it, for each thread.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use crate::limits::{DECODE_BYTES_MAX, LIST_DEPTH_MAX};

/// Room that is made for a list on its word.
const ROOM_BYTES: usize = 4 << 10;

thread_local! {
    /// What the elements of all lists of the value take that is being decoded, in bytes, without what they
    /// point to.
    static CLAIMED: Cell<usize> = const { Cell::new(0) };

    /// How many lists are being decoded within one another.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// The decoding of another value begins.
pub fn begin_value() {
    CLAIMED.set(0);
}

/// Claims so much for an element of a list of that value. Answers whether any value has so much.
pub fn claim(bytes: usize) -> bool {
    let claimed = CLAIMED.get() + bytes;
    CLAIMED.set(claimed);
    claimed <= DECODE_BYTES_MAX
}

/// Decodes a list.
///
/// # Errors
///
/// The deserializer's, and one when the list is too deep in others, or the value has too much in its lists.
pub fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let Some(_level) = Level::enter() else { return Err(D::Error::custom("lists too deep in one another")) };
    deserializer.deserialize_seq(List(PhantomData))
}

struct List<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
        // Room for many is not made before they are here: how many there are is only what somebody says.
        let announced = elements.size_hint().unwrap_or(0);
        let mut list = Vec::with_capacity(announced.min(ROOM_BYTES / size_of::<T>().max(1)));
        while let Some(element) = elements.next_element()? {
            if !claim(size_of::<T>()) {
                return Err(A::Error::custom("more elements than any value has"));
            }
            list.push(element);
        }
        Ok(list)
    }
}

/// A list that is being decoded.
struct Level;

impl Level {
    fn enter() -> Option<Level> {
        let depth = DEPTH.get();
        if depth == LIST_DEPTH_MAX {
            return None;
        }
        DEPTH.set(depth + 1);
        Some(Level)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

/// Decodes a text.
///
/// # Errors
///
/// The deserializer's.
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<str>, D::Error> {
    deserializer.deserialize_str(Text)
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Box<str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Box<str>, E> {
        Ok(text.into())
    }
}
