//! A thread for the log's keeper, so that nobody else has to wait for the disk.

use std::io;
use std::thread;

use super::idle::Vigil;
use super::report::Report;
use crate::disk::Disk;
use crate::keepers::{LogKeeper, LogOrder};
use crate::raft::Span;
use crate::runtime::{Address, Clock, Gone, Mailbox};

/// The log's actor.
pub(super) struct LogThread<D: Disk> {
    keeper: LogKeeper<D>,
    inbox: Mailbox<LogOrder>,
    node: Address<Report>,
    clock: Clock,
    vigil: Vigil,
}

impl<D: Disk> LogThread<D> {
    /// An actor that takes orders from `inbox` and reports to `node`.
    pub(super) fn new(
        keeper: LogKeeper<D>,
        inbox: Mailbox<LogOrder>,
        node: Address<Report>,
        clock: Clock,
    ) -> Self {
        LogThread { keeper, inbox, node, clock, vigil: Vigil::default() }
    }

    /// Works until the node is gone.
    ///
    /// # Errors
    ///
    /// The disk's. Nothing that depends on it has been reported.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            self.inbox.drain().for_each(|order| self.keeper.take(order));
            self.vigil.meet(self.keeper.waiting_entries());
            let node = &self.node;
            // The node takes reports as fast as they come; should it be gone, `receive` finds out.
            self.keeper.work(&mut |report| drop(node.send(Report::Log(report))))?;
            match self.next() {
                Ok(Some(order)) => self.keeper.take(order),
                Ok(None) => {}
                Err(Gone) => return Ok(()),
            }
        }
    }

    /// Waits for an order for as long as there is nothing else to do; as the node waits, it looks first. What
    /// it then sees stays where it is.
    fn next(&mut self) -> Result<Option<LogOrder>, Gone> {
        let pause = self.keeper.pause();
        if pause > Span(0) {
            for _ in 0..self.vigil.looks() {
                if !self.inbox.is_empty() {
                    return Ok(None);
                }
                thread::yield_now();
            }
        }
        self.inbox.receive(self.clock.real(self.clock.now() + pause))
    }
}
