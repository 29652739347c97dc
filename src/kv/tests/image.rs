//! Images of a store that goes on changing.

use proptest::collection::vec;
use proptest::prelude::*;

use super::replay::log;
use super::*;
use crate::codec::Garbage;
use crate::limits::{ANSWER_BYTES_PER_CLIENT_MAX, CLIENTS_MAX, REPLY_DEPTH_MAX};
use crate::prng::Prng;

fn restored(blocks: &[Vec<u8>]) -> Result<Store, Garbage> {
    let mut restorer = Restorer::new();
    blocks.iter().try_for_each(|block| restorer.take(block))?;
    restorer.finish()
}

/// The blocks of an image that nothing disturbs.
fn image(store: &mut Store, bytes: usize) -> Vec<Vec<u8>> {
    store.begin_image(bytes);
    std::iter::from_fn(|| store.next_image_block()).collect()
}

fn command(stamp: u64, text: &str) -> Command {
    let operation = read_command(text).expect("a good command");
    Command { stamp: WallClock(stamp), once: None, operations: vec![operation] }
}

fn named(client: u64, token: u64, text: &str) -> Command {
    Command { once: Some(name(client, token)), ..command(0, text) }
}

fn name(client: u64, token: u64) -> RequestId {
    RequestId { client: ClientId(client), token: Token(token.to_string().into()) }
}

proptest! {
    #[test]
    fn an_image_shows_what_was_when_it_began_whatever_happens_meanwhile(
        log in log(),
        cut in 0usize..60,
        bytes in 1usize..150,
        blocks_between in vec(0usize..3, 60),
    ) {
        let cut = cut.min(log.len());
        let mut store = Store::default();
        log[..cut].iter().for_each(|command| drop(store.apply(command.clone())));
        let mut then = store.clone();
        store.begin_image(bytes);
        prop_assert!(store.is_imaging() && store == then);
        let mut blocks = Vec::new();
        for (command, count) in log[cut..].iter().zip(blocks_between) {
            blocks.extend((0..count).map_while(|_| store.next_image_block()));
            store.apply(command.clone());
        }
        blocks.extend(std::iter::from_fn(|| store.next_image_block()));
        prop_assert!(!store.is_imaging());

        let mut restored = restored(&blocks).expect("a good image");
        prop_assert_eq!(restored.digest(), then.digest());
        prop_assert_eq!(restored.next_expiry(), then.next_expiry());
        prop_assert_eq!(&restored, &then);
        // All that is done later has the same effect and the same answers.
        for command in &log[cut..] {
            prop_assert_eq!(restored.apply(command.clone()), then.apply(command.clone()));
        }
        prop_assert_eq!(&restored, &then);
        prop_assert_eq!(&restored, &store, "and the image left no mark on the store");
    }

    #[test]
    fn no_bytes_make_the_restorer_panic(log in log(), bytes in 1usize..300, seed in any::<u64>()) {
        let mut store = Store::default();
        log.iter().for_each(|command| drop(store.apply(command.clone())));
        let mut blocks = image(&mut store, bytes);
        let mut prng = Prng::new(seed);
        let block = prng.place(blocks.len());
        let place = prng.place(blocks[block].len());
        match prng.below(5) {
            0 => blocks[block].truncate(place),
            1 => drop(blocks.remove(block)),
            2 => blocks.insert(block, blocks[block].clone()),
            _ => blocks[block][place] ^= 1 << prng.below(8),
        }
        prop_assert_eq!(restored(&blocks).map(|changed| changed == store), Err(Garbage));
    }

    #[test]
    fn garbage_is_refused(blocks in vec(vec(any::<u8>(), 0..60), 0..4)) {
        prop_assert!(restored(&blocks).is_err());
    }
}

/// Many keys, small blocks, and every way to change a key.
#[test]
fn an_image_of_many_keys_is_right_at_every_pace() {
    for seed in 0..60 {
        let mut prng = Prng::new(seed);
        let mut store = Store::default();
        let mut clock = 0;
        for _ in 0..800 {
            store.apply(random_command(&mut prng, &mut clock, 0));
        }
        let then = store.clone();
        store.begin_image(300);
        let (pace, flushes) = (1 + prng.below(30), prng.below(3));
        let mut blocks = Vec::new();
        while let Some(block) = store.next_image_block() {
            blocks.push(block);
            for _ in 0..prng.below(pace) {
                store.apply(random_command(&mut prng, &mut clock, flushes));
            }
        }
        assert_eq!(restored(&blocks).expect("a good image"), then, "seed {seed}");
    }
}

fn random_command(prng: &mut Prng, clock: &mut u64, flushes: u64) -> Command {
    *clock += prng.below(4);
    let [one, other] = [(); 2].map(|()| match prng.below(400) {
        number if number % 3 == 0 => format!("a-key-that-lies-in-a-box-of-its-own:{number}"),
        number => number.to_string(),
    });
    let number = prng.below(1_000);
    let text = match prng.below(200) {
        0 if flushes > 0 => "flushall".to_owned(),
        1..80 => format!("set {one} {number}"),
        80..110 => format!("set {one} {number} PX {}", 1 + 2 * number),
        110..120 => format!("rename {one} {other}"),
        120..130 => format!("mset {one} {number} {other} x"),
        130..140 => format!("pexpire {one} {number}"),
        140..150 => format!("persist {one}"),
        150..160 => format!("getdel {one}"),
        160..170 => format!("append {one} {number}"),
        170..180 => format!("copy {one} copy:{other} REPLACE"),
        180..190 => format!("incr {one}"),
        _ => format!("del {one} {other}"),
    };
    if number.is_multiple_of(10) {
        return Command { operations: vec![Operation::Expire], ..command(*clock, "get x") };
    }
    let once = number.is_multiple_of(4).then(|| name(prng.below(5), prng.below(5_000)));
    Command { once, ..command(*clock, &text) }
}

#[test]
fn answers_that_are_forgotten_meanwhile_are_in_the_image() {
    let mut store = Store::default();
    // Two answers of this size are all that is remembered for a client.
    let half = "x".repeat(ANSWER_BYTES_PER_CLIENT_MAX / 6);
    store.apply(command(0, &format!("set k {half}")));
    for token in 0..2 {
        store.apply(named(0, token, "mget k k"));
        store.apply(named(1, token, "mget k k"));
    }
    let then = store.clone();
    store.begin_image(1);
    let mut blocks: Vec<_> = (0..3).map_while(|_| store.next_image_block()).collect();
    // One client's answers go because it asks for more, the other one's because it is silent.
    store.apply(named(1, 3, "mget k k"));
    for client in 2..=CLIENTS_MAX as u64 {
        store.apply(named(client, 0, "strlen k"));
    }
    assert!(store.is_done(&name(0, 1)).is_none());
    assert!(store.is_done(&name(1, 0)).is_none());
    blocks.extend(std::iter::from_fn(|| store.next_image_block()));
    let restored = restored(&blocks).expect("a good image");
    assert_eq!(restored, then);
    assert!(restored.is_done(&name(0, 1)).is_some());
}

#[test]
fn all_kinds_of_answers_come_back() {
    let mut store = Store::default();
    let script = ["set k 7", "get k", "get none", "incr k", "type k", "scan 0", "mget k none"];
    for (token, text) in (0..).zip(script) {
        store.apply(named(1, token, text));
    }
    store.apply(named(2, 0, "set k text"));
    store.apply(named(2, 1, "incr k"));
    let operations = ["scan 0", "incr k"].map(|text| read_command(text).expect("a good command")).to_vec();
    let transaction = Operation::Transaction { watched: vec![], operations };
    store.apply(Command { operations: vec![transaction], ..named(2, 2, "get k") });
    assert_eq!(restored(&image(&mut store, 10)).expect("a good image"), store);
}

#[test]
fn lists_in_an_answer_are_nested_only_so_deep() {
    // Beyond the deepest answer that any command has: scanning in a transaction.
    const { assert!(REPLY_DEPTH_MAX > 3) };
    let head = image(&mut Store::default(), 1).remove(0);
    let array = [6, 1, 0, 0, 0];
    let answer = [&[3][..], &[1; 16], &[0; 4], &[1, 0, 0, 0], &array.repeat(1_000_000), &[0]].concat();
    assert_eq!(Restorer::new().take(&answer), Err(Garbage), "the head comes first");
    let mut restorer = Restorer::new();
    assert_eq!(restorer.take(&head), Ok(()));
    assert_eq!(restorer.take(&answer), Err(Garbage));
}

#[test]
fn an_abandoned_image_leaves_nothing_behind() {
    let mut store = Store::default();
    (0..50).for_each(|number| drop(store.apply(command(0, &format!("set {number} v")))));
    store.begin_image(50);
    store.next_image_block();
    store.apply(command(0, "flushall"));
    store.abandon_image();
    assert!(!store.is_imaging() && store.next_image_block().is_none());
    store.apply(command(0, "set k v"));
    assert_eq!(restored(&image(&mut store, 50)).expect("a good image"), store);
    assert!(restored(&[]).is_err(), "nothing is no image");
}

#[test]
fn blocks_are_about_as_long_as_asked() {
    let mut store = Store::default();
    (0..1_000).for_each(|number| drop(store.apply(command(0, &format!("set key:{number} value")))));
    let blocks = image(&mut store, 1_000);
    let (last, others) = blocks[1..].split_last().expect("many blocks");
    assert!(others.iter().all(|block| (1_000..1_050).contains(&block.len())) && last.len() < 1_050);
}

#[test]
#[should_panic(expected = "one image at a time")]
fn a_second_image_has_to_wait() {
    let mut store = Store::default();
    store.begin_image(50);
    store.begin_image(50);
}
