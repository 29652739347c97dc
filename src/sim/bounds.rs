//! Whether everything stays within its bounds: queues, messages, snapshots, and what is done when there is
//! nothing to do (B1 to B7), and that nobody who waits is forgotten (C9).

use super::ghost::{Checked, fail};
use super::settings::ELECTION_TIMEOUT;
use super::telling;
use super::world::{Idleness, Waiting, World};
use crate::limits::{MAILBOX_BATCHES_MAX, SNAPSHOT_ORDERS_MAX};
use crate::raft::{Envelope, LogWrite, Message, NodeId, Span, Status};

/// Snapshots that a node may need to catch up when nothing goes wrong any more (B7).
const SNAPSHOTS_MAX: u64 = 2;

impl World {
    /// B1, C9: after a turn no queue is longer than it may be, and a node that does not lead lets no read
    /// wait.
    pub(super) fn is_bounded(&self, at: usize, status: &Status) -> Checked {
        let station = &self.stations[at];
        let Some(life) = &station.node.life else { return Ok(()) };
        // A turn that began below the bound adds a write, and a read for each follower.
        let writes_max = MAILBOX_BATCHES_MAX + self.stations.len();
        if life.log_mail.len() > writes_max || life.snapshot_mail.len() > SNAPSHOT_ORDERS_MAX {
            let (log, snapshots) = (life.log_mail.len(), life.snapshot_mail.len());
            return fail("B1", format!("node {at} has {log} orders for its log, {snapshots} for snapshots"));
        }
        let leads = status.leader == Some(NodeId(station.id()));
        match station.tickets.values().find(|waiting| waiting.is_own_read && !leads) {
            Some(Waiting { attempt, .. }) => {
                fail("C9", format!("node {at} does not lead and lets request {} wait", attempt.number))
            }
            None => Ok(()),
        }
    }

    /// B2: a message carries no more than it may, unless a single entry is larger than that.
    pub(super) fn is_in_bounds(&self, at: usize, envelope: &Envelope) -> Checked {
        let make = &self.stations[at].node.make;
        let is_right = match &envelope.message {
            Message::Append { entries, .. } => {
                let bytes: usize = entries.iter().map(crate::raft::Entry::size).sum();
                // From memory, or as they were read back from the log's files.
                entries.len() <= 1 || bytes <= make.config.append_bytes_max.max(make.read_back_bytes)
            }
            Message::Snapshot { bytes, .. } => bytes.len() <= make.chunk_bytes,
            _ => true,
        };
        if is_right {
            return Ok(());
        }
        fail("B2", format!("node {at} sends too much at once: {}", telling::message(envelope)))
    }

    /// B7: without faults a node catches up with a few snapshots, whoever sends them.
    pub(super) fn needs_few_snapshots(&mut self, at: usize) -> Checked {
        let station = &mut self.stations[at];
        station.snapshots_in_calm += u64::from(self.is_calm);
        let count = station.snapshots_in_calm;
        if count <= SNAPSHOTS_MAX { Ok(()) } else { fail("B7", format!("node {at} needs {count} snapshots")) }
    }

    /// From here on nothing should be done by these nodes but keeping in touch, unless a key has still to
    /// fall due.
    pub(super) fn watch_idleness(&mut self, core: &[usize]) {
        let has_keys_to_end = |at: &usize| {
            let life = self.stations[*at].node.life.as_ref();
            life.is_some_and(|life| life.replica.store().next_expiry().is_some())
        };
        if core.iter().any(has_keys_to_end) {
            return;
        }
        self.sometimes.idle += 1;
        self.idleness = Some(Idleness { core: core.to_vec(), ..Idleness::default() });
    }

    pub(super) fn note_idle_message(&mut self, from: usize, to: usize) {
        if let Some(idleness) = &mut self.idleness
            && idleness.core.contains(&from)
            && idleness.core.contains(&to)
        {
            idleness.messages += 1;
        }
    }

    pub(super) fn note_idle_write(&mut self, at: usize, write: Option<&LogWrite>) {
        let is_work =
            |write: &LogWrite| write.hard_state.is_some() || write.start.is_some() || write.entries.is_some();
        if let Some(idleness) = &mut self.idleness
            && idleness.core.contains(&at)
            && write.is_some_and(is_work)
        {
            idleness.writes += 1;
        }
    }

    /// B5: so much time has passed in which there was nothing to do.
    pub(super) fn was_idle(&mut self, span: Span) -> Checked {
        let Some(Idleness { core, messages, writes }) = self.idleness.take() else { return Ok(()) };
        // The fastest clock may be half as fast again as a true one.
        let beats = span.0 * 3 / 2 / self.settings.config.heartbeat.0 + 2;
        let messages_max = 2 * (core.len() as u64 - 1) * beats;
        if messages <= messages_max && writes == 0 {
            return Ok(());
        }
        let timeouts = span.0 / ELECTION_TIMEOUT.0;
        fail(
            "B5",
            format!("idle for {timeouts} timeouts, core {core:?}: {messages} messages, {writes} writes"),
        )
    }
}
