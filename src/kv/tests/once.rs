//! Requests that come twice.

use super::*;

fn name(token: &str) -> RequestId {
    RequestId { client: ClientId(1), token: Token(token.into()) }
}

fn command(token: &str, stamp: u64, text: &str) -> Command {
    let operation = read_command(text).expect("a good command");
    Command { stamp: WallClock(stamp), once: Some(name(token)), operations: vec![operation] }
}

#[test]
fn a_command_that_comes_twice_takes_effect_once_and_has_one_answer() {
    let mut store = Store::default();
    assert_eq!(store.apply(command("a", 1, "incr k")), [Value::Integer(1)]);
    assert_eq!(store.apply(command("b", 2, "incr k")), [Value::Integer(2)]);
    let before = store.digest();
    assert_eq!(store.apply(command("a", 2, "incr k")), [Value::Integer(1)]);
    assert_eq!(store.digest(), before, "nothing has changed");
    assert_eq!(store.is_done(&name("a")), Some(&[Value::Integer(1)][..]));
    assert_eq!(store.is_done(&name("c")), None);
    assert_eq!(store.read(&Operation::Get { key: "k".into() }), Value::bytes(b"2"));
}

#[test]
fn time_goes_on_all_the_same() {
    let mut store = Store::default();
    store.apply(command("a", 1, "set k v PX 10"));
    store.apply(command("a", 11, "set k v PX 10"));
    assert_eq!(store.clock(), WallClock(11));
    assert_eq!(store.read(&Operation::Get { key: "k".into() }), Value::Nil);
}

#[test]
fn an_error_is_an_answer_too() {
    let mut store = Store::default();
    store.apply(command("a", 1, "set k x"));
    let first = store.apply(command("b", 1, "incr k"));
    assert!(matches!(first[..], [Value::Error(_)]));
    store.apply(command("c", 1, "set k 1"));
    assert_eq!(store.apply(command("b", 1, "incr k")), first);
}

#[test]
fn answers_count_in_the_digest() {
    let mut stores = [Store::default(), Store::default()];
    stores[0].apply(command("a", 1, "get k"));
    stores[1].apply(command("b", 1, "get k"));
    assert_ne!(stores[0].digest(), stores[1].digest());
}
