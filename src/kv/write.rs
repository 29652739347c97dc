//! Carrying out what changes something.

use super::bytes::Bytes;
use super::decimal::Number;
use super::entry::Entry;
use super::integer;
use super::key::Key;
use super::keyspace::{Keyspace, Lifetime};
use super::operation::{
    Comparison, EndOrder, LifetimeCondition, Moment, NewLifetime, Operation, Presence, Revision, SetAnswer,
    SetCondition, SetOptions,
};
use super::read;
use super::value::{Value, errors};
use crate::limits::{EXPIRED_PER_COMMAND_MAX, REPLY_BYTES_MAX, VALUE_BYTES_MAX};

/// Carries out one operation after the other. An answer that finds no room any more gives way to an error;
/// what it told of is done all the same.
pub(super) fn carry_out_all(space: &mut Keyspace, operations: Vec<Operation>) -> Vec<Value> {
    let mut room = REPLY_BYTES_MAX;
    let each = |operation| {
        let answer = carry_out(space, operation);
        match room.checked_sub(answer.size()) {
            Some(rest) => {
                room = rest;
                answer
            }
            None => errors::too_much(),
        }
    };
    operations.into_iter().map(each).collect()
}

/// Does what an operation asks, read or write, and answers it.
pub(super) fn carry_out(space: &mut Keyspace, operation: Operation) -> Value {
    match operation {
        Operation::Set { key, value, options } => set(space, key, value, &options),
        Operation::SetMany { pairs, condition, lifetime, answer } => {
            set_many(space, pairs, condition, lifetime, answer)
        }
        Operation::GetAndSetLifetime { key, lifetime } => get_and_set_lifetime(space, key, lifetime),
        Operation::GetAndDelete { key } => {
            space.take(&key).map_or(Value::Nil, |entry| Value::Bytes(entry.into_value()))
        }
        Operation::SetRange { key, offset, value } => set_range(space, key, offset, &value),
        Operation::Append { key, value } => append(space, key, &value),
        Operation::Add { key, delta } => add(space, key, delta),
        Operation::AddDecimal { key, delta } => add_decimal(space, key, &delta),
        Operation::Delete { keys } => {
            Value::count(keys.iter().filter(|key| space.take(key).is_some()).count())
        }
        Operation::DeleteIf { key, comparison } => delete_if(space, &key, &comparison),
        Operation::SetLifetime { key, moment, condition } => set_lifetime(space, key, moment, condition),
        Operation::Persist { key } => persist(space, key),
        Operation::Rename { from, to, only_if_absent } => rename(space, &from, to, only_if_absent),
        Operation::Copy { from, to, replace } => copy(space, &from, to, replace),
        Operation::Clear => {
            space.clear();
            Value::Okay
        }
        Operation::Transaction { watched, operations } => transact(space, &watched, operations),
        Operation::Expire => Value::count(space.remove_due(EXPIRED_PER_COMMAND_MAX)),
        read => read::read(space, &read),
    }
}

fn set(space: &mut Keyspace, key: Key, value: Bytes, options: &SetOptions) -> Value {
    let previous = match options.answer {
        SetAnswer::Previous => Some(read::get(space, &key)),
        SetAnswer::Okay | SetAnswer::Flag => None,
    };
    let permitted = match &options.condition {
        SetCondition::Key(presence) => is_met(*presence, || space.contains(&key)),
        SetCondition::Value(comparison) => read::passes(space.get(&key).map(Entry::value), comparison),
    };
    if permitted {
        let lifetime = resolve(space, options.lifetime);
        space.put(key, value, lifetime);
    }
    previous.unwrap_or_else(|| was_set(options.answer, permitted))
}

fn set_many(
    space: &mut Keyspace,
    pairs: Vec<(Key, Bytes)>,
    condition: Presence,
    lifetime: NewLifetime,
    answer: SetAnswer,
) -> Value {
    let permitted = pairs.iter().all(|(key, _)| is_met(condition, || space.contains(key)));
    if permitted {
        let lifetime = resolve(space, lifetime);
        for (key, value) in pairs {
            space.put(key, value, lifetime);
        }
    }
    was_set(answer, permitted)
}

fn is_met(presence: Presence, is_there: impl FnOnce() -> bool) -> bool {
    match presence {
        Presence::Any => true,
        Presence::Absent => !is_there(),
        Presence::Present => is_there(),
    }
}

fn was_set(answer: SetAnswer, permitted: bool) -> Value {
    match (answer, permitted) {
        (SetAnswer::Flag, permitted) => Value::flag(permitted),
        (_, true) => Value::Okay,
        (_, false) => Value::Nil,
    }
}

fn resolve(space: &Keyspace, lifetime: NewLifetime) -> Lifetime {
    match lifetime {
        NewLifetime::Endless => Lifetime::Endless,
        NewLifetime::AsBefore => Lifetime::AsBefore,
        NewLifetime::Until(moment) => Lifetime::Until(moment.resolve(space.clock())),
    }
}

fn get_and_set_lifetime(space: &mut Keyspace, key: Key, lifetime: NewLifetime) -> Value {
    let value = read::get(space, &key);
    let lifetime = resolve(space, lifetime);
    // To take away an end that was never there is no change, and no reason for a watch to fail.
    if lifetime != Lifetime::Endless || space.get(&key).is_some_and(|entry| entry.end().is_some()) {
        space.set_lifetime(key, lifetime);
    }
    value
}

fn set_range(space: &mut Keyspace, key: Key, offset: u64, value: &[u8]) -> Value {
    let old = space.get(&key).map_or(&[][..], Entry::value);
    if value.is_empty() {
        return Value::count(old.len());
    }
    let Some(offset) = usize::try_from(offset).ok().filter(|offset| *offset <= VALUE_BYTES_MAX) else {
        return errors::too_long();
    };
    let end = offset + value.len();
    if end > VALUE_BYTES_MAX {
        return errors::too_long();
    }
    let mut new = Vec::with_capacity(old.len().max(end));
    new.extend_from_slice(old);
    new.resize(old.len().max(end), 0);
    new[offset..end].copy_from_slice(value);
    let length = new.len();
    space.put(key, new.into(), Lifetime::AsBefore);
    Value::count(length)
}

fn append(space: &mut Keyspace, key: Key, value: &[u8]) -> Value {
    let old = space.get(&key).map_or(&[][..], Entry::value);
    let length = old.len() + value.len();
    if length > VALUE_BYTES_MAX {
        return errors::too_long();
    }
    let new = [old, value].concat();
    space.put(key, new.into(), Lifetime::AsBefore);
    Value::count(length)
}

fn add(space: &mut Keyspace, key: Key, delta: i64) -> Value {
    let Some(number) = space.get(&key).map_or(Some(0), |entry| integer::parse(entry.value())) else {
        return errors::not_an_integer();
    };
    let Some(sum) = number.checked_add(delta) else {
        return Value::error("increment or decrement would overflow");
    };
    space.put(key, sum.to_string().into(), Lifetime::AsBefore);
    Value::Integer(sum)
}

fn add_decimal(space: &mut Keyspace, key: Key, delta: &[u8]) -> Value {
    let number = space.get(&key).map_or(Number::parse(b"0"), |entry| Number::parse(entry.value()));
    let (Some(number), Some(delta)) = (number, Number::parse(delta)) else {
        return errors::not_a_float();
    };
    let sum = match (number, delta) {
        (Number::Finite(number), Number::Finite(delta)) => number.checked_add(delta),
        _ => None,
    };
    let Some(sum) = sum else { return Value::error("increment would produce NaN or Infinity") };
    let text = Bytes::from(sum.to_string());
    space.put(key, text.clone(), Lifetime::AsBefore);
    Value::Bytes(text)
}

fn delete_if(space: &mut Keyspace, key: &Key, comparison: &Comparison) -> Value {
    let permitted = space.get(key).is_some_and(|entry| read::passes(Some(entry.value()), comparison));
    Value::flag(permitted && space.take(key).is_some())
}

fn set_lifetime(space: &mut Keyspace, key: Key, moment: Moment, condition: LifetimeCondition) -> Value {
    let Some(entry) = space.get(&key) else { return Value::flag(false) };
    let (old, new) = (entry.end(), moment.resolve(space.clock()));
    let in_order = match condition.order {
        EndOrder::Any => true,
        EndOrder::Later => old.is_some_and(|old| new > old),
        EndOrder::Earlier => old.is_none_or(|old| new < old),
    };
    let permitted = in_order && is_met(condition.end, || old.is_some());
    if permitted {
        space.set_lifetime(key, Lifetime::Until(new));
    }
    Value::flag(permitted)
}

fn persist(space: &mut Keyspace, key: Key) -> Value {
    let ends = space.get(&key).is_some_and(|entry| entry.end().is_some());
    if ends {
        space.set_lifetime(key, Lifetime::Endless);
    }
    Value::flag(ends)
}

fn rename(space: &mut Keyspace, from: &Key, to: Key, only_if_absent: bool) -> Value {
    if !space.contains(from) {
        return errors::no_such_key();
    }
    let permitted = !only_if_absent || !space.contains(&to);
    if permitted && *from != to {
        let entry = space.take(from).expect("it was there a moment ago");
        let lifetime = entry.end().map_or(Lifetime::Endless, Lifetime::Until);
        space.put(to, entry.into_value(), lifetime);
    }
    if only_if_absent { Value::flag(permitted) } else { Value::Okay }
}

fn copy(space: &mut Keyspace, from: &Key, to: Key, replace: bool) -> Value {
    let Some(entry) = space.get(from) else { return Value::flag(false) };
    if !replace && space.contains(&to) {
        return Value::flag(false);
    }
    let lifetime = entry.end().map_or(Lifetime::Endless, Lifetime::Until);
    let value = entry.value().into();
    space.put(to, value, lifetime);
    Value::flag(true)
}

/// All or nothing is simple here: nothing else runs meanwhile, and an operation that answers with an error
/// has changed nothing, so there is nothing to take back. As in Redis, the others stand.
fn transact(space: &mut Keyspace, watched: &[(Key, Revision)], operations: Vec<Operation>) -> Value {
    if operations.iter().any(|operation| matches!(operation, Operation::Transaction { .. })) {
        return Value::error("MULTI calls can not be nested");
    }
    let revision = |key| space.get(key).map_or(Revision(0), Entry::revision);
    if watched.iter().any(|(key, seen)| revision(key) != *seen) {
        return Value::Nil;
    }
    Value::Array(carry_out_all(space, operations))
}
