//! How shared bytes travel: as one run, copied in one go.
//!
//! serde takes a slice of bytes for a sequence and encodes it one element at a time, which costs more than
//! everything else that happens to it. For use as `#[serde(with = "crate::shared_bytes")]`.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserializer, Visitor};
use serde::ser::Serializer;

/// Bytes to one run.
///
/// # Errors
///
/// The serializer's.
pub fn serialize<S: Serializer>(bytes: &Arc<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// One run to bytes.
///
/// # Errors
///
/// The deserializer's.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[u8]>, D::Error> {
    deserializer.deserialize_bytes(SharedBytes)
}

struct SharedBytes;

impl Visitor<'_> for SharedBytes {
    type Value = Arc<[u8]>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Arc<[u8]>, E> {
        Ok(bytes.into())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Arc<[u8]>, E> {
        Ok(bytes.into())
    }
}
