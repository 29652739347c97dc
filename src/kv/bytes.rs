//! Values as clients sent them: any bytes, of any length up to the limit.
//!
//! A type of its own for the sake of the codec: serde takes a plain vector of bytes for a sequence and
//! encodes it one element at a time, which costs more than everything else that happens to a value. And most
//! values are short: one that lies in place costs neither a visit to the allocator wherever it comes past,
//! nor memory for it, nor another wait of the processor to give it up.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes without any meaning of their own; five words. Few of them need no memory elsewhere.
#[derive(Clone)]
pub struct Bytes(Form);

#[derive(Clone)]
enum Form {
    Short { length: u8, bytes: [u8; INLINE_BYTES_MAX] },
    Long(Box<[u8]>),
}

/// Most bytes that are kept in place.
const INLINE_BYTES_MAX: usize = 38;

const _: () = assert!(size_of::<Bytes>() == 40, "tag, length and the bytes fill five words");

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes(Form::Short { length: 0, bytes: [0; INLINE_BYTES_MAX] })
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Form::Short { length, bytes } => &bytes[..usize::from(*length)],
            Form::Long(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        **self == **other
    }
}

impl Eq for Bytes {}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Bytes) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bytes {
    fn cmp(&self, other: &Bytes) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        if bytes.len() <= INLINE_BYTES_MAX {
            return Bytes::from(&bytes[..]);
        }
        Bytes(Form::Long(bytes.into_boxed_slice()))
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        match in_place(bytes) {
            Some((length, bytes)) => Bytes(Form::Short { length, bytes }),
            None => Bytes(Form::Long(bytes.into())),
        }
    }
}

/// Bytes as they are kept without memory of their own, if there are few enough: how many they are, and they.
pub(super) fn in_place<const MAX: usize>(bytes: &[u8]) -> Option<(u8, [u8; MAX])> {
    let mut inline = [0; MAX];
    inline.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some((u8::try_from(bytes.len()).ok()?, inline))
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Bytes {
        Bytes::from(text.as_bytes())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Bytes {
        Bytes::from(text.into_bytes())
    }
}

impl From<Box<str>> for Bytes {
    fn from(text: Box<str>) -> Bytes {
        Bytes::from(text.as_bytes())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.escape_ascii())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
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

    #[test]
    fn short_and_long_bytes_are_the_same_to_whoever_reads_them() {
        for length in [0, 1, INLINE_BYTES_MAX, INLINE_BYTES_MAX + 1, 300] {
            let plain = vec![7; length];
            let bytes = Bytes::from(&plain[..]);
            assert_eq!((&bytes[..], &bytes), (&plain[..], &Bytes::from(plain.clone())));
            assert_eq!(matches!(bytes.0, Form::Short { .. }), length <= INLINE_BYTES_MAX);
            assert_eq!(codec::decode(&codec::encode(&bytes)), Ok(bytes));
        }
    }
}
