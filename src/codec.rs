//! Values to bytes and back: bincode, little-endian, fixed width. The only module that names the crate.
//!
//! bincode is maintained no more (RUSTSEC-2025-0141, no known fault), so it is pinned to the last release
//! that works, and the format is simple enough to be served by another crate or by hand: integers in their
//! natural width, enum variants as u32, lengths as u64, options as one byte, fields in order.
//!
//! Bytes from outside are decoded with a limit, and must be used up to the last one.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bounded;
use crate::limits::DECODE_BYTES_MAX;

/// The bytes are not one whole value of the wanted type.
#[derive(Debug, PartialEq, Eq)]
pub struct Garbage;

impl fmt::Display for Garbage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not one whole encoded value")
    }
}

impl std::error::Error for Garbage {}

/// Appends the encoding of `value` to `buffer`.
pub fn encode_into<T: Serialize>(value: &T, buffer: &mut Vec<u8>) {
    bincode::serde::encode_into_std_write(value, buffer, bincode::config::legacy())
        .expect("our own types have an encoding, and a vector takes any number of bytes");
}

/// The encoding of `value`.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(128);
    encode_into(value, &mut buffer);
    buffer
}

/// The same for those who share it. What is short takes no detour through memory of its own.
pub fn encode_shared<T: Serialize>(value: &T) -> Arc<[u8]> {
    let mut near = [0; NEAR_BYTES];
    match bincode::serde::encode_into_slice(value, &mut near, bincode::config::legacy()) {
        Ok(length) => near[..length].into(),
        Err(_) => encode(value).into(),
    }
}

/// Longest encoding that is made in place.
const NEAR_BYTES: usize = 256;

/// The value that `bytes` hold, all of them.
///
/// # Errors
///
/// [`Garbage`] when they hold no such value, more than one, or claim to hold one beyond the limit.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Garbage> {
    bounded::begin_value();
    let config = bincode::config::legacy().with_limit::<DECODE_BYTES_MAX>();
    match bincode::serde::borrow_decode_from_slice(bytes, config) {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        _ => Err(Garbage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_fixed_width_and_little_endian() {
        assert_eq!(encode(&(1u16, Some(2u64))), [1, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn long_and_short_encodings_are_the_same_for_those_who_share_them() {
        for length in [0, NEAR_BYTES - 9, NEAR_BYTES - 8, NEAR_BYTES - 7, 5_000] {
            let value = vec![7u8; length];
            assert_eq!(encode_shared(&value)[..], encode(&value));
        }
    }

    #[test]
    fn leftover_bytes_are_garbage() {
        let mut bytes = encode(&7u32);
        assert_eq!(decode::<u32>(&bytes), Ok(7));
        bytes.push(0);
        assert_eq!(decode::<u32>(&bytes), Err(Garbage));
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        let mut bytes = encode(&u64::MAX);
        bytes.extend([1, 2, 3]);
        assert_eq!(decode::<Vec<u8>>(&bytes), Err(Garbage));
        assert_eq!(decode::<Vec<u64>>(&encode(&(1u64 << 33))), Err(Garbage));
    }
}
