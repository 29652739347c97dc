//! Commands about keys as such, whatever they hold.

use super::{arguments, options, wrong_number};
use crate::kv::operation::{Comparison, Operation};
use crate::kv::value::{Value, errors};

type Parsed = Result<Operation, Value>;

/// How many keys a step of SCAN looks at when nothing else is said.
const SCAN_COUNT: u64 = 10;

/// `DEL key ...`, `UNLINK key ...`
pub(super) fn delete(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Delete { keys: arguments::keys(words)? })
}

/// `DELEX key [IFEQ v | IFNE v | IFDEQ d | IFDNE d]`
pub(super) fn delete_if(name: &str, words: &[&[u8]]) -> Parsed {
    match words {
        [_] => delete(name, words),
        [key, word, argument] => {
            let comparison = options::comparison(&arguments::word(word), argument)?;
            Ok(Operation::DeleteIf { key: arguments::key(key)?, comparison })
        }
        _ => Err(wrong_number(name)),
    }
}

/// `DELIFEQ key value`, Valkey's name for the same
pub(super) fn delete_if_equal(_: &str, words: &[&[u8]]) -> Parsed {
    let comparison = Comparison::Equal(arguments::value(words[1])?);
    Ok(Operation::DeleteIf { key: arguments::key(words[0])?, comparison })
}

/// `EXISTS key ...`, `TOUCH key ...`: nothing here remembers when a key was last used
pub(super) fn exists(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Exists { keys: arguments::keys(words)? })
}

/// `TYPE key`
pub(super) fn kind(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Type { key: arguments::key(words[0])? })
}

/// `RENAME from to`, `RENAMENX from to`
pub(super) fn rename(name: &str, words: &[&[u8]]) -> Parsed {
    let (from, to) = (arguments::key(words[0])?, arguments::key(words[1])?);
    Ok(Operation::Rename { from, to, only_if_absent: name == "renamenx" })
}

/// `COPY from to [DB 0] [REPLACE]`
pub(super) fn copy(_: &str, words: &[&[u8]]) -> Parsed {
    let mut replace = false;
    let mut rest = words[2..].iter();
    while let Some(word) = rest.next() {
        match &*arguments::word(word) {
            "replace" => replace = true,
            // There is one database, and it is the one that we are in.
            "db" => check_database(arguments::integer(rest.next().ok_or_else(errors::syntax)?)?)?,
            _ => return Err(errors::syntax()),
        }
    }
    let (from, to) = (arguments::key(words[0])?, arguments::key(words[1])?);
    if from == to {
        return Err(Value::error("source and destination objects are the same"));
    }
    Ok(Operation::Copy { from, to, replace })
}

fn check_database(number: i64) -> Result<(), Value> {
    match i32::try_from(number) {
        Ok(0) => Ok(()),
        Ok(_) => Err(Value::error("DB index is out of range")),
        Err(_) => Err(Value::error("value is out of range, value must between -2147483648 and 2147483647")),
    }
}

/// `KEYS pattern`
pub(super) fn list(_: &str, words: &[&[u8]]) -> Parsed {
    Ok(Operation::Keys { pattern: arguments::pattern(words[0])? })
}

/// `SCAN cursor [MATCH pattern] [COUNT number] [TYPE kind]`
pub(super) fn scan(_: &str, words: &[&[u8]]) -> Parsed {
    let cursor = std::str::from_utf8(words[0]).ok().and_then(|text| text.parse().ok());
    let cursor = cursor.ok_or_else(|| Value::error("invalid cursor"))?;
    let (mut pattern, mut count, mut kind) = (None, SCAN_COUNT, None);
    let mut rest = words[1..].iter();
    while let Some(word) = rest.next() {
        let mut argument = || rest.next().copied().ok_or_else(errors::syntax);
        match &*arguments::word(word) {
            "match" => pattern = Some(arguments::pattern(argument()?)?),
            "count" => {
                let number = arguments::integer(argument()?)?;
                count = u64::try_from(number).ok().filter(|count| *count > 0).ok_or_else(errors::syntax)?;
            }
            "type" => kind = Some(arguments::pattern(argument()?)?),
            _ => return Err(errors::syntax()),
        }
    }
    Ok(Operation::Scan { cursor, pattern, count, kind })
}

/// `RANDOMKEY`
pub(super) fn random(_: &str, _: &[&[u8]]) -> Parsed {
    Ok(Operation::RandomKey)
}

/// `DBSIZE`
pub(super) fn count(_: &str, _: &[&[u8]]) -> Parsed {
    Ok(Operation::Count)
}

/// `FLUSHDB [ASYNC | SYNC]`, `FLUSHALL [ASYNC | SYNC]`
pub(super) fn clear(_: &str, words: &[&[u8]]) -> Parsed {
    match words {
        [] => Ok(Operation::Clear),
        [word] if matches!(&*arguments::word(word), "async" | "sync") => Ok(Operation::Clear),
        _ => Err(errors::syntax()),
    }
}
