//! The one that waits for the disk, on whichever thread it runs.
//!
//! It takes whatever has been ordered, writes it with one sync, and reports what had to wait for that: the
//! envelopes to the network, the receipt to the replica. While one sync is under way the next batch gathers
//! by itself. When nothing has been ordered it prepares the next segment. Between two batches it reads back a
//! stretch of the log for a follower that is behind, one at a time, so that writes never wait for long.
//!
//! A full disk is no error yet: nothing of the batch has been written, so it waits for space and says so
//! meanwhile. Any other error ends the process: what the disk holds is unknown then, and the other replicas
//! are built to survive the loss of one (D5).

use std::collections::VecDeque;
use std::io;

use log::{info, warn};

use crate::disk::Disk;
use crate::raft::{Envelope, Index, LogWrite, NodeId, Receipt, Span, Stretch};
use crate::wal::{ReadError, Spare, WriteError, Writer};

/// How often a full disk is tried again.
const FULL_RETRY: Span = Span::milliseconds(200);

/// How long there may be nothing to do: a pause that only an order ends.
pub const IDLE: Span = Span::milliseconds(3_600_000);

/// What the node asks of the log's keeper.
#[derive(Debug)]
pub enum LogOrder {
    /// Make this durable.
    Write(LogWrite),
    /// Read entries back for a follower, from this index on.
    Read(NodeId, Index),
    /// Go on with what was begun elsewhere.
    GoOn,
}

/// What the log's keeper reports.
#[derive(Debug)]
pub enum LogReport {
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

/// A log and what is to be done with it.
pub struct LogKeeper<D: Disk> {
    writer: Writer<D>,
    waiting: Vec<LogWrite>,
    reads: VecDeque<(NodeId, Index)>,
    is_full: bool,
    /// Whether the last step was refused for lack of space. Once one is not, the steps that claim space
    /// follow on each other without a pause.
    is_stuck: bool,
    spare_is_ready: bool,
    /// How much is read back at a time.
    read_back_bytes: usize,
}

impl<D: Disk> LogKeeper<D> {
    /// The keeper of an opened log, which reads back so many bytes for a follower at a time.
    pub fn new(writer: Writer<D>, read_back_bytes: usize) -> LogKeeper<D> {
        LogKeeper {
            writer,
            waiting: Vec::new(),
            reads: VecDeque::new(),
            is_full: false,
            is_stuck: false,
            spare_is_ready: false,
            read_back_bytes,
        }
    }

    /// Takes an order, to be carried out by [`LogKeeper::work`].
    pub fn take(&mut self, order: LogOrder) {
        match order {
            LogOrder::Write(write) => self.waiting.push(write),
            LogOrder::Read(to, first) => self.reads.push_back((to, first)),
            LogOrder::GoOn => {}
        }
    }

    /// Carries out one batch, or one step towards the next segment, and one read.
    ///
    /// # Errors
    ///
    /// The disk's. Nothing that depends on it has been reported.
    pub fn work(&mut self, report: &mut impl FnMut(LogReport)) -> io::Result<()> {
        let outcome = match (self.waiting.is_empty(), self.spare_is_ready) {
            (false, _) => self.write(report),
            (true, false) => self.prepare(report),
            (true, true) => Ok(()),
        };
        self.is_stuck = outcome.is_err();
        if let Err(error) = outcome {
            self.endure(&error, report)?;
        }
        self.read(report)
    }

    /// Whether a write waits, so that the next step has to sync.
    pub fn has_writes(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many entries wait for the next step.
    pub fn waiting_entries(&self) -> usize {
        self.waiting.iter().map(LogWrite::entry_count).sum()
    }

    /// How long there is nothing to do unless something is ordered.
    pub fn pause(&self) -> Span {
        let is_idle = self.waiting.is_empty() && self.spare_is_ready && self.reads.is_empty();
        match (self.is_stuck, is_idle) {
            (true, _) => FULL_RETRY,
            (false, true) => IDLE,
            (false, false) => Span(0),
        }
    }

    fn write(&mut self, report: &mut impl FnMut(LogReport)) -> Result<(), WriteError> {
        let durable = self.writer.write(&mut self.waiting)?;
        self.spare_is_ready = self.writer.has_spare();
        self.has_room(report);
        report(LogReport::Written {
            receipt: durable.receipt,
            envelopes: durable.then_send,
            bytes: self.writer.written(),
        });
        Ok(())
    }

    fn prepare(&mut self, report: &mut impl FnMut(LogReport)) -> Result<(), WriteError> {
        self.spare_is_ready = self.writer.prepare()? == Spare::Ready;
        if self.spare_is_ready {
            self.has_room(report);
        }
        Ok(())
    }

    /// Reads one stretch back, if anybody waits for one.
    fn read(&mut self, report: &mut impl FnMut(LogReport)) -> io::Result<()> {
        let Some((to, first)) = self.reads.pop_front() else { return Ok(()) };
        let stretch = match self.writer.read(first, self.read_back_bytes) {
            Ok(stretch) => Some(stretch),
            Err(ReadError::Gone { .. }) => None,
            Err(error) => return Err(io::Error::other(error.to_string())),
        };
        report(LogReport::Read(to, first, stretch));
        Ok(())
    }

    /// A full disk is waited out; anything else is the end.
    fn endure(&mut self, error: &WriteError, report: &mut impl FnMut(LogReport)) -> io::Result<()> {
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
                    report(LogReport::Full);
                }
                Ok(())
            }
        }
    }

    fn has_room(&mut self, report: &mut impl FnMut(LogReport)) {
        if self.is_full {
            info!("there is space for the log again");
            self.is_full = false;
            report(LogReport::Room);
        }
    }
}
