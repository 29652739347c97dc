//! A log as the ghost keeps it: for each entry its term and a hash of everything up to it.

use std::collections::VecDeque;

use crate::raft::{HardState, Index, LogStart, LogWrite, Position, Term, WriteSequence};

/// A place in a log, with the hash of all that leads up to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Link {
    pub(super) term: Term,
    pub(super) hash: u64,
}

/// What a log holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct View {
    pub(super) hard: HardState,
    pub(super) start: Position,
    start_hash: u64,
    links: VecDeque<Link>,
}

/// A write on its way to a disk.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) sequence: WriteSequence,
    pub(super) steps: Vec<Step>,
}

/// Parts of a write that reach the disk one by one.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The log begins elsewhere; with the hash there.
    Start(Option<HardState>, LogStart, u64),
    /// Only the term and the vote of such a write.
    Hard(HardState),
    /// Hard state and entries, in one record.
    Rest(Option<HardState>, Option<(Index, Vec<Link>)>),
}

impl Pending {
    /// Takes a write apart as the log's writer does.
    pub(super) fn new(write: &LogWrite, start_hash: u64, links: Option<(Index, Vec<Link>)>) -> Pending {
        let steps = match write.start {
            None => vec![Step::Rest(write.hard_state, links)],
            Some(start) => {
                let hard = write.hard_state.map(Step::Hard);
                let rest = links.map(|links| Step::Rest(None, Some(links)));
                let start = Step::Start(write.hard_state, start, start_hash);
                hard.into_iter().chain([start]).chain(rest).collect()
            }
        };
        Pending { sequence: write.sequence, steps }
    }
}

impl View {
    /// A log that begins somewhere.
    pub(super) fn new(hard: HardState, start: Position, start_hash: u64) -> View {
        View { hard, start, start_hash, links: VecDeque::new() }
    }

    pub(super) fn last(&self) -> Position {
        let index = Index(self.start.index.0 + self.links.len() as u64);
        Position { index, term: self.links.back().map_or(self.start.term, |link| link.term) }
    }

    pub(super) fn last_hash(&self) -> u64 {
        self.links.back().map_or(self.start_hash, |link| link.hash)
    }

    fn slot(&self, index: Index) -> Option<usize> {
        usize::try_from(index.0.checked_sub(self.start.index.0 + 1)?).ok()
    }

    /// The hash at an index that is not before the log's start.
    pub(super) fn hash_at(&self, index: Index) -> Option<u64> {
        if index == self.start.index {
            return Some(self.start_hash);
        }
        self.links.get(self.slot(index)?).map(|link| link.hash)
    }

    pub(super) fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.start.index {
            return Some(self.start.term);
        }
        self.links.get(self.slot(index)?).map(|link| link.term)
    }

    /// Whether it has what has this hash at this index; what a snapshot stands for it has.
    pub(super) fn holds(&self, index: Index, hash: u64) -> bool {
        index < self.start.index || self.hash_at(index) == Some(hash)
    }

    pub(super) fn push(&mut self, link: Link) {
        self.links.push_back(link);
    }

    /// Removes everything from an index on.
    pub(super) fn cut(&mut self, first: Index) {
        let kept = self.slot(first).unwrap_or(0);
        self.links.truncate(kept);
    }

    pub(super) fn begin(&mut self, start: LogStart, hash: u64) {
        let LogStart { after, keeps_tail } = start;
        let gone = after.index.0.saturating_sub(self.start.index.0);
        let gone = usize::try_from(gone).unwrap_or(usize::MAX);
        if keeps_tail && gone <= self.links.len() {
            self.links.drain(..gone);
        } else {
            self.links.clear();
        }
        (self.start, self.start_hash) = (after, hash);
    }

    pub(super) fn apply(&mut self, step: &Step) {
        match step {
            Step::Hard(hard) => self.hard = *hard,
            Step::Start(hard, start, hash) => {
                self.hard = hard.unwrap_or(self.hard);
                self.begin(*start, *hash);
            }
            Step::Rest(hard, entries) => {
                self.hard = hard.unwrap_or(self.hard);
                if let Some((first, links)) = entries {
                    self.cut(*first);
                    self.links.extend(links.iter().copied());
                }
            }
        }
    }

    /// What a node makes of this log when it finds a snapshot that the log does not lead up to.
    pub(super) fn joined(&self, snapshot: Position, hash: u64) -> View {
        if self.term_at(snapshot.index) == Some(snapshot.term) {
            return self.clone();
        }
        let is_later = self.hard.term < snapshot.term;
        let hard = if is_later { HardState { term: snapshot.term, vote: None } } else { self.hard };
        View::new(hard, snapshot, hash)
    }
}
