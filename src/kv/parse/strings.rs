//! Commands that set values and get them.

use super::options::{self, Notation, Permitted};
use super::{arguments, wrong_number};
use crate::kv::operation::{NewLifetime, Operation, Presence, SetAnswer, SetCondition, SetOptions};
use crate::kv::value::{Value, errors};

type Parsed = Result<Operation, Value>;

const NOTHING: Permitted =
    Permitted { presence: false, comparison: false, get: false, keep: false, persist: false };

/// `GET key`
pub(super) fn get(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Get { key: arguments::key(words[0])? })
}

/// `SET key value [NX | XX | IFEQ v | IFNE v | IFDEQ d | IFDNE d] [GET] [EX s | PX ms | EXAT s | PXAT ms |
/// KEEPTTL]`
pub(super) fn set(name: &str, words: &[&[u8]]) -> Parsed {
    let permitted = Permitted { persist: false, presence: true, comparison: true, get: true, keep: true };
    let found = options::parse(name, &words[2..], permitted)?;
    let options = SetOptions {
        condition: found.condition,
        lifetime: found.lifetime.unwrap_or_default(),
        answer: if found.get { SetAnswer::Previous } else { SetAnswer::Okay },
    };
    set_with(words[0], words[1], options)
}

/// `SETNX key value`
pub(super) fn set_if_absent(_: &str, words: &[&[u8]]) -> Parsed {
    let options = SetOptions {
        condition: SetCondition::Key(Presence::Absent),
        answer: SetAnswer::Flag,
        ..SetOptions::default()
    };
    set_with(words[0], words[1], options)
}

/// `SETEX key seconds value`, `PSETEX key milliseconds value`
pub(super) fn set_with_lifetime(name: &str, words: &[&[u8]]) -> Parsed {
    let notation = Notation { in_seconds: name == "setex", since_1970: false };
    let lifetime = NewLifetime::Until(options::future(name, notation, words[1])?);
    set_with(words[0], words[2], SetOptions { lifetime, ..SetOptions::default() })
}

/// `GETSET key value`
pub(super) fn get_and_set(_: &str, words: &[&[u8]]) -> Parsed {
    set_with(words[0], words[1], SetOptions { answer: SetAnswer::Previous, ..SetOptions::default() })
}

fn set_with(key: &[u8], value: &[u8], options: SetOptions) -> Parsed {
    Ok(Operation::Set { key: arguments::key(key)?, value: arguments::value(value)?, options })
}

/// `GETDEL key`
pub(super) fn get_and_delete(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::GetAndDelete { key: arguments::key(words[0])? })
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
pub(super) fn get_and_set_lifetime(name: &str, words: &[&[u8]]) -> Parsed {
    let found = options::parse(name, &words[1..], Permitted { persist: true, ..NOTHING })?;
    let key = arguments::key(words[0])?;
    Ok(match found.lifetime {
        Some(lifetime) => Operation::GetAndSetLifetime { key, lifetime },
        // Without options it changes nothing, so it needs no log entry.
        None => Operation::Get { key },
    })
}

/// `MGET key ...`
pub(super) fn get_many(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::GetMany { keys: arguments::keys(words)? })
}

/// `MSET key value ...`, `MSETNX key value ...`
pub(super) fn set_many(name: &str, words: &[&[u8]]) -> Parsed {
    if !words.len().is_multiple_of(2) {
        return Err(wrong_number(name));
    }
    let (condition, answer) = match name {
        "msetnx" => (Presence::Absent, SetAnswer::Flag),
        _ => (Presence::Any, SetAnswer::Okay),
    };
    let pairs = arguments::pairs(words)?;
    Ok(Operation::SetMany { pairs, condition, lifetime: NewLifetime::Endless, answer })
}

/// `MSETEX count key value ... [NX | XX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(super) fn set_many_with_lifetime(name: &str, words: &[&[u8]]) -> Parsed {
    let count = arguments::integer(words[0]).ok().and_then(|count| usize::try_from(count).ok());
    let Some(count) = count.filter(|count| *count > 0 && *count <= usize::MAX / 2) else {
        return Err(Value::error("invalid numkeys value"));
    };
    if words.len() - 1 < 2 * count {
        return Err(Value::error("wrong number of key-value pairs"));
    }
    let (pairs, options) = words[1..].split_at(2 * count);
    let found = options::parse(name, options, Permitted { presence: true, keep: true, ..NOTHING })?;
    let SetCondition::Key(condition) = found.condition else { return Err(errors::syntax()) };
    Ok(Operation::SetMany {
        pairs: arguments::pairs(pairs)?,
        condition,
        lifetime: found.lifetime.unwrap_or_default(),
        answer: SetAnswer::Flag,
    })
}

/// `STRLEN key`
pub(super) fn length(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Length { key: arguments::key(words[0])? })
}

/// `GETRANGE key start end`, `SUBSTR key start end`
pub(super) fn get_range(_: &str, words: &[&[u8]]) -> Parsed {
    let (start, end) = (arguments::integer(words[1])?, arguments::integer(words[2])?);
    Ok(Operation::GetRange { key: arguments::key(words[0])?, start, end })
}

/// `SETRANGE key offset value`
pub(super) fn set_range(_: &str, words: &[&[u8]]) -> Parsed {
    let Ok(offset) = u64::try_from(arguments::integer(words[1])?) else {
        return Err(Value::error("offset is out of range"));
    };
    Ok(Operation::SetRange { key: arguments::key(words[0])?, offset, value: arguments::value(words[2])? })
}

/// `APPEND key value`
pub(super) fn append(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Append { key: arguments::key(words[0])?, value: arguments::value(words[1])? })
}

/// `DIGEST key`
pub(super) fn digest(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Digest { key: arguments::key(words[0])? })
}
