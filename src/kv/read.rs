//! Carrying out what changes nothing.

use super::entry::Entry;
use super::key::Key;
use super::keyspace::Keyspace;
use super::operation::{Comparison, LifetimeForm, Operation};
use super::scan::{self, Filter};
use super::value::{Value, errors};
use crate::limits::{REPLY_BYTES_MAX, VALUE_BYTES_MAX};

/// Redis' answers for a key that is not there, and for one that has no end.
const ABSENT: i64 = -2;
const ENDLESS: i64 = -1;

/// The answer to an operation that is a read.
///
/// # Panics
///
/// When it is a write: that needs a place in the log.
pub(super) fn read(space: &Keyspace, operation: &Operation) -> Value {
    match operation {
        Operation::Get { key } => get(space, key),
        Operation::GetMany { keys } => get_many(space, keys),
        Operation::Length { key } => Value::count(space.get(key).map_or(0, |entry| entry.value().len())),
        Operation::GetRange { key, start, end } => {
            Value::bytes(range(space.get(key).map_or(&[], Entry::value), *start, *end))
        }
        Operation::Digest { key } => space
            .get(key)
            .map_or(Value::Nil, |entry| Value::Bytes(format!("{:016x}", digest(entry.value())).into())),
        Operation::Exists { keys } => Value::count(keys.iter().filter(|key| space.contains(key)).count()),
        Operation::Type { key } => {
            Value::Text(if space.contains(key) { scan::STRING } else { "none" }.into())
        }
        Operation::Lifetime { key, form } => lifetime(space, key, *form),
        Operation::Keys { pattern } => scan::keys(space, pattern),
        Operation::Scan { cursor, pattern, count, kind } => {
            let filter = Filter { pattern: pattern.as_deref(), kind: kind.as_deref() };
            scan::scan(space, *cursor, *count, &filter)
        }
        Operation::RandomKey => scan::random_key(space),
        Operation::Count => Value::count(space.len()),
        Operation::Revision { key } => {
            let revision = space.get(key).map_or(0, |entry| entry.revision().0);
            Value::Integer(i64::try_from(revision).expect("no store sees 2^63 changes"))
        }
        write => panic!("a write needs a place in the log: {write:?}"),
    }
}

/// What a key holds, or nothing.
pub(super) fn get(space: &Keyspace, key: &Key) -> Value {
    space.get(key).map_or(Value::Nil, |entry| Value::bytes(entry.value()))
}

/// What several keys hold. One key may be asked for many times, so the limit is on what is found.
fn get_many(space: &Keyspace, keys: &[Key]) -> Value {
    let (mut values, mut bytes) = (Vec::with_capacity(keys.len()), 0);
    for key in keys {
        let value = get(space, key);
        bytes += value.size();
        if bytes > REPLY_BYTES_MAX {
            return errors::too_much();
        }
        values.push(value);
    }
    Value::Array(values)
}

/// Whether a value passes a test; that of an absent key is different from everything.
pub(super) fn passes(value: Option<&[u8]>, comparison: &Comparison) -> bool {
    match comparison {
        Comparison::Equal(other) => value == Some(other),
        Comparison::Different(other) => value != Some(other),
        Comparison::DigestEqual(other) => value.is_some_and(|value| digest(value) == *other),
        Comparison::DigestDifferent(other) => value.is_none_or(|value| digest(value) != *other),
    }
}

fn digest(value: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(value)
}

/// The bytes from `start` to `end`, both included; negative places count from the end of the value.
fn range(value: &[u8], start: i64, end: i64) -> &[u8] {
    let length = i64::try_from(value.len()).expect("a value is far shorter");
    const { assert!(VALUE_BYTES_MAX < 1 << 32, "so that a place never overflows") };
    let place = |place: i64| if place < 0 { length.saturating_add(place).max(0) } else { place };
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let (start, end) = (place(start), place(end).min(length - 1));
    if start > end {
        return &[];
    }
    let position = |place: i64| usize::try_from(place).expect("between zero and the length");
    &value[position(start)..=position(end)]
}

fn lifetime(space: &Keyspace, key: &Key, form: LifetimeForm) -> Value {
    let Some(entry) = space.get(key) else { return Value::Integer(ABSENT) };
    let Some(end) = entry.end() else { return Value::Integer(ENDLESS) };
    let left = end.0 - space.clock().0;
    // Half seconds go up, as in Redis.
    let seconds = |milliseconds: u64| milliseconds.saturating_add(500) / 1000;
    let number = match form {
        LifetimeForm::SecondsLeft => seconds(left),
        LifetimeForm::MillisecondsLeft => left,
        LifetimeForm::SecondsSince1970 => seconds(end.0),
        LifetimeForm::MillisecondsSince1970 => end.0,
    };
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
