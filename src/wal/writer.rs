//! The writer: takes what has arrived, writes it once, syncs it once, and only then hands back what waited.
//!
//! It owns its files and knows no threads; an actor that owns a writer drains its inbox into a vector, calls
//! [`Writer::write`] until the vector is empty, delivers each [`Durable`], and when nothing has arrived calls
//! [`Writer::prepare`] until the spare segment is ready. While one sync runs, the next batch collects by
//! itself (R10).
//!
//! It also reads back what it has written ([`Writer::read`]), for the reader needs to know how far that is.
//!
//! A batch never spans two segments. So one sync covers it, and all earlier segments are durable for good.

use std::collections::VecDeque;
use std::iter;
use std::mem;

use super::error::{OpenError, ReadError, WriteError};
use super::landmarks::{Landmark, Landmarks, Place};
use super::reader::{Reader, Request, Segments};
use super::record::{
    Draft, HARD_STATE_BYTES, HEAD_BYTES, MARK_PART_BYTES, OPENING_BYTES, record_bytes, write_bytes,
};
use super::segment::{HEADER_BYTES, Header, Link, SPARE_NAME, SegmentNumber};
use super::spares::{Spare, SpareFile, Spares};
use super::{Identity, Options, Tail};
use crate::disk::{Disk, DiskFailure, During};
use crate::raft::{Envelope, HardState, Index, LogAppend, LogStart, LogWrite, Position, Receipt, Stretch};

/// The open end of a log.
#[derive(Debug)]
pub struct Writer<D: Disk> {
    disk: D,
    identity: Identity,
    options: Options,
    /// Older segments that are still needed, oldest first.
    sealed: VecDeque<Sealed>,
    current: Current<D::File>,
    reader: Reader<D::File>,
    /// What will become the next segments.
    spares: Spares<D::File>,
    contents: Contents,
    /// The bytes of all records that were found or written.
    written: u64,
    draft: Draft,
    /// The end: what failed, once something has.
    failed: Option<DiskFailure>,
}

/// What the log amounts to, but for the entries themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Contents {
    pub(super) hard_state: HardState,
    /// The log begins after this position.
    pub(super) start: Position,
    /// One after the last entry.
    pub(super) next: Index,
}

/// A segment and where in the log it was begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) number: SegmentNumber,
    pub(super) first_index: Index,
    /// The checksum of its header, which all its records carry.
    pub(super) header_checksum: u32,
}

/// A segment that is written to no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealed {
    pub(super) segment: Segment,
    /// Where its records end.
    pub(super) end: u64,
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Current<F> {
    pub(super) segment: Segment,
    pub(super) file: F,
    /// Where the next record goes, and what it hooks on.
    pub(super) offset: u64,
    pub(super) link: Link,
    /// The size of the file.
    pub(super) length: u64,
}

/// What a writer goes on with.
pub(super) struct Found<F> {
    pub(super) sealed: VecDeque<Sealed>,
    pub(super) current: Current<F>,
    pub(super) contents: Contents,
    pub(super) landmarks: Landmarks,
    pub(super) written: u64,
}

/// A batch is durable.
#[derive(Debug)]
pub struct Durable {
    /// For the core: this write, and with it every earlier one.
    pub receipt: Receipt,
    /// What had to wait for it, in order (R2).
    pub then_send: Vec<Envelope>,
}

/// May a record use the end of the segment that is kept in reserve?
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reserve {
    /// Entries may not.
    Spared,
    /// Terms, votes and marks may: without them a replica on a full disk could neither vote nor recover.
    Open,
}

/// Begins a new log in a directory without one.
///
/// # Errors
///
/// [`OpenError::Present`], [`OpenError::Full`] or [`OpenError::Failed`]; after the latter two it can be tried
/// again.
pub fn create<D: Disk>(mut disk: D, identity: Identity, options: Options) -> Result<Writer<D>, OpenError> {
    options.assert_sound();
    let names = disk.names().during("list", "the log's directory")?;
    if let Some(file) = names.into_iter().find(|name| SegmentNumber::of_file(name).is_some()) {
        return Err(OpenError::Present { file });
    }
    let mut draft = Draft::default();
    let contents = Contents { hard_state: HardState::default(), start: Position::default(), next: Index(1) };
    let link = Link { previous: 0, batch: 1 };
    let header = Header { identity, number: SegmentNumber(1), first_index: contents.next, link };
    let spare = Spares::new().take(&mut disk, options.segment_bytes).map_err(opening)?;
    draft.begin();
    contents.open_segment(&mut draft);
    let current = begin_segment(&mut disk, spare, &header, &mut draft)?;
    let written = current.offset - HEADER_BYTES as u64;
    let (sealed, landmarks) = (VecDeque::new(), options.landmarks());
    Ok(Writer::resume(disk, identity, options, Found { sealed, current, contents, landmarks, written }))
}

fn opening(error: WriteError) -> OpenError {
    match error {
        WriteError::Full { bytes } => OpenError::Full { bytes },
        WriteError::Failed(failure) => OpenError::Failed(failure),
    }
}

impl<D: Disk> Writer<D> {
    /// The writer of a log that has been created, or recovered and repaired.
    pub(super) fn resume(disk: D, identity: Identity, options: Options, found: Found<D::File>) -> Writer<D> {
        let Found { sealed, current, contents, landmarks, written } = found;
        let reader = Reader::new(landmarks, options.landmark_bytes);
        Writer {
            disk,
            identity,
            options,
            sealed,
            current,
            reader,
            spares: Spares::new(),
            contents,
            written,
            draft: Draft::default(),
            failed: None,
        }
    }

    /// Writes the first of `waiting`, as many as make up one batch, and takes them out once they are durable.
    /// When nothing in them is to be written, all that is before them is durable already.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`] when there is no space for the segment that this batch would begin: then nothing
    /// has happened, and all of `waiting` still waits. [`WriteError::Failed`] is for ever.
    pub fn write(&mut self, waiting: &mut Vec<LogWrite>) -> Result<Durable, WriteError> {
        self.check_alive()?;
        assert!(!waiting.is_empty(), "a batch holds at least one write");
        if waiting[0].start.is_some() {
            self.begin_anew(&mut waiting[0])?;
        }
        let (count, bytes) = self.take_batch(waiting);
        let batch = &waiting[..count];
        let contents = self.contents.after(batch);
        if bytes > 0 {
            let has_entries = batch.iter().any(|write| write.entries.is_some());
            let reserve = if has_entries { Reserve::Spared } else { Reserve::Open };
            self.append(bytes, reserve, |draft| batch.iter().for_each(|write| draft.write(write)))?;
        }
        self.contents = contents;
        Ok(confirm(waiting.drain(..count)))
    }

    /// Does what comes before the entries of a write that lets the log begin elsewhere: its hard state, then
    /// the mark. Each is durable before the next, so that a crash in between leaves the one before it.
    fn begin_anew(&mut self, write: &mut LogWrite) -> Result<(), WriteError> {
        if let Some(hard_state) = write.hard_state {
            self.append(HARD_STATE_BYTES, Reserve::Open, |draft| draft.hard_state(hard_state))?;
            self.contents.hard_state = hard_state;
            write.hard_state = None;
        }
        if let Some(LogStart { after, keeps_tail }) = write.start {
            self.compact(after, if keeps_tail { Tail::Kept } else { Tail::Dropped })?;
            write.start = None;
        }
        Ok(())
    }

    /// The entries from `first` on, as they stand in the log now: as many as are in it and take no more than
    /// `bytes_max` together, by [`Entry::size`](crate::raft::Entry::size), but at least one, however large.
    ///
    /// # Errors
    ///
    /// [`ReadError::Gone`] when the log begins behind the entry before `first`, whose term is part of the
    /// answer, and [`ReadError::Ahead`] when it ends before `first`; after them the writer goes on. The
    /// others are for ever, as [`WriteError::Failed`] is: nothing that a broken disk shows may be passed on,
    /// and a log that cannot be read is none to write on (D5, D6).
    pub fn read(&mut self, first: Index, bytes_max: usize) -> Result<Stretch, ReadError> {
        if let Some(failure) = &self.failed {
            return Err(ReadError::Failed(failure.clone()));
        }
        let Contents { start, next, .. } = self.contents;
        if first <= start.index {
            return Err(ReadError::Gone { start });
        }
        if first >= next {
            return Err(ReadError::Ahead { next });
        }
        let segments = Segments { sealed: &self.sealed, current: &self.current };
        let request = Request::new(first, start, next, bytes_max);
        let result = self.reader.read(&mut self.disk, &segments, request);
        self.reader.release(2 * self.options.batch_bytes);
        self.failed = result.as_ref().err().and_then(ReadError::failure);
        result
    }

    /// How many bytes of records this writer has appended, with those that recovery found in the segments
    /// that were left. It only grows while the writer lives: what is removed still counts. The difference
    /// between two moments is by how much the log grew in between; so subtract what it was when the last
    /// snapshot was begun to know how much a restart would find behind it. After a restart all of what was
    /// found may be behind it: subtract nothing.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Notes that the log begins after `after`, because a durable snapshot stands for everything up to there,
    /// and removes the segments that hold nothing else (R15, R16). The snapshot may stand for more: what is
    /// kept between `after` and its end serves followers that are not far behind.
    ///
    /// # Errors
    ///
    /// As of [`Writer::write`].
    pub fn compact(&mut self, after: Position, tail: Tail) -> Result<(), WriteError> {
        self.check_alive()?;
        assert!(after.index >= self.contents.start.index, "the log's start never goes back (S21)");
        assert!(
            after.term <= self.contents.hard_state.term,
            "a snapshot is of no later term than ours (S15)"
        );
        if tail == Tail::Kept {
            assert!(after.index < self.contents.next, "what is kept hooks on {after:?}");
        }
        self.append(MARK_PART_BYTES, Reserve::Open, |draft| draft.mark(after, tail))?;
        self.contents.start = after;
        if tail == Tail::Dropped {
            self.contents.next = after.index.next();
            self.reader.landmarks.clear();
        }
        self.reader.landmarks.begin_with(after.index.next());
        let purged = self.purge().map_err(WriteError::from);
        self.settle(purged)
    }

    /// Does one step, of bounded length, towards the next segment. To be called when there is nothing better
    /// to do, until it is ready; a batch that needs the segment earlier waits for the rest of it.
    ///
    /// # Errors
    ///
    /// As of [`Writer::write`]. [`WriteError::Full`] comes while there is room in the current segment: now is
    /// the time to refuse clients (R16).
    pub fn prepare(&mut self) -> Result<Spare, WriteError> {
        self.check_alive()?;
        let step = self.spares.prepare(&mut self.disk, self.options.segment_bytes);
        self.settle(step)
    }

    /// Whether the next segment is ready.
    pub fn has_spare(&self) -> bool {
        self.spares.has_ready(self.options.segment_bytes)
    }

    /// A writer that has failed once does nothing any more: after a failed sync nobody knows what is on the
    /// disk, and trying again would report success without having written anything (D5).
    fn check_alive(&self) -> Result<(), WriteError> {
        self.failed.clone().map_or(Ok(()), |failure| Err(WriteError::Failed(failure)))
    }

    fn settle<T>(&mut self, result: Result<T, WriteError>) -> Result<T, WriteError> {
        if let Err(WriteError::Failed(failure)) = &result {
            self.failed = Some(failure.clone());
        }
        result
    }

    /// How many of the waiting writes go into one record, and what their parts take.
    fn take_batch(&self, waiting: &[LogWrite]) -> (usize, usize) {
        let mut bytes = 0;
        let full = waiting.iter().position(|write| {
            // Where the log begins anew, a batch begins too.
            let full = bytes >= self.options.batch_bytes || write.start.is_some();
            bytes += if full { 0 } else { write_bytes(write) };
            full
        });
        (full.unwrap_or(waiting.len()), bytes)
    }

    fn append(
        &mut self,
        parts: usize,
        reserve: Reserve,
        fill: impl FnOnce(&mut Draft),
    ) -> Result<(), WriteError> {
        let kept = if reserve == Reserve::Spared { self.options.reserve_bytes } else { 0 };
        let fits = self.current.offset + record_bytes(parts) as u64 + kept <= self.current.length;
        self.draft.begin();
        let result = if fits {
            fill(&mut self.draft);
            self.write_record().map_err(WriteError::from)
        } else {
            self.contents.open_segment(&mut self.draft);
            fill(&mut self.draft);
            self.rotate(parts)
        };
        let result = result.map(|place| self.note_record(place));
        self.draft.release(2 * self.options.batch_bytes);
        self.settle(result)
    }

    /// The draft is durable at this place: from now on its entries can be read.
    fn note_record(&mut self, place: Place) {
        self.written += self.draft.len() as u64;
        let mut next = self.contents.next;
        for entries in self.draft.places() {
            self.reader.landmarks.note(Landmark { index: entries.first, place, part: entries.part }, next);
            next = entries.next;
        }
    }

    fn write_record(&mut self) -> Result<Place, DiskFailure> {
        let current = &mut self.current;
        let checksum = self.draft.seal(current.segment.header_checksum, current.link);
        let file = current.segment.number.file_name();
        let end = current.offset + self.draft.len() as u64;
        let pieces = self.draft.pieces().chain([terminator(end, current.length)]);
        self.disk.append(&mut current.file, current.offset, pieces).during("write", &file)?;
        self.disk.sync(&current.file).during("sync", &file)?;
        let place = Place { segment: current.segment.number, offset: current.offset, link: current.link };
        current.offset = end;
        current.link = Link { previous: checksum, batch: current.link.batch + 1 };
        Ok(place)
    }

    /// Begins the next segment with the draft, which has its opening and the parts of one batch.
    fn rotate(&mut self, parts: usize) -> Result<Place, WriteError> {
        let needed = (HEADER_BYTES + record_bytes(OPENING_BYTES + parts)) as u64 + self.options.reserve_bytes;
        let length = needed.max(self.options.segment_bytes);
        let spare = self.spares.take(&mut self.disk, length)?;
        let header = Header {
            identity: self.identity,
            number: self.current.segment.number.next(),
            first_index: self.contents.next,
            link: self.current.link,
        };
        let next = begin_segment(&mut self.disk, spare, &header, &mut self.draft)?;
        let link = Link { previous: next.segment.header_checksum, batch: header.link.batch };
        let place = Place { segment: header.number, offset: HEADER_BYTES as u64, link };
        let Current { segment, offset: end, .. } = mem::replace(&mut self.current, next);
        self.sealed.push_back(Sealed { segment, end });
        Ok(place)
    }

    /// A segment can go when the one behind it was begun no later than where the log begins now: everything
    /// in it is below the start, or was replaced by a later segment. Some are kept to be used again: that
    /// saves writing zeros, which is as much as writing the log itself, and the sync of them.
    fn purge(&mut self) -> Result<(), DiskFailure> {
        let start = self.contents.start.index.next();
        let (mut gone, mut retired) = (false, Vec::new());
        while let Some(oldest) = self.sealed.front() {
            let following = self.sealed.get(1).map_or(self.current.segment, |sealed| sealed.segment);
            if following.first_index > start {
                break;
            }
            let file = oldest.segment.number.file_name();
            self.reader.close_below(following.number);
            if retired.len() < self.spares.room() {
                let number = oldest.segment.number;
                self.disk.rename(&file, &number.retired_name()).during("rename", &file)?;
                retired.push(number);
            } else {
                self.disk.remove(&file).during("remove", &file)?;
            }
            self.sealed.pop_front();
            gone = true;
        }
        if gone {
            self.disk.sync_directory().during("sync", "the log's directory")?;
        }
        self.spares.retire(retired);
        Ok(())
    }
}

impl Contents {
    /// The parts with which every segment opens, so that all older ones can go one day.
    fn open_segment(&self, draft: &mut Draft) {
        draft.hard_state(self.hard_state);
        draft.mark(self.start, Tail::Kept);
    }

    /// What the log amounts to with `batch` in it. Asserts that the core keeps its promises.
    fn after(mut self, batch: &[LogWrite]) -> Contents {
        assert!(batch.is_sorted_by_key(|write| write.sequence), "writes are taken in order (R2)");
        for write in batch {
            if let Some(hard_state) = write.hard_state {
                assert!(hard_state.term >= self.hard_state.term, "a term never falls (S11)");
                self.hard_state = hard_state;
            }
            if let Some(append) = &write.entries {
                self.take_in(append);
            }
        }
        self
    }

    fn take_in(&mut self, append: &LogAppend) {
        let LogAppend { first, entries } = append;
        assert!(*first <= self.next, "{first:?} would leave a gap behind {:?} (S22)", self.next);
        assert!(*first > self.start.index, "{first:?} is in a snapshot (S14)");
        assert!(entries.is_sorted_by_key(|entry| entry.term), "terms in a log never fall (S15)");
        let last = entries.last().expect("an append holds at least one entry");
        assert!(last.term <= self.hard_state.term, "an entry is of no later term than the stored one (S15)");
        self.next = Index(first.0 + entries.len() as u64);
    }
}

/// The receipt for writes that are durable, and all that waited for them.
fn confirm(batch: impl Iterator<Item = LogWrite>) -> Durable {
    let mut batch = batch.map(|write| (write.sequence, write.then_send));
    let first = batch.next().expect("a batch holds at least one write");
    let (sequence, then_send) = batch.fold(first, |(_, mut all), (sequence, mut more)| {
        all.append(&mut more);
        (sequence, all)
    });
    Durable { receipt: Receipt(sequence), then_send }
}

/// Gives the spare its header, its first record and its name, in an order in which a crash leaves either no
/// segment of that name or a good one.
fn begin_segment<D: Disk>(
    disk: &mut D,
    spare: SpareFile<D::File>,
    header: &Header,
    draft: &mut Draft,
) -> Result<Current<D::File>, DiskFailure> {
    let SpareFile { mut file, length, .. } = spare;
    let (head, header_checksum) = header.encode();
    let link = Link { previous: header_checksum, batch: header.link.batch };
    let checksum = draft.seal(header_checksum, link);
    let name = header.number.file_name();
    let offset = (HEADER_BYTES + draft.len()) as u64;
    let pieces = iter::once(&head[..]).chain(draft.pieces()).chain([terminator(offset, length)]);
    disk.append(&mut file, 0, pieces).during("write", SPARE_NAME)?;
    disk.sync(&file).during("sync", SPARE_NAME)?;
    disk.rename(SPARE_NAME, &name).during("rename the spare segment to", &name)?;
    disk.sync_directory().during("sync the directory of", &name)?;
    Ok(Current {
        segment: Segment { number: header.number, first_index: header.first_index, header_checksum },
        file,
        offset,
        link: Link { previous: checksum, batch: link.batch + 1 },
        length,
    })
}

/// The zeros that end a segment of this length behind a record that ends at `end`: no record begins so, and
/// what is behind them may be anything.
fn terminator(end: u64, length: u64) -> &'static [u8] {
    let room = usize::try_from(length.saturating_sub(end)).unwrap_or(usize::MAX);
    &[0; HEAD_BYTES][..room.min(HEAD_BYTES)]
}
