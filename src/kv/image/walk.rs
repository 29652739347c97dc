//! A walk through an ordered map that sees it as it was when the walk began.
//!
//! Whoever changes the map asks [`Walk::awaits`] and hands in what was there. The walk gives it out in its
//! place, and the map's owner says which of the rest is as old as the walk.

use std::collections::BTreeMap;
use std::ops::Bound;

/// How far a walk is, and what it still needs that the map no longer has.
#[derive(Clone, Debug)]
pub(in crate::kv) struct Walk<K, V> {
    rest: Rest<K>,
    /// What was there when the walk began, has changed since, and is still to be given out.
    saved: BTreeMap<K, V>,
}

/// What a walk has still to come by.
#[derive(Clone, Debug)]
pub(super) enum Rest<K> {
    Everything,
    /// This key and all behind it.
    From(K),
    Nothing,
}

impl<K: Ord> Rest<K> {
    pub(super) fn includes(&self, key: &K) -> bool {
        match self {
            Rest::Everything => true,
            Rest::From(next) => key >= next,
            Rest::Nothing => false,
        }
    }

    /// Where to go on, if anywhere.
    pub(super) fn begin(&self) -> Option<Bound<&K>> {
        match self {
            Rest::Everything => Some(Bound::Unbounded),
            Rest::From(next) => Some(Bound::Included(next)),
            Rest::Nothing => None,
        }
    }
}

impl<K: Ord + Clone, V> Walk<K, V> {
    pub(in crate::kv) fn new() -> Walk<K, V> {
        Walk { rest: Rest::Everything, saved: BTreeMap::new() }
    }

    /// Whether the walk has still to come by there: then what changes has to be saved, if it is old enough.
    pub(in crate::kv) fn awaits(&self, key: &K) -> bool {
        self.rest.includes(key)
    }

    /// Keeps what a key was when the walk began.
    pub(in crate::kv) fn save(&mut self, key: K, value: V) {
        let known = self.saved.insert(key, value);
        assert!(known.is_none(), "what is changed for the second time is younger than the walk");
    }

    /// Gives out what comes next, in order, until `give` has had enough. Of the map, which `range` shows from
    /// a place on, only what `belongs`.
    pub(in crate::kv) fn go_on<'a, I: Iterator<Item = (&'a K, &'a V)>>(
        &mut self,
        range: impl FnOnce(Bound<&K>) -> I,
        belongs: impl Fn(&K, &V) -> bool,
        mut give: impl FnMut(&K, &V) -> bool,
    ) where
        K: 'a,
        V: 'a,
    {
        let Some(from) = self.rest.begin() else { return };
        let mut unchanged = range(from).filter(|(key, value)| belongs(key, value));
        let mut ahead = unchanged.next();
        let mut has_room = true;
        self.rest = loop {
            let saved = self.saved.first_key_value().map(|(key, _)| key);
            let is_saved = match (ahead, saved) {
                (None, None) => break Rest::Nothing,
                (Some((key, _)), Some(saved)) => saved < key,
                (_, saved) => saved.is_some(),
            };
            if !has_room {
                let next = if is_saved { saved } else { ahead.map(|(key, _)| key) };
                break Rest::From(next.expect("there is one").clone());
            }
            if is_saved {
                let (key, value) = self.saved.pop_first().expect("it was looked at");
                has_room = give(&key, &value);
            } else if let Some((key, value)) = ahead {
                has_room = give(key, value);
                ahead = unchanged.next();
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(walk: &mut Walk<u32, u32>, map: &BTreeMap<u32, u32>, count: usize) -> Vec<(u32, u32)> {
        let mut given = Vec::new();
        walk.go_on(
            |from| map.range((from, Bound::Unbounded)),
            |_, value| *value < 100,
            |key, value| {
                given.push((*key, *value));
                given.len() < count
            },
        );
        given
    }

    #[test]
    fn what_is_saved_comes_in_its_place_and_what_is_young_is_left_out() {
        let mut map: BTreeMap<u32, u32> = (0..6).map(|key| (key, key)).collect();
        let mut walk = Walk::new();
        assert_eq!(step(&mut walk, &map, 2), [(0, 0), (1, 1)]);
        assert!(!walk.awaits(&1) && walk.awaits(&2));
        map.insert(1, 101);
        for key in [2, 4, 5] {
            walk.save(key, map.insert(key, 100).unwrap());
        }
        map.remove(&5);
        map.insert(9, 109);
        assert_eq!(step(&mut walk, &map, 2), [(2, 2), (3, 3)]);
        assert!(!walk.awaits(&3) && walk.awaits(&4));
        assert_eq!(step(&mut walk, &map, 9), [(4, 4), (5, 5)]);
        assert!(!walk.awaits(&u32::MAX));
        assert_eq!(step(&mut walk, &map, 9), []);
    }
}
