//! What the log's thread does, one step at a time and without the thread: the same orders come in, the same
//! reports go out, and its owner decides how long each step takes.

use std::collections::VecDeque;

use crate::disk::SimDisk;
use crate::raft::{Envelope, Index, LogWrite, NodeId, Receipt, Stretch};
use crate::wal::{ReadError, Spare, WriteError, Writer};

/// What the log reports to its node.
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
    /// What the files hold for a follower, from this index on; `None`: they begin later.
    Read(NodeId, Index, Option<Stretch>),
    /// There is no space for more; what has been handed over waits.
    Full,
    /// There is space again.
    Room,
}

/// The log's part in a node.
pub struct LogRole {
    writer: Writer<SimDisk>,
    /// Orders that lie in the mailbox.
    arrived: Vec<LogWrite>,
    /// Those that have been taken out of it.
    waiting: Vec<LogWrite>,
    reads: VecDeque<(NodeId, Index)>,
    read_back_bytes: usize,
    is_full: bool,
    spare_is_ready: bool,
}

impl LogRole {
    /// A role that owns this writer and reads back so many bytes for a follower at a time.
    pub fn new(writer: Writer<SimDisk>, read_back_bytes: usize) -> LogRole {
        LogRole {
            writer,
            arrived: Vec::new(),
            waiting: Vec::new(),
            reads: VecDeque::new(),
            read_back_bytes,
            is_full: false,
            spare_is_ready: false,
        }
    }

    /// A write is handed over.
    pub fn order(&mut self, write: LogWrite) {
        self.arrived.push(write);
    }

    /// A follower needs entries from this index on.
    pub fn order_read(&mut self, to: NodeId, first: Index) {
        self.reads.push_back((to, first));
    }

    /// How many writes lie in the mailbox.
    pub fn unread(&self) -> usize {
        self.arrived.len()
    }

    /// Whether the last step found no space.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether a write waits, so that the next step has to sync.
    pub fn has_writes(&self) -> bool {
        !self.arrived.is_empty() || !self.waiting.is_empty()
    }

    /// Whether there is anything to do.
    pub fn has_work(&self) -> bool {
        self.has_writes() || !self.spare_is_ready || !self.reads.is_empty()
    }

    /// Takes out of the mailbox what the next step is about. What arrives later waits for the step after it.
    pub fn begin(&mut self) {
        self.waiting.append(&mut self.arrived);
    }

    /// One round of the thread's loop: a batch, or a step towards the next segment; then one read.
    ///
    /// # Errors
    ///
    /// What the disk said. The process ends with that, and nothing that depended on it was reported.
    pub fn work(&mut self) -> Result<Vec<LogReport>, String> {
        let mut reports = Vec::new();
        let outcome = match (self.waiting.is_empty(), self.spare_is_ready) {
            (false, _) => self.write(&mut reports),
            (true, false) => self.prepare(&mut reports),
            (true, true) => Ok(()),
        };
        match outcome {
            Ok(()) => {}
            Err(WriteError::Failed(failure)) => return Err(failure.to_string()),
            Err(WriteError::Full { .. }) if self.is_full => {}
            Err(WriteError::Full { .. }) => {
                self.is_full = true;
                reports.push(LogReport::Full);
            }
        }
        self.read(&mut reports)?;
        Ok(reports)
    }

    fn write(&mut self, reports: &mut Vec<LogReport>) -> Result<(), WriteError> {
        let durable = self.writer.write(&mut self.waiting)?;
        self.spare_is_ready = false;
        self.has_room(reports);
        let (receipt, envelopes) = (durable.receipt, durable.then_send);
        reports.push(LogReport::Written { receipt, envelopes, bytes: self.writer.written() });
        Ok(())
    }

    fn prepare(&mut self, reports: &mut Vec<LogReport>) -> Result<(), WriteError> {
        self.spare_is_ready = self.writer.prepare()? == Spare::Ready;
        if self.spare_is_ready {
            self.has_room(reports);
        }
        Ok(())
    }

    fn has_room(&mut self, reports: &mut Vec<LogReport>) {
        if std::mem::take(&mut self.is_full) {
            reports.push(LogReport::Room);
        }
    }

    fn read(&mut self, reports: &mut Vec<LogReport>) -> Result<(), String> {
        let Some((to, first)) = self.reads.pop_front() else { return Ok(()) };
        let stretch = match self.writer.read(first, self.read_back_bytes) {
            Ok(stretch) => Some(stretch),
            Err(ReadError::Gone { .. }) => None,
            Err(error) => return Err(error.to_string()),
        };
        reports.push(LogReport::Read(to, first, stretch));
        Ok(())
    }
}
