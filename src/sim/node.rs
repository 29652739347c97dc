//! One node: a real replica on a real log and real snapshots, on two simulated disks.
//!
//! Of the server's three threads it has the work and not the waiting. Whoever owns a node calls it in any
//! order and at any pace: [`Life::flush`] and [`Life::hand_out`] make a turn, [`Life::work_on_log`] and
//! [`Life::work_on_snapshots`] are steps of the other two threads, and what those report is handed in with
//! [`Life::take_log_report`] and [`Life::take_snapshot_report`] whenever it is to arrive.
//!
//! A node that is killed loses its [`Life`] and keeps its disks; [`Node::start`] is what a process does.

use std::collections::VecDeque;
use std::io;

use crate::disk::{SimDisk, Survival};
use crate::keepers::{
    IDLE, Imaging, LogKeeper, LogOrder, LogReport, SnapshotKeeper, SnapshotOrder, SnapshotReport,
};
use crate::limits::MAILBOX_BATCHES_MAX;
use crate::raft::{Config, Envelope, Fetch, Instant, Recovered, Wanted};
use crate::replica::{Event, Now, Output, Replica};
use crate::storage::{Storage, StorageError};
use crate::wal::{self, Identity, OpenError, Options};

/// Everything that a node is told.
#[derive(Clone, Debug)]
pub struct Make {
    /// What the consensus core is told.
    pub config: Config,
    /// Whose directory it is.
    pub identity: Identity,
    /// Sizes of the log.
    pub options: Options,
    /// The least number of bytes of log between two snapshots.
    pub snapshot_bytes: u64,
    /// How much of a snapshot one message carries.
    pub chunk_bytes: usize,
    /// How much of the log is read back for a follower at a time.
    pub read_back_bytes: usize,
}

/// A node, alive or not.
pub struct Node {
    /// What it is told at each start.
    pub make: Make,
    /// Where its log is.
    pub log_disk: SimDisk,
    /// Where its snapshots are.
    pub snapshot_disk: SimDisk,
    /// Its process, while there is one.
    pub life: Option<Life>,
}

/// A process.
pub struct Life {
    /// Consensus, store, and who waits.
    pub replica: Replica,
    /// What the log's thread has.
    pub log: LogKeeper<SimDisk>,
    /// Its mailbox.
    pub log_mail: VecDeque<LogOrder>,
    /// What the snapshots' thread has.
    pub snapshots: SnapshotKeeper<SimDisk>,
    /// Its mailbox.
    pub snapshot_mail: VecDeque<SnapshotOrder>,
    imaging: Imaging,
    output: Output,
    is_full: bool,
}

impl Node {
    /// A node with empty disks.
    pub fn new(make: Make) -> Node {
        Node { make, log_disk: SimDisk::new(), snapshot_disk: SimDisk::new(), life: None }
    }

    /// Makes its log, as the first start of a new node does. What a crash left of an earlier attempt is no
    /// obstacle.
    ///
    /// # Errors
    ///
    /// As of [`wal::create`].
    pub fn format(&self) -> Result<(), OpenError> {
        wal::create(self.log_disk.clone(), self.make.identity, self.make.options).map(drop)
    }

    /// Opens its storage: all that a start does before anything is served.
    ///
    /// # Errors
    ///
    /// A [`StorageError`]; then no process has come of it.
    pub fn open(&self) -> Result<Storage<SimDisk>, StorageError> {
        open(&self.make, self.log_disk.clone(), self.snapshot_disk.clone())
    }

    /// What the disks would give back after a power cut now that leaves nothing but what is durable. The
    /// disks themselves stay as they are.
    ///
    /// # Errors
    ///
    /// A [`StorageError`]; a correct node never lets it come to that.
    pub fn durable(&self) -> Result<Storage<SimDisk>, StorageError> {
        self.durable_with(|_, _| ())
    }

    /// The same if that happened to the log's disk and the snapshots' while power was off.
    ///
    /// # Errors
    ///
    /// A [`StorageError`].
    pub fn durable_with(
        &self,
        accident: impl FnOnce(&SimDisk, &SimDisk),
    ) -> Result<Storage<SimDisk>, StorageError> {
        let (log, snapshots) = (self.log_disk.fork(), self.snapshot_disk.fork());
        for disk in [&log, &snapshots] {
            disk.set_capacity(None);
            disk.cut_power(Survival::Nothing);
        }
        accident(&log, &snapshots);
        open(&self.make, log, snapshots)
    }

    /// Begins a life with what was found. Answers what the core began with.
    pub fn begin(&mut self, storage: Storage<SimDisk>, now: Instant, seed: u64) -> Recovered {
        let Storage { recovered, store, writer, snapshots, .. } = storage;
        let last_bytes = recovered.snapshot.map_or(0, |snapshot| snapshot.bytes);
        self.life = Some(Life {
            replica: Replica::new(self.make.config.clone(), recovered.clone(), store, now, seed),
            log: LogKeeper::new(writer, self.make.read_back_bytes),
            log_mail: VecDeque::new(),
            snapshots: SnapshotKeeper::new(snapshots, self.make.chunk_bytes),
            snapshot_mail: VecDeque::new(),
            imaging: Imaging::new(self.make.snapshot_bytes, last_bytes),
            output: Output::default(),
            is_full: false,
        });
        recovered
    }

    /// Starts its process.
    ///
    /// # Errors
    ///
    /// As of [`Node::open`].
    pub fn start(&mut self, now: Instant, seed: u64) -> Result<Recovered, StorageError> {
        let storage = self.open()?;
        Ok(self.begin(storage, now, seed))
    }
}

fn open(make: &Make, log: SimDisk, snapshots: SimDisk) -> Result<Storage<SimDisk>, StorageError> {
    Storage::open(log, snapshots, make.identity, make.options)
}

impl Life {
    /// Takes an event; its consequences show in the next turn.
    pub fn hear(&mut self, now: Now, event: Event) {
        self.replica.on(now, event);
    }

    /// Whether the log has no space: writes of clients are refused at the door then.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether a snapshot is being taken.
    pub fn is_imaging(&self) -> bool {
        self.imaging.is_under_way()
    }

    /// Takes what the log's thread has reported.
    pub fn take_log_report(&mut self, now: Now, report: LogReport) {
        match report {
            LogReport::Written { receipt, envelopes, bytes } => {
                self.replica.durable(receipt);
                self.output.peers.extend(envelopes);
                self.imaging.note_written(bytes);
            }
            LogReport::Read(to, first, stretch) => self.replica.fetched_entries(now, to, first, stretch),
            LogReport::Full => self.is_full = true,
            LogReport::Room => self.is_full = false,
        }
    }

    /// Takes what the snapshots' thread has reported.
    pub fn take_snapshot_report(&mut self, now: Now, report: SnapshotReport) {
        self.snapshot_mail.extend(self.imaging.take_report(now, &mut self.replica, report));
    }

    /// Whether the log's mailbox has no room: then nothing new is flushed.
    pub fn is_choked(&self) -> bool {
        self.log_mail.len() >= MAILBOX_BATCHES_MAX
    }

    /// Whether the log's thread has anything to do.
    pub fn has_log_work(&self) -> bool {
        !self.log_mail.is_empty() || self.log.pause() < IDLE
    }

    /// The log's thread empties its mailbox: what arrives from here on waits for the step after the next.
    pub fn begin_log_work(&mut self) {
        self.log_mail.drain(..).for_each(|order| self.log.take(order));
    }

    /// A step of the log's thread.
    ///
    /// # Errors
    ///
    /// What the disk said. The process ends with that, and nothing that depended on it was reported.
    pub fn work_on_log(&mut self) -> io::Result<Vec<LogReport>> {
        let mut reports = Vec::new();
        self.log.work(&mut |report| reports.push(report))?;
        Ok(reports)
    }

    /// A step of the snapshots' thread.
    ///
    /// # Errors
    ///
    /// As of [`Life::work_on_log`].
    pub fn work_on_snapshots(&mut self) -> io::Result<Option<SnapshotReport>> {
        self.snapshot_mail.pop_front().map_or(Ok(None), |order| self.snapshots.work(order))
    }

    /// The replica's part of a turn. What comes out has not been handed to anybody.
    pub fn flush(&mut self, now: Now) -> Output {
        if !self.is_choked() {
            self.replica.turn(now, &mut self.output);
        }
        std::mem::take(&mut self.output)
    }

    /// The rest of a turn: the other two threads get what is theirs. Answers and messages are left.
    pub fn hand_out(&mut self, output: &mut Output) {
        if let Some(write) = output.write.take() {
            self.log_mail.push_back(LogOrder::Write(write));
        }
        for Fetch { to, wanted } in output.fetches.drain(..) {
            match wanted {
                Wanted::Entries(first) => self.log_mail.push_back(LogOrder::Read(to, first)),
                Wanted::Part(id, offset) => {
                    self.snapshot_mail.push_back(SnapshotOrder::Read { to, id, offset });
                }
            }
        }
        for part in output.parts.drain(..) {
            self.snapshot_mail.push_back(SnapshotOrder::Store(part));
        }
        if let Some(order) = self.imaging.next(&mut self.replica) {
            self.snapshot_mail.push_back(order);
        }
    }

    /// A whole turn in which both threads do all they can at once and every report is taken: for whoever
    /// plays a script and no time. Answers go to `replies`, messages are answered.
    ///
    /// # Errors
    ///
    /// What the disk said: the process is over. What had left before is in `replies` and `sent`.
    pub fn settle(
        &mut self,
        now: Now,
        replies: &mut Vec<crate::replica::Reply>,
        sent: &mut Vec<Envelope>,
    ) -> io::Result<()> {
        loop {
            let mut output = self.flush(now);
            self.hand_out(&mut output);
            replies.append(&mut output.replies);
            sent.append(&mut output.peers);
            let mut is_idle = true;
            if self.has_log_work() {
                is_idle = false;
                self.begin_log_work();
                for report in self.work_on_log()? {
                    self.take_log_report(now, report);
                }
            }
            if !self.snapshot_mail.is_empty() {
                is_idle = false;
                if let Some(report) = self.work_on_snapshots()? {
                    self.take_snapshot_report(now, report);
                }
            }
            if is_idle {
                return Ok(());
            }
        }
    }
}
