//! Majorities. Plain sorting on purpose: a clever counter once committed without a quorum (openraft 1802).

use super::types::NodeId;

/// The voting members, in id order, this replica among them.
#[derive(Clone, Debug)]
pub(super) struct Voters(Vec<NodeId>);

impl Voters {
    /// Every id once, in order.
    pub(super) fn new(ids: &[NodeId]) -> Voters {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        assert!(!ids.is_empty(), "a cluster has at least one voter");
        Voters(ids)
    }

    pub(super) fn contains(&self, id: NodeId) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Everyone but `id`.
    pub(super) fn others(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        self.0.iter().copied().filter(move |other| *other != id)
    }

    /// How many voters are before `id` in id order.
    pub(super) fn rank(&self, id: NodeId) -> usize {
        self.0.partition_point(|other| *other < id)
    }

    /// The smallest number that is more than half of the voters.
    pub(super) fn majority(&self) -> usize {
        self.0.len() / 2 + 1
    }

    /// How many others make a majority together with this replica.
    pub(super) fn needed_others(&self) -> usize {
        self.majority() - 1
    }

    /// The largest value that a majority has reached, if this replica itself has reached `own` and the
    /// others have reached `others`.
    pub(super) fn reached<T: Ord + Copy>(&self, own: T, others: impl Iterator<Item = T>) -> T {
        let mut values: Vec<T> = others.collect();
        values.push(own);
        assert_eq!(values.len(), self.count(), "one value a voter");
        values.sort_unstable_by(|left, right| right.cmp(left));
        values[self.majority() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voters(count: u16) -> Voters {
        Voters::new(&(0..count).map(NodeId).collect::<Vec<_>>())
    }

    #[test]
    fn more_than_half_in_odd_and_even_clusters() {
        let majorities: Vec<usize> = (1..=7).map(|count| voters(count).majority()).collect();
        assert_eq!(majorities, [1, 2, 2, 3, 3, 4, 4]);
    }

    #[test]
    fn reached_is_what_a_majority_has() {
        assert_eq!(voters(5).reached(9, [1, 7, 3, 2].into_iter()), 3);
        assert_eq!(voters(4).reached(9, [9, 1, 1].into_iter()), 1);
        assert_eq!(voters(1).reached(9, [].into_iter()), 9);
        assert_eq!(voters(3).reached(None, [Some(4), None].into_iter()), None);
    }
}
