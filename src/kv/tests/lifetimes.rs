//! When keys end.

use super::*;
use crate::limits::EXPIRED_PER_COMMAND_MAX;

#[test]
fn asking() {
    Shell::check(&[
        ("ttl k", "-2"),
        ("pttl k", "-2"),
        ("expiretime k", "-2"),
        ("pexpiretime k", "-2"),
        ("set k v", "OK"),
        ("ttl k", "-1"),
        ("pexpiretime k", "-1"),
        ("set k v PX 1500", "OK"),
        ("ttl k", "2"),
        ("pttl k", "1500"),
        ("expiretime k", "1002"),
        ("pexpiretime k", "1001500"),
    ]);
}

#[test]
fn setting() {
    Shell::check(&[
        ("expire k 10", "0"),
        ("set k v", "OK"),
        ("expire k 10", "1"),
        ("pttl k", "10000"),
        ("pexpire k 700", "1"),
        ("pttl k", "700"),
        ("expireat k 1003", "1"),
        ("pttl k", "3000"),
        ("pexpireat k 1000900", "1"),
        ("pttl k", "900"),
        ("persist k", "1"),
        ("persist k", "0"),
        ("ttl k", "-1"),
        ("persist x", "0"),
        ("expire k -1", "1"),
        ("exists k", "0"),
        ("set k v", "OK"),
        ("expireat k 1000", "1"),
        ("exists k", "0"),
        ("set k v", "OK"),
        ("pexpireat k -9223372036854775808", "1"),
        ("exists k", "0"),
        ("expire k x", "-ERR value is not an integer or out of range"),
        ("expire k 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("expire k -9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("pexpire k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
        ("expireat k 9223372036854775807", "-ERR invalid expire time in 'expireat' command"),
    ]);
}

#[test]
fn conditions() {
    Shell::check(&[
        ("set k v", "OK"),
        ("expire k 10 XX", "0"),
        ("expire k 10 GT", "0"),
        ("expire k 10 XX LT", "0"),
        ("expire k 10 NX", "1"),
        ("expire k 20 nx", "0"),
        ("expire k 5 GT", "0"),
        ("expire k 10 GT", "0"),
        ("expire k 20 GT XX", "1"),
        ("expire k 30 LT", "0"),
        ("expire k 5 LT", "1"),
        ("ttl k", "5"),
        ("persist k", "1"),
        ("expire k 5 LT", "1"),
        ("expire k 5 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("expire k 5 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("expire k 5 SOON", "-ERR Unsupported option SOON"),
    ]);
}

#[test]
fn what_has_ended_is_gone_for_every_command() {
    let mut shell = Shell::new();
    let script: &[(&str, &str)] = &[
        ("get k", "nil"),
        ("mget k", "[nil]"),
        ("exists k", "0"),
        ("touch k", "0"),
        ("strlen k", "0"),
        ("getrange k 0 -1", "\"\""),
        ("type k", "none"),
        ("ttl k", "-2"),
        ("digest k", "nil"),
        ("keys *", "[]"),
        ("scan 0", "[\"0\" []]"),
        ("randomkey", "nil"),
        ("dbsize", "0"),
        ("del k", "0"),
        ("getdel k", "nil"),
        ("getex k PERSIST", "nil"),
        ("persist k", "0"),
        ("expire k 10", "0"),
        ("delex k IFEQ v", "0"),
        ("rename k l", "-ERR no such key"),
        ("copy k l", "0"),
        ("set k w XX", "nil"),
        ("set k w IFEQ v", "nil"),
    ];
    for line in script {
        // Each meets the key as nobody has found it yet: it is due, and still in memory.
        let mut shell = Shell::new();
        shell.goes_on(&[("set k v PX 10", "OK")]);
        shell.wait(10);
        let operation = read_command(line.0).expect("a good command");
        let value = if operation.is_read() {
            shell.apply(Operation::Persist { key: "another".into() });
            shell.store.read(&operation)
        } else {
            shell.apply(operation)
        };
        assert_eq!(shown(&value), line.1, "{}", line.0);
    }
    shell.goes_on(&[("set k v PX 10", "OK")]);
    shell.wait(10);
    shell.goes_on(&[("append k x", "1"), ("ttl k", "-1"), ("setnx k y", "0")]);
}

#[test]
fn reads_do_not_know_a_later_time_than_the_log() {
    let mut shell = Shell::new();
    shell.goes_on(&[("set k v PX 10", "OK")]);
    assert_eq!(shell.store.clock(), WallClock(1_000_000));
    shell.wait(9);
    shell.goes_on(&[("get k", "\"v\""), ("pttl k", "1")]);
    shell.wait(1);
    assert_eq!(shown(&shell.store.read(&Operation::Get { key: "k".into() })), "\"v\"", "no entry says so");
    shell.goes_on(&[("get k", "nil")]);
}

#[test]
fn time_never_goes_back() {
    let mut shell = Shell::new();
    shell.goes_on(&[("set k v PX 10", "OK")]);
    shell.wait(10);
    shell.goes_on(&[("get k", "nil"), ("set l v", "OK")]);
    // A new leader, whose clock is slow.
    shell.clock -= 100_000;
    shell.goes_on(&[("get k", "nil"), ("pexpire l 50", "1")]);
    assert_eq!(shell.store.clock(), WallClock(1_000_010));
    shell.goes_on(&[("pexpiretime l", "1000060")]);
}

#[test]
fn expire_removes_some_of_what_is_due_in_order() {
    let mut shell = Shell::new();
    assert_eq!(shell.store.next_expiry(), None);
    for number in 0..EXPIRED_PER_COMMAND_MAX + 10 {
        shell.ask(&format!("set {number} v PX {}", 10 + number));
    }
    shell.ask("set stays v PX 100000");
    assert_eq!(shell.store.next_expiry(), Some(WallClock(1_000_010)));
    shell.wait(20_000);
    assert_eq!(shell.apply(Operation::Expire), Value::count(EXPIRED_PER_COMMAND_MAX));
    let next = WallClock(1_000_010 + EXPIRED_PER_COMMAND_MAX as u64);
    assert_eq!(shell.store.next_expiry(), Some(next));
    assert_eq!(shown(&shell.store.read(&Operation::Count)), "1");
    assert_eq!(shell.apply(Operation::Expire), Value::Integer(10));
    assert_eq!(shell.apply(Operation::Expire), Value::Integer(0));
    assert_eq!(shell.store.next_expiry(), Some(WallClock(1_100_000)));
}
