//! Commands that count.

use super::arguments;
use crate::kv::operation::Operation;
use crate::kv::value::Value;

type Parsed = Result<Operation, Value>;

/// `INCR key`
pub(super) fn increment(_: &str, words: &[&[u8]]) -> Parsed {
    add(words[0], 1)
}

/// `DECR key`
pub(super) fn decrement(_: &str, words: &[&[u8]]) -> Parsed {
    add(words[0], -1)
}

/// `INCRBY key number`
pub(super) fn increment_by(_: &str, words: &[&[u8]]) -> Parsed {
    add(words[0], arguments::integer(words[1])?)
}

/// `DECRBY key number`
pub(super) fn decrement_by(_: &str, words: &[&[u8]]) -> Parsed {
    let delta = arguments::integer(words[1])?.checked_neg();
    add(words[0], delta.ok_or_else(|| Value::error("decrement would overflow"))?)
}

fn add(key: &[u8], delta: i64) -> Parsed {
    Ok(Operation::Add { key: arguments::key(key)?, delta })
}

/// `INCRBYFLOAT key number`
///
/// The number stays a text until it is added: whether the key's own value is one is to be said first.
pub(super) fn increment_by_decimal(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::AddDecimal { key: arguments::key(words[0])?, delta: arguments::value(words[1])? })
}
