//! The snapshots of a replica: what there is, making one, reading one.

use std::cmp::Reverse;
use std::fmt;

use super::SnapshotError;
use super::draft::Draft;
use super::file::{BUILDING_NAME, Chain, FOOTER_BYTES, Header, RECEIVING_NAME, file_name, position_of_file};
use super::reader::Reader;
use super::receive::Transfer;
use crate::disk::{Disk, During};
use crate::identity::ClusterId;
use crate::limits::{SNAPSHOT_BLOCK_BYTES_MAX, SNAPSHOT_MEMBERSHIP_BYTES_MAX, SNAPSHOTS_KEPT};
use crate::raft::{Position, SnapshotId};

/// A directory of snapshots.
#[derive(Debug)]
pub struct Snapshots<D: Disk> {
    pub(super) disk: D,
    pub(super) cluster: ClusterId,
    /// Whole as far as we know, and durable, newest first.
    stored: Vec<Stored>,
    building: Option<Building<D::File>>,
    pub(super) transfer: Option<Transfer<D::File>>,
}

#[derive(Debug)]
struct Stored {
    id: SnapshotId,
    pins: u32,
}

/// A snapshot that this replica makes.
#[derive(Debug)]
struct Building<F> {
    last: Position,
    draft: Draft<F>,
    chain: Chain,
}

/// What an opening found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Snapshots, newest first, whole as far as their headers and footers tell.
    pub snapshots: Vec<SnapshotId>,
    /// What is wrong with each file that is not, or why it cannot be read. They are left where they are.
    pub damaged: Vec<SnapshotError>,
}

impl<D: Disk> Snapshots<D> {
    /// Opens a directory of snapshots, which may be empty: what is in it, and the means to add to it. What a
    /// crash left unfinished is removed; what is found is durable.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Foreign`], [`SnapshotError::Newer`], [`SnapshotError::Failed`].
    pub fn open(mut disk: D, cluster: ClusterId) -> Result<(Snapshots<D>, Found), SnapshotError> {
        let names = disk.names().during("list", "the directory of snapshots")?;
        let mut found = Found { snapshots: Vec::new(), damaged: Vec::new() };
        for name in &names {
            let Some(last) = position_of_file(name) else { continue };
            match inspect(&mut disk, name, Header { cluster, last }) {
                Ok(id) => found.snapshots.push(id),
                // A failed read is no damage: the file may be whole, and must not be taken for gone.
                Err(
                    refused @ (SnapshotError::Foreign { .. }
                    | SnapshotError::Newer { .. }
                    | SnapshotError::Failed(_)),
                ) => return Err(refused),
                Err(damaged) => found.damaged.push(damaged),
            }
        }
        for name in names.iter().filter(|name| [BUILDING_NAME, RECEIVING_NAME].contains(&name.as_str())) {
            disk.remove(name).during("remove", name)?;
        }
        // A name can be seen before it is durable: whoever made it may have been killed in between.
        disk.sync_directory().during("sync", "the directory of snapshots")?;
        found.snapshots.sort_by_key(|id| Reverse(place(id.last)));
        let stored = found.snapshots.iter().map(|id| Stored { id: *id, pins: 0 }).collect();
        let mut snapshots = Snapshots { disk, cluster, stored, building: None, transfer: None };
        if found.snapshots.len() > SNAPSHOTS_KEPT {
            // An earlier life ended before it came to that (B3).
            snapshots.purge();
            snapshots.disk.sync_directory().during("sync", "the directory of snapshots")?;
            found.snapshots.truncate(SNAPSHOTS_KEPT);
        }
        Ok((snapshots, found))
    }

    /// The snapshots that there are, newest first.
    pub fn ids(&self) -> impl Iterator<Item = SnapshotId> {
        self.stored.iter().map(|stored| stored.id)
    }

    /// Begins a snapshot that stands for the log up to `last`. The membership there is any bytes.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Full`] and [`SnapshotError::Failed`]: then there is nothing to go on with, nor to
    /// abandon. So for the other two calls.
    ///
    /// # Panics
    ///
    /// When one is being built already, or the membership is too long.
    pub fn begin(&mut self, last: Position, membership: &[u8]) -> Result<(), SnapshotError> {
        assert!(self.building.is_none(), "one snapshot is built at a time");
        assert!(membership.len() <= SNAPSHOT_MEMBERSHIP_BYTES_MAX, "a membership is short");
        let draft = Draft::create(&mut self.disk, BUILDING_NAME)?;
        let header = Header { cluster: self.cluster, last }.encode();
        self.building = Some(Building { last, draft, chain: Chain::after_header(&header) });
        self.build(|building, disk| {
            building.draft.add(disk, [&header, &[]])?;
            building.block(disk, membership)
        })
    }

    /// Adds a block.
    ///
    /// # Errors
    ///
    /// As of [`Snapshots::begin`].
    ///
    /// # Panics
    ///
    /// When no snapshot is being built, or the block is too long.
    pub fn block(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        assert!(bytes.len() <= SNAPSHOT_BLOCK_BYTES_MAX, "a block of {} bytes", bytes.len());
        self.build(|building, disk| building.block(disk, bytes))
    }

    /// Ends the snapshot that is being built. It is durable then, and older ones are removed. If there is one
    /// of the same position already, that one stays and is answered.
    ///
    /// # Errors
    ///
    /// As of [`Snapshots::begin`].
    ///
    /// # Panics
    ///
    /// When no snapshot is being built.
    pub fn finish(&mut self) -> Result<SnapshotId, SnapshotError> {
        let last = self.building.as_ref().expect("a snapshot is being built").last;
        if let Some(id) = self.find_position(last) {
            self.abandon();
            return Ok(id);
        }
        let mut made = None;
        self.build(|building, disk| {
            let id = building.finish(disk)?;
            building.draft.install(disk, &file_name(id.last))?;
            made = Some(id);
            Ok(())
        })?;
        self.building = None;
        let id = made.expect("it has been built");
        self.add(id);
        Ok(id)
    }

    /// Whether a snapshot is being built.
    pub fn is_building(&self) -> bool {
        self.building.is_some()
    }

    /// Gives up the snapshot that is being built, if there is one.
    pub fn abandon(&mut self) {
        if self.building.take().is_some() {
            self.discard(BUILDING_NAME);
        }
    }

    /// One step of building. An error is the end of it.
    fn build(
        &mut self,
        step: impl FnOnce(&mut Building<D::File>, &mut D) -> Result<(), SnapshotError>,
    ) -> Result<(), SnapshotError> {
        let building = self.building.as_mut().expect("a snapshot is being built");
        let result = step(building, &mut self.disk);
        if result.is_err() {
            self.abandon();
        }
        result
    }

    /// Removes a file of ours that nobody needs. If that fails it lies there until it is made anew or the
    /// directory is opened again, and takes space, no more.
    pub(super) fn discard(&mut self, name: &str) {
        drop(self.disk.remove(name));
    }

    /// A part of a snapshot's file, for another replica. `None`: it is gone. Empty: `offset` is its end.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Failed`].
    pub fn read_chunk(
        &mut self,
        id: SnapshotId,
        offset: u64,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, SnapshotError> {
        if self.find(id).is_none() {
            return Ok(None);
        }
        let left = usize::try_from(id.bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut chunk = vec![0; left.min(bytes_max)];
        if !chunk.is_empty() {
            let name = file_name(id.last);
            let file = self.disk.open(&name).during("open", &name)?;
            self.disk.read_at(&file, offset, &mut chunk).during("read", &name)?;
        }
        Ok(Some(chunk))
    }

    /// Verifies a snapshot while handing out its blocks, in order, each of them verified before. Answers the
    /// membership. Only when this has ended well have all blocks been there: what was made of them must not
    /// be used before. A snapshot that turns out to be damaged counts and is sent no more.
    ///
    /// # Errors
    ///
    /// [`SnapshotError::Gone`], [`SnapshotError::Failed`], and [`SnapshotError::Damaged`], which is also what
    /// becomes of an error of `block`.
    pub fn load<E: fmt::Display>(
        &mut self,
        id: SnapshotId,
        block: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Vec<u8>, SnapshotError> {
        let name = file_name(id.last);
        if self.find(id).is_none() {
            return Err(SnapshotError::Gone { file: name });
        }
        let file = self.disk.open(&name).during("open", &name)?;
        let expected = Header { cluster: self.cluster, last: id.last };
        let mut reader = Reader { disk: &mut self.disk, file: &file, name: &name, expected };
        let loaded = reader.scan(id, block).map_err(|stop| stop.in_file(&name, expected));
        if matches!(loaded, Err(SnapshotError::Damaged { .. })) {
            self.stored.retain(|stored| stored.id != id);
        }
        loaded
    }

    /// Keeps a snapshot from being removed until it is unpinned as often as it was pinned. Answers whether it
    /// is there.
    pub fn pin(&mut self, id: SnapshotId) -> bool {
        let stored = self.find(id);
        stored.map(|stored| stored.pins += 1).is_some()
    }

    /// Takes back one pin. What is kept by pins alone is removed when the next snapshot has come.
    ///
    /// # Panics
    ///
    /// When there is none, while the snapshot is there.
    pub fn unpin(&mut self, id: SnapshotId) {
        if let Some(stored) = self.find(id) {
            stored.pins = stored.pins.checked_sub(1).expect("as many pins are taken back as there were");
        }
    }

    fn find(&mut self, id: SnapshotId) -> Option<&mut Stored> {
        self.stored.iter_mut().find(|stored| stored.id == id)
    }

    pub(super) fn find_position(&self, last: Position) -> Option<SnapshotId> {
        self.ids().find(|id| id.last == last)
    }

    /// Takes in a snapshot that is durable under its name, and removes what is not needed any more.
    pub(super) fn add(&mut self, id: SnapshotId) {
        let behind = self.stored.partition_point(|stored| place(stored.id.last) > place(id.last));
        self.stored.insert(behind, Stored { id, pins: 0 });
        self.purge();
    }

    /// Removes what is older than the newest ones, damaged files too. The new snapshot is durable, so a
    /// failure here takes nothing from it; what is left is removed the next time.
    fn purge(&mut self) {
        let Some(oldest_kept) = self.stored.get(SNAPSHOTS_KEPT - 1).map(|stored| place(stored.id.last))
        else {
            return;
        };
        self.stored.retain(|stored| place(stored.id.last) >= oldest_kept || stored.pins > 0);
        for name in self.disk.names().unwrap_or_default() {
            let is_old = position_of_file(&name)
                .is_some_and(|last| place(last) < oldest_kept && self.find_position(last).is_none());
            if is_old {
                self.discard(&name);
            }
        }
    }
}

impl<F> Building<F> {
    fn block<D: Disk<File = F>>(&mut self, disk: &mut D, bytes: &[u8]) -> Result<(), SnapshotError> {
        let (head, chain) = self.chain.with(bytes);
        self.draft.add(disk, [&head, bytes])?;
        self.chain = chain;
        Ok(())
    }

    /// Writes the footer and makes everything durable.
    fn finish<D: Disk<File = F>>(&mut self, disk: &mut D) -> Result<SnapshotId, SnapshotError> {
        let bytes = self.draft.length + FOOTER_BYTES as u64;
        self.draft.add(disk, [&self.chain.footer(bytes), &[]])?;
        self.draft.sync(disk)?;
        Ok(self.chain.id(self.last, bytes))
    }
}

/// Later snapshots have a higher index; the order of positions is another one.
fn place(last: Position) -> (u64, u64) {
    (last.index.0, last.term.0)
}

fn inspect<D: Disk>(disk: &mut D, name: &str, expected: Header) -> Result<SnapshotId, SnapshotError> {
    let file = disk.open(name).during("open", name)?;
    let mut reader = Reader { disk, file: &file, name, expected };
    reader.inspect().map_err(|stop| stop.in_file(name, expected))
}
