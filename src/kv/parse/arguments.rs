//! Single arguments: keys, values, numbers, each with its limit.

use crate::kv::bytes::Bytes;
use crate::kv::integer;
use crate::kv::key::Key;
use crate::kv::value::{Value, errors};
use crate::limits::{KEY_BYTES_MAX, KEYS_PER_COMMAND_MAX, PATTERN_BYTES_MAX, VALUE_BYTES_MAX};

pub(super) fn key(argument: &[u8]) -> Result<Key, Value> {
    if argument.len() > KEY_BYTES_MAX {
        return Err(Value::error("key exceeds maximum allowed size"));
    }
    Ok(Key::new(argument))
}

pub(super) fn keys(arguments: &[&[u8]]) -> Result<Vec<Key>, Value> {
    check_count(arguments.len())?;
    arguments.iter().copied().map(key).collect()
}

pub(super) fn value(argument: &[u8]) -> Result<Bytes, Value> {
    if argument.len() > VALUE_BYTES_MAX {
        return Err(errors::too_long());
    }
    Ok(argument.into())
}

/// Keys and values in turn.
pub(super) fn pairs(arguments: &[&[u8]]) -> Result<Vec<(Key, Bytes)>, Value> {
    let (pairs, rest) = arguments.as_chunks::<2>();
    assert!(rest.is_empty(), "the caller has counted");
    check_count(pairs.len())?;
    pairs.iter().map(|[name, content]| Ok((key(name)?, value(content)?))).collect()
}

fn check_count(keys: usize) -> Result<(), Value> {
    if keys > KEYS_PER_COMMAND_MAX {
        return Err(Value::error("too many keys in one command"));
    }
    Ok(())
}

pub(super) fn pattern(argument: &[u8]) -> Result<Bytes, Value> {
    if argument.len() > PATTERN_BYTES_MAX {
        return Err(Value::error("pattern exceeds maximum allowed size"));
    }
    Ok(argument.into())
}

pub(super) fn integer(argument: &[u8]) -> Result<i64, Value> {
    integer::parse(argument).ok_or_else(errors::not_an_integer)
}

/// An option's name, whose case does not matter, in lower case. What is longer than any option has none.
pub(super) fn word(argument: &[u8]) -> String {
    const WORD_BYTES_MAX: usize = 16;
    let short = Some(argument).filter(|argument| argument.len() <= WORD_BYTES_MAX);
    short.map(|short| String::from_utf8_lossy(short).to_ascii_lowercase()).unwrap_or_default()
}
