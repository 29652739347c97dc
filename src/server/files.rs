//! The node and its files: what it hands to the threads that own them, and what comes back.

use std::io;

use log::info;

use super::node::Node;
use super::peer::PeerMessage;
use super::report::Report;
use crate::keepers::{LogOrder, LogReport, SnapshotOrder, SnapshotReport};
use crate::raft::{Fetch, Instant, LogWrite, NodeId, Span, Wanted};
use crate::replica::Now;
use crate::runtime::Undelivered;

/// How long a node that is to end tries to leave in good order.
const FAREWELL: Span = Span::milliseconds(3_000);

/// How often a leader whose disk is full tries to hand over.
const HANDOVER_RETRY: Span = Span::milliseconds(2_000);

/// How far a node is that is to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub(super) until: Instant,
    /// Who is to lead in its place, if it led.
    successor: Option<NodeId>,
}

impl Node {
    /// Takes what the other threads have reported.
    pub(super) fn take_reports(&mut self, now: Now) {
        let reports: Vec<Report> = self.reports.drain().collect();
        for report in reports {
            match report {
                Report::Log(report) => self.take_log_report(now, report),
                Report::Snapshot(report) => self.take_snapshot_report(now, report),
                Report::Terminate => self.leave(now),
            }
        }
    }

    fn take_log_report(&mut self, now: Now, report: LogReport) {
        match report {
            LogReport::Written { receipt, envelopes, bytes } => {
                self.log.written(receipt);
                self.replica.durable(receipt);
                self.output.peers.extend(envelopes);
                self.imaging.note_written(bytes);
            }
            LogReport::Read(to, first, stretch) => {
                self.log.has_read();
                self.replica.fetched_entries(now, to, first, stretch);
            }
            LogReport::Full => self.note_full(true),
            LogReport::Room => self.note_full(false),
        }
    }

    /// The disk is full, or is not any more: the others should know, one of them may be about to go.
    fn note_full(&mut self, is_full: bool) {
        self.is_full = is_full;
        for member in self.seat.members.iter().filter(|member| member.id != self.seat.id) {
            self.links.send(member.id, &PeerMessage::Full(is_full));
        }
    }

    /// A leader whose disk is full keeps everybody from writing; another with space would not. If all the
    /// others have space, whoever of them has most of the log is to lead. If one of them has not, it could be
    /// that one; better a leader that refuses writes than two that pass the office to and fro.
    pub(super) fn make_room_for_another(&mut self, now: Now) {
        let is_due = self.is_full && self.full_peers.is_empty() && self.next_handover <= now.monotonic;
        if is_due && self.leaving.is_none() && self.leads() {
            self.next_handover = now.monotonic + HANDOVER_RETRY;
            if let Some(successor) = self.replica.hand_leadership_over(now) {
                info!("the disk is full; hands over to {successor:?}");
            }
        }
    }

    fn take_snapshot_report(&mut self, now: Now, report: SnapshotReport) {
        if let Some(order) = self.imaging.take_report(now, &mut self.replica, report) {
            self.order(order);
        }
    }

    /// Ends the replica's turn, and hands out what it wants of the files.
    pub(super) fn flush(&mut self, now: Now) -> io::Result<()> {
        if self.backlog.is_none() {
            self.replica.turn(now, &mut self.output);
            self.backlog = self.output.write.take();
            self.vigil.meet(self.backlog.as_ref().map_or(0, LogWrite::entry_count));
        }
        for Fetch { to, wanted } in std::mem::take(&mut self.output.fetches) {
            match wanted {
                Wanted::Entries(first) => self.reads.push_back((to, first)),
                Wanted::Part(id, offset) => self.order(SnapshotOrder::Read { to, id, offset }),
            }
        }
        for part in std::mem::take(&mut self.output.parts) {
            self.order(SnapshotOrder::Store(part));
        }
        if let Some(order) = self.imaging.next(&mut self.replica) {
            self.order(order);
        }
        self.give_to_log()
    }

    /// The log takes what it has room for; the rest is offered again.
    fn give_to_log(&mut self) -> io::Result<()> {
        // Reads first: a node that writes itself in every turn would never let them through.
        for (to, first) in std::mem::take(&mut self.reads) {
            match self.log.read(to, first) {
                Err(Undelivered::Full(_)) => self.reads.push_back((to, first)),
                outcome => is_there(outcome)?,
            }
        }
        if let Some(write) = self.backlog.take() {
            match self.log.write(write) {
                Err(Undelivered::Full(LogOrder::Write(write))) => self.backlog = Some(write),
                outcome => is_there(outcome)?,
            }
        }
        Ok(())
    }

    /// Does the log's work, where it is this thread's.
    pub(super) fn keep_log(&mut self, now: Now) -> io::Result<()> {
        let reports = self.log.work()?;
        self.has_reports = !reports.is_empty();
        reports.into_iter().for_each(|report| self.take_log_report(now, report));
        Ok(())
    }

    /// When the log has more to do on this thread, or has reported something that is to be acted upon.
    pub(super) fn log_deadline(&self, now: Instant) -> Option<Instant> {
        if self.has_reports { Some(now) } else { self.log.pause().map(|pause| now + pause) }
    }

    /// Orders something of the snapshots' thread. There is always room: of each follower, of the leader and
    /// of the own image at most one order is unanswered.
    fn order(&mut self, order: SnapshotOrder) {
        if let Err(Undelivered::Full(order)) = self.snapshots.try_send(order) {
            unreachable!("the snapshots' mailbox has room for all that can be under way: {order:?}");
        }
    }

    /// Somebody wants this process to end: another shall lead, and whoever waits shall be answered.
    fn leave(&mut self, now: Now) {
        if self.leaving.is_none() {
            let successor = self.replica.hand_leadership_over(now);
            info!("ends; hands over to {successor:?}");
            self.leaving = Some(Leaving { until: now.monotonic + FAREWELL, successor });
        }
    }

    /// Whether a node that is to end has nothing left to do.
    pub(super) fn has_left(&self, now: Now) -> bool {
        let Some(leaving) = self.leaving else { return false };
        // A successor is in office when this node has heard from it; until then it may need this one's vote.
        let leader = self.replica.status().leader;
        let is_replaced = leaving.successor.is_none() || leader.is_some_and(|leader| leader != self.seat.id);
        let is_done = is_replaced
            && self.tickets.is_empty()
            && !self.replica.has_waiting_writes()
            && self.links.is_written()
            && self.clients.values().all(|client| client.connection.unwritten() == 0);
        is_done || leaving.until <= now.monotonic
    }
}

/// Nothing works without the log's thread.
fn is_there(outcome: Result<(), Undelivered<LogOrder>>) -> io::Result<()> {
    outcome.map_err(|_| io::Error::other("the log's thread is gone"))
}
