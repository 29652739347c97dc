//! A thread for the snapshots' keeper, so that nobody has to wait for its long work.

use std::io;

use super::report::Report;
use crate::disk::Disk;
use crate::keepers::{IDLE, SnapshotKeeper, SnapshotOrder};
use crate::runtime::{Address, Clock, Gone, Mailbox};

/// The snapshots' actor.
pub(super) struct SnapshotThread<D: Disk> {
    keeper: SnapshotKeeper<D>,
    inbox: Mailbox<SnapshotOrder>,
    node: Address<Report>,
    clock: Clock,
}

impl<D: Disk> SnapshotThread<D> {
    /// An actor that takes orders from `inbox` and reports to `node`.
    pub(super) fn new(
        keeper: SnapshotKeeper<D>,
        inbox: Mailbox<SnapshotOrder>,
        node: Address<Report>,
        clock: Clock,
    ) -> SnapshotThread<D> {
        SnapshotThread { keeper, inbox, node, clock }
    }

    /// Works until the node is gone.
    ///
    /// # Errors
    ///
    /// The disk's, unless it is only full.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            match self.inbox.receive(self.clock.real(self.clock.now() + IDLE)) {
                Ok(Some(order)) => {
                    if let Some(report) = self.keeper.work(order)? {
                        // Should the node be gone, `receive` finds out.
                        let _ = self.node.send(Report::Snapshot(report));
                    }
                }
                Ok(None) => {}
                Err(Gone) => return Ok(()),
            }
        }
    }
}
