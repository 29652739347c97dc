//! Values as clients sent them: any bytes, of any length up to the limit.
//!
//! A type of its own for the sake of the codec: serde takes a plain vector of bytes for a sequence and
//! encodes it one element at a time, which costs more than everything else that happens to a value.

use std::fmt;
use std::ops::Deref;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes without any meaning of their own; two words, no spare capacity.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(Box<[u8]>);

impl Bytes {
    /// The bytes themselves, without a copy.
    pub fn into_boxed(self) -> Box<[u8]> {
        self.0
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Box<[u8]>> for Bytes {
    fn from(bytes: Box<[u8]>) -> Bytes {
        Bytes(bytes)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(bytes.into_boxed_slice())
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        Bytes(bytes.into())
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Bytes {
        Bytes(text.as_bytes().into())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Bytes {
        Bytes(text.into_bytes().into_boxed_slice())
    }
}

impl From<Box<str>> for Bytes {
    fn from(text: Box<str>) -> Bytes {
        Bytes(text.into_boxed_bytes())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0.escape_ascii())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        // Not as a buffer of their own: that would be made as long as the length says, before they are there.
        deserializer.deserialize_bytes(Bulk)
    }
}

/// Takes bytes in one piece.
struct Bulk;

impl Visitor<'_> for Bulk {
    type Value = Bytes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn bytes_are_encoded_as_a_length_and_one_piece() {
        let bytes = Bytes::from(&[0, 255, 10][..]);
        assert_eq!(codec::encode(&bytes), [3, 0, 0, 0, 0, 0, 0, 0, 0, 255, 10]);
        assert_eq!(codec::decode(&codec::encode(&bytes)), Ok(bytes));
    }
}
