//! The thread that waits for the disk, so that nobody else has to.
//!
//! It takes whatever has arrived, writes it with one sync, and hands out what had to wait for that: the
//! envelopes to the network, the receipt to the replica. While one sync is under way the next batch gathers
//! by itself. When nothing has arrived it prepares the next segment. Between two batches it reads back a
//! stretch of the log for a follower that is behind, one at a time, so that writes never wait for long.
//!
//! A full disk is no error yet: nothing of the batch has been written, so it waits for space and says so
//! meanwhile. Any other error ends the process: what the disk holds is unknown then, and the other replicas
//! are built to survive the loss of one (D5).

use std::collections::VecDeque;
use std::io;

use log::{info, warn};

use crate::disk::Disk;
use crate::limits::READ_BACK_BYTES;
use crate::raft::{Envelope, Index, LogWrite, NodeId, Receipt, Span, Stretch};
use crate::runtime::{Address, Clock, Gone, Mailbox};
use crate::wal::{ReadError, Spare, WriteError, Writer};

use super::report::Report;

/// How often a full disk is tried again.
const FULL_RETRY: Span = Span::milliseconds(200);

/// How long the thread sleeps at most when there is nothing to do.
const IDLE: Span = Span::milliseconds(3_600_000);

/// What the node asks of the log's thread.
#[derive(Debug)]
pub(super) enum LogOrder {
    /// Make this durable.
    Write(LogWrite),
    /// Read entries back for a follower, from this index on.
    Read(NodeId, Index),
}

/// What the log's thread reports.
#[derive(Debug)]
pub(super) enum LogReport {
    /// This write, and with it every earlier one, is durable; the envelopes may leave.
    Written {
        /// The write.
        receipt: Receipt,
        /// What had to wait for it.
        envelopes: Vec<Envelope>,
        /// How much log has been written in all, in bytes.
        bytes: u64,
    },
    /// What the files hold, for a follower; `None`: they begin later.
    Read(NodeId, Index, Option<Stretch>),
    /// There is no space for more; what has been handed over waits.
    Full,
    /// There is space again.
    Room,
}

/// The log's actor.
pub(super) struct LogThread<D: Disk> {
    writer: Writer<D>,
    inbox: Mailbox<LogOrder>,
    node: Address<Report>,
    clock: Clock,
    waiting: Vec<LogWrite>,
    reads: VecDeque<(NodeId, Index)>,
    is_full: bool,
    spare_is_ready: bool,
}

impl<D: Disk> LogThread<D> {
    /// An actor that takes writes from `inbox` and reports to `node`.
    pub(super) fn new(
        writer: Writer<D>,
        inbox: Mailbox<LogOrder>,
        node: Address<Report>,
        clock: Clock,
    ) -> Self {
        let (waiting, reads) = (Vec::new(), VecDeque::new());
        LogThread { writer, inbox, node, clock, waiting, reads, is_full: false, spare_is_ready: false }
    }

    /// Works until the node is gone.
    ///
    /// # Errors
    ///
    /// The disk's. Nothing that depends on it has been reported.
    pub(super) fn run(mut self) -> io::Result<()> {
        loop {
            let orders: Vec<LogOrder> = self.inbox.drain().collect();
            orders.into_iter().for_each(|order| self.take(order));
            let outcome = match (self.waiting.is_empty(), self.spare_is_ready) {
                (false, _) => self.write(),
                (true, false) => self.prepare(),
                (true, true) => Ok(()),
            };
            if let Err(error) = outcome {
                self.endure(error)?;
            }
            self.read()?;
            if self.rest() == Err(Gone) {
                return Ok(());
            }
        }
    }

    fn take(&mut self, order: LogOrder) {
        match order {
            LogOrder::Write(write) => self.waiting.push(write),
            LogOrder::Read(to, first) => self.reads.push_back((to, first)),
        }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        let durable = self.writer.write(&mut self.waiting)?;
        self.spare_is_ready = false;
        self.has_room();
        self.report(LogReport::Written {
            receipt: durable.receipt,
            envelopes: durable.then_send,
            bytes: self.writer.written(),
        });
        Ok(())
    }

    /// Reads one stretch back, if anybody waits for one.
    fn read(&mut self) -> io::Result<()> {
        let Some((to, first)) = self.reads.pop_front() else { return Ok(()) };
        let stretch = match self.writer.read(first, READ_BACK_BYTES) {
            Ok(stretch) => Some(stretch),
            Err(ReadError::Gone { .. }) => None,
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        self.report(LogReport::Read(to, first, stretch));
        Ok(())
    }

    fn prepare(&mut self) -> Result<(), WriteError> {
        self.spare_is_ready = self.writer.prepare()? == Spare::Ready;
        if self.spare_is_ready {
            self.has_room();
        }
        Ok(())
    }
}

impl<D: Disk> LogThread<D> {
    /// A full disk is waited out; anything else is the end.
    fn endure(&mut self, error: WriteError) -> io::Result<()> {
        match error {
            WriteError::Failed(failure) => Err(io::Error::other(format!(
                "the log failed ({failure}); nothing that rests on it was acknowledged. \
                 Check the disk, then start again"
            ))),
            WriteError::Full { bytes } => {
                if !self.is_full {
                    warn!(
                        "the disk is full: the log needs {bytes} more bytes. \
                         Writes are refused until there is space"
                    );
                    self.is_full = true;
                    self.report(LogReport::Full);
                }
                Ok(())
            }
        }
    }

    fn has_room(&mut self) {
        if self.is_full {
            info!("there is space for the log again");
            self.is_full = false;
            self.report(LogReport::Room);
        }
    }

    /// Waits for the next write; for a moment only while there is something to try again.
    fn rest(&mut self) -> Result<(), Gone> {
        let is_idle = self.waiting.is_empty() && self.spare_is_ready && self.reads.is_empty();
        let pause = match (self.is_full, is_idle) {
            (true, _) => FULL_RETRY,
            (false, true) => IDLE,
            (false, false) => Span(0),
        };
        let deadline = self.clock.real(self.clock.now() + pause);
        if let Some(order) = self.inbox.receive(deadline)? {
            self.take(order);
        }
        Ok(())
    }

    /// The node takes reports as fast as they come; should it be gone, `rest` finds out.
    fn report(&self, report: LogReport) {
        let _ = self.node.send(Report::Log(report));
    }
}
