//! What the next segment is made of: a file that has its space already.
//!
//! One file is being prepared, in steps of bounded length: a segment that the log needs no more, or a fresh
//! file that is filled with zeros and synced. `mod.rs` says what that saves, and when a retired segment may
//! be written to.

use std::collections::VecDeque;

use super::error::WriteError;
use super::segment::{SPARE_NAME, SegmentNumber};
use crate::disk::{Disk, DiskFailure, During, write_zeros};
use crate::limits::WAL_RETIRED_MAX;

/// The segment in preparation, and those that it can be made of.
#[derive(Debug)]
pub(super) struct Spares<F> {
    underway: Option<SpareFile<F>>,
    /// Segments that are needed no more, durably renamed by this process.
    retired: VecDeque<SegmentNumber>,
}

/// The file under the name of the spare.
#[derive(Debug)]
pub(super) struct SpareFile<F> {
    pub(super) file: F,
    /// So many bytes have been written, whatever they are.
    pub(super) length: u64,
    synced: bool,
}

/// How far the spare segment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spare {
    /// There is more to do.
    Underway,
    /// The next segment can be begun without asking for space.
    Ready,
}

impl<F> Spares<F> {
    /// Nothing yet.
    pub(super) fn new() -> Spares<F> {
        Spares { underway: None, retired: VecDeque::new() }
    }

    /// How many more segments may be retired.
    pub(super) fn room(&self) -> usize {
        WAL_RETIRED_MAX - self.retired.len()
    }

    /// These have got their names as retired ones, durably: one that came back under its old name would have
    /// to hold what it held then.
    pub(super) fn retire(&mut self, segments: Vec<SegmentNumber>) {
        assert!(segments.len() <= self.room(), "no more are kept than there is use for");
        self.retired.extend(segments);
    }

    /// One step towards a spare of that length: a retired segment or a new file, then zeros as far as it is
    /// too short, and at the end the sync.
    pub(super) fn prepare<D: Disk<File = F>>(
        &mut self,
        disk: &mut D,
        length: u64,
    ) -> Result<Spare, WriteError> {
        let Some(spare) = &mut self.underway else {
            let begun = match self.retired.pop_front() {
                Some(number) => reuse(disk, number)?,
                None => SpareFile { file: create(disk, length)?, length: 0, synced: false },
            };
            self.underway = Some(begun);
            return Ok(Spare::Underway);
        };
        if spare.length < length {
            let left = length - spare.length;
            let written = write_zeros(disk, &spare.file, spare.length, left).during("write", SPARE_NAME);
            spare.length += written.map_err(|failure| full_or_failed(failure, left))?;
            spare.synced = false;
            return Ok(Spare::Underway);
        }
        if !spare.synced {
            disk.sync(&spare.file).during("sync", SPARE_NAME)?;
            spare.synced = true;
        }
        Ok(Spare::Ready)
    }

    /// Whether there is a spare of that length, with nothing left to be done for it.
    pub(super) fn has_ready(&self, length: u64) -> bool {
        self.underway.as_ref().is_some_and(|spare| spare.synced && spare.length >= length)
    }

    /// The spare, of that length at least, after all that is still to be done for it.
    pub(super) fn take<D: Disk<File = F>>(
        &mut self,
        disk: &mut D,
        length: u64,
    ) -> Result<SpareFile<F>, WriteError> {
        while self.prepare(disk, length)? == Spare::Underway {}
        Ok(self.underway.take().expect("it is ready"))
    }
}

fn create<D: Disk>(disk: &mut D, length: u64) -> Result<D::File, WriteError> {
    let file = disk.create(SPARE_NAME).during("create", SPARE_NAME);
    file.map_err(|failure| full_or_failed(failure, length))
}

/// A retired segment becomes the spare. All its blocks are there, and none of its records fits a later
/// header.
fn reuse<D: Disk>(disk: &mut D, number: SegmentNumber) -> Result<SpareFile<D::File>, DiskFailure> {
    let name = number.retired_name();
    disk.rename(&name, SPARE_NAME).during("rename", &name)?;
    let file = disk.open(SPARE_NAME).during("open", SPARE_NAME)?;
    let length = disk.length(&file).during("measure", SPARE_NAME)?;
    Ok(SpareFile { file, length, synced: true })
}

fn full_or_failed(failure: DiskFailure, bytes: u64) -> WriteError {
    if failure.is_full() { WriteError::Full { bytes } } else { WriteError::Failed(failure) }
}
