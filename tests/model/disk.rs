//! One node's stable storage: what is on it, and what is on its way there.
//!
//! Writes become durable in order and some time after they were asked for. A crash keeps what is durable
//! and an arbitrary prefix of the records that were under way, which is all that a disk promises (D3).

use std::collections::VecDeque;

use quorate::prng::Prng;
use quorate::raft::{
    Entry, Envelope, HardState, Index, Instant, LogAppend, LogWrite, Position, Receipt, Recovered, Stretch,
};

#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// What a crash would leave.
    pub(crate) hard: HardState,
    pub(crate) entries: Vec<Entry>,
    /// The log as the node's memory holds it: everything that was ever handed over, durable or not.
    pub(crate) handed: Vec<Entry>,
    pending: VecDeque<(Instant, LogWrite)>,
}

impl Disk {
    /// What the next life begins with.
    pub(crate) fn recovered(&self) -> Recovered {
        Recovered { hard_state: self.hard, entries: self.entries.clone(), ..Recovered::default() }
    }

    /// Reads back a few entries that memory may have forgotten.
    pub(crate) fn read(&self, first: Index) -> Stretch {
        let at = place(first.0);
        let index = Index(first.0 - 1);
        let term = at.checked_sub(1).map_or(Default::default(), |before| self.handed[before].term);
        let entries = self.handed[at..].iter().take(3).cloned().collect();
        Stretch { previous: Position { term, index }, entries }
    }

    /// Takes a write that will be durable at `due`, or when the one before it is, whichever is later.
    pub(crate) fn submit(&mut self, due: Instant, write: LogWrite) {
        if let Some(append) = &write.entries {
            replace_tail(&mut self.handed, append);
        }
        let due = self.pending.back().map_or(due, |(before, _)| due.max(*before));
        self.pending.push_back((due, write));
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.pending.front().map(|(due, _)| *due)
    }

    pub(crate) fn is_busy(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Finishes what is due: one receipt for all of it (R2), and what may leave now.
    pub(crate) fn complete(&mut self, now: Instant) -> Option<(Receipt, Vec<Envelope>)> {
        let mut released = Vec::new();
        let mut receipt = None;
        while let Some((_, write)) = self.pending.pop_front_if(|(due, _)| *due <= now) {
            self.store(&write, usize::MAX);
            released.extend(write.then_send);
            receipt = Some(Receipt(write.sequence));
        }
        receipt.map(|receipt| (receipt, released))
    }

    /// Loses what was under way, but for a prefix that happened to make it.
    pub(crate) fn crash(&mut self, prng: &mut Prng) {
        let mut whole = prng.place(self.pending.len() + 1);
        for (_, write) in std::mem::take(&mut self.pending) {
            if whole == 0 {
                if prng.chance(500) {
                    let count = write.entries.as_ref().map_or(0, |append| append.entries.len());
                    self.store(&write, prng.place(count + 1));
                }
                break;
            }
            whole -= 1;
            self.store(&write, usize::MAX);
        }
        self.handed = self.entries.clone();
    }

    /// Applies a write, of its entries the first `entries_max` only.
    fn store(&mut self, write: &LogWrite, entries_max: usize) {
        self.hard = write.hard_state.unwrap_or(self.hard);
        if let Some(LogAppend { first, entries }) = &write.entries {
            let entries = entries.iter().take(entries_max).cloned().collect();
            replace_tail(&mut self.entries, &LogAppend { first: *first, entries });
        }
    }
}

/// Whatever the log held from the first entry on gives way (R4).
pub(crate) fn replace_tail(log: &mut Vec<Entry>, append: &LogAppend) {
    let kept = place(append.first.0);
    assert!(kept <= log.len(), "a gap in the log: {} after {}", append.first.0, log.len());
    log.truncate(kept);
    log.extend(append.entries.iter().cloned());
}

/// Where the entry of this index stands in a list.
pub(crate) fn place(index: u64) -> usize {
    usize::try_from(index - 1).expect("logs of tests are short")
}
