//! A few entries whose keys' hashes begin alike, in order.
//!
//! What is looked at first, the hashes, lies together in one line of the processor's cache; where the key
//! stands among them says where its entry is. Nothing of this depends on a guess about which way a comparison
//! goes, so of many buckets that are looked at one after the other the memory is awaited together.
//!
//! There is room for nine. Where more have to be held, because their hashes cannot be told apart, they move
//! to a tree.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

use super::entry::Entry;
use super::key::Key;

/// As many hashes as fill a line of 64 bytes, with what else a bucket has.
const KEYS_MAX: usize = 9;

/// By how many keys a bucket grows at a time.
const GROWTH: usize = 3;

/// In the place of a hash that is not there: none is larger.
const VACANT: u32 = u32::MAX;

/// Entries in the order of their keys.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Bucket {
    /// How many first bits the hashes of its keys have in common.
    bits: u32,
    /// Those of a few entries, in order.
    hashes: [u32; KEYS_MAX],
    entries: Entries,
}

const _: () = assert!(size_of::<Bucket>() == 64, "one line");

#[derive(Clone, Debug)]
enum Entries {
    Few(Vec<(Key, Entry)>),
    #[expect(clippy::box_collection, reason = "a tree is a word larger than a list, and the line is full")]
    Many(Box<BTreeMap<Key, Entry>>),
}

impl Bucket {
    /// Nothing yet, for hashes that have so many first bits in common.
    pub(super) fn new(bits: u32) -> Bucket {
        Bucket { bits, hashes: [VACANT; KEYS_MAX], entries: Entries::Few(Vec::new()) }
    }

    pub(super) fn bits(&self) -> u32 {
        self.bits
    }

    pub(super) fn len(&self) -> usize {
        match &self.entries {
            Entries::Few(few) => few.len(),
            Entries::Many(many) => many.len(),
        }
    }

    /// Whether another key would be one too many.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= KEYS_MAX
    }

    /// Whether there are too many already.
    pub(super) fn is_too_large(&self) -> bool {
        self.len() > KEYS_MAX
    }

    pub(super) fn first_hash(&self) -> Option<u32> {
        self.range(Bound::Unbounded).next().map(|(key, _)| key.hash())
    }

    /// How many hashes are below this one.
    fn below(&self, hash: u32) -> usize {
        self.hashes.iter().map(|other| usize::from(*other < hash)).sum()
    }

    /// Reads what a search would read, and answers some number that depends on it.
    pub(super) fn look_ahead(&self, key: &Key) -> u64 {
        match &self.entries {
            Entries::Few(few) => few
                .get(self.below(key.hash()))
                .map_or(0, |(other, entry)| u64::from(other.hash()) ^ entry.share()),
            Entries::Many(_) => 0,
        }
    }

    /// Reads something of each entry, and answers some number that depends on all.
    pub(super) fn look_at_all(&self) -> u64 {
        match &self.entries {
            Entries::Few(few) => few.iter().fold(0, |sum, (_, entry)| sum ^ entry.share()),
            Entries::Many(_) => 0,
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        match &self.entries {
            Entries::Few(few) => find(few, self.below(key.hash()), key).ok().map(|at| &few[at].1),
            Entries::Many(many) => many.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Entry> {
        let below = self.below(key.hash());
        match &mut self.entries {
            Entries::Few(few) => find(few, below, key).ok().map(|at| &mut few[at].1),
            Entries::Many(many) => many.get_mut(key),
        }
    }

    /// Puts in what is not there.
    pub(super) fn insert(&mut self, key: Key, entry: Entry) {
        if self.is_full() {
            self.become_many();
        }
        let below = self.below(key.hash());
        match &mut self.entries {
            Entries::Few(few) => {
                let at = find(few, below, &key).expect_err("it is not there");
                if few.len() == few.capacity() {
                    few.reserve_exact(GROWTH);
                }
                self.hashes.copy_within(at..KEYS_MAX - 1, at + 1);
                self.hashes[at] = key.hash();
                few.insert(at, (key, entry));
            }
            Entries::Many(many) => drop(many.insert(key, entry)),
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<(Key, Entry)> {
        let below = self.below(key.hash());
        match &mut self.entries {
            Entries::Few(few) => {
                let at = find(few, below, key).ok()?;
                self.hashes.copy_within(at + 1.., at);
                self.hashes[KEYS_MAX - 1] = VACANT;
                let removed = few.remove(at);
                if few.is_empty() {
                    *few = Vec::new();
                }
                Some(removed)
            }
            Entries::Many(many) => many.remove_entry(key),
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Bucket::new(self.bits);
    }

    /// The entries from a place in the order on.
    pub(super) fn range<'a>(
        &'a self,
        from: Bound<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Entry)> + use<'a> {
        let (few, many) = match &self.entries {
            Entries::Few(few) => (&few[few.partition_point(|(key, _)| is_before(key, from))..], None),
            Entries::Many(many) => (&[][..], Some(many.range((from, Bound::Unbounded)))),
        };
        few.iter().map(|(key, entry)| (key, entry)).chain(many.into_iter().flatten())
    }

    /// Takes out everything from a hash on, for a bucket of its own; both have one bit more in common.
    pub(super) fn split_off(&mut self, boundary: u32) -> Bucket {
        let (lower, upper) = match &mut self.entries {
            Entries::Few(few) => {
                let upper = few.split_off(few.partition_point(|(key, _)| key.hash() < boundary));
                (Entries::Few(std::mem::take(few)), Entries::Few(upper))
            }
            Entries::Many(many) => {
                let upper = many.split_off(&Key::first_of(boundary));
                (Entries::of(std::mem::take(many)), Entries::of(upper))
            }
        };
        let bits = self.bits + 1;
        *self = Bucket::of(bits, lower);
        Bucket::of(bits, upper)
    }

    fn of(bits: u32, entries: Entries) -> Bucket {
        let mut bucket = Bucket { entries, ..Bucket::new(bits) };
        if let Entries::Few(few) = &bucket.entries {
            for (hash, (key, _)) in bucket.hashes.iter_mut().zip(few) {
                *hash = key.hash();
            }
        }
        bucket
    }

    fn become_many(&mut self) {
        if let Entries::Few(few) = &mut self.entries {
            let many = std::mem::take(few).into_iter().collect();
            self.entries = Entries::Many(Box::new(many));
            self.hashes = [VACANT; KEYS_MAX];
        }
    }
}

impl Entries {
    /// What is in a tree, in the form that so many entries have.
    fn of(many: BTreeMap<Key, Entry>) -> Entries {
        if many.len() > KEYS_MAX {
            Entries::Many(Box::new(many))
        } else {
            Entries::Few(many.into_iter().collect())
        }
    }
}

/// Where a key is among a few, or would be; before `from` it is not.
fn find(few: &[(Key, Entry)], from: usize, key: &Key) -> Result<usize, usize> {
    let behind = few.iter().enumerate().skip(from);
    for (at, (other, _)) in behind {
        match other.cmp(key) {
            Ordering::Less => {}
            Ordering::Equal => return Ok(at),
            Ordering::Greater => return Err(at),
        }
    }
    Err(few.len())
}

fn is_before(key: &Key, from: Bound<&Key>) -> bool {
    match from {
        Bound::Unbounded => false,
        Bound::Included(first) => key < first,
        Bound::Excluded(last) => key <= last,
    }
}
