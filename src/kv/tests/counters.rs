//! Counting.

use super::*;

const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const OVERFLOW: &str = "-ERR increment or decrement would overflow";

#[test]
fn whole_numbers() {
    Shell::check(&[
        ("incr k", "1"),
        ("incrby k 9", "10"),
        ("decr k", "9"),
        ("decrby k 10", "-1"),
        ("get k", "\"-1\""),
        ("incrby k x", NOT_AN_INTEGER),
        ("incrby k 1.5", NOT_AN_INTEGER),
        ("decrby k 01", NOT_AN_INTEGER),
        ("decrby k -9223372036854775808", "-ERR decrement would overflow"),
        ("set k 9223372036854775807", "OK"),
        ("incr k", OVERFLOW),
        ("get k", "\"9223372036854775807\""),
        ("set k -9223372036854775808", "OK"),
        ("decr k", OVERFLOW),
        ("incrby k 1", "-9223372036854775807"),
        ("set k 007", "OK"),
        ("incr k", NOT_AN_INTEGER),
        ("set k \"\"", "OK"),
        ("incr k", NOT_AN_INTEGER),
    ]);
}

#[test]
fn decimal_numbers() {
    Shell::check(&[
        ("incrbyfloat k 10.50", "\"10.5\""),
        ("incrbyfloat k 0.1", "\"10.6\""),
        ("incrbyfloat k -5", "\"5.6\""),
        ("set k 5.0e3", "OK"),
        ("incrbyfloat k 2.0e2", "\"5200\""),
        ("incr k", "5201"),
        ("incrbyfloat k x", "-ERR value is not a valid float"),
        ("incrbyfloat k inf", "-ERR increment would produce NaN or Infinity"),
        ("set k x", "OK"),
        ("incrbyfloat k 1", "-ERR value is not a valid float"),
        ("set k 999999999999999999999", "OK"),
        ("incrbyfloat k 999999999999999999999", "-ERR increment would produce NaN or Infinity"),
    ]);
}
