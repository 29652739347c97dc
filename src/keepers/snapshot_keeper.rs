//! The one that writes, reads, receives and loads snapshots, on whichever thread it runs: long work that
//! nobody may wait for.
//!
//! The node gives it the blocks of an image one by one, so that the image grows only as fast as the disk
//! takes it, and other work (parts for followers) gets its turn between two blocks. A full disk spoils an
//! attempt and nothing else: the log goes on, and a later attempt will do. Any other failure of the disk ends
//! the process, as with the log.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use log::{info, warn};

use crate::codec;
use crate::disk::Disk;
use crate::raft::{Membership, NodeId, Position, SnapshotId, SnapshotPart};
use crate::snapshot::{Received, SnapshotError, Snapshots};
use crate::storage::{self, Image};

/// What the node asks of its snapshots.
#[derive(Debug)]
pub enum SnapshotOrder {
    /// Begin a snapshot that stands for everything up to here, with the membership there.
    Begin(Position, Membership),
    /// The next block of its image.
    Block(Vec<u8>),
    /// That was all of it.
    Finish,
    /// It is not wanted any more.
    Abandon,
    /// Read bytes for a follower.
    Read {
        /// The follower.
        to: NodeId,
        /// Of which snapshot.
        id: SnapshotId,
        /// From where on.
        offset: u64,
    },
    /// Store part of a leader's snapshot.
    Store(SnapshotPart),
}

/// What becomes of an order.
#[derive(Debug)]
pub enum SnapshotReport {
    /// The block, or the beginning, is written: the next, please.
    Ready,
    /// The snapshot is durable, and the log need hold no more than what follows on the older one, if any.
    Taken(SnapshotId, Option<Position>),
    /// The attempt up to here failed; nothing came of it.
    NotTaken(Position),
    /// Bytes for a follower; `None`: that snapshot is gone.
    Read {
        /// The follower.
        to: NodeId,
        /// Of which snapshot.
        id: SnapshotId,
        /// From where on.
        offset: u64,
        /// The bytes.
        bytes: Option<Arc<[u8]>>,
    },
    /// Of a leader's snapshot everything up to here is stored.
    Stored(SnapshotId, u64),
    /// All of it is durable, and this is the store in it.
    Received(SnapshotId, Box<Image>),
}

/// Snapshots and what is to be done with them.
pub struct SnapshotKeeper<D: Disk> {
    snapshots: Snapshots<D>,
    /// How much of a snapshot one part for a follower carries.
    chunk_bytes: usize,
    /// Up to where the one stands that is being made, or was last.
    building: Position,
    /// What each follower is being sent: not to be removed meanwhile.
    sending: BTreeMap<NodeId, SnapshotId>,
}

type Answer = io::Result<Option<SnapshotReport>>;

impl<D: Disk> SnapshotKeeper<D> {
    /// The keeper of these snapshots, which sends them in parts of so many bytes.
    pub fn new(snapshots: Snapshots<D>, chunk_bytes: usize) -> SnapshotKeeper<D> {
        SnapshotKeeper { snapshots, chunk_bytes, building: Position::default(), sending: BTreeMap::new() }
    }

    /// The snapshots that there are, newest first.
    pub fn ids(&self) -> impl Iterator<Item = SnapshotId> {
        self.snapshots.ids()
    }

    /// How many snapshots are kept for followers.
    pub fn sending(&self) -> usize {
        self.sending.len()
    }

    /// Carries out an order.
    ///
    /// # Errors
    ///
    /// The disk's, unless it is only full.
    pub fn work(&mut self, order: SnapshotOrder) -> Answer {
        match order {
            SnapshotOrder::Begin(last, membership) => {
                self.building = last;
                let begun = self.snapshots.begin(last, &codec::encode(&membership));
                self.built(begun)
            }
            // What follows on a failed attempt until the node knows of it.
            SnapshotOrder::Block(_) | SnapshotOrder::Finish if !self.snapshots.is_building() => Ok(None),
            SnapshotOrder::Block(bytes) => {
                let written = self.snapshots.block(&bytes);
                self.built(written)
            }
            SnapshotOrder::Finish => self.finish(),
            SnapshotOrder::Abandon => {
                self.snapshots.abandon();
                Ok(None)
            }
            SnapshotOrder::Read { to, id, offset } => self.read(to, id, offset),
            SnapshotOrder::Store(part) => self.store(part),
        }
    }

    fn built(&self, result: Result<(), SnapshotError>) -> Answer {
        match result {
            Ok(()) => Ok(Some(SnapshotReport::Ready)),
            Err(error) => self.spoilt(&error),
        }
    }

    fn finish(&mut self) -> Answer {
        match self.snapshots.finish() {
            Ok(id) => {
                info!("took a snapshot up to {:?}, {} bytes", id.last, id.bytes);
                let older = self.snapshots.ids().find(|older| older.last.index < id.last.index);
                Ok(Some(SnapshotReport::Taken(id, older.map(|older| older.last))))
            }
            Err(error) => self.spoilt(&error),
        }
    }

    fn spoilt(&self, error: &SnapshotError) -> Answer {
        if matches!(error, SnapshotError::Failed(_)) {
            return Err(io::Error::other(error.to_string()));
        }
        warn!("no snapshot this time: {error}");
        Ok(Some(SnapshotReport::NotTaken(self.building)))
    }

    fn read(&mut self, to: NodeId, id: SnapshotId, offset: u64) -> Answer {
        if self.sending.get(&to) != Some(&id) {
            self.release(to);
            if self.snapshots.pin(id) {
                info!("sends {to:?} the snapshot up to {:?}, {} bytes", id.last, id.bytes);
                self.sending.insert(to, id);
            }
        }
        let bytes = match self.snapshots.read_chunk(id, offset, self.chunk_bytes) {
            Ok(bytes) => bytes,
            Err(error @ SnapshotError::Damaged { .. }) => {
                warn!("cannot send a snapshot: {error}");
                None
            }
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        let is_last = bytes.as_ref().is_none_or(|bytes| offset + bytes.len() as u64 >= id.bytes);
        if is_last {
            self.release(to);
        }
        Ok(Some(SnapshotReport::Read { to, id, offset, bytes: bytes.map(Arc::from) }))
    }

    fn release(&mut self, to: NodeId) {
        if let Some(id) = self.sending.remove(&to) {
            self.snapshots.unpin(id);
        }
    }

    fn store(&mut self, part: SnapshotPart) -> Answer {
        let SnapshotPart { id, offset, bytes, .. } = part;
        let report = match self.snapshots.receive(id, offset, &bytes) {
            Ok(Received::Partly { next_offset }) => SnapshotReport::Stored(id, next_offset),
            Ok(Received::Whole { id: whole }) => self.received(id, whole)?,
            Err(SnapshotError::Failed(failure)) => return Err(io::Error::other(failure.to_string())),
            Err(error) => {
                warn!("a leader's snapshot cannot be stored: {error}");
                SnapshotReport::Stored(id, 0)
            }
        };
        Ok(Some(report))
    }

    fn received(&mut self, id: SnapshotId, whole: SnapshotId) -> io::Result<SnapshotReport> {
        match storage::load(&mut self.snapshots, whole) {
            Ok(image) => {
                info!("received the snapshot up to {:?}, {} bytes", whole.last, whole.bytes);
                Ok(SnapshotReport::Received(whole, Box::new(image)))
            }
            Err(SnapshotError::Failed(failure)) => Err(io::Error::other(failure.to_string())),
            Err(error) => {
                warn!("a leader's snapshot is of no use: {error}");
                Ok(SnapshotReport::Stored(id, 0))
            }
        }
    }
}
