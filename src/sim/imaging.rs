//! When a node takes a snapshot, and how far that is: the rules of the server's node.

use super::snapshot_role::SnapshotOrder;
use crate::replica::Replica;

/// The state of snapshot taking.
#[derive(Debug)]
pub(super) struct Imaging {
    /// The least number of bytes of log between two.
    floor: u64,
    /// How much log there was when the last one was begun, and how much there is.
    begun_at: u64,
    written: u64,
    last_bytes: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// Something is being written.
    Busy,
    /// The next block is wanted.
    Waiting,
}

impl Imaging {
    pub(super) fn new(floor: u64, last_bytes: u64) -> Imaging {
        Imaging { floor, begun_at: 0, written: 0, last_bytes, stage: Stage::Idle }
    }

    pub(super) fn note_written(&mut self, bytes: u64) {
        self.written = bytes;
    }

    /// The next order, if there is one now.
    pub(super) fn next(&mut self, replica: &mut Replica) -> Option<SnapshotOrder> {
        match self.stage {
            Stage::Busy => None,
            Stage::Idle if self.written - self.begun_at < self.floor.max(self.last_bytes) => None,
            Stage::Idle if replica.status().applied <= replica.status().snapshot => None,
            Stage::Idle => {
                self.begun_at = self.written;
                self.stage = Stage::Busy;
                let last = replica.begin_image();
                Some(SnapshotOrder::Begin(last, replica.applied_membership().clone()))
            }
            Stage::Waiting => {
                self.stage = Stage::Busy;
                Some(replica.next_image_block().map_or(SnapshotOrder::Finish, SnapshotOrder::Block))
            }
        }
    }

    pub(super) fn ready(&mut self) {
        if self.stage == Stage::Busy {
            self.stage = Stage::Waiting;
        }
    }

    pub(super) fn taken(&mut self, bytes: u64) {
        self.last_bytes = bytes;
        self.stage = Stage::Idle;
    }

    pub(super) fn stopped(&mut self, replica: &mut Replica) {
        replica.abandon_image();
        self.stage = Stage::Idle;
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.stage != Stage::Idle
    }
}
