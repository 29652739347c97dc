//! Equal logs make equal stores, whatever is in them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// One line of a client's, with few keys and small numbers, so that lines meet each other.
fn line() -> impl Strategy<Value = String> {
    let key = || prop::sample::select(vec!["a", "b", "c", "user:1", "a-key-that-lies-in-a-box-of-its-own"]);
    let number = || -3i64..40;
    let alone = prop::sample::select(vec!["flushall", "randomkey", "keys *", "scan 0", "dbsize"]);
    let on_key = "get|incr|del|persist|pttl|getdel|type|digest|decr|strlen";
    let on_key = prop::sample::select(on_key.split('|').collect::<Vec<_>>());
    let with_number = "set|append|getset|setnx|incrby|pexpire|incrbyfloat|delifeq";
    let with_number = prop::sample::select(with_number.split('|').collect::<Vec<_>>());
    let options = prop::sample::select(vec!["", " NX", " XX GET", " KEEPTTL", " IFEQ 1", " NX PX 5"]);
    prop_oneof![
        1 => alone.prop_map(String::from),
        6 => (on_key, key()).prop_map(|(name, key)| format!("{name} {key}")),
        6 => (with_number, key(), number()).prop_map(|(name, key, number)| format!("{name} {key} {number}")),
        4 => (key(), number(), options).prop_map(|(key, value, more)| format!("set {key} {value}{more}")),
        2 => (key(), 1i64..60).prop_map(|(key, span)| format!("set {key} v PX {span}")),
        1 => (key(), key()).prop_map(|(from, to)| format!("rename {from} {to}")),
        1 => (key(), key()).prop_map(|(from, to)| format!("mset {from} 1 {to} 2")),
        1 => (key(), 0i64..5).prop_map(|(key, offset)| format!("setrange {key} {offset} xyz")),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let one = line().prop_map(|line| read_command(&line).unwrap_or(Operation::Expire));
    let several = vec(line(), 0..4).prop_map(|lines| {
        let operations = lines.iter().filter_map(|line| read_command(line).ok()).collect();
        Operation::Transaction { watched: vec![("a".into(), Revision(3))], operations }
    });
    prop_oneof![8 => one, 1 => several, 1 => Just(Operation::Expire)]
}

pub(super) fn log() -> impl Strategy<Value = Vec<Command>> {
    let once = prop::option::of((0u64..3, 0u32..20));
    let command = (0u64..30, once, vec(operation(), 0..3)).prop_map(|(time, once, operations)| {
        let name = |(client, token): (u64, u32)| RequestId {
            client: ClientId(client),
            token: Token(token.to_string().into()),
        };
        Command { stamp: WallClock(time), once: once.map(name), operations }
    });
    // Clocks of several leaders: on the whole they go on, but not from each entry to the next.
    vec(command, 0..60).prop_map(|mut commands| {
        for (place, command) in commands.iter_mut().enumerate() {
            command.stamp.0 += 5 * place as u64;
        }
        commands
    })
}

proptest! {
    #[test]
    fn two_stores_that_are_fed_the_same_are_equal_at_every_step(log in log()) {
        let mut stores = [Store::default(), Store::default()];
        for command in log {
            let encoded = command.encode();
            let bytes = command.operations.iter().map(Operation::bytes).sum::<usize>();
            prop_assert!(encoded.len() <= bytes + 128);
            let answers = stores[0].apply(command);
            prop_assert_eq!(answers, stores[1].apply(Command::decode(&encoded)));
            prop_assert_eq!(stores[0].digest(), stores[1].digest());
        }
        let [one, other] = stores;
        prop_assert_eq!(one, other);
    }

    #[test]
    fn a_prefix_replayed_from_the_beginning_gives_what_it_gave_then(log in log(), cut in 0usize..60) {
        let cut = cut.min(log.len());
        let mut store = Store::default();
        log[..cut].iter().for_each(|command| drop(store.apply(command.clone())));
        let then = store.clone();
        log[cut..].iter().for_each(|command| drop(store.apply(command.clone())));
        let mut replayed = Store::default();
        log[..cut].iter().for_each(|command| drop(replayed.apply(command.clone())));
        prop_assert_eq!(replayed.digest(), then.digest());
        prop_assert_eq!(&replayed, &then);
        log[cut..].iter().for_each(|command| drop(replayed.apply(command.clone())));
        prop_assert_eq!(replayed.digest(), store.digest());
        prop_assert_eq!(replayed, store);
    }

    #[test]
    fn stores_that_differ_have_different_digests(one in log(), other in log()) {
        let [one, other] = [one, other].map(|log| {
            let mut store = Store::default();
            log.into_iter().for_each(|command| drop(store.apply(command)));
            store
        });
        prop_assert_eq!(one == other, one.digest() == other.digest());
    }

    #[test]
    fn a_read_changes_nothing_and_says_what_it_says_in_the_log(log in log(), line in line()) {
        let mut store = Store::default();
        log.into_iter().for_each(|command| drop(store.apply(command)));
        let Some(read) = read_command(&line).ok().filter(Operation::is_read) else { return Ok(()) };
        let (before, answer) = (store.digest(), store.read(&read));
        let command = Command { stamp: WallClock(0), once: None, operations: vec![read] };
        prop_assert_eq!(store.apply(command), [answer]);
        prop_assert_eq!(store.digest(), before);
    }

    #[test]
    fn the_parser_survives_anything(
        row in 0..COMMANDS.len(),
        words in vec(vec(any::<u8>(), 0..12), 0..6),
    ) {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        if let Ok(operation) = parse(COMMANDS[row].name, &words) {
            let mut shell = Shell::new();
            shell.perform(operation);
        }
    }
}
