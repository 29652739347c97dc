//! Keys as such.

use super::*;

const SYNTAX: &str = "-ERR syntax error";

#[test]
fn being_there() {
    Shell::check(&[
        ("mset a 1 b 2 c 3", "OK"),
        ("exists a b a x", "3"),
        ("touch a x", "1"),
        ("type a", "string"),
        ("type x", "none"),
        ("dbsize", "3"),
        ("del a a x", "1"),
        ("unlink b", "1"),
        ("dbsize", "1"),
        ("flushdb", "OK"),
        ("dbsize", "0"),
        ("set a 1", "OK"),
        ("flushall async", "OK"),
        ("flushall SYNC", "OK"),
        ("flushall now", SYNTAX),
        ("flushall sync async", SYNTAX),
        ("exists a", "0"),
    ]);
}

#[test]
fn removal_under_conditions() {
    Shell::check(&[
        ("set k v", "OK"),
        ("delex k IFEQ w", "0"),
        ("delex k IFNE v", "0"),
        ("delex k ifeq v", "1"),
        ("delex k IFNE v", "0"),
        ("set k test", "OK"),
        ("delex k IFDNE 9ec9f7918d7dfc40", "0"),
        ("delex k IFDEQ 9ec9f7918d7dfc40", "1"),
        ("set k v", "OK"),
        ("delex k", "1"),
        ("delex k IFDEQ 1", "-ERR must be exactly 16 hexadecimal characters"),
        ("delex k IFEQ", "-ERR wrong number of arguments for 'delex' command"),
        ("delex k FOO x", "-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"),
        ("set k v", "OK"),
        ("delifeq k w", "0"),
        ("delifeq k v", "1"),
        ("delifeq k v", "0"),
    ]);
}

#[test]
fn renaming_and_copying() {
    Shell::check(&[
        ("rename a b", "-ERR no such key"),
        ("renamenx a b", "-ERR no such key"),
        ("set a 1 EX 10", "OK"),
        ("rename a a", "OK"),
        ("renamenx a a", "0"),
        ("rename a b", "OK"),
        ("mget a b", "[nil \"1\"]"),
        ("ttl b", "10"),
        ("set a 2", "OK"),
        ("renamenx a b", "0"),
        ("rename a b", "OK"),
        ("ttl b", "-1"),
        ("renamenx b c", "1"),
        ("copy x y", "0"),
        ("expire c 10", "1"),
        ("copy c d", "1"),
        ("ttl d", "10"),
        ("set d 3", "OK"),
        ("copy c d", "0"),
        ("copy c d DB 0", "0"),
        ("copy c d DB 0 REPLACE", "1"),
        ("mget c d", "[\"2\" \"2\"]"),
        ("copy c c", "-ERR source and destination objects are the same"),
        ("copy c d DB 1", "-ERR DB index is out of range"),
        ("copy c d DB x", "-ERR value is not an integer or out of range"),
        ("copy c d DB", SYNTAX),
        ("copy c d FOO", SYNTAX),
    ]);
}

#[test]
fn listing() {
    Shell::check(&[
        ("keys *", "[]"),
        ("scan 0", "[\"0\" []]"),
        ("randomkey", "nil"),
        ("set user:1 x", "OK"),
        ("keys *", "[\"user:1\"]"),
        ("keys user:?", "[\"user:1\"]"),
        ("keys user", "[]"),
        ("randomkey", "\"user:1\""),
        ("scan 0 COUNT 1", "[\"0\" [\"user:1\"]]"),
        ("scan 0 match u* type STRING count 100", "[\"0\" [\"user:1\"]]"),
        ("scan 0 MATCH x*", "[\"0\" []]"),
        ("scan 0 TYPE hash", "[\"0\" []]"),
        ("scan 99999999999", "[\"0\" []]"),
        ("scan x", "-ERR invalid cursor"),
        ("scan -1", "-ERR invalid cursor"),
        ("scan 0 COUNT 0", SYNTAX),
        ("scan 0 COUNT x", "-ERR value is not an integer or out of range"),
        ("scan 0 COUNT", SYNTAX),
        ("scan 0 FOO 1", SYNTAX),
        (&format!("keys {}", "x".repeat(2_000)), "-ERR pattern exceeds maximum allowed size"),
    ]);
}

#[test]
fn a_walk_in_small_steps_finds_all() {
    let mut shell = Shell::new();
    for number in 0..100 {
        shell.ask(&format!("set key:{number} v"));
    }
    let (mut cursor, mut found) = (String::from("0"), Vec::new());
    loop {
        let Value::Array(parts) = shell.ask(&format!("scan {cursor} COUNT 7")) else { panic!("two parts") };
        let [Value::Bytes(next), Value::Array(keys)] = &parts[..] else { panic!("{parts:?}") };
        found.extend(keys.iter().map(shown));
        cursor = String::from_utf8(next.to_vec()).expect("digits");
        if cursor == "0" {
            break;
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 100);
}
