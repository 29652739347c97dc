//! All entries in the order of their keys, found by a look or two.
//!
//! The order of keys is that of their hashes (see `key`), and hashes are spread evenly. So the first bits of
//! a hash tell where its key must be: a directory leads from them to a bucket of a few keys. This is
//! extendible hashing, but with the *first* bits, so that bucket follows on bucket in the order of the keys,
//! and a walk in order stays what it is in a tree. A tree of all keys has to be descended, and on its way
//! from one level to the next a processor waits for memory each time. Here it waits twice: for a bucket,
//! which is one line of its cache and holds the hashes, and for the entry that they lead to.
//!
//! A bucket with too many keys is split in two (see `bucket`); if the directory is too coarse for that, it
//! doubles, which copies four bytes a place. Nothing else ever moves, so there is no moment at which all keys
//! are moved to larger quarters. Whoever makes many keys with equal hashes gets one large bucket, which is a
//! tree, and no directory without end: it has no more than one place for two keys.

use std::ops::Bound;

use super::bucket::Bucket;
use super::entry::Entry;
use super::key::Key;

/// Entries by key.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// For the first bits of a hash, the bucket. Places of one bucket lie side by side.
    directory: Vec<u32>,
    /// How many bits those are.
    bits: u32,
    buckets: Vec<Bucket>,
    len: usize,
}

/// So many places are looked at together: what is there fits the nearest caches.
const SWEEP_PLACES: usize = 16;

/// A directory of this many places is never too large.
const PLACES_MIN: usize = 16;

impl Default for Table {
    fn default() -> Table {
        Table { directory: vec![0], bits: 0, buckets: vec![Bucket::new(0)], len: 0 }
    }
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.buckets[self.bucket_of(key)].get(key)
    }

    /// Looks at where keys must be, so that they are at hand when they are wanted. What is looked at for one
    /// key does not depend on what is found for another, so the processor waits for all together: for the
    /// buckets first, and then for the entries.
    pub(super) fn look_ahead<'a>(&self, keys: impl Iterator<Item = &'a Key> + Clone) {
        let buckets = keys.clone().map(|key| &self.buckets[self.bucket_of(key)]);
        std::hint::black_box(buckets.fold(0, |sum, bucket| sum ^ bucket.bits()));
        let entries = keys.map(|key| self.buckets[self.bucket_of(key)].look_ahead(key));
        std::hint::black_box(entries.fold(0, |sum, found| sum ^ found));
    }

    /// Lets `change` do what it wants with the entry of a key; if there is none, it answers what there shall
    /// be.
    pub(super) fn update(
        &mut self,
        key: Key,
        change: impl FnOnce(&Key, Option<&mut Entry>) -> Option<Entry>,
    ) {
        let bucket = self.bucket_of(&key);
        match self.buckets[bucket].get_mut(&key) {
            Some(entry) => drop(change(&key, Some(entry))),
            None => {
                if let Some(entry) = change(&key, None) {
                    self.insert(bucket, key, entry);
                }
            }
        }
    }

    /// Puts what was not there before into a bucket, or into what becomes of it.
    fn insert(&mut self, mut bucket: usize, key: Key, entry: Entry) {
        while self.buckets[bucket].is_full() && self.split(bucket) {
            bucket = self.bucket_of(&key);
        }
        self.buckets[bucket].insert(key, entry);
        self.len += 1;
    }

    pub(super) fn remove_entry(&mut self, key: &Key) -> Option<(Key, Entry)> {
        let bucket = self.bucket_of(key);
        let removed = self.buckets[bucket].remove(key);
        self.len -= usize::from(removed.is_some());
        removed
    }

    pub(super) fn clear(&mut self) {
        *self = Table::default();
    }

    /// All entries in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.range(Bound::Unbounded)
    }

    /// The entries from a place in the order on.
    pub(super) fn range<'a>(
        &'a self,
        from: Bound<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Entry)> + use<'a> {
        let place = self.place_from(from);
        let rest = self.places_behind(place).flat_map(|place| self.bucket_at(place).range(Bound::Unbounded));
        self.bucket_at(place).range(from).chain(rest)
    }

    /// The same for whoever is going to take many of them: looks at several buckets before it takes the
    /// first.
    pub(super) fn sweep<'a>(
        &'a self,
        from: Bound<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Entry)> + use<'a> {
        let place = self.place_from(from);
        let mut seen = place;
        let rest = self.places_behind(place).flat_map(move |place| {
            if place >= seen {
                seen = self.look_at(place);
            }
            self.bucket_at(place).range(Bound::Unbounded)
        });
        self.bucket_at(place).range(from).chain(rest)
    }

    /// Looks at the buckets of some places, and then at what they hold. Answers where the next ones begin.
    fn look_at(&self, place: usize) -> usize {
        let end = self.directory.len().min(place + SWEEP_PLACES);
        let buckets = || self.directory[place..end].iter().map(|bucket| &self.buckets[*bucket as usize]);
        std::hint::black_box(buckets().fold(0, |sum, bucket| sum ^ bucket.bits()));
        std::hint::black_box(buckets().fold(0, |sum, bucket| sum ^ bucket.look_at_all()));
        end
    }

    /// Gives up what comes before a key, as far as that is easily done.
    pub(super) fn drop_before(&mut self, key: &Key) {
        let place = self.place_of(key.hash());
        let bucket = self.directory[place];
        for before in self.directory[..place].iter().filter(|before| **before != bucket) {
            let before = &mut self.buckets[*before as usize];
            self.len -= before.len();
            before.clear();
        }
    }

    fn place_of(&self, hash: u32) -> usize {
        // All 32 bits at once cannot be shifted out.
        usize::try_from(u64::from(hash) >> (32 - self.bits)).expect("there are so many places")
    }

    fn place_from(&self, from: Bound<&Key>) -> usize {
        match from {
            Bound::Unbounded => 0,
            Bound::Included(key) | Bound::Excluded(key) => self.place_of(key.hash()),
        }
    }

    fn bucket_at(&self, place: usize) -> &Bucket {
        &self.buckets[self.directory[place] as usize]
    }

    fn bucket_of(&self, key: &Key) -> usize {
        self.directory[self.place_of(key.hash())] as usize
    }

    /// The places of a bucket with so many bits, one of which is given.
    fn places_of(&self, place: usize, bits: u32) -> std::ops::Range<usize> {
        let count = 1 << (self.bits - bits);
        let first = place & !(count - 1);
        first..first + count
    }

    /// A place of each bucket behind that of a place, in order.
    fn places_behind(&self, place: usize) -> impl Iterator<Item = usize> {
        let next = |place: &usize| {
            let end = self.places_of(*place, self.bucket_at(*place).bits()).end;
            (end < self.directory.len()).then_some(end)
        };
        std::iter::successors(next(&place), next)
    }

    /// Splits every bucket that is too large, as far as the directory may grow. Where all keys came in their
    /// order it could not know in time how many there would be.
    pub(super) fn settle(&mut self) {
        let mut bucket = 0;
        while bucket < self.buckets.len() {
            while self.buckets[bucket].is_too_large() && self.split(bucket) {}
            bucket += 1;
        }
    }

    /// Gives half of a bucket's hashes to a new one, if the directory can tell them apart.
    fn split(&mut self, bucket: usize) -> bool {
        let bits = self.buckets[bucket].bits();
        let hash = self.buckets[bucket].first_hash().expect("it is full");
        if bits == self.bits && !self.double() {
            return false;
        }
        let places = self.places_of(self.place_of(hash), bits);
        let middle = places.start + places.len() / 2;
        let boundary = u32::try_from((middle as u64) << (32 - self.bits)).expect("a hash has 32 bits");
        let upper = self.buckets[bucket].split_off(boundary);
        let new = u32::try_from(self.buckets.len()).expect("there are fewer buckets than hashes");
        self.buckets.push(upper);
        self.directory[middle..places.end].fill(new);
        true
    }

    /// Makes the directory twice as fine, unless it is fine enough for so many keys.
    fn double(&mut self) -> bool {
        let places = self.directory.len() * 2;
        let may = self.bits < 31 && places <= PLACES_MIN.max(self.len / 2);
        if may {
            self.directory = self.directory.iter().flat_map(|bucket| [*bucket, *bucket]).collect();
            self.bits += 1;
        }
        may
    }
}

/// How keys are distributed over buckets tells how they came here, not which they are.
impl PartialEq for Table {
    fn eq(&self, other: &Table) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Table {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::bytes::Bytes;
    use super::super::operation::Revision;
    use super::*;
    use crate::prng::Prng;

    fn entry(number: u64) -> Entry {
        Entry::new(&Key::from("any"), Bytes::default(), None, Revision(number))
    }

    fn put(table: &mut Table, key: &Key, number: u64) {
        table.update(key.clone(), |_, found| match found {
            None => Some(entry(number)),
            Some(found) => {
                *found = entry(number);
                None
            }
        });
    }

    fn assert_equal(table: &Table, naive: &BTreeMap<Key, Entry>, from: &Key) {
        assert_eq!(table.len(), naive.len());
        assert!(table.iter().eq(naive.iter()));
        assert!(table.range(Bound::Included(from)).eq(naive.range(from..)));
        assert!(table.sweep(Bound::Included(from)).eq(naive.range(from..)));
        assert!(table.sweep(Bound::Unbounded).eq(naive.iter()));
        assert_eq!(table.directory.len(), 1 << table.bits);
        for (place, bucket) in table.directory.iter().enumerate() {
            let found = &table.buckets[*bucket as usize];
            let places = table.places_of(place, found.bits());
            assert!(table.directory[places.clone()].iter().all(|other| other == bucket));
            let mut keys = found.range(Bound::Unbounded).map(|(key, _)| key);
            assert!(keys.all(|key| places.contains(&table.place_of(key.hash()))));
        }
    }

    #[test]
    fn it_is_what_a_tree_of_all_keys_is() {
        for seed in 0..8 {
            let (mut table, mut naive, mut prng) = (Table::default(), BTreeMap::new(), Prng::new(seed));
            for step in 0..6_000 {
                let key = Key::from(&*format!("key:{}", prng.below(3_000)));
                if prng.below(3) == 0 {
                    assert_eq!(table.remove_entry(&key), naive.remove_entry(&key));
                } else {
                    put(&mut table, &key, step);
                    naive.insert(key.clone(), entry(step));
                }
                assert_eq!(table.get(&key), naive.get(&key));
                if step % 500 == 0 {
                    assert_equal(&table, &naive, &key);
                }
            }
            assert!(table.buckets.len() > 100, "it has grown");
            table.clear();
            assert_eq!((table.len(), table.iter().count()), (0, 0));
        }
    }

    #[test]
    fn keys_that_came_in_their_order_are_spread_in_the_end() {
        let mut keys: Vec<Key> = (0..5_000).map(|number| Key::from(&*number.to_string())).collect();
        keys.sort_unstable();
        let mut table = Table::default();
        keys.iter().for_each(|key| put(&mut table, key, 1));
        table.settle();
        assert!(table.iter().map(|(key, _)| key).eq(&keys));
        let large = table.buckets.iter().filter(|bucket| bucket.is_too_large()).count();
        assert!(large * 20 < table.buckets.len(), "{large} of {}", table.buckets.len());
    }

    #[test]
    fn keys_of_nearly_equal_hashes_make_a_tree_and_no_endless_directory() {
        // Names of which a search finds that their hashes begin with the same twelve bits.
        let names = (0..).map(|number| Key::from(&*number.to_string()));
        let alike: Vec<Key> = names.filter(|key| key.hash() >> 20 == 7).take(400).collect();
        let (mut table, mut naive) = (Table::default(), BTreeMap::new());
        for (number, key) in (0..).zip(&alike) {
            put(&mut table, key, number);
            naive.insert(key.clone(), entry(number));
        }
        assert!(table.directory.len() <= 256, "{} places", table.directory.len());
        assert_equal(&table, &naive, &alike[9]);
        for key in alike.iter().step_by(2) {
            assert_eq!(table.remove_entry(key), naive.remove_entry(key));
            assert_eq!(table.get(key), None);
        }
        put(&mut table, &alike[1], 7);
        naive.insert(alike[1].clone(), entry(7));
        assert_equal(&table, &naive, &alike[9]);
    }

    #[test]
    fn what_comes_before_a_key_can_be_given_up() {
        let mut table = Table::default();
        for number in 0..1_000 {
            put(&mut table, &Key::from(&*number.to_string()), number);
        }
        let middle = table.iter().nth(500).expect("there are more").0.clone();
        let behind: Vec<Key> = table.range(Bound::Included(&middle)).map(|(key, _)| key.clone()).collect();
        table.drop_before(&middle);
        assert!(table.len() < 520 && table.iter().count() == table.len(), "{}", table.len());
        assert!(table.range(Bound::Included(&middle)).map(|(key, _)| key).eq(&behind));
    }
}
