//! Where the log is kept: on a thread of its own, on the node's, or on whichever of the two it is done
//! sooner.
//!
//! A disk makes its caller wait, so the log has a thread of its own, and the node goes on meanwhile. But
//! where many clients ask for one little thing each, little is gained by that and more is lost: the thread
//! has to be woken for each batch, and the node for each report, while the processors have others to run. A
//! node that waits for the disk itself finds the next batch complete when it comes back. docs/benchmarks.md
//! has the figures. So with a thread there the node still keeps a batch to itself, and writes it at the end
//! of its turn, if
//!
//! * batches have many entries: a few clients are served quicker by two threads, which look for each other's
//!   work (see `idle`);
//! * the batch is short: a long one takes time to be put together, in which the node can do something else;
//! * the thread has nothing to do: nothing that was handed to it is still under way, and the log has an
//!   order;
//! * the disk has been quick of late: while the node waits it hears nobody, and sends no heartbeat.
//!
//! The keeper of the log is behind a lock, for which nobody waits: as long as the thread has nothing to do,
//! and is given nothing, the node has it to itself.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::disk::Disk;
use crate::keepers::{IDLE, LogKeeper, LogOrder, LogReport};
use crate::raft::{Index, Instant, LogWrite, NodeId, Receipt, Span, WriteSequence};
use crate::runtime::{Address as Mail, Clock, Undelivered};

/// So many entries in a batch are many.
const MANY: usize = 16;

/// So many writes it is remembered that one had many entries: they come in batches of all sizes.
const MEMORY: u32 = 8;

/// Longest batch that the node writes itself, in bytes of entries.
const SHORT_BYTES: usize = 16 << 10;

/// A disk is quick that takes no longer than this for a short batch.
const QUICK: Span = Span::milliseconds(2);

/// How many times as long as it took, when it was not quick, the thread writes everything after that. So the
/// node never waits for a slow disk for more than a fiftieth of its time.
const RESPITE_FACTOR: u64 = 50;

/// The log, as its node sees it.
pub(super) struct LogSeat<D: Disk> {
    keeper: Arc<Mutex<LogKeeper<D>>>,
    /// None: the node keeps the log alone.
    thread: Option<Mail<LogOrder>>,
    clock: Clock,
    /// Writes that a batch of many entries is remembered.
    crowded: u32,
    /// What the node writes itself at the end of this turn.
    own: Option<LogWrite>,
    /// The last write that was handed over and has not been reported.
    under_way: Option<WriteSequence>,
    /// Reads that were handed over and have not been reported.
    reading: usize,
    /// Until when the thread writes everything.
    respite: Instant,
}

impl<D: Disk> LogSeat<D> {
    /// The seat of this log, of which a thread takes orders too, if there is one.
    pub(super) fn new(
        keeper: Arc<Mutex<LogKeeper<D>>>,
        thread: Option<Mail<LogOrder>>,
        clock: Clock,
    ) -> LogSeat<D> {
        LogSeat {
            keeper,
            thread,
            clock,
            crowded: 0,
            own: None,
            under_way: None,
            reading: 0,
            respite: Instant(0),
        }
    }

    /// Takes a write.
    ///
    /// # Errors
    ///
    /// The write, when there is no room for it, or no thread any more.
    pub(super) fn write(&mut self, write: LogWrite) -> Result<(), Undelivered<LogOrder>> {
        assert!(self.own.is_none(), "one write a turn");
        let sequence = write.sequence;
        self.crowded = if write.entry_count() >= MANY { MEMORY } else { self.crowded.saturating_sub(1) };
        match &self.thread {
            Some(thread) if !self.may_write(&write) => {
                thread.try_send(LogOrder::Write(write))?;
                self.under_way = Some(sequence);
            }
            _ => self.own = Some(write),
        }
        Ok(())
    }

    /// Whether the node may write this itself though there is a thread.
    fn may_write(&self, write: &LogWrite) -> bool {
        self.crowded > 0
            && self.under_way.is_none()
            && self.reading == 0
            && self.respite <= self.clock.now()
            && write.start.is_none()
            && write.entry_bytes() <= SHORT_BYTES
            && self.keeper.try_lock().is_some_and(|keeper| keeper.pause() == IDLE)
    }

    /// Takes a wish to read entries back for a follower.
    ///
    /// # Errors
    ///
    /// As of [`LogSeat::write`].
    pub(super) fn read(&mut self, to: NodeId, first: Index) -> Result<(), Undelivered<LogOrder>> {
        match &self.thread {
            Some(thread) => thread.try_send(LogOrder::Read(to, first))?,
            None => self.keeper.lock().take(LogOrder::Read(to, first)),
        }
        self.reading += 1;
        Ok(())
    }

    /// A read has been reported.
    pub(super) fn has_read(&mut self) {
        self.reading -= 1;
    }

    /// Something that was handed over is durable.
    pub(super) fn written(&mut self, receipt: Receipt) {
        self.under_way = self.under_way.filter(|last| *last > receipt.0);
    }

    /// Does what the node has to do for the log. Last in a turn: what does not depend on the disk has left by
    /// then, and the other replicas write at the same time. Answers what there is to report.
    ///
    /// # Errors
    ///
    /// The disk's. Nothing that depends on it has been reported.
    pub(super) fn work(&mut self) -> io::Result<Vec<LogReport>> {
        let mut reports = Vec::new();
        if self.own.is_none() && self.thread.is_some() {
            return Ok(reports);
        }
        let began = self.clock.now();
        let mut keeper = self.keeper.lock();
        if let Some(write) = self.own.take() {
            self.under_way = Some(write.sequence);
            keeper.take(LogOrder::Write(write));
        }
        keeper.work(&mut |report| reports.push(report))?;
        let is_at_rest = keeper.pause() == IDLE;
        drop(keeper);
        let ended = self.clock.now();
        self.respite = ended + respite(ended - began);
        if let Some(thread) = self.thread.as_ref().filter(|_| !is_at_rest) {
            // What is left, a segment to be prepared or a full disk, is for the thread. If there is no room
            // for a word to it, it is awake.
            let _ = thread.try_send(LogOrder::GoOn);
        }
        Ok(reports)
    }

    /// How long the node may rest for the log's sake. `None`: the log has a thread.
    pub(super) fn pause(&self) -> Option<Span> {
        self.thread.is_none().then(|| self.keeper.lock().pause())
    }
}

/// How long the thread writes everything after the node has waited so long for the disk.
fn respite(waited: Span) -> Span {
    if waited <= QUICK { Span(0) } else { waited.times(RESPITE_FACTOR) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::SimDisk;
    use crate::identity::{ClusterId, Incarnation};
    use crate::raft::{Entry, HardState, LogAppend, Payload, Term};
    use crate::runtime::{Mailbox, mailbox};
    use crate::wal::{Identity, Options, create};

    /// A log at rest, and what its thread would be told.
    fn seat() -> (LogSeat<SimDisk>, Mailbox<LogOrder>) {
        seat_on(&SimDisk::new())
    }

    fn seat_on(disk: &SimDisk) -> (LogSeat<SimDisk>, Mailbox<LogOrder>) {
        let identity = Identity { cluster: ClusterId(1), node: NodeId(1), incarnation: Incarnation(1) };
        let writer = create(disk.clone(), identity, Options::default()).unwrap();
        let mut keeper = LogKeeper::new(writer, 1 << 20);
        while keeper.pause() < IDLE {
            keeper.work(&mut |report| panic!("{report:?}")).unwrap();
        }
        let (thread, orders) = mailbox(1_000, None);
        (LogSeat::new(Arc::new(Mutex::new(keeper)), Some(thread), Clock::start()), orders)
    }

    /// Writes in their order, of so many entries of so many bytes each.
    fn writes(sizes: &[(usize, usize)]) -> Vec<LogWrite> {
        let mut next = Index(1);
        let write = |(sequence, (count, bytes)): (u64, &(usize, usize))| {
            let payload = Payload::Command(vec![7; *bytes].into());
            let entries = vec![Entry { term: Term(1), payload }; *count];
            let first = next;
            next.0 += *count as u64;
            LogWrite {
                sequence: WriteSequence(sequence),
                hard_state: (sequence == 1).then_some(HardState { term: Term(1), vote: None }),
                start: None,
                entries: Some(LogAppend { first, entries }),
                then_send: Vec::new(),
            }
        };
        (1..).zip(sizes).map(write).collect()
    }

    /// Gives one write after the other to the seat. Answers of each whether the node wrote it at once.
    fn here(seat: &mut LogSeat<SimDisk>, sizes: &[(usize, usize)]) -> Vec<bool> {
        let write = |write: LogWrite| {
            let sequence = write.sequence;
            seat.write(write).unwrap();
            let reports = seat.work().unwrap();
            for report in &reports {
                let LogReport::Written { receipt, .. } = report else { panic!("{report:?}") };
                assert_eq!(receipt.0, sequence);
                seat.written(*receipt);
            }
            // However slow this machine is: that is another test's matter.
            seat.respite = Instant(0);
            !reports.is_empty()
        };
        writes(sizes).into_iter().map(write).collect()
    }

    #[test]
    fn the_node_writes_where_short_batches_have_many_entries_of_late() {
        let (mut seat, orders) = seat();
        let sizes = [[(MANY, 100); 2].as_slice(), &[(1, 100); MEMORY as usize - 1]].concat();
        assert_eq!(here(&mut seat, &sizes), vec![true; sizes.len()]);
        assert!(orders.is_empty(), "the thread sleeps on");
    }

    #[test]
    fn the_thread_writes_few_entries_and_long_batches() {
        for size in [(MANY - 1, 100), (MANY, SHORT_BYTES / MANY + 1)] {
            let (mut seat, orders) = seat();
            assert_eq!(here(&mut seat, &[size]), [false]);
            assert!(matches!(orders.drain().next(), Some(LogOrder::Write(_))));
        }
    }

    #[test]
    fn the_node_stays_behind_what_the_thread_has() {
        let (mut seat, orders) = seat();
        assert_eq!(here(&mut seat, &[(1, 100), (MANY, 100), (MANY, 100)]), [false; 3]);
        let handed: Vec<LogOrder> = orders.drain().collect();
        assert_eq!(handed.len(), 3);
        handed.into_iter().for_each(|order| seat.keeper.lock().take(order));
        seat.keeper.lock().work(&mut |_| ()).unwrap();
        seat.written(Receipt(WriteSequence(2)));
        assert!(seat.under_way.is_some(), "the third has not been reported");
        seat.written(Receipt(WriteSequence(3)));
        let next = writes(&[(1, 100), (MANY, 100), (MANY, 100), (MANY, 100)]).pop().unwrap();
        seat.write(next).unwrap();
        assert!(matches!(seat.work().unwrap()[..], [LogReport::Written { .. }]));
    }

    #[test]
    fn the_node_leaves_a_thread_alone_that_is_at_work() {
        let (mut seat, orders) = seat();
        let keeper = Arc::clone(&seat.keeper);
        let busy = keeper.lock();
        assert_eq!(here(&mut seat, &[(MANY, 100)]), [false]);
        assert_eq!(orders.drain().count(), 1);
        drop(busy);
    }

    #[test]
    fn what_is_left_to_do_is_left_to_the_thread() {
        let (mut seat, orders) = seat();
        let sizes = [(MANY, 1_000); 1_200];
        // Some batch fills the segment and takes the spare; the next one has to be prepared.
        let first_other = here(&mut seat, &sizes).iter().position(|is_here| !is_here).unwrap();
        assert!(first_other > 900, "batch {first_other}");
        assert!(matches!(orders.drain().next(), Some(LogOrder::GoOn)));
    }

    #[test]
    fn a_read_that_the_thread_has_comes_first() {
        let (mut seat, orders) = seat();
        seat.read(NodeId(2), Index(1)).unwrap();
        let [first, second] = <[LogWrite; 2]>::try_from(writes(&[(MANY, 100); 2])).unwrap();
        seat.write(first).unwrap();
        assert!(seat.own.is_none() && seat.work().unwrap().is_empty());
        let handed: Vec<LogOrder> = orders.drain().collect();
        assert!(matches!(handed[..], [LogOrder::Read(..), LogOrder::Write(_)]));
        handed.into_iter().for_each(|order| seat.keeper.lock().take(order));
        seat.keeper.lock().work(&mut |_| ()).unwrap();
        seat.written(Receipt(WriteSequence(1)));
        seat.has_read();
        seat.write(second).unwrap();
        assert!(seat.own.is_some());
    }

    #[test]
    fn a_write_for_which_there_is_no_space_is_the_threads_from_then_on() {
        let (mut seat, orders) = seat_on(&{
            let disk = SimDisk::new();
            disk.set_capacity(Some(2 * Options::default().segment_bytes + (64 << 10)));
            disk
        });
        let sizes = vec![(MANY, 1_000); 2_500];
        let mut full = None;
        for write in writes(&sizes) {
            let sequence = write.sequence;
            seat.respite = Instant(0);
            seat.write(write).unwrap();
            let Some(_) = seat.own else { break };
            for report in seat.work().unwrap() {
                match report {
                    LogReport::Written { receipt, .. } => seat.written(receipt),
                    LogReport::Full => full = Some(sequence),
                    other => panic!("{other:?}"),
                }
            }
        }
        let sequence = full.or(seat.under_way).expect("it was full in the end, or left to the thread");
        assert_eq!(seat.under_way, Some(sequence), "nothing may pass it");
        assert!(orders.drain().count() > 0, "the thread knows that there is something to do");
    }

    #[test]
    fn without_a_thread_the_node_does_everything() {
        let (mut seat, _) = seat();
        seat.thread = None;
        assert_eq!(seat.pause(), Some(IDLE));
        assert_eq!(here(&mut seat, &[(1, 100), (MANY, 100), (MANY, SHORT_BYTES)]), [true; 3]);
        seat.read(NodeId(2), Index(1)).unwrap();
        assert_eq!(seat.pause(), Some(Span(0)));
        assert!(matches!(seat.work().unwrap()[..], [LogReport::Read(NodeId(2), Index(1), Some(_))]));
    }

    #[test]
    fn a_slow_disk_is_the_threads_matter_for_a_while() {
        assert_eq!(respite(QUICK), Span(0));
        assert_eq!(respite(Span::milliseconds(10)), Span::milliseconds(500));
        let (mut seat, _orders) = seat();
        seat.respite = seat.clock.now() + Span::milliseconds(3_600_000);
        seat.write(writes(&[(MANY, 100)]).remove(0)).unwrap();
        assert!(seat.own.is_none());
    }
}
