//! A thread for the log's keeper, so that the node need not wait for the disk. Now and then it does so all
//! the same, see `log_seat`.

use std::io;
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;

use super::idle::Vigil;
use super::report::Report;
use crate::disk::Disk;
use crate::keepers::{LogKeeper, LogOrder};
use crate::raft::Span;
use crate::runtime::{Address, Clock, Gone, Mailbox};

/// The log's actor.
pub(super) struct LogThread<D: Disk> {
    keeper: Arc<Mutex<LogKeeper<D>>>,
    inbox: Mailbox<LogOrder>,
    node: Address<Report>,
    clock: Clock,
    vigil: Vigil,
}

impl<D: Disk> LogThread<D> {
    /// An actor that takes orders from `inbox` and reports to `node`.
    pub(super) fn new(
        keeper: Arc<Mutex<LogKeeper<D>>>,
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
        let mut first = None;
        loop {
            let pause = self.work(first.take())?;
            match self.next(pause) {
                Ok(order) => first = order,
                Err(Gone) => return Ok(()),
            }
        }
    }

    /// Does what has been ordered, and one step more. Answers how long there is nothing to do after that.
    fn work(&mut self, first: Option<LogOrder>) -> io::Result<Span> {
        let mut reports = Vec::new();
        let mut keeper = self.keeper.lock();
        first.into_iter().chain(self.inbox.drain()).for_each(|order| keeper.take(order));
        self.vigil.meet(keeper.waiting_entries());
        keeper.work(&mut |report| reports.push(report))?;
        let pause = keeper.pause();
        drop(keeper);
        // The node takes reports as fast as they come; should it be gone, `receive` finds out.
        reports.into_iter().for_each(|report| drop(self.node.send(Report::Log(report))));
        Ok(pause)
    }

    /// Waits for an order for as long as there is nothing else to do; as the node waits, it looks first. What
    /// it then sees stays where it is.
    fn next(&mut self, pause: Span) -> Result<Option<LogOrder>, Gone> {
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
