//! When a snapshot is taken, and how far it is.
//!
//! A new one is due when the log has grown by as much as the last one took, but at least by a set number of
//! bytes: so what is written for snapshots stays below what is written for the log, and what a restart has
//! to read stays in proportion to what there is.

use super::snapshot_keeper::{SnapshotOrder, SnapshotReport};
use crate::raft::Position;
use crate::replica::{Now, Replica};
use crate::storage::Image;

/// The state of snapshot taking.
#[derive(Debug)]
pub struct Imaging {
    /// The least number of bytes between two.
    floor: u64,
    /// How much log there was when the last one was begun.
    begun_at: u64,
    /// How much of it there is.
    written: u64,
    last_bytes: u64,
    /// Up to where the one under way stands for everything: its name in reports.
    last: Position,
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
    /// None is under way; the last one took so many bytes.
    pub fn new(floor: u64, last_bytes: u64) -> Imaging {
        Imaging { floor, begun_at: 0, written: 0, last_bytes, last: Position::default(), stage: Stage::Idle }
    }

    /// So many bytes of log have been written in all.
    pub fn note_written(&mut self, bytes: u64) {
        self.written = bytes;
    }

    /// The next order for the snapshots' thread, if there is one now.
    pub fn next(&mut self, replica: &mut Replica) -> Option<SnapshotOrder> {
        match self.stage {
            Stage::Busy => None,
            Stage::Idle if self.written - self.begun_at < self.floor.max(self.last_bytes) => None,
            // A replica that has just started does not know yet what of its log is committed.
            Stage::Idle if replica.status().applied <= replica.status().snapshot => None,
            Stage::Idle => {
                self.begun_at = self.written;
                self.stage = Stage::Busy;
                self.last = replica.begin_image();
                Some(SnapshotOrder::Begin(self.last, replica.applied_membership().clone()))
            }
            Stage::Waiting => {
                self.stage = Stage::Busy;
                Some(replica.next_image_block().map_or(SnapshotOrder::Finish, SnapshotOrder::Block))
            }
        }
    }

    /// Takes what the thread has reported, and gives what it is to be told at once, if anything.
    pub fn take_report(
        &mut self,
        now: Now,
        replica: &mut Replica,
        report: SnapshotReport,
    ) -> Option<SnapshotOrder> {
        match report {
            SnapshotReport::Ready => self.ready(),
            SnapshotReport::Taken(id, keep_after) => {
                self.taken(id.last, id.bytes);
                replica.took_snapshot(id, keep_after);
            }
            SnapshotReport::NotTaken(last) => self.stopped(last, replica),
            SnapshotReport::Read { to, id, offset, bytes } => {
                replica.fetched_part(now, to, id, offset, bytes);
            }
            SnapshotReport::Stored(id, offset) => replica.stored_part(id, offset),
            SnapshotReport::Received(id, image) => {
                let was_given_up = self.give_up(replica);
                self.taken(id.last, id.bytes);
                let Image { store, membership } = *image;
                replica.install(id, store, membership);
                return was_given_up.then_some(SnapshotOrder::Abandon);
            }
        }
        None
    }

    /// The thread can take the next block.
    fn ready(&mut self) {
        if self.stage == Stage::Busy {
            self.stage = Stage::Waiting;
        }
    }

    /// A snapshot of so many bytes up to `last` is durable. It may be one that was given up too late.
    fn taken(&mut self, last: Position, bytes: u64) {
        self.last_bytes = bytes;
        if last == self.last {
            self.stage = Stage::Idle;
        }
    }

    /// The one up to `last` came to nothing: another is tried when the log has grown by as much again.
    fn stopped(&mut self, last: Position, replica: &mut Replica) {
        if last == self.last && self.is_under_way() {
            replica.abandon_image();
            self.stage = Stage::Idle;
        }
    }

    /// Gives up the one under way, if one is. Answers whether one was.
    fn give_up(&mut self, replica: &mut Replica) -> bool {
        let was_under_way = self.is_under_way();
        self.stopped(self.last, replica);
        was_under_way
    }

    /// Whether one is under way.
    pub fn is_under_way(&self) -> bool {
        self.stage != Stage::Idle
    }
}
