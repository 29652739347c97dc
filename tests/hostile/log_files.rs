//! A log's file: bytes that may be one, and records with good checksums around parts that make no sense.
//!
//! The format is written down here once more, after `docs/disk-format.md` and not after the code.

use std::ops::Range;

use quorate::disk::{SimDisk, Survival};
use quorate::raft::{Entry, HardState, Index, Position};
use quorate::wal::{self, Identity, OpenError, Options, ReadError, Recovered, Writer};

use super::cluster::Cluster;
use super::history::History;
use super::verdict::Verdict;
use super::weigh::weigh;

/// The only segment.
const SEGMENT: &str = "0000000000000001.wal";

const HEADER_BYTES: usize = 64;
const HEAD_BYTES: usize = 24;

/// Memory for one byte of a file: the buffer that it is read into, the entries, and three copies on the disk,
/// which is in memory too.
const MEMORY_PER_BYTE: u64 = 16;
const MEMORY_MORE: u64 = 64 << 10;

/// All of a log in one segment.
pub(crate) const ROOMY: Options =
    Options { segment_bytes: 24 << 10, reserve_bytes: 160, batch_bytes: 512, landmark_bytes: 200 };

/// What a log says.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct State {
    pub(crate) hard_state: HardState,
    pub(crate) start: Position,
    pub(crate) entries: Vec<Entry>,
}

impl From<Recovered> for State {
    fn from(recovered: Recovered) -> State {
        let Recovered { hard_state, start, entries, .. } = recovered;
        State { hard_state, start, entries }
    }
}

/// Opens bytes as a log of that replica.
pub(crate) fn open(
    identity: Identity,
    file: &[u8],
) -> (SimDisk, Result<(State, Writer<SimDisk>), OpenError>) {
    let disk = SimDisk::new();
    disk.tamper(SEGMENT, Some(file.to_vec()));
    let options = Options { segment_bytes: 1_024, ..ROOMY };
    let opened = wal::open(disk.clone(), identity, options);
    (disk, opened.map(|(recovered, writer)| (recovered.into(), writer)))
}

/// Opens a file as a log; whose, it says itself.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let identity = identity_in(input);
    let ((disk, opened), weight) = weigh(|| open(identity, input));
    let mut decoded = 0;
    match opened {
        Ok((state, mut writer)) => {
            decoded = 1 + state.entries.len() as u64;
            assert_eq!(read_back(&mut writer, &state), state.entries, "read back, it is another log");
            disk.cut_power(Survival::Nothing);
            let again = wal::open(disk, identity, ROOMY).expect("what was opened is opened again");
            assert_eq!(again.0.cut, None, "something was left to be cut");
            assert_eq!(State::from(again.0), state, "opened, then lost");
        }
        Err(_) => assert_eq!(disk.content(SEGMENT).as_deref(), Some(input), "evidence was changed"),
    }
    Verdict { decoded, peak: weight.peak }.bounded(input, MEMORY_PER_BYTE, MEMORY_MORE)
}

/// What a file says, if it is a log.
pub(crate) fn state_in(input: &[u8]) -> Option<State> {
    let (_, opened) = open(identity_in(input), input);
    opened.ok().map(|(state, _)| state)
}

/// All entries, by the way that those for a follower take.
fn read_back(writer: &mut Writer<SimDisk>, state: &State) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let first = Index(state.start.index.0 + 1 + entries.len() as u64);
        match writer.read(first, 300) {
            Ok(stretch) => entries.extend(stretch.entries),
            Err(ReadError::Ahead { .. }) => return entries,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The identity of the node whose header this is; of the first one if it is nobody's.
fn identity_in(file: &[u8]) -> Identity {
    let node = file.get(12).copied().filter(|node| (1..=3).contains(node)).unwrap_or(1);
    Cluster::identity(u16::from(node))
}

/// Where the records of a segment begin and end.
pub(crate) fn records(file: &[u8]) -> Vec<(usize, usize)> {
    let (mut found, mut offset) = (Vec::new(), HEADER_BYTES);
    while file.len() >= offset + HEAD_BYTES && u32_at(file, offset) > 0 {
        let end = (offset + HEAD_BYTES + u32_at(file, offset) as usize).next_multiple_of(8);
        found.push((offset, end));
        offset = end;
    }
    found
}

/// Where in a segment terms and votes are.
pub(crate) fn hard_states(file: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (start, _) in records(file) {
        let end = start + HEAD_BYTES + u32_at(file, start) as usize;
        let mut part = start + HEAD_BYTES;
        while part < end {
            let length = match file[part] {
                1 => 16,
                2 => 16 + entries_bytes(&file[part + 16..], u32_at(file, part + 4)),
                _ => 24,
            };
            if file[part] == 1 {
                found.push(part..part + length);
            }
            part += length;
        }
    }
    found
}

fn entries_bytes(bytes: &[u8], count: u32) -> usize {
    (0..count).fold(0, |offset, _| offset + 16 + u32_at(bytes, offset + 8) as usize)
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("four bytes"))
}

/// A log of node 1 whose records hold these parts: each a length of two bytes and so many bytes.
pub(crate) fn sealed(body: &[u8]) -> Vec<u8> {
    sealed_from(1, body)
}

/// The same, of a segment that begins with that index.
fn sealed_from(first_index: u64, body: &[u8]) -> Vec<u8> {
    let identity = Cluster::identity(1);
    let mut file = b"quorwal\n\x01\0\0\0".to_vec();
    file.extend(identity.node.0.to_le_bytes());
    file.extend([0; 2]);
    file.extend(identity.cluster.0.to_le_bytes());
    file.extend(identity.incarnation.0.to_le_bytes());
    for number in [1, first_index, 1] {
        file.extend(number.to_le_bytes());
    }
    file.extend([0; 4]);
    let header = crc32c::crc32c(&file);
    file.extend(header.to_le_bytes());
    let (mut rest, mut previous) = (body, header);
    for batch in 1u64.. {
        let Some((length, after)) = rest.split_first_chunk::<2>() else { break };
        let (parts, after) = after.split_at(after.len().min(usize::from(u16::from_le_bytes(*length))));
        rest = after;
        if parts.is_empty() {
            continue;
        }
        let start = file.len();
        file.extend(u32::try_from(parts.len()).expect("two bytes").to_le_bytes());
        file.extend([0; 4]);
        for number in [header, previous] {
            file.extend(number.to_le_bytes());
        }
        file.extend(batch.to_le_bytes());
        file.extend(parts);
        file.resize(file.len().next_multiple_of(8), 0);
        let head = crc32c::crc32c(&file[start..start + 4]);
        previous = crc32c::crc32c_append(head, &file[start + 8..]);
        file[start + 4..start + 8].copy_from_slice(&previous.to_le_bytes());
    }
    file
}

/// The parts of a file's records, as [`sealed`] takes them.
fn unsealed(file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (start, _) in records(file) {
        let length = u32_at(file, start) as usize;
        body.extend(u16::try_from(length).expect("records here are short").to_le_bytes());
        body.extend(&file[start + HEAD_BYTES..start + HEAD_BYTES + length]);
    }
    body
}

/// A log, and everything that any number of its records from the first on amount to.
pub(crate) struct Log {
    pub(crate) file: Vec<u8>,
    pub(crate) prefixes: Vec<State>,
}

/// Logs as nodes write them, and what may be in their records.
pub(crate) struct Corpus {
    pub(crate) logs: Vec<Log>,
    pub(crate) bodies: Vec<Vec<u8>>,
}

/// The logs of three nodes that have lived.
pub(crate) fn corpus() -> Corpus {
    let history = History::full(ROOMY);
    let files = history.cluster.nodes.iter().map(|node| {
        let file = node.log_disk.content(SEGMENT).expect("everything is in one segment");
        let (_, end) = *records(&file).last().expect("something was written");
        // Some zeros behind the end are as good as all.
        file[..(end + 200).min(file.len())].to_vec()
    });
    let files: Vec<Vec<u8>> = files.collect();
    let bodies: Vec<Vec<u8>> = files.iter().map(|file| unsealed(file)).collect();
    assert!(sealed(&bodies[0])[..] == files[0][..records(&files[0]).last().expect("some").1], "as written");
    let logs = files.into_iter().map(|file| Log { prefixes: prefixes(&file), file });
    Corpus { logs: logs.collect(), bodies }
}

fn prefixes(file: &[u8]) -> Vec<State> {
    let identity = identity_in(file);
    let state = |(_, end): &(usize, usize)| {
        let (_, opened) = open(identity, &file[..*end]);
        opened.expect("whole records are a log").0
    };
    records(file).iter().map(state).collect()
}

#[test]
fn what_lies_beyond_all_counting_is_damage() {
    let mark = |kind: u8, index: u64| {
        let mut part = vec![3, kind, 0, 0, 0, 0, 0, 0];
        part.extend([index, 0].map(u64::to_le_bytes).as_flattened());
        part
    };
    let entries = |count: u32, first: u64| {
        let mut part = [&[2, 0, 0, 0][..], &count.to_le_bytes(), &first.to_le_bytes()].concat();
        part.extend([0; 16]);
        part
    };
    let body = |parts: &[Vec<u8>]| {
        let record = |part: &Vec<u8>| {
            let length = u16::try_from(part.len()).expect("a short one");
            [&length.to_le_bytes()[..], part].concat()
        };
        parts.iter().flat_map(record).collect::<Vec<u8>>()
    };
    for index in [u64::MAX, u64::MAX - 1, u64::MAX >> 1] {
        check(&sealed(&body(&[mark(0, index), entries(1, index), entries(1, index.wrapping_add(1))])));
        check(&sealed(&body(&[mark(1, index)])));
    }
    assert_eq!(check(&sealed_from(u64::MAX, &body(&[mark(0, 1)]))).decoded, 0);
    assert_eq!(check(&sealed(&body(&[mark(0, u64::MAX - 1)]))).decoded, 0);
    assert_eq!(check(&sealed(&body(&[mark(0, 1), entries(u32::MAX, 2)]))).decoded, 0);
    assert_eq!(check(&sealed(&body(&[mark(0, 1), entries(1, 2)]))).decoded, 2, "so it would be read");
}
