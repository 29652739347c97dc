//! The replicated log in memory, and how much of it stable storage holds.
//!
//! Entries go to the writer in batches; a batch is confirmed by its sequence number. While it is under way
//! the log may be cut and grown again by another leader, so a batch remembers which of its entries still
//! stand: a cut lowers the last index of every unfinished batch, and a receipt blesses what is left (R2,
//! the ABA story of etcd's asynchronous writes).
//!
//! Missing until there are snapshots: the log is never compacted, so it is as long as its history.

use std::collections::VecDeque;

use super::effects::{LogAppend, Receipt};
use super::types::{Entry, Index, Position, Term, WriteSequence};

/// Entries 1 to `last().index`, terms never falling.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// Up to here the writer has been given the entries.
    handed: Index,
    /// Up to here they are on stable storage.
    durable: Index,
    /// Unfinished writes, oldest first, each with the last of its entries that still stands.
    writes: VecDeque<(WriteSequence, Index)>,
    last_write: WriteSequence,
}

impl Log {
    /// The log as stable storage gave it back.
    pub(super) fn recovered(entries: Vec<Entry>) -> Log {
        assert!(entries.is_sorted_by_key(|entry| entry.term), "terms in a log never fall (S15)");
        let mut log = Log { entries, ..Log::default() };
        log.handed = log.last().index;
        log.durable = log.handed;
        log
    }

    pub(super) fn last(&self) -> Position {
        let index = Index(self.entries.len() as u64);
        Position { index, term: self.entries.last().map_or(Term(0), |entry| entry.term) }
    }

    /// The position at `index`, if the log reaches that far. Index 0 is there in every log.
    pub(super) fn position(&self, index: Index) -> Option<Position> {
        if index == Index(0) {
            return Some(Position::default());
        }
        self.entries.get(slot(index)).map(|entry| Position { index, term: entry.term })
    }

    pub(super) fn entry(&self, index: Index) -> Option<&Entry> {
        (index > Index(0)).then(|| self.entries.get(slot(index))).flatten()
    }

    pub(super) fn durable(&self) -> Index {
        self.durable
    }

    /// Adds one entry of the leader's own term at the end.
    pub(super) fn push(&mut self, entry: Entry) -> Position {
        assert!(entry.term >= self.last().term, "terms in a log never fall (S15)");
        self.entries.push(entry);
        self.last()
    }

    /// Makes the log equal to a leader's that has `entries` right after `previous`, which must match.
    ///
    /// Entries that are there already are skipped, and the log is cut at the first difference only: a
    /// message that is short, old or late never removes anything (R4). Answers up to where the two logs
    /// are now known to be equal. A difference at or below `commit` is a breach of safety: better stop.
    pub(super) fn splice(&mut self, previous: Index, entries: Vec<Entry>, commit: Index) -> Index {
        let mut index = previous;
        for entry in entries {
            index = index.next();
            match self.position(index) {
                Some(own) if own.term == entry.term => continue,
                Some(_) => self.cut(index, commit),
                None => {}
            }
            self.push(entry);
        }
        index
    }

    fn cut(&mut self, from: Index, commit: Index) {
        assert!(from > commit, "{from:?} is committed ({commit:?}) and a leader wants it replaced (S14)");
        self.entries.truncate(slot(from));
        let kept = from.previous();
        self.handed = self.handed.min(kept);
        self.durable = self.durable.min(kept);
        for (_, last) in &mut self.writes {
            *last = (*last).min(kept);
        }
    }

    /// The longest run of entries from `first` on that fits `bytes_max`, but never none if there is one.
    pub(super) fn run(&self, first: Index, bytes_max: usize) -> Vec<Entry> {
        self.rest(first)[..self.run_length(first, bytes_max)].to_vec()
    }

    /// Whether one run from `first` on reaches the end.
    pub(super) fn ends_in_one_run(&self, first: Index, bytes_max: usize) -> bool {
        self.run_length(first, bytes_max) == self.rest(first).len()
    }

    /// The size of the entries after `from`, up to and including `to`.
    pub(super) fn bytes(&self, from: Index, to: Index) -> usize {
        self.entries[slot(from.next())..slot(to.next())].iter().map(Entry::size).sum()
    }

    fn rest(&self, first: Index) -> &[Entry] {
        self.entries.get(slot(first)..).unwrap_or_default()
    }

    fn run_length(&self, first: Index, bytes_max: usize) -> usize {
        let mut bytes = 0;
        let fitting = self.rest(first).iter().take_while(|entry| {
            let fits = bytes == 0 || bytes + entry.size() <= bytes_max;
            bytes += entry.size();
            fits
        });
        fitting.count()
    }

    /// The last own position at or before `index` whose term is not above `term`: where to look next when
    /// two logs differ, one term a step instead of one entry (5.3, last but one paragraph).
    pub(super) fn last_not_above(&self, index: Index, term: Term) -> Position {
        let reach = self.entries.len().min(slot(index.next()));
        let count = self.entries[..reach].partition_point(|entry| entry.term <= term);
        self.position(Index(count as u64)).expect("a prefix of the log lies in the log")
    }

    /// Opens a write and takes the entries that the writer has not been given yet.
    pub(super) fn open_write(&mut self) -> (WriteSequence, Option<LogAppend>) {
        let first = self.handed.next();
        let fresh = &self.entries[slot(first)..];
        let append = (!fresh.is_empty()).then(|| LogAppend { first, entries: fresh.to_vec() });
        self.handed = self.last().index;
        self.last_write = self.last_write.next();
        self.writes.push_back((self.last_write, self.handed));
        (self.last_write, append)
    }

    /// Whether entries wait to be given to the writer.
    pub(super) fn has_unwritten(&self) -> bool {
        self.handed < self.last().index
    }

    /// Whether a write is under way.
    pub(super) fn is_writing(&self) -> bool {
        !self.writes.is_empty()
    }

    /// A write is durable, and with it every earlier one.
    pub(super) fn confirm(&mut self, receipt: Receipt) {
        while let Some((_, last)) = self.writes.pop_front_if(|(sequence, _)| *sequence <= receipt.0) {
            self.durable = self.durable.max(last);
        }
        assert!(self.durable <= self.handed, "nothing is durable that was not written");
    }
}

/// Where an index stands in the vector of entries.
fn slot(index: Index) -> usize {
    usize::try_from(index.previous().0).expect("a log in memory is shorter than the address space")
}

#[cfg(test)]
mod tests {
    use super::super::types::Payload;
    use super::*;

    fn entry(term: u64) -> Entry {
        Entry { term: Term(term), payload: Payload::Noop }
    }

    fn log(terms: &[u64]) -> Log {
        Log::recovered(terms.iter().map(|term| entry(*term)).collect())
    }

    #[test]
    fn a_short_or_late_append_cuts_nothing() {
        let mut log = log(&[1, 1, 2, 2]);
        assert_eq!(log.splice(Index(1), vec![entry(1)], Index(0)), Index(2));
        assert_eq!(log.last().index, Index(4));
    }

    #[test]
    fn a_conflict_cuts_from_the_first_difference() {
        let mut log = log(&[1, 1, 2, 2]);
        assert_eq!(log.splice(Index(1), vec![entry(1), entry(3)], Index(2)), Index(3));
        assert_eq!(log.last(), Position { index: Index(3), term: Term(3) });
        assert_eq!(log.durable(), Index(2));
    }

    #[test]
    #[should_panic(expected = "S14")]
    fn a_committed_entry_is_never_replaced() {
        log(&[1, 1, 2]).splice(Index(1), vec![entry(3)], Index(2));
    }

    #[test]
    fn an_old_receipt_does_not_bless_what_replaced_its_entries() {
        let mut log = log(&[1]);
        log.splice(Index(1), vec![entry(2), entry(2)], Index(0));
        let (old, _) = log.open_write();
        log.splice(Index(1), vec![entry(3), entry(3)], Index(0));
        let (new, append) = log.open_write();
        assert_eq!(append.unwrap().first, Index(2));
        log.confirm(Receipt(old));
        assert_eq!(log.durable(), Index(1), "entries 2 and 3 of term 3 are still under way");
        log.confirm(Receipt(new));
        assert_eq!(log.durable(), Index(3));
    }

    #[test]
    fn the_hint_skips_a_whole_term() {
        let log = log(&[1, 1, 4, 4, 4]);
        assert_eq!(log.last_not_above(Index(5), Term(3)), Position { index: Index(2), term: Term(1) });
        assert_eq!(log.last_not_above(Index(9), Term(4)), Position { index: Index(5), term: Term(4) });
        assert_eq!(log.last_not_above(Index(4), Term(0)), Position::default());
    }

    #[test]
    fn a_run_holds_at_least_one_entry_and_fits_otherwise() {
        let log = log(&[1, 1, 1]);
        assert_eq!(log.run(Index(1), 1).len(), 1);
        assert_eq!(log.run(Index(1), entry(1).size() * 2).len(), 2);
        assert_eq!(log.run(Index(4), 100).len(), 0);
    }
}
