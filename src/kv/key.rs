//! Keys, and the order that they have in the store.
//!
//! Keys are ordered by a fixed hash first and by their bytes second. That costs the order of the alphabet,
//! which no command of a Redis client can see, and buys much:
//!
//! * SCAN has a cursor of 64 bits that means the same to every replica and survives any change of the data
//!   (see `scan`), without anything to remember between two steps;
//! * the first bits of the hash tell where a key is to be looked for (see `table`), and what is compared
//!   there are numbers that lie side by side, not bytes that lie anywhere;
//! * a random key is one look.
//!
//! Nothing is random about the hash: it is XXH3 without a seed, so every replica has the same order. Whoever
//! makes many keys with equal hashes gets a longer step of SCAN for it, and nothing worse: a tree keeps them.
//!
//! Short keys lie in the nodes of the map themselves, which saves an allocation of 32 bytes for most keys
//! that people use.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use super::bytes::in_place;

/// Longest key that needs no allocation, in bytes.
const INLINE_BYTES_MAX: usize = 18;

/// A key with its hash.
#[derive(Clone)]
pub struct Key(Form);

/// The hash is repeated in both variants so that it shares a word with their tags.
#[derive(Clone)]
enum Form {
    Short { hash: u32, length: u8, bytes: [u8; INLINE_BYTES_MAX] },
    Long { hash: u32, bytes: Box<[u8]> },
}

const _: () = assert!(size_of::<Key>() == 24, "hash, tag, length and a short key share three words");

impl Key {
    /// The key with these bytes.
    pub fn new(bytes: &[u8]) -> Key {
        // The upper half: XXH3 mixes both, and one has to be chosen for ever.
        let hash = u32::try_from(xxh3_64(bytes) >> 32).expect("half of 64 bits");
        Key(match in_place(bytes) {
            Some((length, bytes)) => Form::Short { hash, length, bytes },
            None => Form::Long { hash, bytes: bytes.into() },
        })
    }

    /// The key as the client wrote it.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Short { length, bytes, .. } => &bytes[..usize::from(*length)],
            Form::Long { bytes, .. } => bytes,
        }
    }

    /// Its place in the order, up to ties.
    pub(super) fn hash(&self) -> u32 {
        match self.0 {
            Form::Short { hash, .. } | Form::Long { hash, .. } => hash,
        }
    }

    /// A key that stands before all others of this hash: the place where a walk from there begins.
    pub(super) fn first_of(hash: u32) -> Key {
        Key(Form::Short { hash, length: 0, bytes: [0; INLINE_BYTES_MAX] })
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        self.hash().cmp(&other.hash()).then_with(|| self.as_bytes().cmp(other.as_bytes()))
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

impl From<&[u8]> for Key {
    fn from(bytes: &[u8]) -> Key {
        Key::new(bytes)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Key {
        Key::new(text.as_bytes())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "'{}'", self.as_bytes().escape_ascii())
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.as_bytes())
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_bytes(Bulk)
    }
}

/// Takes a key's bytes in one piece and works out the hash, which does not travel.
struct Bulk;

impl Visitor<'_> for Bulk {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key's bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Key, E> {
        Ok(Key::new(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn short_and_long_keys_survive_their_encoding() {
        for length in [0, 1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, 300] {
            let key = Key::new(&vec![7; length]);
            assert_eq!(key.as_bytes(), vec![7; length]);
            let encoded = codec::encode(&key);
            assert_eq!(encoded.len(), 8 + length);
            assert_eq!(codec::decode(&encoded), Ok(key));
        }
    }

    #[test]
    fn the_order_is_by_hash_and_the_same_for_ever() {
        // A change of these numbers would change the meaning of every cursor and snapshot.
        assert_eq!(Key::from("").hash(), 0x2d06_8005);
        assert_eq!(Key::from("Hello world").hash(), 0xb6ac_b9d8);
        assert!(Key::from("") < Key::from("Hello world"));
        assert!(Key::first_of(Key::from("a").hash()) <= Key::from("a"));
        assert_ne!(Key::from("a"), Key::from("b"));
    }
}
