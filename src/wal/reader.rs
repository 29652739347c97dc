//! Reading back: what a follower needs that is further behind than the memory of the core goes.
//!
//! A read starts at the landmark before the entry in front of the wanted ones, because that one's term is
//! asked for too, and goes on from record to record. Each record is checked whole, against its checksum and
//! the chain, before anything in it is believed (D6); the only thing taken from an unchecked head is how much
//! more to read for the check, never beyond the place where the writer has got to.
//!
//! **Costs.** Files are read piece by piece, a piece as long as landmarks are apart. So a read takes at most
//! one such distance before what is wanted and one behind it, and where records are larger than that, the
//! rest of the record at either end. The last piece is kept, with as much of what is before it: the next read
//! for the same follower begins there. It can never be out of date, for bytes below the writer's place never
//! change, and no segment's number is used twice. At most one older segment is open.

use std::collections::VecDeque;
use std::ops::Range;

use super::error::ReadError;
use super::landmarks::{Landmark, Landmarks, Place};
use super::record::{Encoded, EncodedEntries, HEAD_BYTES, Whole};
use super::segment::SegmentNumber;
use super::writer::{Current, Sealed, Segment};
use crate::disk::{Disk, DiskFailure, During};
use crate::raft::{Entry, Index, Position, Stretch};

/// What is needed to read a log's files, besides the files.
#[derive(Debug)]
pub(super) struct Reader<F> {
    pub(super) landmarks: Landmarks,
    /// The older segment that was read last.
    open: Option<(SegmentNumber, F)>,
    window: Window,
    /// How much is read from a file at a time.
    step: u64,
}

/// The segments that there are.
pub(super) struct Segments<'a, F> {
    pub(super) sealed: &'a VecDeque<Sealed>,
    pub(super) current: &'a Current<F>,
}

/// A piece of a segment.
#[derive(Debug, Default)]
struct Window {
    /// `None` before the first read.
    segment: Option<SegmentNumber>,
    offset: u64,
    bytes: Vec<u8>,
}

/// A segment as far as it is written.
struct Source<'a, F> {
    segment: Segment,
    file: &'a F,
    end: u64,
}

/// A stretch in the making.
pub(super) struct Request {
    first: Index,
    /// Where the log ends.
    next: Index,
    bytes_max: usize,
    bytes: usize,
    previous: Option<Position>,
    entries: Vec<Entry>,
    is_full: bool,
}

impl Request {
    /// Asks for entries from `first` on. Both must be in the log, which begins after `start`.
    pub(super) fn new(first: Index, start: Position, next: Index, bytes_max: usize) -> Request {
        let previous = (first == start.index.next()).then_some(start);
        Request { first, next, bytes_max, bytes: 0, previous, entries: Vec::new(), is_full: false }
    }

    /// The first entry to be looked at.
    fn begin(&self) -> Index {
        if self.previous.is_some() { self.first } else { self.first.previous() }
    }

    fn take(&mut self, index: Index, entry: Encoded<'_>) {
        if index < self.first {
            self.previous = Some(Position { index, term: entry.term });
            return;
        }
        let entry = entry.decode();
        let bytes = self.bytes.saturating_add(entry.size());
        if self.entries.is_empty() || bytes <= self.bytes_max {
            self.entries.push(entry);
        }
        self.bytes = bytes;
        self.is_full = bytes >= self.bytes_max;
    }

    fn finish(self) -> Stretch {
        let previous = self.previous.expect("reading began with it");
        assert!(!self.entries.is_empty(), "reading ended behind the first");
        Stretch { previous, entries: self.entries }
    }
}

impl<F> Reader<F> {
    /// A reader that finds its way by these landmarks, which are so far apart.
    pub(super) fn new(landmarks: Landmarks, step: u64) -> Reader<F> {
        Reader { landmarks, open: None, window: Window::default(), step }
    }

    /// The segments below this one are gone, and so is the file that is open if it was one of them: as long
    /// as it is open its space is not free.
    pub(super) fn close_below(&mut self, oldest: SegmentNumber) {
        self.open.take_if(|(number, _)| *number < oldest);
    }

    /// Gives back memory that only an unusually large record needed.
    pub(super) fn release(&mut self, bytes_kept: usize) {
        if self.window.bytes.len() > bytes_kept {
            self.window = Window::default();
        }
    }

    /// Reads what is asked for, landmark by landmark.
    pub(super) fn read<D: Disk<File = F>>(
        &mut self,
        disk: &mut D,
        segments: &Segments<'_, F>,
        mut request: Request,
    ) -> Result<Stretch, ReadError> {
        let mut index = request.begin();
        while index < request.next && !request.is_full {
            let (mark, until) = self.landmarks.way_to(index);
            let until = until.unwrap_or(request.next);
            self.read_from(disk, segments, mark, index..until, &mut request)?;
            index = until;
        }
        Ok(request.finish())
    }

    /// Hands the entries of that range to the request, which lie behind that landmark and before the next.
    fn read_from<D: Disk<File = F>>(
        &mut self,
        disk: &mut D,
        segments: &Segments<'_, F>,
        mark: Landmark,
        range: Range<Index>,
        request: &mut Request,
    ) -> Result<(), ReadError> {
        let Landmark { mut index, mut place, mut part } = mark;
        let source = segments.find(disk, &mut self.open, place.segment)?;
        while index < range.end && !request.is_full {
            let whole = self.window.record(disk, &source, place, self.step)?;
            let broken = |what| source.damaged(place.offset, what);
            let parts = whole.parts.get(part..).ok_or_else(|| broken("the record there is too short"))?;
            for entry in EncodedEntries::of(parts) {
                let (found, entry) = entry.map_err(|_| broken("the record there has unknown parts"))?;
                if index == range.end || request.is_full {
                    break;
                }
                if found != index {
                    return Err(broken("the record there holds other entries than were written"));
                }
                if index >= range.start {
                    request.take(index, entry);
                }
                index = index.next();
            }
            let offset = place.offset + whole.len() as u64;
            place = Place { offset, link: whole.next_link(), ..place };
            part = 0;
        }
        Ok(())
    }
}

impl<'a, F> Segments<'a, F> {
    /// The segment of that number, opened if need be.
    fn find<'b, D: Disk<File = F>>(
        &self,
        disk: &mut D,
        open: &'b mut Option<(SegmentNumber, F)>,
        number: SegmentNumber,
    ) -> Result<Source<'b, F>, DiskFailure>
    where
        'a: 'b,
    {
        let Current { segment, file, offset, .. } = self.current;
        if segment.number == number {
            return Ok(Source { segment: *segment, file, end: *offset });
        }
        let place = self.sealed.partition_point(|sealed| sealed.segment.number < number);
        let Sealed { segment, end } = self.sealed[place];
        assert_eq!(segment.number, number, "a segment with a landmark is kept");
        if open.as_ref().is_none_or(|(other, _)| *other != number) {
            let name = number.file_name();
            *open = Some((number, disk.open(&name).during("open", &name)?));
        }
        let (_, file) = open.as_ref().expect("it has just been opened");
        Ok(Source { segment, file, end })
    }
}

impl<F> Source<'_, F> {
    fn damaged(&self, offset: u64, what: &str) -> ReadError {
        ReadError::Damaged { file: self.segment.number.file_name(), offset, what: what.to_owned() }
    }
}

impl Window {
    /// The record at that place, checked.
    fn record<D: Disk>(
        &mut self,
        disk: &mut D,
        source: &Source<'_, D::File>,
        place: Place,
        step: u64,
    ) -> Result<Whole<'_>, ReadError> {
        let broken = || source.damaged(place.offset, "the record that was durable there cannot be read");
        let left = usize::try_from(source.end - place.offset).unwrap_or(usize::MAX);
        if left < HEAD_BYTES {
            return Err(broken());
        }
        let head = self.bytes_at(disk, source, place.offset, HEAD_BYTES, step)?;
        let bytes = Whole::announced_bytes(head);
        if bytes > left {
            return Err(broken());
        }
        let bytes = self.bytes_at(disk, source, place.offset, bytes, step)?;
        let whole = Whole::read(bytes, source.segment.header_checksum);
        whole.filter(|whole| whole.link == place.link).ok_or_else(broken)
    }

    /// So many bytes of the segment from `offset` on, none of them behind its end.
    fn bytes_at<D: Disk>(
        &mut self,
        disk: &mut D,
        source: &Source<'_, D::File>,
        offset: u64,
        count: usize,
        step: u64,
    ) -> Result<&[u8], DiskFailure> {
        let held = self.offset..=self.offset + self.bytes.len() as u64;
        if self.segment != Some(source.segment.number) || !held.contains(&offset) {
            self.bytes.clear();
            (self.segment, self.offset) = (Some(source.segment.number), offset);
        }
        let mut before = usize::try_from(offset - self.offset).expect("it is in memory");
        if self.bytes.len() < before + count {
            let left_behind = before.saturating_sub(usize::try_from(step).unwrap_or(usize::MAX));
            self.bytes.drain(..left_behind);
            self.offset += left_behind as u64;
            before -= left_behind;
            self.extend(disk, source, before + count, step)?;
        }
        Ok(&self.bytes[before..before + count])
    }

    /// Reads on until `count` bytes are there, and for at least a step if the segment has so much.
    fn extend<D: Disk>(
        &mut self,
        disk: &mut D,
        source: &Source<'_, D::File>,
        count: usize,
        step: u64,
    ) -> Result<(), DiskFailure> {
        let held = self.bytes.len();
        let from = self.offset + held as u64;
        let lacking = (count - held) as u64;
        let more = lacking.max(step).min(source.end - from);
        let more = usize::try_from(more).expect("records fit in memory, and steps do");
        self.bytes.reserve_exact(more);
        self.bytes.resize(held + more, 0);
        disk.read_at(source.file, from, &mut self.bytes[held..])
            .during("read", &source.segment.number.file_name())
    }
}
