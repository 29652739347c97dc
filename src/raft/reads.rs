//! Linearizable reads without log entries (R9, R20).
//!
//! A read may be answered from the state at the commit index of a moment after it came in, once it is sure
//! that this replica still led at such a moment. All reads of a turn share one proof. A lease is a proof at
//! hand; without one, a round is opened: only messages sent *after* the reads came in count, and their
//! rounds are numbered by the leader, never by the caller (etcd 20418). One round is under way at a time,
//! and the reads that come meanwhile wait for the next.

use std::collections::VecDeque;
use std::mem;

use super::types::{Index, ReadId, Round};

/// The reads that a leader has accepted and not yet answered.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Came in since the last round was opened.
    open: Vec<ReadId>,
    /// Wait for a majority to answer a message of this round.
    asked: Option<Batch>,
    /// Proved; wait until the state machine has caught up with the index.
    proved: VecDeque<(Index, Vec<ReadId>)>,
    last_round: Round,
}

#[derive(Debug)]
struct Batch {
    round: Round,
    index: Index,
    reads: Vec<ReadId>,
}

impl Reads {
    pub(super) fn push(&mut self, read: ReadId) {
        self.open.push(read);
    }

    pub(super) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The round to which new messages belong.
    pub(super) fn round(&self) -> Round {
        self.last_round
    }

    /// The round that followers are to be asked to confirm, if one is under way.
    pub(super) fn wanted(&self) -> Option<Round> {
        self.asked.as_ref().map(|batch| batch.round)
    }

    /// A lease vouches for every read that has come in, those of an unfinished round too.
    pub(super) fn prove_all(&mut self, commit: Index) {
        if let Some(batch) = self.asked.take() {
            self.proved.push_back((batch.index, batch.reads));
        }
        if self.has_open() {
            self.proved.push_back((commit, mem::take(&mut self.open)));
        }
    }

    /// A majority has answered messages up to `round`.
    pub(super) fn prove(&mut self, round: Round) {
        if let Some(batch) = self.asked.take_if(|batch| batch.round <= round) {
            self.proved.push_back((batch.index, batch.reads));
        }
    }

    /// Opens a round for the reads that have come in, unless one is under way.
    pub(super) fn open_round(&mut self, commit: Index) {
        if self.asked.is_none() && self.has_open() {
            self.last_round = self.last_round.next();
            let reads = mem::take(&mut self.open);
            self.asked = Some(Batch { round: self.last_round, index: commit, reads });
        }
    }

    /// Moves the reads to `ready` that the state as of `applied` can answer.
    pub(super) fn release(&mut self, applied: Index, ready: &mut Vec<ReadId>) {
        while let Some((_, mut reads)) = self.proved.pop_front_if(|(index, _)| *index <= applied) {
            ready.append(&mut reads);
        }
    }

    /// Gives up every read: this replica leads no more.
    pub(super) fn abandon(self, failed: &mut Vec<ReadId>) {
        failed.extend(self.open);
        failed.extend(self.asked.into_iter().flat_map(|batch| batch.reads));
        failed.extend(self.proved.into_iter().flat_map(|(_, reads)| reads));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn released(reads: &mut Reads, applied: u64) -> Vec<u64> {
        let mut ready = Vec::new();
        reads.release(Index(applied), &mut ready);
        ready.into_iter().map(|read| read.0).collect()
    }

    #[test]
    fn a_read_that_comes_during_a_round_needs_the_next() {
        let mut reads = Reads::default();
        reads.push(ReadId(1));
        reads.open_round(Index(5));
        reads.push(ReadId(2));
        reads.open_round(Index(5));
        assert_eq!(reads.wanted(), Some(Round(1)));
        reads.prove(Round(1));
        assert_eq!(released(&mut reads, 5), [1]);
        reads.open_round(Index(6));
        reads.prove(Round(1));
        assert_eq!(released(&mut reads, 9), [0u64; 0]);
        reads.prove(Round(2));
        assert_eq!(released(&mut reads, 5), [0u64; 0], "the state machine is behind");
        assert_eq!(released(&mut reads, 6), [2]);
    }
}
