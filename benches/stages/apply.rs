//! The store: committed commands carried out, and reads. The limit is a plain ordered map of the same keys.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use quorate::kv::{Command, Operation, Store};
use quorate::prng::Prng;

use crate::harness::{compare, timed};
use crate::samples::{VALUE, key, set};

const KEYS: u32 = 100_000;

/// Commands or reads in a round.
const COUNT: usize = 2_000;

pub(crate) fn run() {
    let mut store = Store::default();
    let mut map: BTreeMap<Box<[u8]>, Arc<[u8]>> = BTreeMap::new();
    for number in 0..KEYS {
        store.apply(set(number));
        map.insert(key(number).into_bytes().into(), VALUE[..].into());
    }
    let mut prng = Prng::new(1);
    let numbers: Vec<u32> =
        (0..COUNT).map(|_| u32::try_from(prng.below(u64::from(KEYS))).expect("it is below")).collect();
    let commands: Vec<Arc<[u8]>> = numbers.iter().map(|number| set(*number).encode()).collect();
    let keys: Vec<Box<[u8]>> = numbers.iter().map(|number| key(*number).into_bytes().into()).collect();
    let reads: Vec<Operation> =
        numbers.iter().map(|number| Operation::Get { key: key(*number).as_str().into() }).collect();
    let write =
        || timed(COUNT, || commands.iter().for_each(|bytes| drop(store.apply(Command::decode(bytes)))));
    compare(
        "apply: decode and carry out a SET, 100,000 keys",
        write,
        "insert into a map that was there",
        || timed(COUNT, || keys.iter().for_each(|key| drop(map.insert(key.clone(), VALUE[..].into())))),
    );
    let read = || timed(COUNT, || reads.iter().for_each(|read| drop(black_box(store.read(read)))));
    compare("apply: carry out a GET, 100,000 keys", read, "look up in a map", || {
        timed(COUNT, || keys.iter().for_each(|key| drop(black_box(map.get(key).cloned()))))
    });
}
