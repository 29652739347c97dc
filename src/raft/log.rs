//! The replicated log in memory, and how much of it stable storage holds.
//!
//! Entries go to the writer in batches; a batch is confirmed by its sequence number. While it is under way
//! the log may be cut and grown again by another leader, so a batch remembers which of its entries still
//! stand: a cut lowers the last index of every unfinished batch, and a receipt blesses what is left (R2,
//! the ABA story of etcd's asynchronous writes).
//!
//! Memory holds the end of the log only. What has been applied and is durable may be forgotten
//! ([`Log::forget`]); whoever needs it later gets it from the files, or a snapshot that stands for it.

use std::collections::VecDeque;

use super::effects::{LogAppend, Receipt};
use super::types::{Entry, Index, Instant, Position, Term, WriteSequence};

/// Entries `start().index + 1` to `last().index`, terms never falling.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The last entry that is not held any more.
    start: Position,
    entries: VecDeque<Entry>,
    /// The size of all of them.
    bytes: usize,
    /// Up to here the writer has been given the entries.
    handed: Index,
    /// Up to here they are on stable storage.
    durable: Index,
    /// Oldest first.
    writes: VecDeque<Unfinished>,
    last_write: WriteSequence,
    last_confirmed: WriteSequence,
}

/// What became of the entries of an append.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Spliced {
    /// Up to here the own log is known to be equal to the leader's.
    pub(super) equal_to: Index,
    /// The first of the entries that are new here, if any is; what stood there before is gone.
    pub(super) changed_from: Option<Index>,
}

/// A write that is under way.
#[derive(Debug)]
struct Unfinished {
    sequence: WriteSequence,
    /// The last of its entries that still stands.
    last: Index,
    /// When it was given to the writer.
    since: Instant,
}

impl Log {
    /// The log as stable storage gave it back: entries that follow on `start`.
    pub(super) fn recovered(start: Position, entries: Vec<Entry>) -> Log {
        assert!(entries.is_sorted_by_key(|entry| entry.term), "terms in a log never fall (S15)");
        assert!(entries.first().is_none_or(|entry| entry.term >= start.term), "nor from its start (S15)");
        let bytes = entries.iter().map(Entry::size).sum();
        let mut log = Log { start, entries: entries.into(), bytes, ..Log::default() };
        log.handed = log.last().index;
        log.durable = log.handed;
        log
    }

    /// What comes before the first entry that is held.
    pub(super) fn start(&self) -> Position {
        self.start
    }

    pub(super) fn last(&self) -> Position {
        let index = Index(self.start.index.0 + self.entries.len() as u64);
        Position { index, term: self.entries.back().map_or(self.start.term, |entry| entry.term) }
    }

    /// The position at `index`, if it is held: between `start` and `last`, both included.
    pub(super) fn position(&self, index: Index) -> Option<Position> {
        if index == self.start.index {
            return Some(self.start);
        }
        self.entry(index).map(|entry| Position { index, term: entry.term })
    }

    pub(super) fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(self.slot(index)?)
    }

    /// Where the entry at `index` stands among those that are held, or would if the log were longer.
    fn slot(&self, index: Index) -> Option<usize> {
        let distance = index.0.checked_sub(self.start.index.0 + 1)?;
        Some(usize::try_from(distance).expect("a log in memory is shorter than the address space"))
    }

    pub(super) fn durable(&self) -> Index {
        self.durable
    }

    /// Adds one entry of the leader's own term at the end.
    pub(super) fn push(&mut self, entry: Entry) -> Position {
        assert!(entry.term >= self.last().term, "terms in a log never fall (S15)");
        self.bytes += entry.size();
        self.entries.push_back(entry);
        self.last()
    }

    /// Makes the log equal to a leader's that has `entries` right after `previous`, which must match.
    ///
    /// Entries that are there already are skipped, and the log is cut at the first difference only: a
    /// message that is short, old or late never removes anything (R4). A difference at or below `commit` is
    /// a breach of safety: better stop.
    pub(super) fn splice(&mut self, previous: Index, entries: Vec<Entry>, commit: Index) -> Spliced {
        let (mut index, mut changed_from) = (previous, None);
        for entry in entries {
            index = index.next();
            match self.position(index) {
                Some(own) if own.term == entry.term => continue,
                Some(_) => self.cut(index, commit),
                None => {}
            }
            changed_from.get_or_insert(index);
            self.push(entry);
        }
        Spliced { equal_to: index, changed_from }
    }

    fn cut(&mut self, from: Index, commit: Index) {
        assert!(from > commit, "{from:?} is committed ({commit:?}) and a leader wants it replaced (S14)");
        let slot = self.slot(from).expect("what is forgotten is committed (S14)");
        self.bytes -= self.entries.drain(slot..).map(|entry| entry.size()).sum::<usize>();
        let kept = from.previous();
        self.handed = self.handed.min(kept);
        self.durable = self.durable.min(kept);
        for write in &mut self.writes {
            write.last = write.last.min(kept);
        }
    }

    /// Holds no more than `bytes_max` of entries, as far as those up to `until`, which must be durable, can
    /// be forgotten.
    pub(super) fn forget(&mut self, until: Index, bytes_max: usize) {
        assert!(until <= self.durable, "what is forgotten can be read back");
        while self.bytes > bytes_max && self.start.index < until {
            let entry = self.entries.pop_front().expect("the log reaches beyond what is forgotten");
            self.bytes -= entry.size();
            self.start = Position { index: self.start.index.next(), term: entry.term };
        }
    }

    /// A durable snapshot stands for everything up to `position`. What follows stays if the log had that
    /// very entry; if not, all of it was another history (R15). What the writer has not been given goes too:
    /// nobody relies on it, and the files would have a gap. Answers whether it stayed.
    pub(super) fn replace(&mut self, position: Position) -> bool {
        let is_ours = self.position(position.index) == Some(position) && position.index <= self.handed;
        let gone = if is_ours { self.slot(position.index.next()) } else { Some(self.entries.len()) };
        let gone = gone.expect("a snapshot is installed ahead of what was forgotten");
        self.bytes -= self.entries.drain(..gone).map(|entry| entry.size()).sum::<usize>();
        self.start = position;
        for write in &mut self.writes {
            // Receipts of what was dropped bless nothing.
            write.last = if is_ours { write.last } else { position.index };
        }
        self.handed = if is_ours { self.handed.max(position.index) } else { position.index };
        self.durable = if is_ours { self.durable.max(position.index) } else { position.index };
        is_ours
    }

    /// The longest run of entries from `first` on that fits `bytes_max`, but never none if there is one.
    pub(super) fn run(&self, first: Index, bytes_max: usize) -> Vec<Entry> {
        self.rest(first).take(self.run_length(first, bytes_max)).cloned().collect()
    }

    /// Whether one run from `first` on reaches the end.
    pub(super) fn ends_in_one_run(&self, first: Index, bytes_max: usize) -> bool {
        self.run_length(first, bytes_max) == self.rest(first).len()
    }

    /// The size of the entries after `from`, up to and including `to`.
    pub(super) fn bytes(&self, from: Index, to: Index) -> usize {
        let count = usize::try_from(to.0 - from.0).expect("a log in memory");
        self.rest(from.next()).take(count).map(Entry::size).sum()
    }

    /// The entries from `first` on, which must not be forgotten.
    pub(super) fn rest(&self, first: Index) -> impl ExactSizeIterator<Item = &Entry> {
        let slot = self.slot(first).expect("it is not forgotten");
        self.entries.range(slot.min(self.entries.len())..)
    }

    fn run_length(&self, first: Index, bytes_max: usize) -> usize {
        let mut bytes = 0;
        let fitting = self.rest(first).take_while(|entry| {
            let fits = bytes == 0 || bytes + entry.size() <= bytes_max;
            bytes += entry.size();
            fits
        });
        fitting.count()
    }

    /// The last own position at or before `index` whose term is not above `term`: where to look next when
    /// two logs differ, one term a step instead of one entry (5.3, last but one paragraph). `None`: it lies
    /// before what is held.
    pub(super) fn last_not_above(&self, index: Index, term: Term) -> Option<Position> {
        let reach = self.slot(index.next())?.min(self.entries.len());
        // The terms are sorted, so the prefix can be found by halves.
        let count = self.entries.partition_point(|entry| entry.term <= term).min(reach);
        let found = self.position(Index(self.start.index.0 + count as u64));
        found.filter(|position| position.term <= term)
    }

    /// Opens a write and takes the entries that the writer has not been given yet.
    pub(super) fn open_write(&mut self, now: Instant) -> (WriteSequence, Option<LogAppend>) {
        let first = self.handed.next();
        let fresh: Vec<Entry> = self.rest(first).cloned().collect();
        let append = (!fresh.is_empty()).then_some(LogAppend { first, entries: fresh });
        self.handed = self.last().index;
        self.last_write = self.last_write.next();
        self.writes.push_back(Unfinished { sequence: self.last_write, last: self.handed, since: now });
        (self.last_write, append)
    }

    /// Whether entries wait to be given to the writer.
    pub(super) fn has_unwritten(&self) -> bool {
        self.handed < self.last().index
    }

    /// Whether a write, or a later one, has been confirmed.
    pub(super) fn is_confirmed(&self, write: WriteSequence) -> bool {
        write <= self.last_confirmed
    }

    /// Since when the oldest write has been under way, if one is.
    pub(super) fn writing_since(&self) -> Option<Instant> {
        self.writes.front().map(|write| write.since)
    }

    /// A write is durable, and with it every earlier one.
    pub(super) fn confirm(&mut self, receipt: Receipt) {
        self.last_confirmed = self.last_confirmed.max(receipt.0);
        while let Some(write) = self.writes.pop_front_if(|write| write.sequence <= receipt.0) {
            self.durable = self.durable.max(write.last);
        }
        assert!(self.durable <= self.handed, "nothing is durable that was not written");
    }
}

#[cfg(test)]
mod tests {
    use super::super::types::Payload;
    use super::*;

    fn entry(term: u64) -> Entry {
        Entry { term: Term(term), payload: Payload::Noop }
    }

    fn log(terms: &[u64]) -> Log {
        Log::recovered(Position::default(), terms.iter().map(|term| entry(*term)).collect())
    }

    #[test]
    fn a_short_or_late_append_cuts_nothing() {
        let mut log = log(&[1, 1, 2, 2]);
        let spliced = log.splice(Index(1), vec![entry(1)], Index(0));
        assert_eq!(spliced, Spliced { equal_to: Index(2), changed_from: None });
        assert_eq!(log.last().index, Index(4));
    }

    #[test]
    fn a_conflict_cuts_from_the_first_difference() {
        let mut log = log(&[1, 1, 2, 2]);
        let spliced = log.splice(Index(1), vec![entry(1), entry(3)], Index(2));
        assert_eq!(spliced, Spliced { equal_to: Index(3), changed_from: Some(Index(3)) });
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
        let (old, _) = log.open_write(Instant(0));
        log.splice(Index(1), vec![entry(3), entry(3)], Index(0));
        let (new, append) = log.open_write(Instant(0));
        assert_eq!(append.unwrap().first, Index(2));
        log.confirm(Receipt(old));
        assert_eq!(log.durable(), Index(1), "entries 2 and 3 of term 3 are still under way");
        log.confirm(Receipt(new));
        assert_eq!(log.durable(), Index(3));
    }

    #[test]
    fn the_hint_skips_a_whole_term() {
        let log = log(&[1, 1, 4, 4, 4]);
        let found = |index, term| log.last_not_above(Index(index), Term(term));
        assert_eq!(found(5, 3), Some(Position { index: Index(2), term: Term(1) }));
        assert_eq!(found(9, 4), Some(Position { index: Index(5), term: Term(4) }));
        assert_eq!(found(4, 0), Some(Position::default()));
    }

    #[test]
    fn a_run_holds_at_least_one_entry_and_fits_otherwise() {
        let log = log(&[1, 1, 1]);
        assert_eq!(log.run(Index(1), 1).len(), 1);
        assert_eq!(log.run(Index(1), entry(1).size() * 2).len(), 2);
        assert_eq!(log.run(Index(4), 100).len(), 0);
    }

    #[test]
    fn what_is_forgotten_leaves_its_position() {
        let mut log = log(&[1, 1, 2, 2]);
        log.forget(Index(3), entry(1).size());
        assert_eq!(log.start(), Position { index: Index(3), term: Term(2) });
        assert_eq!((log.position(Index(2)), log.entry(Index(3))), (None, None));
        assert_eq!(log.last_not_above(Index(4), Term(1)), None, "it may lie before what is held");
        assert_eq!(log.run(Index(4), 100).len(), 1);
    }

    #[test]
    fn a_snapshot_keeps_what_follows_on_it_and_drops_another_history() {
        let position = |index, term| Position { index: Index(index), term: Term(term) };
        let mut kept = log(&[1, 1, 2, 2]);
        assert!(kept.replace(position(3, 2)));
        assert_eq!((kept.start(), kept.last()), (position(3, 2), position(4, 2)));
        let mut other = log(&[1, 1, 2, 2]);
        assert!(!other.replace(position(3, 3)));
        assert_eq!((other.start(), other.last()), (position(3, 3), position(3, 3)));
        let mut short = log(&[1]);
        assert!(!short.replace(position(9, 2)));
        assert_eq!((short.last(), short.durable()), (position(9, 2), Index(9)));
    }

    #[test]
    fn a_receipt_of_what_a_snapshot_dropped_blesses_nothing() {
        let mut log = log(&[1]);
        log.splice(Index(1), vec![entry(2); 8], Index(0));
        let (old, _) = log.open_write(Instant(0));
        log.replace(Position { index: Index(4), term: Term(3) });
        log.splice(Index(4), vec![entry(3)], Index(4));
        log.confirm(Receipt(old));
        assert_eq!(log.durable(), Index(4), "entry 5 is of another history and unwritten");
    }
}
