//! What the snapshots' thread does, one order at a time and without the thread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::codec;
use crate::disk::SimDisk;
use crate::raft::{Membership, NodeId, Position, SnapshotId, SnapshotPart};
use crate::snapshot::{Received, SnapshotError, Snapshots};
use crate::storage::{self, Image};

/// What a node asks of its snapshots.
#[derive(Debug)]
pub enum SnapshotOrder {
    /// Begin one that stands for everything up to here, with the membership there.
    Begin(Position, Membership),
    /// The next block of its image.
    Block(Vec<u8>),
    /// That was all of it.
    Finish,
    /// It is not wanted any more.
    Abandon,
    /// Read bytes for this follower, of this snapshot, from this offset on.
    Read(NodeId, SnapshotId, u64),
    /// Store part of a leader's snapshot.
    Store(SnapshotPart),
}

/// What they report to their node.
#[derive(Debug)]
pub enum SnapshotReport {
    /// The block, or the beginning, is written: the next, please.
    Ready,
    /// The snapshot is durable, and the log need hold no more than what follows on the older one, if any.
    Taken(SnapshotId, Option<Position>),
    /// The attempt failed; nothing came of it.
    NotTaken,
    /// Bytes for a follower; `None`: that snapshot is gone.
    Read(NodeId, SnapshotId, u64, Option<Arc<[u8]>>),
    /// Of a leader's snapshot everything up to here is stored.
    Stored(SnapshotId, u64),
    /// All of it is durable, and this is the store in it.
    Received(SnapshotId, Box<Image>),
}

/// The snapshots' part in a node.
pub struct SnapshotRole {
    snapshots: Snapshots<SimDisk>,
    orders: VecDeque<SnapshotOrder>,
    chunk_bytes: usize,
    /// What each follower is being sent: not to be removed meanwhile.
    sending: BTreeMap<NodeId, SnapshotId>,
}

impl SnapshotRole {
    /// A role that owns these snapshots and sends them in pieces of so many bytes.
    pub fn new(snapshots: Snapshots<SimDisk>, chunk_bytes: usize) -> SnapshotRole {
        SnapshotRole { snapshots, orders: VecDeque::new(), chunk_bytes, sending: BTreeMap::new() }
    }

    /// Something is wanted.
    pub fn order(&mut self, order: SnapshotOrder) {
        self.orders.push_back(order);
    }

    /// The order that came last, for whoever wants to spoil it.
    pub(super) fn last_order(&mut self) -> Option<&mut SnapshotOrder> {
        self.orders.back_mut()
    }

    /// Whether there is anything to do.
    pub fn has_work(&self) -> bool {
        !self.orders.is_empty()
    }

    /// The snapshots that there are, newest first.
    pub fn ids(&self) -> Vec<SnapshotId> {
        self.snapshots.ids().collect()
    }

    /// How many snapshots are kept for followers.
    pub fn sending(&self) -> usize {
        self.sending.len()
    }

    /// Carries out the oldest order.
    ///
    /// # Errors
    ///
    /// What the disk said, unless it is only full. The process ends with that.
    pub fn work(&mut self) -> Result<Option<SnapshotReport>, String> {
        let Some(order) = self.orders.pop_front() else { return Ok(None) };
        match order {
            SnapshotOrder::Begin(last, membership) => {
                let begun = self.snapshots.begin(last, &codec::encode(&membership));
                built(begun, |()| SnapshotReport::Ready)
            }
            // What follows on a failed attempt until the node knows of it.
            SnapshotOrder::Block(_) | SnapshotOrder::Finish if !self.snapshots.is_building() => Ok(None),
            SnapshotOrder::Block(bytes) => {
                let written = self.snapshots.block(&bytes);
                built(written, |()| SnapshotReport::Ready)
            }
            SnapshotOrder::Finish => {
                let finished = self.snapshots.finish();
                built(finished, |id| self.taken(id))
            }
            SnapshotOrder::Abandon => {
                self.snapshots.abandon();
                Ok(None)
            }
            SnapshotOrder::Read(to, id, offset) => self.read(to, id, offset).map(Some),
            SnapshotOrder::Store(part) => self.store(&part).map(Some),
        }
    }

    fn taken(&self, id: SnapshotId) -> SnapshotReport {
        let older = self.snapshots.ids().find(|older| older.last.index < id.last.index);
        SnapshotReport::Taken(id, older.map(|older| older.last))
    }

    fn read(&mut self, to: NodeId, id: SnapshotId, offset: u64) -> Result<SnapshotReport, String> {
        if self.sending.get(&to) != Some(&id) {
            self.release(to);
            if self.snapshots.pin(id) {
                self.sending.insert(to, id);
            }
        }
        let bytes = match self.snapshots.read_chunk(id, offset, self.chunk_bytes) {
            Ok(bytes) => bytes,
            Err(SnapshotError::Damaged { .. }) => None,
            Err(error) => return Err(error.to_string()),
        };
        if bytes.as_ref().is_none_or(|bytes| offset + bytes.len() as u64 >= id.bytes) {
            self.release(to);
        }
        Ok(SnapshotReport::Read(to, id, offset, bytes.map(Arc::from)))
    }

    fn release(&mut self, to: NodeId) {
        if let Some(id) = self.sending.remove(&to) {
            self.snapshots.unpin(id);
        }
    }

    fn store(&mut self, part: &SnapshotPart) -> Result<SnapshotReport, String> {
        match self.snapshots.receive(part.id, part.offset, &part.bytes) {
            Ok(Received::Partly { next_offset }) => Ok(SnapshotReport::Stored(part.id, next_offset)),
            Ok(Received::Whole { id }) => match storage::load(&mut self.snapshots, id) {
                Ok(image) => Ok(SnapshotReport::Received(id, Box::new(image))),
                Err(SnapshotError::Failed(failure)) => Err(failure.to_string()),
                Err(_) => Ok(SnapshotReport::Stored(part.id, 0)),
            },
            Err(SnapshotError::Failed(failure)) => Err(failure.to_string()),
            Err(_) => Ok(SnapshotReport::Stored(part.id, 0)),
        }
    }
}

fn built<T>(
    result: Result<T, SnapshotError>,
    report: impl FnOnce(T) -> SnapshotReport,
) -> Result<Option<SnapshotReport>, String> {
    match result {
        Ok(value) => Ok(Some(report(value))),
        Err(SnapshotError::Failed(failure)) => Err(failure.to_string()),
        Err(_) => Ok(Some(SnapshotReport::NotTaken)),
    }
}
