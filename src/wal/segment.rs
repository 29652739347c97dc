//! Segment files: their names and their headers.

use super::error::OpenError;
use super::{ClusterId, Identity, Incarnation};
use crate::raft::{Index, NodeId};

/// The format this program writes, and the only one it reads.
pub(super) const FORMAT_VERSION: u32 = 1;

/// A header takes this much at the start of each segment, in this and every later format: its last four
/// bytes are the checksum of the others, so that a newer version can be told from a broken one.
pub(super) const HEADER_BYTES: usize = 64;

const MAGIC: [u8; 8] = *b"quorwal\n";

/// The segment that is being prepared, or a copy of the last one in the making.
pub(super) const SPARE_NAME: &str = "spare";

const SUFFIX: &str = ".wal";

/// What a segment is called when the log needs it no more and its space is to be used again.
const RETIRED_SUFFIX: &str = ".old";

/// A segment's running number, from 1. It is also its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct SegmentNumber(pub(super) u64);

impl SegmentNumber {
    pub(super) fn next(self) -> SegmentNumber {
        SegmentNumber(self.0 + 1)
    }

    pub(super) fn previous(self) -> SegmentNumber {
        SegmentNumber(self.0 - 1)
    }

    pub(super) fn file_name(self) -> String {
        format!("{:016x}{SUFFIX}", self.0)
    }

    pub(super) fn retired_name(self) -> String {
        format!("{:016x}{RETIRED_SUFFIX}", self.0)
    }

    /// The number of the segment that goes by this name, if one does.
    pub(super) fn of_file(name: &str) -> Option<SegmentNumber> {
        let number = u64::from_str_radix(name.strip_suffix(SUFFIX)?, 16).ok().map(SegmentNumber)?;
        (number.0 > 0 && number.file_name() == name).then_some(number)
    }
}

/// Whether a file of this name is a retired segment.
pub(super) fn is_retired(name: &str) -> bool {
    name.ends_with(RETIRED_SUFFIX)
}

/// A place between two records: what the next one must carry to belong there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Link {
    /// The checksum of what comes before: the last record, or at the start of a segment its header.
    pub(super) previous: u32,
    /// The running number of the batch to come.
    pub(super) batch: u64,
}

/// What a segment says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) identity: Identity,
    pub(super) number: SegmentNumber,
    /// Where the log went on when this segment was begun: one after its last entry then.
    pub(super) first_index: Index,
    /// The end of the segment before.
    pub(super) link: Link,
}

impl Header {
    /// The header's bytes, and the checksum in them.
    pub(super) fn encode(&self) -> ([u8; HEADER_BYTES], u32) {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.identity.node.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.identity.cluster.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.identity.incarnation.0.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.number.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.first_index.0.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.link.batch.to_le_bytes());
        bytes[56..60].copy_from_slice(&self.link.previous.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&checksum.to_le_bytes());
        (bytes, checksum)
    }

    /// The header that `bytes` begin with, and its checksum.
    ///
    /// A segment gets its name when its header is durable, so a bad one is damage, never a torn write.
    pub(super) fn decode(
        bytes: &[u8],
        expected: Identity,
        number: SegmentNumber,
    ) -> Result<(Header, u32), OpenError> {
        let file = number.file_name();
        let damaged =
            |offset, what: &str| OpenError::Damaged { file: file.clone(), offset, what: what.to_owned() };
        let Some(bytes) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(damaged(bytes.len() as u64, "the file is shorter than its header"));
        };
        if bytes[0..8] != MAGIC {
            return Err(damaged(0, "this is not the start of a log segment"));
        }
        let checksum = u32_at(bytes, 60);
        if checksum != crc32c::crc32c(&bytes[..60]) {
            return Err(damaged(60, "the header does not match its checksum"));
        }
        let version = u32_at(bytes, 8);
        if version != FORMAT_VERSION {
            return Err(OpenError::Newer { file, version });
        }
        let identity = Identity {
            cluster: ClusterId(u64_at(bytes, 16)),
            node: NodeId(u16_at(bytes, 12)),
            incarnation: Incarnation(u64_at(bytes, 24)),
        };
        if identity != expected {
            return Err(OpenError::Foreign { file, found: identity, expected });
        }
        if u64_at(bytes, 32) != number.0 {
            return Err(damaged(32, "this is another segment under a wrong name"));
        }
        let link = Link { previous: u32_at(bytes, 56), batch: u64_at(bytes, 48) };
        Ok((Header { identity, number, first_index: Index(u64_at(bytes, 40)), link }, checksum))
    }
}

pub(super) fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, offset))
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, offset))
}

pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, offset))
}

fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    *bytes[offset..].first_chunk().expect("the caller has looked at the length")
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: Identity =
        Identity { cluster: ClusterId(7), node: NodeId(3), incarnation: Incarnation(0x1234_5678_9abc_def0) };

    fn header() -> Header {
        let link = Link { previous: 0xdead_beef, batch: 17 };
        Header { identity: IDENTITY, number: SegmentNumber(2), first_index: Index(5), link }
    }

    #[test]
    fn only_names_that_segments_get_are_segments() {
        assert_eq!(SegmentNumber::of_file("000000000000001f.wal"), Some(SegmentNumber(31)));
        for name in ["000000000000001F.wal", "1f.wal", "0000000000000000.wal", "spare", "000000000000001f"] {
            assert_eq!(SegmentNumber::of_file(name), None, "{name}");
        }
    }

    #[test]
    fn a_header_comes_back_and_every_flipped_bit_is_noticed() {
        let (bytes, _) = header().encode();
        assert_eq!(Header::decode(&bytes, IDENTITY, SegmentNumber(2)).unwrap().0, header());
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            let result = Header::decode(&flipped, IDENTITY, SegmentNumber(2));
            assert!(matches!(result, Err(OpenError::Damaged { .. })), "bit {bit}: {result:?}");
        }
    }

    #[test]
    fn a_newer_format_is_told_from_a_broken_header() {
        let (mut bytes, _) = header().encode();
        bytes[8] = 2;
        let checksum = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        let result = Header::decode(&bytes, IDENTITY, SegmentNumber(2));
        assert!(matches!(result, Err(OpenError::Newer { version: 2, .. })), "{result:?}");
    }
}
