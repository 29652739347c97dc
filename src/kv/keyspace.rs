//! All keys, with what must always agree with them: the order in which they end, the revision, and a digest.
//!
//! Every change passes through [`Keyspace::put`], [`Keyspace::take`] or [`Keyspace::clear`], so the three can
//! be kept up to date as one goes. The digest is a sum over all keys of a hash of each: a sum does not care
//! about order, and what is added can be taken away again.
//!
//! A key whose end has come is gone for every caller, even before it is removed; nothing here shows it.
//!
//! The same three see to it that an image that is under way (see `image`) gets what they change as it was.

use std::collections::BTreeSet;
use std::ops::Bound;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::bytes::Bytes;
use super::command::WallClock;
use super::entry::Entry;
use super::image::KeyImage;
use super::key::Key;
use super::operation::{Operation, Revision};
use super::table::Table;

/// The keys of a store, and the clock that decides which of them are still there.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyspace {
    entries: Table,
    /// The keys that end, soonest first.
    ends: BTreeSet<(WallClock, Key)>,
    clock: WallClock,
    /// The number of the latest change.
    revision: Revision,
    /// The sum of the hashes of all entries.
    digest: u64,
    /// What an image that is under way needs beside the keys.
    image: Option<Box<KeyImage>>,
}

/// How long what is put lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lifetime {
    Endless,
    AsBefore,
    Until(WallClock),
}

impl Keyspace {
    pub(super) fn clock(&self) -> WallClock {
        self.clock
    }

    /// Lets time go on to `stamp`; it never goes back, whatever a new leader's clock says.
    pub(super) fn advance(&mut self, stamp: WallClock) {
        self.clock = self.clock.max(stamp);
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Keys, ends, clock and revisions, in one number.
    pub(super) fn digest(&self) -> u64 {
        let numbers = [self.digest, self.clock.0, self.revision.0].map(u64::to_le_bytes);
        xxh3_64_with_seed(numbers.as_flattened(), 0)
    }

    /// How many entries there are, those that are due included.
    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| !entry.is_due(self.clock))
    }

    /// Brings near what several operations are about to ask for.
    pub(super) fn look_ahead<'a>(&self, operations: impl Iterator<Item = &'a Operation> + Clone) {
        self.entries.look_ahead(operations.filter_map(Operation::key));
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.get(key).is_some()
    }

    /// How many keys there are. Takes as long as there are keys that are due and not removed yet.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.ends.iter().take_while(|(end, _)| *end <= self.clock).count()
    }

    /// The keys from a place in their order on.
    pub(super) fn walk(&self, from: Bound<&Key>) -> impl Iterator<Item = (&Key, &Entry)> {
        self.entries.range(from)
    }

    /// The soonest end of any key.
    pub(super) fn next_end(&self) -> Option<WallClock> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Lets `key` have a value. One that would have ended already is not kept at all.
    pub(super) fn put(&mut self, key: Key, value: Bytes, lifetime: Lifetime) {
        if matches!(lifetime, Lifetime::Until(end) if end <= self.clock) {
            self.take(&key);
            return;
        }
        self.revision.0 += 1;
        let (revision, clock) = (self.revision, self.clock);
        let Keyspace { entries, ends, digest, image, .. } = self;
        entries.update(key, |key, found| {
            let old_end = found.as_ref().and_then(|entry| entry.end());
            let end = lifetime.end(old_end.filter(|end| *end > clock));
            if end != old_end {
                move_end(ends, key, old_end, end);
            }
            let entry = Entry::new(key, value, end, revision);
            *digest = digest.wrapping_add(entry.share());
            let Some(found) = found else { return Some(entry) };
            *digest = digest.wrapping_sub(found.share());
            if let Some(image) = image {
                image.let_go(key, found);
            }
            *found = entry;
            None
        });
    }

    /// Lets a key that is there keep its value and end otherwise.
    pub(super) fn set_lifetime(&mut self, key: Key, lifetime: Lifetime) {
        if let Some(entry) = self.take(&key) {
            self.put(key, entry.into_value(), lifetime);
        }
    }

    /// Removes a key. Answers what was there for all to see.
    pub(super) fn take(&mut self, key: &Key) -> Option<Entry> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.digest = self.digest.wrapping_sub(entry.share());
        if let Some(image) = &mut self.image {
            image.let_go(&key, &entry);
        }
        if let Some(end) = entry.end() {
            self.ends.remove(&(end, key));
        }
        // A watch that saw the key must not be content with one that is made anew.
        self.revision.0 += 1;
        (!entry.is_due(self.clock)).then_some(entry)
    }

    /// Removes at most `count_max` keys that are due, those that ended first before the others.
    pub(super) fn remove_due(&mut self, count_max: usize) -> usize {
        let mut removed = 0;
        while removed < count_max
            && let Some((_, key)) = self.ends.first().filter(|(end, _)| *end <= self.clock)
        {
            let key = key.clone();
            self.take(&key);
            removed += 1;
        }
        removed
    }

    /// Removes all keys.
    pub(super) fn clear(&mut self) {
        if let Some(image) = &mut self.image {
            image.keep_all(&mut self.entries);
        }
        self.entries.clear();
        self.ends.clear();
        self.digest = 0;
        self.revision.0 += 1;
    }

    /// Begins an image of the keys, in blocks of about so many bytes.
    pub(super) fn begin_image(&mut self, bytes: usize) {
        self.image = Some(Box::new(KeyImage::new(self.revision, bytes)));
    }

    /// The next keys of the image; when there are no more, it is over.
    pub(super) fn next_image_block(&mut self) -> Option<Vec<u8>> {
        let block = self.image.as_mut()?.next_block(&self.entries);
        if block.is_none() {
            self.image = None;
        }
        block
    }

    /// Ends an image before its time.
    pub(super) fn abandon_image(&mut self) {
        self.image = None;
    }

    /// No keys yet, but a clock and a revision as some store had them.
    pub(super) fn begun_at(clock: WallClock, revision: Revision) -> Keyspace {
        Keyspace { clock, revision, ..Keyspace::default() }
    }

    /// All keys of an image have been put back.
    pub(super) fn settle(&mut self) {
        self.entries.settle();
    }

    /// Puts back a key of an image. Refuses what no image can hold: an entry of a later revision, a key that
    /// was there before.
    pub(super) fn restore(&mut self, key: Key, entry: Entry) -> Option<()> {
        if entry.revision() > self.revision {
            return None;
        }
        if let Some(end) = entry.end() {
            self.ends.insert((end, key.clone()));
        }
        self.digest = self.digest.wrapping_add(entry.share());
        let mut is_new = true;
        self.entries.update(key, |_, found| {
            is_new = found.is_none();
            is_new.then_some(entry)
        });
        is_new.then_some(())
    }
}

/// Whether an image is under way makes no difference.
impl PartialEq for Keyspace {
    fn eq(&self, other: &Keyspace) -> bool {
        let Keyspace { entries, ends, clock, revision, digest, image: _ } = self;
        (entries, ends, clock, revision, digest)
            == (&other.entries, &other.ends, &other.clock, &other.revision, &other.digest)
    }
}

impl Eq for Keyspace {}

impl Lifetime {
    fn end(self, before: Option<WallClock>) -> Option<WallClock> {
        match self {
            Lifetime::Endless => None,
            Lifetime::AsBefore => before,
            Lifetime::Until(end) => Some(end),
        }
    }
}

fn move_end(
    ends: &mut BTreeSet<(WallClock, Key)>,
    key: &Key,
    old: Option<WallClock>,
    new: Option<WallClock>,
) {
    if let Some(old) = old {
        ends.remove(&(old, key.clone()));
    }
    if let Some(new) = new {
        ends.insert((new, key.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swept(space: &Keyspace) -> u64 {
        space.entries.iter().fold(0, |sum, (_, entry)| sum.wrapping_add(entry.share()))
    }

    fn ends(space: &Keyspace) -> BTreeSet<(WallClock, Key)> {
        let all = space.entries.iter();
        all.filter_map(|(key, entry)| entry.end().map(|end| (end, key.clone()))).collect()
    }

    /// Digest and ends are kept as one goes; here is what they are kept equal to.
    #[test]
    fn what_is_kept_up_to_date_agrees_with_a_sweep() {
        let mut space = Keyspace::default();
        let mut prng = crate::prng::Prng::new(1);
        for step in 0..2_000 {
            let key = Key::new(&[b'k', u8::try_from(prng.below(40)).unwrap()]);
            let value = Bytes::from(&b"0123456789"[..usize::try_from(prng.below(10)).unwrap()]);
            let end = WallClock(step + prng.below(50));
            match prng.below(8) {
                0..3 => space.put(key, value, Lifetime::Until(end)),
                3 => space.put(key, value, Lifetime::AsBefore),
                4 => space.put(key, value, Lifetime::Endless),
                5 => drop(space.take(&key)),
                6 => space.set_lifetime(key, Lifetime::Until(end)),
                _ => drop(space.remove_due(1)),
            }
            space.advance(WallClock(step));
            assert_eq!(space.digest, swept(&space));
            assert_eq!(space.ends, ends(&space));
            assert_eq!(space.len(), space.entries.iter().filter(|(key, _)| space.contains(key)).count());
        }
    }

    #[test]
    fn a_key_is_gone_when_its_end_has_come_and_not_before() {
        let mut space = Keyspace::default();
        let key = Key::from("k");
        space.put(key.clone(), Bytes::from("v"), Lifetime::Until(WallClock(10)));
        space.advance(WallClock(9));
        assert!(space.contains(&key) && space.len() == 1);
        space.advance(WallClock(10));
        assert!(!space.contains(&key) && space.len() == 0);
        assert!(space.take(&key).is_none(), "nobody is told of what was gone already");
        assert_eq!(space.next_end(), None);
    }

    #[test]
    fn what_is_due_lends_its_end_to_nothing_new() {
        let mut space = Keyspace::default();
        space.put(Key::from("k"), Bytes::from("v"), Lifetime::Until(WallClock(10)));
        space.advance(WallClock(10));
        space.put(Key::from("k"), Bytes::from("w"), Lifetime::AsBefore);
        assert_eq!(space.get(&Key::from("k")).map(Entry::end), Some(None));
    }

    #[test]
    fn different_stores_have_different_digests() {
        let mut digests = BTreeSet::new();
        for (key, value, lifetime) in [
            ("k", "v", Lifetime::Endless),
            ("k", "w", Lifetime::Endless),
            ("l", "v", Lifetime::Endless),
            ("k", "v", Lifetime::Until(WallClock(1))),
            ("k", "v", Lifetime::Until(WallClock(2))),
        ] {
            let mut space = Keyspace::default();
            space.put(Key::from(key), value.into(), lifetime);
            assert!(digests.insert(space.digest()));
        }
    }
}
