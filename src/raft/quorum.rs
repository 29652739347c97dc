//! Majorities. Plain sorting on purpose: a clever counter once committed without a quorum (openraft 1802).

use super::types::NodeId;

/// The voting members: one set, or two while a change is under way. Then each needs a majority of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Voters {
    /// In id order. Empty only where nobody is known to vote yet.
    new: Vec<NodeId>,
    old: Option<Vec<NodeId>>,
}

impl Voters {
    /// The set that counts, and the one that counts as well until a change is through.
    pub(super) fn new(mut new: Vec<NodeId>, old: Option<Vec<NodeId>>) -> Voters {
        new.sort_unstable();
        new.dedup();
        Voters { new, old }
    }

    fn sets(&self) -> impl Iterator<Item = &[NodeId]> {
        std::iter::once(&self.new[..]).chain(self.old.as_deref())
    }

    pub(super) fn contains(&self, id: NodeId) -> bool {
        self.sets().any(|set| set.contains(&id))
    }

    /// Whether two sets decide together.
    pub(super) fn is_joint(&self) -> bool {
        self.old.is_some()
    }

    /// How many voters there are, those of the larger set if there are two.
    pub(super) fn count(&self) -> usize {
        self.sets().map(<[NodeId]>::len).max().unwrap_or(0)
    }

    /// Everyone who votes in either set, but `id`.
    pub(super) fn others(&self, id: NodeId) -> Vec<NodeId> {
        let mut others: Vec<NodeId> = self.sets().flatten().copied().filter(|other| *other != id).collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    /// How many voters are before `id` in id order.
    pub(super) fn rank(&self, id: NodeId) -> usize {
        self.new.partition_point(|other| *other < id)
    }

    /// How many others make a majority together with a voter.
    pub(super) fn needed_others(&self) -> usize {
        majority(self.count()) - 1
    }

    /// Whether it is so for a majority of each set.
    pub(super) fn agree(&self, is_so: impl Fn(NodeId) -> bool) -> bool {
        self.reached(is_so)
    }

    /// The largest value that a majority of each set has reached.
    pub(super) fn reached<T: Ord + Copy>(&self, value: impl Fn(NodeId) -> T) -> T {
        let of_set = |set: &[NodeId]| {
            assert!(!set.is_empty(), "nobody is asked where nobody votes");
            let mut values: Vec<T> = set.iter().map(|id| value(*id)).collect();
            values.sort_unstable_by(|left, right| right.cmp(left));
            values[majority(set.len()) - 1]
        };
        self.sets().map(of_set).min().expect("there is at least one set")
    }
}

/// The smallest number that is more than half of `count`.
fn majority(count: usize) -> usize {
    count / 2 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voters(count: u16) -> Voters {
        Voters::new((0..count).map(NodeId).collect(), None)
    }

    #[test]
    fn more_than_half_in_odd_and_even_clusters() {
        let majorities: Vec<usize> = (1..=7).map(|count| voters(count).needed_others() + 1).collect();
        assert_eq!(majorities, [1, 2, 2, 3, 3, 4, 4]);
    }

    #[test]
    fn reached_is_what_a_majority_has() {
        let of = |values: &[u64]| {
            voters(u16::try_from(values.len()).expect("few")).reached(|id| values[usize::from(id.0)])
        };
        assert_eq!(of(&[9, 1, 7, 3, 2]), 3);
        assert_eq!(of(&[9, 9, 1, 1]), 1);
        assert_eq!(of(&[9]), 9);
    }

    #[test]
    fn two_sets_need_a_majority_each() {
        let old = vec![NodeId(0), NodeId(1), NodeId(2)];
        let joint = Voters::new(vec![NodeId(2), NodeId(3), NodeId(4)], Some(old));
        assert!(!joint.agree(|id| id.0 >= 2), "that is all of the new set and one of the old");
        assert!(joint.agree(|id| id.0 >= 1 && id.0 != 4));
        assert_eq!(joint.reached(|id| [5, 5, 1, 9, 9][usize::from(id.0)]), 5);
        assert_eq!(joint.others(NodeId(2)), [0, 1, 3, 4].map(NodeId));
    }
}
