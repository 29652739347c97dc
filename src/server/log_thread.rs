//! The thread that waits for the disk, so that nobody else has to.
//!
//! It takes whatever has arrived, writes it with one sync, and hands out what had to wait for that: the
//! envelopes to the network, the receipt to the replica. While one sync is under way the next batch gathers
//! by itself. When nothing has arrived it prepares the next segment.
//!
//! A full disk is no error yet: nothing of the batch has been written, so it waits for space and says so
//! meanwhile. Any other error ends the process: what the disk holds is unknown then, and the other replicas
//! are built to survive the loss of one (D5).

use std::io;

use log::{info, warn};

use crate::disk::Disk;
use crate::raft::{Envelope, LogWrite, Receipt, Span};
use crate::runtime::{Address, Clock, Gone, Mailbox};
use crate::wal::{Spare, WriteError, Writer};

/// How often a full disk is tried again.
const FULL_RETRY: Span = Span::milliseconds(200);

/// How long the thread sleeps at most when there is nothing to do.
const IDLE: Span = Span::milliseconds(3_600_000);

/// What the log's thread reports.
#[derive(Debug)]
pub enum LogReport {
    /// This write, and with it every earlier one, is durable; the envelopes may leave.
    Written(Receipt, Vec<Envelope>),
    /// There is no space for more; what has been handed over waits.
    Full,
    /// There is space again.
    Room,
}

/// The log's actor.
pub struct LogThread<D: Disk> {
    writer: Writer<D>,
    inbox: Mailbox<LogWrite>,
    node: Address<LogReport>,
    clock: Clock,
    waiting: Vec<LogWrite>,
    is_full: bool,
    spare_is_ready: bool,
}

impl<D: Disk> LogThread<D> {
    /// An actor that takes writes from `inbox` and reports to `node`.
    pub fn new(writer: Writer<D>, inbox: Mailbox<LogWrite>, node: Address<LogReport>, clock: Clock) -> Self {
        let (waiting, is_full, spare_is_ready) = (Vec::new(), false, false);
        LogThread { writer, inbox, node, clock, waiting, is_full, spare_is_ready }
    }

    /// Works until the node is gone.
    ///
    /// # Errors
    ///
    /// The disk's. Nothing that depends on it has been reported.
    pub fn run(mut self) -> io::Result<()> {
        loop {
            self.waiting.extend(self.inbox.drain());
            let outcome = match (self.waiting.is_empty(), self.spare_is_ready) {
                (false, _) => self.write(),
                (true, false) => self.prepare(),
                (true, true) => Ok(()),
            };
            if let Err(error) = outcome {
                self.endure(error)?;
            }
            if self.rest() == Err(Gone) {
                return Ok(());
            }
        }
    }

    fn write(&mut self) -> Result<(), WriteError> {
        let durable = self.writer.write(&mut self.waiting)?;
        self.spare_is_ready = false;
        self.has_room();
        self.report(LogReport::Written(durable.receipt, durable.then_send));
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
        let pause = match (self.is_full, self.waiting.is_empty() && self.spare_is_ready) {
            (true, _) => FULL_RETRY,
            (false, true) => IDLE,
            (false, false) => Span(0),
        };
        let deadline = self.clock.real(self.clock.now() + pause);
        self.waiting.extend(self.inbox.receive(deadline)?);
        Ok(())
    }

    /// The node takes reports as fast as they come; should it be gone, `rest` finds out.
    fn report(&self, report: LogReport) {
        let _ = self.node.send(report);
    }
}
