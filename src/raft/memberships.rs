//! Which membership counts at which place of the log (R12): what the log says, never more and never less.
//!
//! Nothing else is remembered than what a scan of the snapshot and the log would give (S18). A cut takes the
//! memberships with the entries that brought them; a snapshot brings the one at its own place.

use std::collections::VecDeque;

use super::membership::Membership;
use super::types::{Entry, Index, Payload};

/// The memberships that the log holds, each with its entry, oldest first; at least one. The first counts up
/// to the second.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Memberships(VecDeque<(Index, Membership)>);

impl Memberships {
    /// One that counts from `index` on.
    pub(super) fn new(index: Index, membership: Membership) -> Memberships {
        Memberships(VecDeque::from([(index, membership)]))
    }

    /// The one that counts: the last in the log, committed or not.
    pub(super) fn active(&self) -> &Membership {
        &self.0.back().expect("there is always one").1
    }

    /// The entry that brought the one that counts.
    pub(super) fn index(&self) -> Index {
        self.0.back().expect("there is always one").0
    }

    /// The one at a place of the log that is not before what is kept.
    pub(super) fn at(&self, index: Index) -> &Membership {
        let before = self.0.iter().rev().find(|(first, _)| *first <= index);
        &before.expect("what is applied is never before what is kept").1
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter().map(|(_, membership)| membership)
    }

    /// The log has been cut and grown anew from `first` on. Answers whether another counts by that.
    pub(super) fn follow<'a>(&mut self, first: Index, entries: impl Iterator<Item = &'a Entry>) -> bool {
        let known = self.0.len();
        while self.0.len() > 1 && self.index() >= first {
            self.0.pop_back();
        }
        let mut changed = self.0.len() < known;
        for (index, entry) in (first.0..).map(Index).zip(entries) {
            if let Payload::Membership(membership) = &entry.payload {
                self.push(index, Membership::clone(membership));
                changed = true;
            }
        }
        changed
    }

    pub(super) fn push(&mut self, index: Index, membership: Membership) {
        assert!(index > self.index(), "memberships follow on each other (S18)");
        self.0.push_back((index, membership));
    }

    /// Nobody asks any more for what counted before `index`.
    pub(super) fn forget_before(&mut self, index: Index) {
        while self.0.get(1).is_some_and(|(next, _)| *next <= index) {
            self.0.pop_front();
        }
    }

    /// A snapshot that ends at `index` has this one. What came later stays if the log did.
    pub(super) fn replace(&mut self, index: Index, membership: Membership, keeps_tail: bool) {
        self.0.retain(|(first, _)| keeps_tail && *first > index);
        self.0.push_front((index, membership));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::types::{NodeId, Term};
    use super::*;

    fn of(ids: &[u16]) -> Membership {
        Membership::of_founders(&ids.iter().map(|id| NodeId(*id)).collect::<Vec<_>>())
    }

    fn entry(ids: &[u16]) -> Entry {
        Entry { term: Term(1), payload: Payload::Membership(Arc::new(of(ids))) }
    }

    #[test]
    fn a_cut_brings_back_what_counted_before() {
        let mut memberships = Memberships::new(Index(0), of(&[1]));
        let noop = Entry { term: Term(1), payload: Payload::Noop };
        assert!(!memberships.follow(Index(1), [&noop].into_iter()));
        assert!(memberships.follow(Index(2), [&noop, &entry(&[1, 2])].into_iter()));
        assert_eq!((memberships.active(), memberships.index()), (&of(&[1, 2]), Index(3)));
        assert_eq!(memberships.at(Index(2)), &of(&[1]));
        assert!(memberships.follow(Index(3), [&noop].into_iter()));
        assert_eq!(memberships.active(), &of(&[1]));
    }

    #[test]
    fn a_snapshot_brings_its_own() {
        let mut memberships = Memberships::new(Index(0), of(&[1]));
        memberships.follow(Index(4), [&entry(&[1, 2]), &entry(&[2])].into_iter());
        let mut kept = memberships.clone();
        kept.replace(Index(4), of(&[1, 2]), true);
        assert_eq!((kept.active(), kept.at(Index(4))), (&of(&[2]), &of(&[1, 2])));
        memberships.replace(Index(9), of(&[7]), false);
        assert_eq!((memberships.active(), memberships.index()), (&of(&[7]), Index(9)));
    }

    #[test]
    fn what_is_forgotten_is_older_than_what_is_asked_for() {
        let mut memberships = Memberships::new(Index(0), of(&[1]));
        memberships.follow(Index(4), [&entry(&[1, 2]), &entry(&[2])].into_iter());
        memberships.forget_before(Index(4));
        assert_eq!(memberships.iter().count(), 2);
        assert_eq!(memberships.at(Index(4)), &of(&[1, 2]));
    }
}
