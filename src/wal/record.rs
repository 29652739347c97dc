//! Records: one batch each, with everything that tells whether it is whole and whether it belongs here.
//!
//! A record is a head and parts, padded with zeros to a multiple of eight bytes. The checksum covers all of
//! it, padding included, but not itself. "Whole" is a property of the record alone (its checksum, and the
//! header's checksum of the segment it stands in); "belongs here" compares it with the one before.

use std::sync::Arc;

use super::Tail;
use super::segment::{Link, u16_at, u32_at, u64_at};
use crate::codec;
use crate::limits::WAL_RECORD_BYTES_MAX;
use crate::raft::{
    Entry, HardState, Index, LogAppend, LogWrite, Membership, NodeId, Payload, Position, Term,
};

/// Length, checksum, segment, previous checksum, batch number.
pub(super) const HEAD_BYTES: usize = 24;

/// Records start at multiples of this.
pub(super) const ALIGNMENT: usize = 8;

pub(super) const HARD_STATE_BYTES: usize = 16;
const MARK_BYTES: usize = 24;
const ENTRIES_HEAD_BYTES: usize = 16;
const ENTRY_HEAD_BYTES: usize = 16;

const KIND_HARD_STATE: u8 = 1;
const KIND_ENTRIES: u8 = 2;
const KIND_MARK: u8 = 3;

const PAYLOAD_NOOP: u8 = 0;
const PAYLOAD_COMMAND: u8 = 1;
const PAYLOAD_MEMBERSHIP: u8 = 2;

/// Payloads up to this size are copied together; larger ones are written from where they are.
const COPIED_BYTES_MAX: usize = 512;

/// What the parts that open every segment take: the hard state, and where the log begins.
pub(super) const OPENING_BYTES: usize = HARD_STATE_BYTES + MARK_BYTES;

/// What a mark takes in a record.
pub(super) const MARK_PART_BYTES: usize = MARK_BYTES;

/// What a record with parts of so many bytes takes on disk.
pub(super) fn record_bytes(parts: usize) -> usize {
    (HEAD_BYTES + parts).next_multiple_of(ALIGNMENT)
}

/// What the parts of one write take.
pub(super) fn write_bytes(write: &LogWrite) -> usize {
    let hard_state = write.hard_state.map_or(0, |_| HARD_STATE_BYTES);
    hard_state + write.entries.as_ref().map_or(0, entries_bytes)
}

fn entries_bytes(append: &LogAppend) -> usize {
    let entry = |entry: &Entry| ENTRY_HEAD_BYTES + content(&entry.payload).1.len();
    ENTRIES_HEAD_BYTES + append.entries.iter().map(entry).sum::<usize>()
}

/// What a payload is stored as: its kind, and bytes that are shared with whoever else holds the entry, but
/// for the rare membership, which is encoded here.
fn content(payload: &Payload) -> (u8, Content<'_>) {
    match payload {
        Payload::Noop => (PAYLOAD_NOOP, Content::Made(Vec::new())),
        Payload::Command(bytes) => (PAYLOAD_COMMAND, Content::Shared(bytes)),
        Payload::Membership(membership) => (PAYLOAD_MEMBERSHIP, Content::Made(codec::encode(&**membership))),
    }
}

enum Content<'a> {
    Made(Vec<u8>),
    Shared(&'a Arc<[u8]>),
}

impl Content<'_> {
    fn len(&self) -> usize {
        match self {
            Content::Made(bytes) => bytes.len(),
            Content::Shared(bytes) => bytes.len(),
        }
    }
}

/// A record in the making; its memory is used again and again.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Head, parts and padding, but for the large payloads.
    bytes: Vec<u8>,
    /// Large payloads, each with the place in `bytes` that it goes before.
    shared: Vec<(usize, Arc<[u8]>)>,
    /// How much they are together.
    shared_bytes: usize,
    /// Where in the record its parts with entries stand.
    places: Vec<EntriesPlace>,
}

/// A part with entries: which they are, and where in the record's parts it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct EntriesPlace {
    pub(super) first: Index,
    /// One after its last entry.
    pub(super) next: Index,
    pub(super) part: usize,
}

impl Draft {
    /// Starts over.
    pub(super) fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEAD_BYTES, 0);
        self.forget_entries();
    }

    fn forget_entries(&mut self) {
        self.shared.clear();
        self.shared_bytes = 0;
        self.places.clear();
    }

    /// Gives back memory that only an unusually large record needed, and every payload.
    pub(super) fn release(&mut self, bytes_kept: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(bytes_kept);
        self.forget_entries();
        self.shared.shrink_to(bytes_kept / COPIED_BYTES_MAX);
        self.places.shrink_to(bytes_kept / (ENTRIES_HEAD_BYTES + ENTRY_HEAD_BYTES));
    }

    pub(super) fn hard_state(&mut self, hard_state: HardState) {
        self.bytes.extend([KIND_HARD_STATE, u8::from(hard_state.vote.is_some())]);
        self.bytes.extend(hard_state.vote.map_or(0, |node| node.0).to_le_bytes());
        self.bytes.extend([0; 4]);
        self.bytes.extend(hard_state.term.0.to_le_bytes());
    }

    pub(super) fn mark(&mut self, after: Position, tail: Tail) {
        self.bytes.extend([KIND_MARK, u8::from(tail == Tail::Kept), 0, 0, 0, 0, 0, 0]);
        self.bytes.extend(after.index.0.to_le_bytes());
        self.bytes.extend(after.term.0.to_le_bytes());
    }

    /// The hard state goes first: an entry's term is never above the stored one (S15).
    pub(super) fn write(&mut self, write: &LogWrite) {
        if let Some(hard_state) = write.hard_state {
            self.hard_state(hard_state);
        }
        if let Some(append) = &write.entries {
            self.entries(append);
        }
    }

    fn entries(&mut self, append: &LogAppend) {
        let next = Index(append.first.0 + append.entries.len() as u64);
        let part = self.len() - HEAD_BYTES;
        self.places.push(EntriesPlace { first: append.first, next, part });
        self.bytes.extend([KIND_ENTRIES, 0, 0, 0]);
        self.bytes.extend(length(append.entries.len()).to_le_bytes());
        self.bytes.extend(append.first.0.to_le_bytes());
        for entry in &append.entries {
            let (kind, content) = content(&entry.payload);
            self.bytes.extend(entry.term.0.to_le_bytes());
            self.bytes.extend(length(content.len()).to_le_bytes());
            self.bytes.extend([kind, 0, 0, 0]);
            match content {
                Content::Shared(bytes) if bytes.len() > COPIED_BYTES_MAX => {
                    self.shared.push((self.bytes.len(), Arc::clone(bytes)));
                    self.shared_bytes += bytes.len();
                }
                Content::Shared(bytes) => self.bytes.extend(&**bytes),
                Content::Made(bytes) => self.bytes.extend(&*bytes),
            }
        }
    }

    /// Pads the record, fills in its head, and answers its checksum.
    pub(super) fn seal(&mut self, segment: u32, link: Link) -> u32 {
        let parts = self.len() - HEAD_BYTES;
        assert!(parts > 0, "an empty record would look like the end of the log");
        let padding = record_bytes(parts) - HEAD_BYTES - parts;
        self.bytes.extend(&[0; ALIGNMENT][..padding]);
        self.bytes[0..4].copy_from_slice(&length(parts).to_le_bytes());
        self.bytes[8..12].copy_from_slice(&segment.to_le_bytes());
        self.bytes[12..16].copy_from_slice(&link.previous.to_le_bytes());
        self.bytes[16..24].copy_from_slice(&link.batch.to_le_bytes());
        let start = crc32c::crc32c(&self.bytes[0..4]);
        let mut pieces = self.pieces();
        let head = pieces.next().expect("there is a head");
        let head = crc32c::crc32c_append(start, &head[8..]);
        let checksum = pieces.fold(head, crc32c::crc32c_append);
        self.bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
        checksum
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.shared_bytes
    }

    /// Where its entries are, in the order in which they take effect.
    pub(super) fn places(&self) -> &[EntriesPlace] {
        &self.places
    }

    /// The record, piece by piece.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let mut done = 0;
        let with_payload = self.shared.iter().flat_map(move |(end, payload)| {
            let before = &self.bytes[done..*end];
            done = *end;
            [before, &payload[..]]
        });
        let rest = self.shared.last().map_or(0, |(end, _)| *end);
        with_payload.chain([&self.bytes[rest..]]).filter(|piece| !piece.is_empty())
    }
}

fn length(count: usize) -> u32 {
    assert!(count <= WAL_RECORD_BYTES_MAX, "a write of {count} bytes is beyond every limit of the core");
    u32::try_from(count).expect("the limit fits")
}

/// A record that is whole, wherever it belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Whole<'a> {
    /// What it says about its place.
    pub(super) link: Link,
    /// Its own checksum.
    pub(super) checksum: u32,
    /// Its parts, encoded.
    pub(super) parts: &'a [u8],
}

impl<'a> Whole<'a> {
    /// The record that `bytes` begin with, if it is whole and was made for the segment with that header.
    pub(super) fn read(bytes: &'a [u8], segment: u32) -> Option<Whole<'a>> {
        let head = bytes.first_chunk::<HEAD_BYTES>()?;
        if u32_at(head, 8) != segment {
            return None;
        }
        let parts = usize::try_from(u32_at(head, 0)).ok()?;
        let total = record_bytes(parts);
        if parts == 0 || total > bytes.len() {
            return None;
        }
        let start = crc32c::crc32c(&head[0..4]);
        let checksum = crc32c::crc32c_append(start, &bytes[8..total]);
        let link = Link { previous: u32_at(head, 12), batch: u64_at(head, 16) };
        let parts = &bytes[HEAD_BYTES..HEAD_BYTES + parts];
        (checksum == u32_at(head, 4)).then_some(Whole { link, checksum, parts })
    }

    /// What a record takes on disk according to its head, which need not be right.
    pub(super) fn announced_bytes(head: &[u8]) -> usize {
        usize::try_from(u32_at(head, 0)).map_or(usize::MAX, record_bytes)
    }

    /// What it takes on disk.
    pub(super) fn len(&self) -> usize {
        record_bytes(self.parts.len())
    }

    /// Where the next record hooks on.
    pub(super) fn next_link(&self) -> Link {
        Link { previous: self.checksum, batch: self.link.batch + 1 }
    }
}

/// One part of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Term and vote from here on.
    HardState(HardState),
    /// Whatever the log held from `first` on gives way to these.
    Entries { first: Index, entries: Vec<Entry> },
    /// The log begins after this position.
    Mark { after: Position, tail: Tail },
}

/// The record is whole, yet not made of parts this program knows: a fault of the program that wrote it.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Malformed;

/// Takes the first part off `bytes`, which must not be empty.
pub(super) fn take_part(bytes: &mut &[u8]) -> Result<Part, Malformed> {
    match bytes[0] {
        KIND_HARD_STATE => {
            let part = take(bytes, HARD_STATE_BYTES)?;
            let vote = (part[1] == 1).then(|| NodeId(u16_at(part, 2)));
            Ok(Part::HardState(HardState { term: Term(u64_at(part, 8)), vote }))
        }
        KIND_MARK => {
            let part = take(bytes, MARK_BYTES)?;
            let tail = if part[1] == 1 { Tail::Kept } else { Tail::Dropped };
            let after = Position { index: Index(u64_at(part, 8)), term: Term(u64_at(part, 16)) };
            Ok(Part::Mark { after, tail })
        }
        KIND_ENTRIES => {
            let head = take(bytes, ENTRIES_HEAD_BYTES)?;
            let (count, first) = (u32_at(head, 4), Index(u64_at(head, 8)));
            let entries = (0..count).map(|_| take_entry(bytes)).collect::<Result<Vec<Entry>, Malformed>>()?;
            Ok(Part::Entries { first, entries })
        }
        _ => Err(Malformed),
    }
}

fn take_entry(bytes: &mut &[u8]) -> Result<Entry, Malformed> {
    take_encoded(bytes).map(Encoded::decode)
}

/// An entry as it lies in a record: its payload is not copied yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Encoded<'a> {
    pub(super) term: Term,
    payload: EncodedPayload<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum EncodedPayload<'a> {
    Noop,
    Command(&'a [u8]),
    /// Known to be one.
    Membership(&'a [u8]),
}

impl Encoded<'_> {
    pub(super) fn decode(self) -> Entry {
        let payload = match self.payload {
            EncodedPayload::Noop => Payload::Noop,
            EncodedPayload::Command(bytes) => Payload::Command(Arc::from(bytes)),
            EncodedPayload::Membership(bytes) => {
                let membership: Membership =
                    codec::decode(bytes).expect("it was looked at when it was taken");
                Payload::Membership(Arc::new(membership))
            }
        };
        Entry { term: self.term, payload }
    }
}

fn take_encoded<'a>(bytes: &mut &'a [u8]) -> Result<Encoded<'a>, Malformed> {
    let head = take(bytes, ENTRY_HEAD_BYTES)?;
    let length = usize::try_from(u32_at(head, 8)).map_err(|_| Malformed)?;
    let content = take(bytes, length)?;
    let payload = match head[12] {
        PAYLOAD_NOOP if content.is_empty() => EncodedPayload::Noop,
        PAYLOAD_COMMAND => EncodedPayload::Command(content),
        PAYLOAD_MEMBERSHIP if codec::decode::<Membership>(content).is_ok() => {
            EncodedPayload::Membership(content)
        }
        _ => return Err(Malformed),
    };
    Ok(Encoded { term: Term(u64_at(head, 0)), payload })
}

/// The entries in the parts of a record, one by one, each with its index. What is not asked for costs no
/// copy.
#[derive(Debug)]
pub(super) struct EncodedEntries<'a> {
    bytes: &'a [u8],
    /// The part that is being read: its next entry, and how many there are to come.
    index: Index,
    left: u32,
}

impl<'a> EncodedEntries<'a> {
    pub(super) fn of(parts: &'a [u8]) -> EncodedEntries<'a> {
        EncodedEntries { bytes: parts, index: Index::default(), left: 0 }
    }

    fn take_next(&mut self) -> Result<Option<(Index, Encoded<'a>)>, Malformed> {
        while self.left == 0 {
            let Some(kind) = self.bytes.first() else { return Ok(None) };
            match *kind {
                KIND_HARD_STATE => {
                    take(&mut self.bytes, HARD_STATE_BYTES)?;
                }
                KIND_MARK => {
                    take(&mut self.bytes, MARK_BYTES)?;
                }
                KIND_ENTRIES => {
                    let head = take(&mut self.bytes, ENTRIES_HEAD_BYTES)?;
                    (self.left, self.index) = (u32_at(head, 4), Index(u64_at(head, 8)));
                }
                _ => return Err(Malformed),
            }
        }
        let entry = take_encoded(&mut self.bytes)?;
        let index = self.index;
        self.index = index.next();
        self.left -= 1;
        Ok(Some((index, entry)))
    }
}

impl<'a> Iterator for EncodedEntries<'a> {
    type Item = Result<(Index, Encoded<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take_next().transpose()
    }
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Malformed> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or(Malformed)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::WriteSequence;

    const SEGMENT: u32 = 0x5e60_3e47;
    const LINK: Link = Link { previous: 99, batch: 7 };

    fn command_of(bytes: usize) -> Entry {
        Entry { term: Term(4), payload: Payload::Command(vec![0xab; bytes].into()) }
    }

    fn write(entries: Vec<Entry>) -> LogWrite {
        LogWrite {
            sequence: WriteSequence(1),
            hard_state: Some(HardState { term: Term(4), vote: Some(NodeId(2)) }),
            entries: Some(LogAppend { first: Index(3), entries }),
            start: None,
            then_send: Vec::new(),
        }
    }

    fn sealed(write: &LogWrite) -> Vec<u8> {
        let mut draft = Draft::default();
        draft.begin();
        draft.write(write);
        assert_eq!(draft.len(), HEAD_BYTES + write_bytes(write));
        draft.seal(SEGMENT, LINK);
        draft.pieces().flatten().copied().collect()
    }

    #[test]
    fn payloads_small_large_and_none_come_back() {
        let noop = Entry { term: Term(4), payload: Payload::Noop };
        let entries =
            vec![command_of(600), command_of(3), noop, command_of(0), command_of(9_000), command_of(513)];
        let write = write(entries.clone());
        let bytes = sealed(&write);
        assert_eq!(bytes.len(), record_bytes(write_bytes(&write)));
        let whole = Whole::read(&bytes, SEGMENT).unwrap();
        assert_eq!((whole.link, whole.len()), (LINK, bytes.len()));
        let mut parts = whole.parts;
        assert_eq!(take_part(&mut parts), Ok(Part::HardState(write.hard_state.unwrap())));
        assert_eq!(take_part(&mut parts), Ok(Part::Entries { first: Index(3), entries }));
        assert!(parts.is_empty());
        let read: Vec<(Index, Entry)> = EncodedEntries::of(whole.parts)
            .map(|entry| entry.map(|(index, entry)| (index, entry.decode())).unwrap())
            .collect();
        assert_eq!(read, (3..).map(Index).zip(write.entries.unwrap().entries).collect::<Vec<_>>());
    }

    #[test]
    fn a_draft_knows_where_its_entries_stand() {
        let mut draft = Draft::default();
        draft.begin();
        let (small, large) = (write(vec![command_of(9)]), write(vec![command_of(600), command_of(700)]));
        draft.write(&small);
        draft.write(&large);
        let place = |next, part| EntriesPlace { first: Index(3), next: Index(next), part };
        let second = write_bytes(&small) + HARD_STATE_BYTES;
        assert_eq!(draft.places(), [place(4, HARD_STATE_BYTES), place(5, second)]);
        draft.seal(SEGMENT, LINK);
        let bytes: Vec<u8> = draft.pieces().flatten().copied().collect();
        let whole = Whole::read(&bytes, SEGMENT).unwrap();
        assert_eq!(Whole::announced_bytes(&bytes), bytes.len());
        let from_second: Vec<Entry> =
            EncodedEntries::of(&whole.parts[second..]).map(|entry| entry.unwrap().1.decode()).collect();
        assert_eq!(from_second, large.entries.unwrap().entries);
    }

    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_noticed() {
        let bytes = sealed(&write(vec![command_of(13), command_of(2)]));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Whole::read(&flipped, SEGMENT), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(Whole::read(&bytes[..length], SEGMENT), None, "{length} bytes");
        }
    }

    #[test]
    fn a_record_of_another_segment_is_none_here() {
        assert_eq!(Whole::read(&sealed(&write(vec![command_of(1)])), SEGMENT + 1), None);
    }

    #[test]
    fn parts_that_end_early_are_malformed() {
        let bytes = sealed(&write(vec![command_of(13)]));
        let parts = Whole::read(&bytes, SEGMENT).unwrap().parts;
        for length in 1..parts.len() {
            let mut rest = &parts[..length];
            let read = take_part(&mut rest)
                .and_then(|_| if rest.is_empty() { Ok(()) } else { take_part(&mut rest).map(drop) });
            assert!(read == Err(Malformed) || length == HARD_STATE_BYTES, "{length}");
            let all = EncodedEntries::of(&parts[..length]).collect::<Result<Vec<_>, Malformed>>();
            assert!(all == Err(Malformed) || length == HARD_STATE_BYTES, "{length}");
        }
    }
}
