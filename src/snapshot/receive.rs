//! Receiving a snapshot from a leader, chunk by chunk.
//!
//! The file is sent as it is. Chunks are taken in order only: whatever else arrives is answered with the
//! place where the next one is wanted, so duplicates are harmless and a gap heals itself. When the last byte
//! is there the whole file is read back and verified against the id that was announced.

use std::convert::Infallible;

use super::SnapshotError;
use super::draft::Draft;
use super::file::{FILE_BYTES_MIN, Fault, Header, RECEIVING_NAME, file_name};
use super::reader::{Reader, Stop};
use super::snapshots::Snapshots;
use crate::disk::Disk;
use crate::raft::SnapshotId;

/// A snapshot that is on its way to us.
#[derive(Debug)]
pub(super) struct Transfer<F> {
    id: SnapshotId,
    draft: Draft<F>,
}

/// How far a transfer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// There is more to come.
    Partly {
        /// From here on.
        next_offset: u64,
    },
    /// It is there, verified and durable.
    Whole {
        /// What it is called. Not what was asked for if there was another one of the same position already.
        id: SnapshotId,
    },
}

impl<D: Disk> Snapshots<D> {
    /// Takes a part of the file of the snapshot called `id`. Parts of another one end this transfer and begin
    /// anew. The last part takes its time: everything is verified then.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Spoiled`], [`SnapshotError::Foreign`], [`SnapshotError::Newer`],
    /// [`SnapshotError::Full`], [`SnapshotError::Failed`]. All of them end the transfer; the next part begins
    /// another.
    pub fn receive(&mut self, id: SnapshotId, offset: u64, bytes: &[u8]) -> Result<Received, SnapshotError> {
        if let Some(id) = self.find_position(id.last) {
            if self.transfer.as_ref().is_some_and(|transfer| transfer.id.last == id.last) {
                self.stop_receiving();
            }
            return Ok(Received::Whole { id });
        }
        let result = self.take_part(id, offset, bytes);
        if result.is_err() {
            self.stop_receiving();
        }
        result
    }

    /// Gives up the transfer that is under way, if there is one.
    pub fn stop_receiving(&mut self) {
        if self.transfer.take().is_some() {
            self.discard(RECEIVING_NAME);
        }
    }

    fn take_part(&mut self, id: SnapshotId, offset: u64, bytes: &[u8]) -> Result<Received, SnapshotError> {
        if self.transfer.as_ref().is_some_and(|transfer| transfer.id != id) {
            self.stop_receiving();
        }
        if id.bytes < FILE_BYTES_MIN {
            return Err(spoiled(0, "its announced size is less than that of any snapshot"));
        }
        let transfer = match &mut self.transfer {
            Some(transfer) => transfer,
            None => {
                let draft = Draft::create(&mut self.disk, RECEIVING_NAME)?;
                self.transfer.insert(Transfer { id, draft })
            }
        };
        let next_offset = transfer.draft.length;
        if offset != next_offset {
            return Ok(Received::Partly { next_offset });
        }
        if bytes.len() as u64 > id.bytes - offset {
            return Err(spoiled(id.bytes, "more was sent than had been announced"));
        }
        transfer.draft.add(&mut self.disk, [bytes, &[]])?;
        if transfer.draft.length < id.bytes {
            return Ok(Received::Partly { next_offset: transfer.draft.length });
        }
        self.complete()
    }

    /// Verifies the file, makes it durable, and gives it its name.
    fn complete(&mut self) -> Result<Received, SnapshotError> {
        let Transfer { id, draft } = self.transfer.as_mut().expect("its last part has come");
        let id = *id;
        let expected = Header { cluster: self.cluster, last: id.last };
        let file = &draft.file;
        let mut reader = Reader { disk: &mut self.disk, file, name: RECEIVING_NAME, expected };
        let verified = reader.scan(id, |_| Ok::<(), Infallible>(()));
        verified.map_err(|stop| match stop {
            Stop::Fault(Fault::Damage { offset, what }) => SnapshotError::Spoiled { offset, what },
            other => other.in_file(RECEIVING_NAME, expected),
        })?;
        draft.sync(&mut self.disk)?;
        draft.install(&mut self.disk, &file_name(id.last))?;
        self.transfer = None;
        self.add(id);
        Ok(Received::Whole { id })
    }
}

fn spoiled(offset: u64, what: &str) -> SnapshotError {
    SnapshotError::Spoiled { offset, what: what.to_owned() }
}
