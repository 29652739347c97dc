//! When a snapshot is taken, and how far it is.
//!
//! A new one is due when the log has grown by as much as the last one took, but at least by a set number of
//! bytes: so what is written for snapshots stays below what is written for the log, and what a restart has
//! to read stays in proportion to what there is.

use super::snapshot_thread::SnapshotOrder;
use crate::replica::Replica;

/// The state of snapshot taking.
#[derive(Debug)]
pub(super) struct Imaging {
    /// The least number of bytes between two.
    floor: u64,
    /// How much log there was when the last one was begun.
    begun_at: u64,
    /// How much of it there is.
    written: u64,
    last_bytes: u64,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Idle,
    /// The thread has something to write.
    Busy,
    /// The thread waits for the next block.
    Waiting,
}

impl Imaging {
    pub(super) fn new(floor: u64, last_bytes: u64) -> Imaging {
        Imaging { floor, begun_at: 0, written: 0, last_bytes, stage: Stage::Idle }
    }

    /// So many bytes of log have been written in all.
    pub(super) fn note_written(&mut self, bytes: u64) {
        self.written = bytes;
    }

    /// The next order for the snapshots' thread, if there is one now.
    pub(super) fn next(&mut self, replica: &mut Replica) -> Option<SnapshotOrder> {
        match self.stage {
            Stage::Busy => None,
            Stage::Idle if self.written - self.begun_at < self.floor.max(self.last_bytes) => None,
            Stage::Idle => {
                self.begun_at = self.written;
                self.stage = Stage::Busy;
                Some(SnapshotOrder::Begin(replica.begin_image()))
            }
            Stage::Waiting => {
                self.stage = Stage::Busy;
                Some(replica.next_image_block().map_or(SnapshotOrder::Finish, SnapshotOrder::Block))
            }
        }
    }

    /// The thread can take the next block.
    pub(super) fn ready(&mut self) {
        if self.stage == Stage::Busy {
            self.stage = Stage::Waiting;
        }
    }

    /// The snapshot is durable.
    pub(super) fn taken(&mut self, bytes: u64) {
        self.last_bytes = bytes;
        self.stage = Stage::Idle;
    }

    /// It came to nothing: another will be tried when the log has grown by as much again.
    pub(super) fn stopped(&mut self, replica: &mut Replica) {
        replica.abandon_image();
        self.stage = Stage::Idle;
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.stage != Stage::Idle
    }
}
