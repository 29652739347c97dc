//! Setting and getting.

use super::*;
use crate::limits::{KEY_BYTES_MAX, KEYS_PER_COMMAND_MAX, VALUE_BYTES_MAX};

const SYNTAX: &str = "-ERR syntax error";
const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";

#[test]
fn get_and_set() {
    Shell::check(&[
        ("get k", "nil"),
        ("set k v", "OK"),
        ("get k", "\"v\""),
        ("set k \"\"", "OK"),
        ("get k", "\"\""),
        ("set \"\" x", "OK"),
        ("get \"\"", "\"x\""),
    ]);
}

#[test]
fn set_under_conditions() {
    Shell::check(&[
        ("set k v XX", "nil"),
        ("set k v nx", "OK"),
        ("set k w NX", "nil"),
        ("set k w NX NX", "nil"),
        ("set k w XX GET", "\"v\""),
        ("set k x NX GET", "\"w\""),
        ("set l x NX GET", "nil"),
        ("get l", "\"x\""),
        ("get k", "\"w\""),
        ("set k x NX XX", SYNTAX),
        ("set k x IFEQ", SYNTAX),
        ("set k x NX IFEQ w", SYNTAX),
        ("set k x FOO", SYNTAX),
        ("set k x PERSIST", SYNTAX),
    ]);
}

#[test]
fn set_if_the_value_is_as_expected() {
    Shell::check(&[
        ("set k test IFEQ old", "nil"),
        ("set k test IFDEQ b6acb9d84a38ff74", "nil"),
        ("exists k", "0"),
        ("set k old IFNE other", "OK"),
        ("set k test IFEQ other", "nil"),
        ("set k test IFEQ other GET", "\"old\""),
        ("set k test IFEQ old", "OK"),
        ("set k newer IFNE test", "nil"),
        ("get k", "\"test\""),
        ("digest k", "\"9ec9f7918d7dfc40\""),
        ("set k newer IFDNE 9ec9f7918d7dfc40", "nil"),
        ("set k newer IFDEQ 9EC9F7918D7DFC40", "OK"),
        ("set k newest IFDEQ 9ec9f7918d7dfc40", "nil"),
        ("set k newest IFDNE 9ec9f7918d7dfc40 GET", "\"newer\""),
        ("get k", "\"newest\""),
        ("set k v IFDEQ 123", "-ERR must be exactly 16 hexadecimal characters"),
        ("set k v IFDEQ 9ec9f7918d7dfc4x", "-ERR must be exactly 16 hexadecimal characters"),
        ("set l v IFDNE 9ec9f7918d7dfc40", "OK"),
        ("digest nothing", "nil"),
    ]);
}

/// The example of Redis' own documentation.
#[test]
fn the_digest_is_xxh3() {
    let mut shell = Shell::new();
    let value = Bytes::from("Hello world");
    shell.apply(Operation::Set { key: "k".into(), value, options: SetOptions::default() });
    shell.goes_on(&[("digest k", "\"b6acb9d84a38ff74\"")]);
}

#[test]
fn set_with_lifetimes() {
    Shell::check(&[
        ("set k v EX 10", "OK"),
        ("pttl k", "10000"),
        ("set k w KEEPTTL", "OK"),
        ("pttl k", "10000"),
        ("set k w", "OK"),
        ("pttl k", "-1"),
        ("set k v px 1500", "OK"),
        ("pexpiretime k", "1001500"),
        ("set k v EXAT 1002", "OK"),
        ("pttl k", "2000"),
        ("set k v PXAT 1000001", "OK"),
        ("pttl k", "1"),
        ("set k v PXAT 1000000", "OK"),
        ("get k", "nil"),
        ("set k v EX 1 EX 2", "OK"),
        ("pttl k", "2000"),
        ("set k v EX", SYNTAX),
        ("set k v EX 1 PX 1", SYNTAX),
        ("set k v EX 1 KEEPTTL", SYNTAX),
        ("set k v EX x FOO", SYNTAX),
        ("set k v EX x", NOT_AN_INTEGER),
        ("set k v EX 0", "-ERR invalid expire time in 'set' command"),
        ("set k v PX -1", "-ERR invalid expire time in 'set' command"),
        ("set k v EX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
        ("set k v PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
        ("set k v PXAT 9223372036854775807", "OK"),
        ("pexpiretime k", "9223372036854775807"),
    ]);
}

#[test]
fn the_older_names_of_set() {
    Shell::check(&[
        ("setnx k v", "1"),
        ("setnx k w", "0"),
        ("getset k w", "\"v\""),
        ("getset l x", "nil"),
        ("setex k 5 v", "OK"),
        ("ttl k", "5"),
        ("psetex k 700 v", "OK"),
        ("pttl k", "700"),
        ("getset k w", "\"v\""),
        ("ttl k", "-1"),
        ("setex k 0 v", "-ERR invalid expire time in 'setex' command"),
        ("psetex k -1 v", "-ERR invalid expire time in 'psetex' command"),
        ("setex k x v", NOT_AN_INTEGER),
    ]);
}

#[test]
fn get_and_more() {
    Shell::check(&[
        ("getex k EX 10", "nil"),
        ("set k v", "OK"),
        ("getex k", "\"v\""),
        ("ttl k", "-1"),
        ("getex k EX 10", "\"v\""),
        ("ttl k", "10"),
        ("getex k PERSIST", "\"v\""),
        ("ttl k", "-1"),
        ("getex k EX 10 PERSIST", SYNTAX),
        ("getex k KEEPTTL", SYNTAX),
        ("getex k NX", SYNTAX),
        ("getex k EX 0", "-ERR invalid expire time in 'getex' command"),
        ("getex k PXAT 1", "\"v\""),
        ("get k", "nil"),
        ("set k v", "OK"),
        ("getdel k", "\"v\""),
        ("getdel k", "nil"),
    ]);
}

#[test]
fn many_at_once() {
    Shell::check(&[
        ("mset a 1 b 2", "OK"),
        ("mget a x b", "[\"1\" nil \"2\"]"),
        ("mset a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("msetnx c 3 a 4", "0"),
        ("exists c", "0"),
        ("msetnx c 3 d 4 c 5", "1"),
        ("get c", "\"5\""),
        ("msetnx a 1 b", "-ERR wrong number of arguments for 'msetnx' command"),
        ("msetex 2 a 1 e 2 XX EX 10", "0"),
        ("msetex 2 a 1 b 2 XX EX 10", "1"),
        ("ttl b", "10"),
        ("msetex 1 b 3 KEEPTTL", "1"),
        ("ttl b", "10"),
        ("msetex 1 b 3", "1"),
        ("ttl b", "-1"),
        ("msetex 2 a 1 e 2 NX", "0"),
        ("msetex 0 a 1", "-ERR invalid numkeys value"),
        ("msetex x a 1", "-ERR invalid numkeys value"),
        ("msetex 9223372036854775807 a 1", "-ERR wrong number of key-value pairs"),
        ("msetex 2 a 1 b", "-ERR wrong number of key-value pairs"),
        ("msetex 1 a 1 GET", SYNTAX),
        ("msetex 1 a 1 EX 0", "-ERR invalid expire time in 'msetex' command"),
    ]);
}

#[test]
fn parts_of_values() {
    Shell::check(&[
        ("append k hello", "5"),
        ("append k -world", "11"),
        ("strlen k", "11"),
        ("strlen x", "0"),
        ("getrange k 0 4", "\"hello\""),
        ("substr k -5 -1", "\"world\""),
        ("getrange k 0 -1", "\"hello-world\""),
        ("getrange k -100 100", "\"hello-world\""),
        ("getrange k 5 2", "\"\""),
        ("getrange k -1 -5", "\"\""),
        ("getrange k 100 200", "\"\""),
        ("getrange k -9223372036854775808 9223372036854775807", "\"hello-world\""),
        ("getrange x 0 -1", "\"\""),
        ("getrange k a 1", NOT_AN_INTEGER),
        ("setrange k 6 W", "11"),
        ("get k", "\"hello-World\""),
        ("setrange l 2 x", "3"),
        ("get l", "\"\\x00\\x00x\""),
        ("setrange l 5 \"\"", "3"),
        ("setrange x 5 \"\"", "0"),
        ("exists x", "0"),
        ("append x \"\"", "0"),
        ("exists x", "1"),
        ("setrange k -1 x", "-ERR offset is out of range"),
        ("setrange k x x", NOT_AN_INTEGER),
    ]);
}

#[test]
fn changes_of_a_value_keep_its_lifetime() {
    Shell::check(&[
        ("set k 1 EX 10", "OK"),
        ("append k 2", "2"),
        ("setrange k 0 3", "2"),
        ("incr k", "33"),
        ("incrbyfloat k 0.5", "\"33.5\""),
        ("ttl k", "10"),
    ]);
}

#[test]
fn nothing_grows_beyond_its_limit() {
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    let value = "v".repeat(VALUE_BYTES_MAX);
    Shell::check(&[
        (&format!("set k {value}x"), too_long),
        (&format!("set k {value}"), "OK"),
        ("append k x", too_long),
        ("append k \"\"", &VALUE_BYTES_MAX.to_string()),
        (&format!("setrange k {VALUE_BYTES_MAX} x"), too_long),
        (&format!("setrange k {} x", VALUE_BYTES_MAX - 1), &VALUE_BYTES_MAX.to_string()),
        ("setrange k 9223372036854775807 x", too_long),
    ]);
    let key = "k".repeat(KEY_BYTES_MAX);
    Shell::check(&[
        (&format!("set {key} v"), "OK"),
        (&format!("get {key}"), "\"v\""),
        (&format!("get {key}k"), "-ERR key exceeds maximum allowed size"),
    ]);
    let keys = " k".repeat(KEYS_PER_COMMAND_MAX);
    Shell::check(&[
        (&format!("del{keys}"), "0"),
        (&format!("del{keys} k"), "-ERR too many keys in one command"),
    ]);
    let pair = format!(" {} {value}", "k");
    Shell::check(&[
        (&format!("mset{}", pair.repeat(3)), "OK"),
        (&format!("mset{}", pair.repeat(4)), "-ERR command exceeds maximum allowed size"),
    ]);
}
