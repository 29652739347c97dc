//! Frames between replicas: a head that says how long the body is and proves that it is whole and ours.
//!
//! ```text
//! 0   4  length of the body, in bytes
//! 4   4  CRC-32C of everything after this field
//! 8   2  version of the wire format
//! 10  2  zero
//! 12  8  cluster id
//! 20     body
//! ```
//!
//! All numbers are little-endian. A frame that does not fit this is no accident of the network, which
//! delivers bytes in order or not at all; the connection is dropped.

use std::fmt;

use crate::identity::ClusterId;
use crate::limits::FRAME_BYTES_MAX;

/// Bytes before a frame's body.
pub const FRAME_HEAD_BYTES: usize = 20;

/// The version of everything that replicas say to each other.
const WIRE_VERSION: u16 = 1;

const CHECKED_FROM: usize = 8;

/// Why a frame was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// Claims to be longer than any frame is.
    TooLong(usize),
    /// The checksum does not fit the bytes.
    Corrupt,
    /// Another version of the wire format.
    Version(u16),
    /// Another cluster's.
    Stranger(ClusterId),
}

impl fmt::Display for FrameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::TooLong(bytes) => write!(formatter, "a frame of {bytes} bytes, over the limit"),
            FrameError::Corrupt => write!(formatter, "a frame whose checksum is wrong"),
            FrameError::Version(version) => {
                write!(formatter, "wire version {version}; this replica speaks {WIRE_VERSION}")
            }
            FrameError::Stranger(cluster) => {
                write!(formatter, "cluster {:016x}, which is not ours", cluster.0)
            }
        }
    }
}

/// Appends a frame whose body `write` appends.
pub fn append_frame(buffer: &mut Vec<u8>, cluster: ClusterId, write: impl FnOnce(&mut Vec<u8>)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; CHECKED_FROM]);
    buffer.extend_from_slice(&WIRE_VERSION.to_le_bytes());
    buffer.extend_from_slice(&[0; 2]);
    buffer.extend_from_slice(&cluster.0.to_le_bytes());
    write(buffer);
    let frame = &mut buffer[start..];
    let body = frame.len() - FRAME_HEAD_BYTES;
    assert!(body <= FRAME_BYTES_MAX, "a frame of {body} bytes would be refused by everybody");
    let length = u32::try_from(body).expect("the limit is below 4 GiB");
    let checksum = crc32c::crc32c(&frame[CHECKED_FROM..]);
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame[4..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
}

/// The cluster that the first frame names, once so much of it is there. Nothing of it is verified yet.
pub fn cluster_of(bytes: &[u8]) -> Option<ClusterId> {
    let head = bytes.first_chunk::<FRAME_HEAD_BYTES>()?;
    Some(ClusterId(u64::from_le_bytes(head[12..].try_into().expect("eight bytes"))))
}

/// The bodies of the whole frames at the front of some bytes.
#[derive(Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    cluster: ClusterId,
    /// Longest body that is believed, in bytes.
    pub body_bytes_max: usize,
    /// Bytes of whole frames that were given out.
    pub used: usize,
}

impl<'a> Frames<'a> {
    /// Reads `bytes` as frames of `cluster`, with bodies of no more than so many bytes.
    pub fn new(bytes: &'a [u8], cluster: ClusterId, body_bytes_max: usize) -> Frames<'a> {
        Frames { rest: bytes, cluster, body_bytes_max, used: 0 }
    }

    fn take(&mut self) -> Result<Option<&'a [u8]>, FrameError> {
        let Some((head, rest)) = self.rest.split_first_chunk::<FRAME_HEAD_BYTES>() else { return Ok(None) };
        let number = |from: usize| u32::from_le_bytes(head[from..from + 4].try_into().expect("four bytes"));
        let length = number(0) as usize;
        if length > self.body_bytes_max {
            return Err(FrameError::TooLong(length));
        }
        let Some((body, rest)) = rest.split_at_checked(length) else { return Ok(None) };
        let checked = &self.rest[CHECKED_FROM..FRAME_HEAD_BYTES + length];
        if crc32c::crc32c(checked) != number(4) {
            return Err(FrameError::Corrupt);
        }
        let version = u16::from_le_bytes([head[8], head[9]]);
        if version != WIRE_VERSION {
            return Err(FrameError::Version(version));
        }
        let cluster = ClusterId(u64::from_le_bytes(head[12..20].try_into().expect("eight bytes")));
        if cluster != self.cluster {
            return Err(FrameError::Stranger(cluster));
        }
        self.rest = rest;
        self.used += FRAME_HEAD_BYTES + length;
        Ok(Some(body))
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<&'a [u8], FrameError>;

    fn next(&mut self) -> Option<Result<&'a [u8], FrameError>> {
        self.take().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: ClusterId = ClusterId(7);

    fn frame(body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        append_frame(&mut bytes, OURS, |buffer| buffer.extend_from_slice(body));
        bytes
    }

    #[test]
    fn frames_come_back_whole_and_in_order_however_they_are_cut() {
        let bytes = [frame(b"one"), frame(b""), frame(b"three")].concat();
        for cut in 0..=bytes.len() {
            let mut frames = Frames::new(&bytes[..cut], OURS, FRAME_BYTES_MAX);
            let bodies: Vec<_> = frames.by_ref().map(Result::unwrap).collect();
            let expected = [b"one".as_slice(), b"", b"three"];
            assert_eq!(bodies, expected[..bodies.len()]);
            assert!(frames.used <= cut);
        }
        assert_eq!(Frames::new(&bytes, OURS, FRAME_BYTES_MAX).count(), 3);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let good = frame(b"body");
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            // A longer length waits for bytes that never come; everything else is an error at once.
            let found = Frames::new(&bad, OURS, FRAME_BYTES_MAX).next();
            assert!(!matches!(found, Some(Ok(_))), "bit {bit}");
        }
    }

    #[test]
    fn strangers_and_other_versions_are_told_apart() {
        assert_eq!(
            Frames::new(&frame(b"x"), ClusterId(8), FRAME_BYTES_MAX).next(),
            Some(Err(FrameError::Stranger(OURS)))
        );
        let mut newer = frame(b"x");
        newer[8] = 9;
        let checksum = crc32c::crc32c(&newer[8..]);
        newer[4..8].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Frames::new(&newer, OURS, FRAME_BYTES_MAX).next(), Some(Err(FrameError::Version(9))));
        let mut long = frame(b"x");
        long[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(
            Frames::new(&long, OURS, FRAME_BYTES_MAX).next(),
            Some(Err(FrameError::TooLong(_)))
        ));
    }
}
