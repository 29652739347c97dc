//! Which membership counts at which place of the log (R12): what the log says, never more and never less.
//!
//! Nothing else is remembered than what a scan of the snapshot and the log would give (S18). A cut takes the
//! memberships with the entries that brought them; a snapshot brings the one at its own place.

use std::collections::VecDeque;

use super::membership::Membership;
use super::quorum::Voters;
use super::types::{Entry, Index, NodeId, Payload};

/// The memberships that the log holds, each with its entry, oldest first; at least one. The first counts up
/// to the second.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Memberships(VecDeque<Held>);

/// A membership and the entry that brought it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Held {
    index: Index,
    membership: Membership,
    /// Its voters, which everything that is counted asks for.
    voters: Voters,
}

impl Held {
    fn new(index: Index, membership: Membership) -> Held {
        Held { index, voters: membership.voters(), membership }
    }
}

impl Memberships {
    /// One that counts from `index` on.
    pub(super) fn new(index: Index, membership: Membership) -> Memberships {
        Memberships(VecDeque::from([Held::new(index, membership)]))
    }

    fn last(&self) -> &Held {
        self.0.back().expect("there is always one")
    }

    /// The one that counts: the last in the log, committed or not.
    pub(super) fn active(&self) -> &Membership {
        &self.last().membership
    }

    /// The voters of the one that counts.
    pub(super) fn voters(&self) -> &Voters {
        &self.last().voters
    }

    /// The entry that brought the one that counts.
    pub(super) fn index(&self) -> Index {
        self.last().index
    }

    /// The one at a place of the log that is not before what is kept.
    pub(super) fn at(&self, index: Index) -> &Membership {
        let before = self.0.iter().rev().find(|held| held.index <= index);
        &before.expect("what is applied is never before what is kept").membership
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter().map(|held| &held.membership)
    }

    /// Whether any of them lets `id` vote.
    pub(super) fn any_has_voter(&self, id: NodeId) -> bool {
        self.0.iter().any(|held| held.voters.contains(id))
    }

    /// The log has been cut and grown anew from `first` on.
    pub(super) fn follow<'a>(&mut self, first: Index, entries: impl Iterator<Item = &'a Entry>) {
        while self.0.len() > 1 && self.index() >= first {
            self.0.pop_back();
        }
        for (index, entry) in (first.0..).map(Index).zip(entries) {
            if let Payload::Membership(membership) = &entry.payload {
                self.push(index, Membership::clone(membership));
            }
        }
    }

    pub(super) fn push(&mut self, index: Index, membership: Membership) {
        assert!(index > self.index(), "memberships follow on each other (S18)");
        self.0.push_back(Held::new(index, membership));
    }

    /// Nobody asks any more for what counted before `index`.
    pub(super) fn forget_before(&mut self, index: Index) {
        while self.0.get(1).is_some_and(|next| next.index <= index) {
            self.0.pop_front();
        }
    }

    /// A snapshot that ends at `index` has this one. What came later stays if the log did.
    pub(super) fn replace(&mut self, index: Index, membership: Membership, keeps_tail: bool) {
        self.0.retain(|held| keeps_tail && held.index > index);
        self.0.push_front(Held::new(index, membership));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::types::Term;
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
        memberships.follow(Index(1), [&noop].into_iter());
        assert_eq!((memberships.active(), memberships.index()), (&of(&[1]), Index(0)));
        memberships.follow(Index(2), [&noop, &entry(&[1, 2])].into_iter());
        assert_eq!((memberships.active(), memberships.index()), (&of(&[1, 2]), Index(3)));
        assert_eq!(memberships.at(Index(2)), &of(&[1]));
        assert_eq!(memberships.voters(), &of(&[1, 2]).voters());
        memberships.follow(Index(3), [&noop].into_iter());
        assert_eq!((memberships.active(), memberships.voters()), (&of(&[1]), &of(&[1]).voters()));
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
        assert_eq!(memberships.0.len(), 2);
        assert_eq!(memberships.at(Index(4)), &of(&[1, 2]));
    }
}
