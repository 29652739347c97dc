//! A file in the making: written from its start to its end, and synced along the way.

use super::SnapshotError;
use crate::disk::{Disk, During, write_pieces};
use crate::limits::SNAPSHOT_SYNC_BYTES;

/// A file that is not whole yet, under the name that it has until it is.
#[derive(Debug)]
pub(super) struct Draft<F> {
    pub(super) file: F,
    name: &'static str,
    /// So many bytes have been written.
    pub(super) length: u64,
    /// So many of them since the last sync.
    unsynced: u64,
}

impl<F> Draft<F> {
    pub(super) fn create<D: Disk<File = F>>(
        disk: &mut D,
        name: &'static str,
    ) -> Result<Draft<F>, SnapshotError> {
        let file = disk.create(name).during("create", name);
        let file = file.map_err(|failure| SnapshotError::of_write(failure, 0))?;
        Ok(Draft { file, name, length: 0, unsynced: 0 })
    }

    /// Adds bytes to the end. Now and then they are made durable, so that no sync has much to do: the log
    /// lives on the same disk, and waits for it.
    pub(super) fn add<D: Disk<File = F>>(
        &mut self,
        disk: &mut D,
        pieces: [&[u8]; 2],
    ) -> Result<(), SnapshotError> {
        let bytes = pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
        let written = write_pieces(disk, &self.file, self.length, pieces).during("write", self.name);
        written.map_err(|failure| SnapshotError::of_write(failure, bytes))?;
        self.length += bytes;
        self.unsynced += bytes;
        if self.unsynced >= SNAPSHOT_SYNC_BYTES { self.sync(disk) } else { Ok(()) }
    }

    pub(super) fn sync<D: Disk<File = F>>(&mut self, disk: &mut D) -> Result<(), SnapshotError> {
        let synced = disk.sync(&self.file).during("sync", self.name);
        // A file system that finds its space only now says so only now.
        synced.map_err(|failure| SnapshotError::of_write(failure, self.unsynced))?;
        self.unsynced = 0;
        Ok(())
    }

    /// Gives the file, which is durable, its own name, and makes that durable. If this fails the name is
    /// taken back: one that the kernel shows and will never write must not be found at the next opening.
    pub(super) fn install<D: Disk<File = F>>(&self, disk: &mut D, name: &str) -> Result<(), SnapshotError> {
        assert_eq!(self.unsynced, 0, "what gets its own name is durable");
        disk.rename(self.name, name).during("rename a snapshot to", name)?;
        let synced = disk.sync_directory().during("sync the directory of", name);
        if synced.is_err() {
            drop(disk.remove(name));
        }
        Ok(synced?)
    }
}
