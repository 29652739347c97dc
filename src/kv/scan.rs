//! Walking through the keys: SCAN, KEYS and RANDOMKEY.
//!
//! **The cursor.** Keys are ordered by a hash of 32 bits first (see `key`). A cursor is the hash at which
//! the walk goes on; 0 begins it, and as an answer says that it has ended. A step takes keys in their order
//! until it has seen as many as it was asked for (or their names are long), and then goes on to the end of a
//! group of equal hashes, so that the next one begins at a hash that it has seen nothing of. What hash a key
//! has never changes: a key that is there from the first step to the last is seen by the step that its hash
//! falls to, whatever else comes and goes meanwhile, and is seen once. Nobody remembers anything between two
//! steps, so a walk may go on at another replica, after a restart, or never.

use std::ops::Bound;

use xxhash_rust::xxh3::xxh3_64;

use super::entry::Entry;
use super::glob;
use super::key::Key;
use super::keyspace::Keyspace;
use super::value::{Value, errors};
use crate::limits::{KEYS_VISITED_MAX, REPLY_BYTES_MAX, SCAN_BYTES_MAX, SCAN_VISITED_MAX};

/// The only kind of value there is.
pub(super) const STRING: &str = "string";

/// What a walk picks among the keys that it passes.
pub(super) struct Filter<'a> {
    pub(super) pattern: Option<&'a [u8]>,
    pub(super) kind: Option<&'a [u8]>,
}

impl Filter<'_> {
    fn picks(&self, space: &Keyspace, key: &Key, entry: &Entry) -> bool {
        let of_kind = self.kind.is_none_or(|kind| kind.eq_ignore_ascii_case(STRING.as_bytes()));
        let fits = || self.pattern.is_none_or(|pattern| glob::matches(pattern, key.as_bytes()));
        of_kind && !entry.is_due(space.clock()) && fits()
    }
}

/// One step: the next cursor, and the keys that the step found. `count` is how many it looks at, not how many
/// it finds.
pub(super) fn scan(space: &Keyspace, cursor: u64, count: u64, filter: &Filter<'_>) -> Value {
    let count = count.min(SCAN_VISITED_MAX);
    let (mut found, mut bytes, mut visited, mut last) = (Vec::new(), 0, 0, None);
    let mut next = 0;
    // A cursor beyond all hashes comes after the end.
    if let Ok(hash) = u32::try_from(cursor) {
        for (key, entry) in space.walk(Bound::Included(&Key::first_of(hash))) {
            if (visited >= count || bytes >= SCAN_BYTES_MAX) && last != Some(key.hash()) {
                next = key.hash();
                break;
            }
            visited += 1;
            last = Some(key.hash());
            if filter.picks(space, key, entry) {
                bytes += key.as_bytes().len();
                found.push(Value::bytes(key.as_bytes()));
            }
        }
    }
    Value::Array(vec![Value::Bytes(next.to_string().into()), Value::Array(found)])
}

/// All keys that a pattern fits, unless there are too many to look at in one go.
pub(super) fn keys(space: &Keyspace, pattern: &[u8]) -> Value {
    if space.len() > KEYS_VISITED_MAX {
        return Value::error("too many keys for KEYS, use SCAN");
    }
    let filter = Filter { pattern: Some(pattern), kind: None };
    let (mut found, mut bytes) = (Vec::new(), 0);
    for (key, _) in space.walk(Bound::Unbounded).filter(|(key, entry)| filter.picks(space, key, entry)) {
        let name = Value::bytes(key.as_bytes());
        bytes += name.size();
        if bytes > REPLY_BYTES_MAX {
            return errors::too_much();
        }
        found.push(name);
    }
    Value::Array(found)
}

/// A key that the revision decides: the same for every replica, another after every write. A key that follows
/// a large gap in the hashes comes up more often than its neighbours.
pub(super) fn random_key(space: &Keyspace) -> Value {
    let hash = xxh3_64(&space.revision().0.to_le_bytes()) >> 32;
    let from = Key::first_of(u32::try_from(hash).expect("half of 64 bits"));
    let behind = space.walk(Bound::Included(&from));
    let live =
        |(key, entry): (&Key, &Entry)| (!entry.is_due(space.clock())).then(|| Value::bytes(key.as_bytes()));
    behind.chain(space.walk(Bound::Unbounded)).find_map(live).unwrap_or(Value::Nil)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::bytes::Bytes;
    use super::super::keyspace::Lifetime;
    use super::*;
    use crate::kv::WallClock;

    fn put(space: &mut Keyspace, name: &str) {
        space.put(Key::from(name), Bytes::default(), Lifetime::Endless);
    }

    fn step(space: &Keyspace, cursor: u64, count: u64, pattern: Option<&[u8]>) -> (u64, Vec<Vec<u8>>) {
        let Value::Array(parts) = scan(space, cursor, count, &Filter { pattern, kind: None }) else {
            panic!("two parts")
        };
        let [Value::Bytes(cursor), Value::Array(keys)] = &parts[..] else { panic!("{parts:?}") };
        let name = |key: &Value| match key {
            Value::Bytes(key) => key.to_vec(),
            other => panic!("{other:?}"),
        };
        let cursor = std::str::from_utf8(cursor).unwrap().parse().unwrap();
        (cursor, keys.iter().map(name).collect())
    }

    #[test]
    fn what_is_there_all_the_time_is_found_once_while_others_come_and_go() {
        for seed in 0..20 {
            let mut prng = crate::prng::Prng::new(seed);
            let mut space = Keyspace::default();
            for number in 0..300 {
                put(&mut space, &format!("stays:{number}"));
                put(&mut space, &format!("goes:{number}"));
            }
            let (mut cursor, mut seen) = (0, BTreeMap::new());
            loop {
                let (next, keys) = step(&space, cursor, 1 + prng.below(20), None);
                for key in keys {
                    *seen.entry(key).or_insert(0) += 1;
                }
                for _ in 0..10 {
                    space.take(&Key::from(&*format!("goes:{}", prng.below(300))));
                    put(&mut space, &format!("comes:{}", prng.below(300)));
                }
                cursor = next;
                if cursor == 0 {
                    break;
                }
            }
            let stayed: Vec<u32> = (0..300).map(|n| seen[format!("stays:{n}").as_bytes()]).collect();
            assert_eq!(stayed, [1; 300]);
        }
    }

    #[test]
    fn a_step_looks_at_as_many_keys_as_it_was_asked_for() {
        let mut space = Keyspace::default();
        for number in 0..100 {
            put(&mut space, &number.to_string());
        }
        let (next, keys) = step(&space, 0, 10, None);
        assert!(next > 0 && keys.len() == 10);
        let (next, keys) = step(&space, next, 1000, Some(b"?"));
        assert!(next == 0 && keys.len() <= 10);
        assert_eq!(step(&space, u64::MAX, 10, None), (0, vec![]));
    }

    #[test]
    fn keys_of_one_hash_are_never_torn_apart() {
        // Two names that a search found to have one hash.
        let (one, other) = same_hash();
        let mut space = Keyspace::default();
        put(&mut space, &one);
        put(&mut space, &other);
        put(&mut space, "a third");
        let (mut cursor, mut seen) = (0, BTreeSet::new());
        loop {
            let (next, keys) = step(&space, cursor, 1, None);
            let both = [&one, &other].map(|name| keys.contains(&name.as_bytes().to_vec()));
            assert_eq!(both[0], both[1]);
            seen.extend(keys);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(seen.len(), 3);
    }

    fn same_hash() -> (String, String) {
        let mut known = BTreeMap::new();
        for number in 0.. {
            let name = format!("{number}");
            if let Some(other) = known.insert(Key::from(&*name).hash(), name.clone()) {
                return (other, name);
            }
        }
        unreachable!("there are more numbers than hashes")
    }

    #[test]
    fn a_random_key_is_one_of_those_that_are_there() {
        let mut space = Keyspace::default();
        assert_eq!(random_key(&space), Value::Nil);
        let mut seen = BTreeSet::new();
        for number in 0..10 {
            put(&mut space, &number.to_string());
        }
        space.put(Key::from("due"), Bytes::default(), Lifetime::Until(WallClock(1)));
        space.advance(WallClock(1));
        for _ in 0..300 {
            put(&mut space, "0");
            let Value::Bytes(key) = random_key(&space) else { panic!("there are keys") };
            assert_eq!(random_key(&space), Value::Bytes(key.clone()));
            seen.insert(key);
        }
        assert!(seen.len() >= 7 && !seen.contains(&b"due"[..].into()), "{seen:?}");
    }
}
