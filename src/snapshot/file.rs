//! The parts of a snapshot's file: its name, header, blocks' heads and footer.

use super::SnapshotError;
use crate::identity::ClusterId;
use crate::raft::{Index, Position, SnapshotId, Term};

/// The format this program writes, and the only one it reads.
pub(super) const FORMAT_VERSION: u32 = 1;

/// A header takes this much in this and every later format, and its last four bytes are the checksum of the
/// others, so that a newer version can be told from a broken one.
pub(super) const HEADER_BYTES: usize = 48;

/// Length and checksum of a block.
pub(super) const BLOCK_HEAD_BYTES: usize = 8;

pub(super) const FOOTER_BYTES: usize = 40;

/// A file with an empty membership and nothing else.
pub(super) const FILE_BYTES_MIN: u64 = (HEADER_BYTES + BLOCK_HEAD_BYTES + FOOTER_BYTES) as u64;

/// Files in the making.
pub(super) const BUILDING_NAME: &str = "building";
pub(super) const RECEIVING_NAME: &str = "receiving";

const HEADER_MAGIC: [u8; 8] = *b"quorsnp\n";
const FOOTER_MAGIC: [u8; 8] = *b"quorend\n";

const SUFFIX: &str = ".snapshot";

/// The name of the snapshot of a position. In the order of the alphabet, the newest is the last.
pub(super) fn file_name(last: Position) -> String {
    format!("{:016x}-{:016x}{SUFFIX}", last.index.0, last.term.0)
}

/// The position whose snapshot goes by this name, if one does.
pub(super) fn position_of_file(name: &str) -> Option<Position> {
    let (index, term) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let number = |digits| u64::from_str_radix(digits, 16).ok();
    let last = Position { index: Index(number(index)?), term: Term(number(term)?) };
    (file_name(last) == name).then_some(last)
}

/// What is wrong with a file, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    Damage { offset: u64, what: String },
    Foreign(ClusterId),
    Newer(u32),
}

impl Fault {
    pub(super) fn damage(offset: u64, what: impl Into<String>) -> Fault {
        Fault::Damage { offset, what: what.into() }
    }

    /// The error that this is in a file.
    pub(super) fn in_file(self, file: &str, expected: ClusterId) -> SnapshotError {
        let file = file.to_owned();
        match self {
            Fault::Damage { offset, what } => SnapshotError::Damaged { file, offset, what },
            Fault::Foreign(found) => SnapshotError::Foreign { file, found, expected },
            Fault::Newer(version) => SnapshotError::Newer { file, version },
        }
    }
}

/// What a snapshot says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) cluster: ClusterId,
    pub(super) last: Position,
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&HEADER_MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.cluster.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.last.index.0.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.last.term.0.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes[..HEADER_BYTES - 4]);
        bytes[HEADER_BYTES - 4..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Holds a header against what it should be.
    pub(super) fn check(&self, bytes: &[u8; HEADER_BYTES]) -> Result<(), Fault> {
        if bytes[0..8] != HEADER_MAGIC {
            return Err(Fault::damage(0, "this is not the start of a snapshot"));
        }
        if checksum_of_header(bytes) != crc32c::crc32c(&bytes[..HEADER_BYTES - 4]) {
            return Err(Fault::damage(0, "the header does not match its checksum"));
        }
        let version = u32_at(bytes, 8);
        if version != FORMAT_VERSION {
            return Err(Fault::Newer(version));
        }
        let cluster = ClusterId(u64_at(bytes, 16));
        if cluster != self.cluster {
            return Err(Fault::Foreign(cluster));
        }
        if *bytes != self.encode() {
            return Err(Fault::damage(24, "the header is that of another snapshot"));
        }
        Ok(())
    }
}

pub(super) fn checksum_of_header(bytes: &[u8; HEADER_BYTES]) -> u32 {
    u32_at(bytes, HEADER_BYTES - 4)
}

/// Everything so far, summed up: where the next block hooks on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chain {
    /// The checksum of the block before, or of the header.
    checksum: u32,
    digest: u64,
    blocks: u64,
}

impl Chain {
    pub(super) fn after_header(bytes: &[u8; HEADER_BYTES]) -> Chain {
        Chain { checksum: checksum_of_header(bytes), digest: digest(bytes, 0), blocks: 0 }
    }

    /// The head that the next block gets, and the chain with that block in it.
    pub(super) fn with(self, block: &[u8]) -> ([u8; BLOCK_HEAD_BYTES], Chain) {
        let length = u32::try_from(block.len()).expect("blocks are bounded").to_le_bytes();
        let start = crc32c::crc32c(&self.checksum.to_le_bytes());
        let checksum = crc32c::crc32c_append(crc32c::crc32c_append(start, &length), block);
        let mut head = [0; BLOCK_HEAD_BYTES];
        head[0..4].copy_from_slice(&length);
        head[4..8].copy_from_slice(&checksum.to_le_bytes());
        let chain = Chain { checksum, digest: digest(block, self.digest), blocks: self.blocks + 1 };
        (head, chain)
    }

    /// The footer of a file that ends here and has so many bytes with it.
    pub(super) fn footer(&self, bytes: u64) -> [u8; FOOTER_BYTES] {
        let mut footer = [0; FOOTER_BYTES];
        footer[0..8].copy_from_slice(&FOOTER_MAGIC);
        footer[8..16].copy_from_slice(&self.blocks.to_le_bytes());
        footer[16..24].copy_from_slice(&bytes.to_le_bytes());
        footer[24..32].copy_from_slice(&self.digest.to_le_bytes());
        footer[32..36].copy_from_slice(&self.checksum.to_le_bytes());
        let checksum = crc32c::crc32c(&footer[..36]);
        footer[36..40].copy_from_slice(&checksum.to_le_bytes());
        footer
    }

    /// The name of a file that ends here.
    pub(super) fn id(&self, last: Position, bytes: u64) -> SnapshotId {
        SnapshotId { last, bytes, digest: self.digest }
    }
}

/// The digest in the footer of a file of so many bytes, if the footer is one.
pub(super) fn digest_of_footer(footer: &[u8; FOOTER_BYTES], bytes: u64) -> Result<u64, Fault> {
    let offset = bytes - FOOTER_BYTES as u64;
    if footer[0..8] != FOOTER_MAGIC || u32_at(footer, 36) != crc32c::crc32c(&footer[..36]) {
        return Err(Fault::damage(offset, "there is no whole footer there"));
    }
    if u64_at(footer, 16) != bytes {
        return Err(Fault::damage(offset, "the footer is that of a file of another size"));
    }
    Ok(u64_at(footer, 24))
}

/// The length in a block's head.
pub(super) fn length_of_block(head: &[u8; BLOCK_HEAD_BYTES]) -> usize {
    usize::try_from(u32_at(head, 0)).expect("32 bits fit")
}

/// Each piece is hashed with the digest of those before it as the seed: as good as one over all of them, and
/// without a state that would have to be carried along.
fn digest(piece: &[u8], before: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(piece, before)
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(*bytes[offset..].first_chunk().expect("inside a structure of fixed size"))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(*bytes[offset..].first_chunk().expect("inside a structure of fixed size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: Position = Position { term: Term(3), index: Index(0x1f) };
    const HEADER: Header = Header { cluster: ClusterId(0xc1), last: LAST };

    #[test]
    fn only_names_that_snapshots_get_are_snapshots() {
        let name = "000000000000001f-0000000000000003.snapshot";
        assert_eq!((file_name(LAST).as_str(), position_of_file(name)), (name, Some(LAST)));
        for name in [
            "000000000000001F-0000000000000003.snapshot",
            "1f-3.snapshot",
            "000000000000001f.snapshot",
            "000000000000001f-0000000000000003",
            "building",
        ] {
            assert_eq!(position_of_file(name), None, "{name}");
        }
    }

    #[test]
    fn every_flipped_bit_of_header_and_footer_is_noticed() {
        let bytes = HEADER.encode();
        assert_eq!(HEADER.check(&bytes), Ok(()));
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(HEADER.check(&flipped), Err(Fault::Damage { .. })), "bit {bit}");
        }
        let chain = Chain::after_header(&bytes).with(b"block").1;
        let footer = chain.footer(200);
        assert_eq!(digest_of_footer(&footer, 200), Ok(chain.id(LAST, 200).digest));
        assert!(digest_of_footer(&footer, 201).is_err());
        for bit in 0..FOOTER_BYTES * 8 {
            let mut flipped = footer;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(digest_of_footer(&flipped, 200).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn blocks_that_are_cut_elsewhere_make_another_file() {
        let chain = Chain::after_header(&HEADER.encode());
        let (one, other) = (chain.with(b"ab").1.with(b"c").1, chain.with(b"a").1.with(b"bc").1);
        assert_ne!(one.digest, other.digest);
        assert_ne!(one.checksum, other.checksum);
    }
}
