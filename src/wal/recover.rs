//! Recovery: from files, in whatever state a crash left them, to the log they hold.
//!
//! Three steps. *Choose* the segments: the unbroken run of numbers up to the newest. *Read* them, and decide
//! about the first record that is not in order: in an older segment it is damage; in the newest it is damage
//! if a whole record follows, else the tail of a batch that was cut short. *Repair*, and make durable what
//! was read. Until the third step nothing is changed, and each of its actions leaves a log that reads the
//! same.
//!
//! Segments below a gap are what a crash left of a removal, provided that the run above the gap needs nothing
//! of them; otherwise a segment is missing.

use std::collections::VecDeque;
use std::iter;

use super::error::OpenError;
use super::landmarks::{Landmark, Landmarks, Place};
use super::record::{ALIGNMENT, HEAD_BYTES, Part, Whole, take_part};
use super::segment::{HEADER_BYTES, Header, Link, SPARE_NAME, SegmentNumber, is_retired};
use super::writer::{Contents, Current, Found, Sealed, Segment, Writer};
use super::{Cut, Identity, Options, Recovered, Tail};
use crate::disk::{Disk, DiskFailure, During, write_pieces, write_zeros};
use crate::raft::{Entry, HardState, Index, Position};

/// Opens the log that is on `disk`: what it holds, and the writer that goes on with it. Everything that is
/// given back is durable (D3).
///
/// # Errors
///
/// Any [`OpenError`] but [`OpenError::Present`].
pub fn open<D: Disk>(
    mut disk: D,
    identity: Identity,
    options: Options,
) -> Result<(Recovered, Writer<D>), OpenError> {
    options.assert_sound();
    let names = disk.names().during("list", "the log's directory")?;
    let choice = Choice::of(&names)?;
    let mut buffer = Vec::new();
    let reading = read(&mut disk, identity, &choice.run, options.landmarks(), &mut buffer)?;
    let has_spare = names.iter().any(|name| name == SPARE_NAME);
    forget_retired(&mut disk, &names)?;
    let current = repair(&mut disk, options, &choice, &reading, &buffer, has_spare)?;
    let Reading { replay, segments: mut sealed, cut, .. } = reading;
    let written = sealed.iter().map(|sealed| sealed.end - HEADER_BYTES as u64).sum();
    sealed.pop_back();
    let contents = replay.contents();
    let Replay { hard_state, start, entries, landmarks, .. } = replay;
    let recovered = Recovered { hard_state, start, entries, cut };
    let found = Found { sealed, current, contents, landmarks, written };
    Ok((recovered, Writer::resume(disk, identity, options, found)))
}

/// No log gets that far: what is said to lie beyond cannot be right, and could not be counted on from.
const INDEX_MAX: Index = Index(u64::MAX >> 1);

/// Which segments there are.
struct Choice {
    /// The newest ones, without a gap.
    run: Vec<SegmentNumber>,
    /// Those below the gap, if there is one.
    below_gap: Vec<SegmentNumber>,
}

impl Choice {
    fn of(names: &[String]) -> Result<Choice, OpenError> {
        let mut numbers = names.iter().filter_map(|name| SegmentNumber::of_file(name)).collect::<Vec<_>>();
        numbers.sort_unstable();
        if numbers.is_empty() {
            return Err(OpenError::Absent);
        }
        let gap = numbers.windows(2).rposition(|pair| pair[0].next() != pair[1]);
        let run = numbers.split_off(gap.map_or(0, |position| position + 1));
        Ok(Choice { run, below_gap: numbers })
    }
}

/// What the segments hold.
struct Reading {
    replay: Replay,
    /// All segments of the run.
    segments: VecDeque<Sealed>,
    /// Where the good part of the newest segment ends.
    end: End,
    cut: Option<Cut>,
}

/// Where the records of a segment end.
#[derive(Clone, Copy)]
struct End {
    header_checksum: u32,
    offset: usize,
    link: Link,
}

/// Reads the whole run; `buffer` holds the newest segment afterwards.
fn read<D: Disk>(
    disk: &mut D,
    identity: Identity,
    run: &[SegmentNumber],
    landmarks: Landmarks,
    buffer: &mut Vec<u8>,
) -> Result<Reading, OpenError> {
    let mut replay = Replay::new(landmarks);
    let mut segments = VecDeque::new();
    let mut before: Option<End> = None;
    for number in run {
        let file = number.file_name();
        let handle = disk.open(&file).during("open", &file)?;
        disk.read(&handle, buffer).during("read", &file)?;
        let (header, header_checksum) = Header::decode(buffer, identity, *number)?;
        if let Some(end) = before {
            let file = number.previous().file_name();
            replay.hooks_on(&header, end).map_err(|what| damaged(&file, end.offset, what))?;
        } else if header.first_index <= INDEX_MAX {
            replay.held_from = header.first_index;
        } else {
            return Err(damaged(&file, 0, "the segment begins beyond the end of all logs"));
        }
        let link = Link { previous: header_checksum, batch: header.link.batch };
        let start = End { header_checksum, offset: HEADER_BYTES, link };
        let end = replay.take_records(*number, buffer, start)?;
        let segment = Segment { number: *number, first_index: header.first_index, header_checksum };
        segments.push_back(Sealed { segment, end: end.offset as u64 });
        before = Some(end);
    }
    let end = before.expect("a run holds at least one segment");
    let newest = run.last().expect("a run holds at least one segment").file_name();
    let cut = judge_tail(&newest, buffer, end)?;
    replay.check_complete(run[0])?;
    Ok(Reading { replay, segments, end, cut })
}

fn damaged(file: &str, offset: usize, what: impl Into<String>) -> OpenError {
    OpenError::Damaged { file: file.to_owned(), offset: offset as u64, what: what.into() }
}

/// Whether what follows the last good record of the newest segment is the unused rest, a torn tail, or proof
/// of damage. The unused rest begins with zeros where a record would have its head, and may hold the records
/// of an older segment after that, which carry another header's checksum and lower numbers. A record is begun
/// only when all before it are durable, so a whole one behind a broken one means that the broken one had been
/// durable, and that it may have been confirmed (D7).
fn judge_tail(file: &str, bytes: &[u8], end: End) -> Result<Option<Cut>, OpenError> {
    let tail = &bytes[end.offset..];
    for offset in (end.offset..bytes.len().saturating_sub(HEAD_BYTES)).step_by(ALIGNMENT) {
        let whole = Whole::read(&bytes[offset..], end.header_checksum);
        if whole.is_some_and(|whole| whole.link.batch >= end.link.batch) {
            let what =
                format!("no record can be read there, but the one at byte {offset} behind it is whole");
            return Err(damaged(file, end.offset, what));
        }
    }
    let is_unused = tail.iter().take(HEAD_BYTES).all(|byte| *byte == 0);
    Ok((!is_unused).then(|| Cut { file: file.to_owned(), offset: end.offset as u64 }))
}

/// The log as it grows record by record.
struct Replay {
    hard_state: HardState,
    start: Position,
    /// Index of the first entry in `entries`. Above `start + 1` only while the records that say what became
    /// of the entries in between are still to come.
    held_from: Index,
    entries: Vec<Entry>,
    landmarks: Landmarks,
}

impl Replay {
    fn new(landmarks: Landmarks) -> Replay {
        let (hard_state, start) = (HardState::default(), Position::default());
        Replay { hard_state, start, held_from: Index::default(), entries: Vec::new(), landmarks }
    }

    fn next(&self) -> Index {
        Index(self.held_from.0 + self.entries.len() as u64)
    }

    fn contents(&self) -> Contents {
        Contents { hard_state: self.hard_state, start: self.start, next: self.next() }
    }

    /// Whether the segment with this header follows on what has been read. If not, the reading of the one
    /// before it ended too early.
    fn hooks_on(&self, header: &Header, end: End) -> Result<(), String> {
        if header.link != end.link {
            return Err("its good records end there, and the next segment does not follow on them".to_owned());
        }
        if header.first_index != self.next() {
            return Err(format!(
                "its log goes up to {}, and the next segment begins elsewhere",
                self.next().0
            ));
        }
        Ok(())
    }

    /// Takes in the records of one segment, up to the first that is not in order.
    fn take_records(&mut self, number: SegmentNumber, bytes: &[u8], mut end: End) -> Result<End, OpenError> {
        let file = number.file_name();
        while let Some(whole) = Whole::read(&bytes[end.offset..], end.header_checksum)
            && whole.link == end.link
        {
            let place = Place { segment: number, offset: end.offset as u64, link: end.link };
            self.take_record(&whole, place).map_err(|what| damaged(&file, end.offset, what))?;
            end.link = whole.next_link();
            end.offset += whole.len();
        }
        if end.offset == HEADER_BYTES {
            // It was durable before the file got its name.
            return Err(damaged(&file, end.offset, "the segment's first record cannot be read"));
        }
        Ok(end)
    }

    fn take_record(&mut self, whole: &Whole<'_>, place: Place) -> Result<(), String> {
        let mut rest = whole.parts;
        while !rest.is_empty() {
            let next = self.next();
            let part = whole.parts.len() - rest.len();
            let taken = take_part(&mut rest).map_err(|_| "the record there has unknown parts".to_owned())?;
            if let Part::Entries { first, .. } = taken {
                self.landmarks.note(Landmark { index: first, place, part }, next);
            }
            self.take(taken)?;
        }
        Ok(())
    }

    fn take(&mut self, part: Part) -> Result<(), String> {
        match part {
            Part::HardState(hard_state) if hard_state.term < self.hard_state.term => {
                Err("the term falls there".to_owned())
            }
            Part::HardState(hard_state) => {
                self.hard_state = hard_state;
                Ok(())
            }
            Part::Entries { first, entries } => self.take_entries(first, entries),
            Part::Mark { after, tail } => self.take_mark(after, tail),
        }
    }

    fn take_entries(&mut self, first: Index, entries: Vec<Entry>) -> Result<(), String> {
        if first > self.next() || first <= self.start.index {
            return Err(format!("entries from {} on do not fit the log before them", first.0));
        }
        if first < self.held_from {
            self.entries.clear();
            self.held_from = first;
        }
        let kept = usize::try_from(first.0 - self.held_from.0).expect("not more than there are entries");
        self.entries.truncate(kept);
        let before = self.entries.last().map_or(self.start.term, |entry| entry.term);
        let terms = iter::once(before).chain(entries.iter().map(|entry| entry.term));
        if !terms.chain([self.hard_state.term]).is_sorted() {
            return Err(format!("entries from {} on have terms out of order", first.0));
        }
        self.entries.extend(entries);
        Ok(())
    }

    fn take_mark(&mut self, after: Position, tail: Tail) -> Result<(), String> {
        let contradiction = || Err(format!("the mark after {} contradicts the log before it", after.index.0));
        let goes_back = after.index < self.start.index || after.term > self.hard_state.term;
        if goes_back || after.index > INDEX_MAX || (tail == Tail::Kept && after.index >= self.next()) {
            return contradiction();
        }
        self.start = after;
        if tail == Tail::Dropped {
            self.entries.clear();
            self.held_from = after.index.next();
            self.landmarks.clear();
        } else if after.index >= self.held_from {
            let last =
                usize::try_from(after.index.0 - self.held_from.0).expect("not more than there are entries");
            if self.entries[last].term != after.term {
                return contradiction();
            }
            self.entries.drain(..=last);
            self.held_from = after.index.next();
        }
        self.landmarks.begin_with(after.index.next());
        Ok(())
    }

    /// Whether the entries begin where the log begins. If not, an older segment should be there (S22).
    fn check_complete(&self, oldest: SegmentNumber) -> Result<(), OpenError> {
        if self.held_from == self.start.index.next() {
            return Ok(());
        }
        if oldest == SegmentNumber(1) {
            return Err(damaged(
                &oldest.file_name(),
                0,
                "the first segment does not begin at the log's start",
            ));
        }
        Err(OpenError::Missing { file: oldest.previous().file_name() })
    }
}

/// Removes what an earlier process has set aside. Nobody knows whether its renaming is durable, so it must
/// not be written to: it could come back under its old name. And a full disk may need the space.
fn forget_retired<D: Disk>(disk: &mut D, names: &[String]) -> Result<(), DiskFailure> {
    for name in names.iter().filter(|name| is_retired(name)) {
        disk.remove(name).during("remove", name)?;
    }
    Ok(())
}

/// Makes durable what was read and nothing else, in steps of which each leaves the same log to be read.
fn repair<D: Disk>(
    disk: &mut D,
    options: Options,
    choice: &Choice,
    reading: &Reading,
    newest: &[u8],
    has_spare: bool,
) -> Result<Current<D::File>, OpenError> {
    let (_, older) = choice.run.split_last().expect("a run holds at least one segment");
    for number in older {
        let file = number.file_name();
        let handle = disk.open(&file).during("open", &file)?;
        disk.sync(&handle).during("sync", &file)?;
    }
    let current = copy_newest(disk, options, reading, newest, has_spare)?;
    for number in &choice.below_gap {
        let file = number.file_name();
        disk.remove(&file).during("remove", &file)?;
    }
    disk.sync_directory().during("sync", "the log's directory")?;
    Ok(current)
}

/// Writes the good part of the newest segment into the spare file and puts that in its place. A spare from
/// before is used, because it has its space already: a replica whose disk is full can still come back.
fn copy_newest<D: Disk>(
    disk: &mut D,
    options: Options,
    reading: &Reading,
    newest: &[u8],
    has_spare: bool,
) -> Result<Current<D::File>, OpenError> {
    let end = reading.end;
    let offset = end.offset as u64;
    let spare = if has_spare { disk.open(SPARE_NAME) } else { disk.create(SPARE_NAME) };
    let file = spare.during("open", SPARE_NAME).map_err(|failure| full_or_failed(failure, offset))?;
    let length = disk.length(&file).during("measure", SPARE_NAME)?;
    let length = length.max(options.segment_bytes).max(offset);
    let good = iter::once(&newest[..end.offset]);
    let mut written = write_pieces(disk, &file, 0, good).during("write", SPARE_NAME).map(|()| offset);
    while let Ok(bytes) = written
        && bytes < length
    {
        let zeros = write_zeros(disk, &file, bytes, length - bytes).during("write", SPARE_NAME);
        written = zeros.map(|zeros| bytes + zeros);
    }
    written.map_err(|failure| full_or_failed(failure, length))?;
    disk.sync(&file).during("sync", SPARE_NAME)?;
    let Sealed { segment, .. } = *reading.segments.back().expect("a run holds at least one segment");
    let name = segment.number.file_name();
    disk.rename(SPARE_NAME, &name).during("rename the spare segment to", &name)?;
    Ok(Current { segment, file, offset, link: end.link, length })
}

fn full_or_failed(failure: DiskFailure, bytes: u64) -> OpenError {
    if failure.is_full() { OpenError::Full { bytes } } else { OpenError::Failed(failure) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raft::{Payload, Term};

    fn entries(first: u64, terms: &[u64]) -> Part {
        let entry = |term: &u64| Entry { term: Term(*term), payload: Payload::Noop };
        Part::Entries { first: Index(first), entries: terms.iter().map(entry).collect() }
    }

    fn mark(index: u64, term: u64, tail: Tail) -> Part {
        Part::Mark { after: Position { index: Index(index), term: Term(term) }, tail }
    }

    /// Term 5, and entries 11 to 14 behind a snapshot.
    fn replay() -> Replay {
        let mut replay = Replay { held_from: Index(1), ..Replay::new(Landmarks::new(100)) };
        replay.take(Part::HardState(HardState { term: Term(5), vote: None })).unwrap();
        replay.take(mark(10, 3, Tail::Dropped)).unwrap();
        replay.take(entries(11, &[3, 3, 4, 5])).unwrap();
        replay
    }

    #[test]
    fn records_that_contradict_each_other_are_refused_though_they_are_whole() {
        let contradictions = [
            ("a gap", entries(16, &[5])),
            ("entries in the snapshot", entries(10, &[5])),
            ("a term that falls", entries(14, &[3])),
            ("a term below the snapshot's", entries(11, &[2])),
            ("a term that falls inside", entries(15, &[5, 4])),
            ("a term above the stored one", entries(15, &[6])),
            ("a stored term that falls", Part::HardState(HardState { term: Term(4), vote: None })),
            ("a mark that goes back", mark(9, 3, Tail::Kept)),
            ("a mark of another entry", mark(12, 4, Tail::Kept)),
            ("a mark behind the end", mark(15, 5, Tail::Kept)),
            ("a mark of a later term", mark(20, 6, Tail::Dropped)),
        ];
        for (what, part) in contradictions {
            assert!(replay().take(part).is_err(), "{what}");
        }
    }

    #[test]
    fn a_mark_keeps_or_drops_what_is_behind_it() {
        let mut kept = replay();
        kept.take(mark(12, 3, Tail::Kept)).unwrap();
        assert_eq!((kept.held_from, kept.next()), (Index(13), Index(15)));
        let mut dropped = replay();
        dropped.take(mark(12, 4, Tail::Dropped)).unwrap();
        assert_eq!((dropped.held_from, dropped.next()), (Index(13), Index(13)));
    }
}
