//! A snapshot's file: bytes that may be one, and blocks with good checksums that make no sense.
//!
//! The format is written down here once more, after `docs/disk-format.md` and not after the code.

use std::mem;

use quorate::disk::{Disk, SimDisk};
use quorate::kv::{Restorer, Store};
use quorate::raft::{Index, Position, SnapshotId, Term};
use quorate::snapshot::{Received, SnapshotError, Snapshots};
use quorate::storage;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::cluster::CLUSTER;
use super::history::History;
use super::log_files::{ROOMY, u32_at};
use super::pieces::Pieces;
use super::verdict::Verdict;
use super::weigh::weigh;

const HEADER_BYTES: usize = 48;
const BLOCK_HEAD_BYTES: usize = 8;
const FOOTER_BYTES: usize = 40;

/// Memory for one byte of a file: a value of one byte takes 24, and while a list grows it is there one and a
/// half times; a key of no byte takes its place in several trees.
const MEMORY_PER_BYTE: u64 = 48;
const MEMORY_MORE: u64 = 64 << 10;

/// Looks at a file as a replica does that has it on its disk, and then as one that is sent it.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let last = position_in(input);
    let disk = SimDisk::new();
    let name = format!("{:016x}-{:016x}.snapshot", last.index.0, last.term.0);
    disk.tamper(&name, Some(input.to_vec()));
    let (loaded, weight) = weigh(|| load(&disk));
    assert_eq!(disk.content(&name).as_deref(), Some(input), "evidence was changed");
    assert_eq!(receive(last, input), loaded.is_whole, "sent, it is another");
    if let Some(store) = &loaded.store {
        check_image(store, input);
    }
    let decoded = u64::from(loaded.is_whole) + u64::from(loaded.store.is_some());
    Verdict { decoded, peak: weight.peak }.bounded(input, MEMORY_PER_BYTE, MEMORY_MORE)
}

/// What a file amounts to.
struct Loaded {
    /// Whether all checksums are good.
    is_whole: bool,
    /// And the blocks make sense.
    store: Option<Store>,
}

fn load(disk: &SimDisk) -> Loaded {
    let nothing = Loaded { is_whole: false, store: None };
    let Ok((mut snapshots, found)) = Snapshots::open(disk.clone(), CLUSTER) else { return nothing };
    let [id] = found.snapshots[..] else { return nothing };
    match storage::load(&mut snapshots, id) {
        Ok(image) => Loaded { is_whole: true, store: Some(image.store) },
        Err(SnapshotError::Damaged { .. }) => {
            // Once more without asking what the blocks mean.
            let (mut snapshots, _) = Snapshots::open(disk.clone(), CLUSTER).expect("it was opened before");
            Loaded { is_whole: snapshots.load(id, |_| Ok::<(), String>(())).is_ok(), store: None }
        }
        Err(other) => panic!("{other}"),
    }
}

/// Sends the file in pieces. Answers whether it is accepted.
fn receive(last: Position, input: &[u8]) -> bool {
    let digest = input.len().checked_sub(16).and_then(|place| input[place..].first_chunk());
    let digest = digest.map_or(0, |digest| u64::from_le_bytes(*digest));
    let id = SnapshotId { last, bytes: input.len() as u64, digest };
    let mut disk = SimDisk::new();
    let (mut snapshots, _) = Snapshots::open(disk.clone(), CLUSTER).expect("an empty disk");
    let mut offset = 0;
    for piece in Pieces::cut(input) {
        match snapshots.receive(id, offset, piece) {
            Ok(Received::Partly { next_offset }) => {
                offset += piece.len() as u64;
                assert_eq!(next_offset, offset, "a part was lost");
            }
            Ok(Received::Whole { id: received }) => {
                assert_eq!(received, id);
                return true;
            }
            Err(error) => {
                assert!(!matches!(error, SnapshotError::Failed(_) | SnapshotError::Full { .. }), "{error}");
                assert_eq!(disk.names().expect("it does not fail"), [""; 0], "something was left behind");
                return false;
            }
        }
    }
    false
}

/// A store that was made of an image gives the same image, which begins with the same summary of it all.
fn check_image(store: &Store, file: &[u8]) {
    let mut other = store.clone();
    other.begin_image(300);
    let mut restorer = Restorer::new();
    let mut is_first = true;
    while let Some(block) = other.next_image_block() {
        restorer.take(&block).expect("a store's own image");
        assert!(!mem::take(&mut is_first) || blocks(file).get(1) == Some(&&block[..]), "another summary");
    }
    assert!(restorer.finish().as_ref() == Ok(store), "an image of an image is another");
}

fn position_in(file: &[u8]) -> Position {
    let number = |offset: usize| file.get(offset..offset + 8).and_then(|bytes| bytes.try_into().ok());
    let [index, term] = [24, 32].map(|offset| number(offset).map_or(1, u64::from_le_bytes));
    Position { index: Index(index), term: Term(term) }
}

/// A file with these blocks, of which the first is a membership: each a length of two bytes and so many
/// bytes.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    let mut file = b"quorsnp\n\x01\0\0\0\0\0\0\0".to_vec();
    for number in [CLUSTER.0, 31, 3] {
        file.extend(number.to_le_bytes());
    }
    file.extend([0; 4]);
    let mut checksum = crc32c::crc32c(&file);
    file.extend(checksum.to_le_bytes());
    let (mut digest, mut blocks, mut rest) = (xxh3_64_with_seed(&file, 0), 0u64, body);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (block, after) = after.split_at(after.len().min(usize::from(u16::from_le_bytes(*length))));
        rest = after;
        let length = u32::try_from(block.len()).expect("two bytes").to_le_bytes();
        let before = crc32c::crc32c_append(crc32c::crc32c(&checksum.to_le_bytes()), &length);
        checksum = crc32c::crc32c_append(before, block);
        digest = xxh3_64_with_seed(block, digest);
        blocks += 1;
        file.extend(length);
        file.extend(checksum.to_le_bytes());
        file.extend(block);
    }
    let bytes = (file.len() + FOOTER_BYTES) as u64;
    let start = file.len();
    file.extend(b"quorend\n");
    for number in [blocks, bytes, digest] {
        file.extend(number.to_le_bytes());
    }
    file.extend(checksum.to_le_bytes());
    let footer = crc32c::crc32c(&file[start..]);
    file.extend(footer.to_le_bytes());
    file
}

/// The blocks of a whole file.
fn blocks(file: &[u8]) -> Vec<&[u8]> {
    let (mut blocks, mut offset) = (Vec::new(), HEADER_BYTES);
    while offset + FOOTER_BYTES < file.len() {
        let length = u32_at(file, offset) as usize;
        offset += BLOCK_HEAD_BYTES;
        blocks.push(&file[offset..offset + length]);
        offset += length;
    }
    blocks
}

/// The blocks of a file, as [`sealed`] takes them.
fn unsealed(file: &[u8]) -> Vec<u8> {
    let length = |block: &&[u8]| u16::try_from(block.len()).expect("blocks here are short").to_le_bytes();
    blocks(file).iter().flat_map(|block| [&length(block)[..], block].concat()).collect()
}

/// Snapshots as nodes write them, and what may be in their blocks.
pub(crate) struct Corpus {
    pub(crate) files: Vec<Vec<u8>>,
    pub(crate) bodies: Vec<Vec<u8>>,
}

/// The snapshots of three nodes that have lived.
pub(crate) fn corpus() -> Corpus {
    let history = History::full(ROOMY);
    let mut files = Vec::new();
    for node in &history.cluster.nodes {
        let names = node.snapshot_disk.clone().names().expect("it does not fail");
        files.extend(names.iter().filter_map(|name| node.snapshot_disk.content(name)));
    }
    files.sort();
    files.dedup();
    let bodies = files.iter().map(|file| unsealed(file)).collect();
    Corpus { files, bodies }
}

#[test]
fn a_footer_that_does_not_sum_up_its_blocks_is_damage() {
    let Corpus { bodies, .. } = corpus();
    let whole = sealed(&bodies[0]);
    assert_eq!(check(&whole).decoded, 2, "a whole file that makes sense");
    let footer = whole.len() - FOOTER_BYTES;
    // The number of blocks, the size, the digest, the checksum of the last block.
    for place in [8, 16, 24, 32] {
        let mut file = whole.clone();
        file[footer + place] ^= 1;
        let checksum = crc32c::crc32c(&file[footer..footer + 36]);
        file[footer + 36..].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(check(&file).decoded, 0, "byte {place} of the footer");
    }
}
