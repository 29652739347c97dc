//! Everything that can be asked of the store: one variant for each thing that it does, not for each of the
//! many names that Redis has for it. `SETNX`, `SETEX` and `GETSET` are all [`Operation::Set`].
//!
//! Times that a client gave relative to now stay relative here. They are resolved when the operation is
//! carried out, from the command's stamp: the clock of whoever took the request is not in it.

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::command::WallClock;
use super::key::Key;

/// Counts the changes of a store. Every change of a key gives it the next number, which no other key and no
/// later state of this one ever has. A key that is absent has 0, so a watched key that came and went again
/// counts as unchanged; Redis would say that it changed.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Revision(pub u64);

/// What is asked of the store.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "a field is what its name and type say")]
pub enum Operation {
    /// The value of a key.
    Get { key: Key },
    /// Keep a value; how and when, say the options.
    Set { key: Key, value: Bytes, options: SetOptions },
    /// The values of several keys, as they are at one moment.
    GetMany {
        #[serde(deserialize_with = "crate::bounded::list")]
        keys: Vec<Key>,
    },
    /// Keep several values, all of them or none.
    SetMany {
        #[serde(deserialize_with = "crate::bounded::list")]
        pairs: Vec<(Key, Bytes)>,
        condition: Presence,
        lifetime: NewLifetime,
        answer: SetAnswer,
    },
    /// The value of a key, and from now on another lifetime for it.
    GetAndSetLifetime { key: Key, lifetime: NewLifetime },
    /// The value of a key that is gone then.
    GetAndDelete { key: Key },
    /// How long a value is.
    Length { key: Key },
    /// A part of a value; negative places count from its end.
    GetRange { key: Key, start: i64, end: i64 },
    /// Overwrite a part of a value; zeros fill what lies between.
    SetRange { key: Key, offset: u64, value: Bytes },
    /// Add to the end of a value.
    Append { key: Key, value: Bytes },
    /// Add to the number that a value is.
    Add { key: Key, delta: i64 },
    /// Add to the decimal number that a value is; a text, since that is what it is exact in.
    AddDecimal { key: Key, delta: Bytes },
    /// XXH3 of a value, in hexadecimal digits.
    Digest { key: Key },
    /// Remove keys; how many there were.
    Delete {
        #[serde(deserialize_with = "crate::bounded::list")]
        keys: Vec<Key>,
    },
    /// Remove a key if its value passes.
    DeleteIf { key: Key, comparison: Comparison },
    /// How many of these are there, counting repeated ones again.
    Exists {
        #[serde(deserialize_with = "crate::bounded::list")]
        keys: Vec<Key>,
    },
    /// What kind of value a key has.
    Type { key: Key },
    /// When a key ends.
    Lifetime { key: Key, form: LifetimeForm },
    /// Let a key end at a moment, at once if that is past.
    SetLifetime { key: Key, moment: Moment, condition: LifetimeCondition },
    /// Let a key have no end.
    Persist { key: Key },
    /// Give a value to another key, with its lifetime.
    Rename { from: Key, to: Key, only_if_absent: bool },
    /// Give a value to another key as well, with its lifetime.
    Copy { from: Key, to: Key, replace: bool },
    /// The keys that a pattern fits.
    Keys { pattern: Bytes },
    /// A step of a walk through all keys.
    Scan { cursor: u64, pattern: Option<Bytes>, count: u64, kind: Option<Bytes> },
    /// Any key.
    RandomKey,
    /// How many keys there are.
    Count,
    /// Remove all keys.
    Clear,
    /// The revision of a key, for `WATCH`.
    Revision { key: Key },
    /// All of these one after the other with nothing between them, if the watched keys are as they were.
    Transaction {
        #[serde(deserialize_with = "crate::bounded::list")]
        watched: Vec<(Key, Revision)>,
        #[serde(deserialize_with = "crate::bounded::list")]
        operations: Vec<Operation>,
    },
    /// Nothing: the stamp alone makes keys due, and this removes some that are.
    Expire,
}

/// How a value is set. The default is a plain `SET`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SetOptions {
    /// When it is set at all.
    pub condition: SetCondition,
    /// How long it lives.
    pub lifetime: NewLifetime,
    /// What the client wants to hear.
    pub answer: SetAnswer,
}

/// When a value is set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SetCondition {
    /// Depending on whether the key is there.
    Key(Presence),
    /// Depending on what the key holds.
    Value(Box<Comparison>),
}

/// Whether a key is to be there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Presence {
    /// That does not matter.
    #[default]
    Any,
    /// `NX`: not.
    Absent,
    /// `XX`: so.
    Present,
}

/// A test of a key's value (Redis 8.4). An absent key is different from everything.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Comparison {
    /// `IFEQ`.
    Equal(Bytes),
    /// `IFNE`.
    Different(Bytes),
    /// `IFDEQ`: the value's XXH3 is this.
    DigestEqual(u64),
    /// `IFDNE`.
    DigestDifferent(u64),
}

/// What a write does to the lifetime of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum NewLifetime {
    /// There will be no end.
    #[default]
    Endless,
    /// `KEEPTTL`: what was before.
    AsBefore,
    /// It ends then.
    Until(Moment),
}

/// A moment as a client gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Moment {
    /// Milliseconds since 1970.
    At(WallClock),
    /// Milliseconds from the command's stamp on.
    After(u64),
}

/// What a setter answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum SetAnswer {
    /// OK, or nothing if the condition was not met.
    #[default]
    Okay,
    /// What the key held before, whether the condition was met or not.
    Previous,
    /// 1, or 0 if the condition was not met.
    Flag,
}

/// When a key's lifetime may be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct LifetimeCondition {
    /// Whether it is to have an end already.
    pub end: Presence,
    /// How the new end has to lie to the old one.
    pub order: EndOrder,
}

/// How a new end lies to an old one. No end counts as one that lies beyond all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum EndOrder {
    /// That does not matter.
    #[default]
    Any,
    /// `GT`.
    Later,
    /// `LT`.
    Earlier,
}

/// In which form an end is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LifetimeForm {
    /// `TTL`.
    SecondsLeft,
    /// `PTTL`.
    MillisecondsLeft,
    /// `EXPIRETIME`.
    SecondsSince1970,
    /// `PEXPIRETIME`.
    MillisecondsSince1970,
}

impl Default for SetCondition {
    fn default() -> SetCondition {
        SetCondition::Key(Presence::Any)
    }
}

impl Moment {
    /// When that is, if it is `clock` now. Nothing ends later than an answer can say.
    pub(super) fn resolve(self, clock: WallClock) -> WallClock {
        const LATEST: u64 = i64::MAX.unsigned_abs();
        match self {
            Moment::At(moment) => moment,
            Moment::After(milliseconds) => WallClock(clock.0.saturating_add(milliseconds).min(LATEST)),
        }
    }
}

impl Operation {
    /// The key of what is asked most often, and of one key.
    pub(super) fn key(&self) -> Option<&Key> {
        match self {
            Operation::Get { key } | Operation::Set { key, .. } | Operation::Add { key, .. } => Some(key),
            _ => None,
        }
    }

    /// Whether it changes nothing, so that any replica that is up to date can answer it without a log entry.
    pub fn is_read(&self) -> bool {
        match self {
            Operation::Get { .. }
            | Operation::GetMany { .. }
            | Operation::Length { .. }
            | Operation::GetRange { .. }
            | Operation::Digest { .. }
            | Operation::Exists { .. }
            | Operation::Type { .. }
            | Operation::Lifetime { .. }
            | Operation::Keys { .. }
            | Operation::Scan { .. }
            | Operation::RandomKey
            | Operation::Count
            | Operation::Revision { .. } => true,
            Operation::Set { .. }
            | Operation::SetMany { .. }
            | Operation::GetAndSetLifetime { .. }
            | Operation::GetAndDelete { .. }
            | Operation::SetRange { .. }
            | Operation::Append { .. }
            | Operation::Add { .. }
            | Operation::AddDecimal { .. }
            | Operation::Delete { .. }
            | Operation::DeleteIf { .. }
            | Operation::SetLifetime { .. }
            | Operation::Persist { .. }
            | Operation::Rename { .. }
            | Operation::Copy { .. }
            | Operation::Clear
            | Operation::Transaction { .. }
            | Operation::Expire => false,
        }
    }

    /// Keys and values in it, in bytes, and a little for each part: never less than its encoding takes, so
    /// that a limit on this is a limit on that.
    pub fn bytes(&self) -> usize {
        const PART: usize = 32;
        let one = |key: &Key| PART + key.as_bytes().len();
        let all = |keys: &[Key]| keys.iter().map(one).sum::<usize>();
        PART + match self {
            Operation::Get { key }
            | Operation::GetAndSetLifetime { key, .. }
            | Operation::GetAndDelete { key }
            | Operation::Length { key }
            | Operation::GetRange { key, .. }
            | Operation::Add { key, .. }
            | Operation::Digest { key }
            | Operation::Type { key }
            | Operation::Lifetime { key, .. }
            | Operation::SetLifetime { key, .. }
            | Operation::Persist { key }
            | Operation::Revision { key } => one(key),
            Operation::SetRange { key, value, .. }
            | Operation::Append { key, value }
            | Operation::AddDecimal { key, delta: value } => one(key) + value.len(),
            Operation::Set { key, value, options } => one(key) + value.len() + options.condition.bytes(),
            Operation::DeleteIf { key, comparison } => one(key) + comparison.bytes(),
            Operation::GetMany { keys } | Operation::Delete { keys } | Operation::Exists { keys } => {
                all(keys)
            }
            Operation::SetMany { pairs, .. } => pairs.iter().map(|(key, value)| one(key) + value.len()).sum(),
            Operation::Rename { from, to, .. } | Operation::Copy { from, to, .. } => one(from) + one(to),
            Operation::Keys { pattern } => pattern.len(),
            Operation::Scan { pattern, kind, .. } => {
                PART + pattern.as_deref().map_or(0, <[u8]>::len) + kind.as_deref().map_or(0, <[u8]>::len)
            }
            Operation::Transaction { watched, operations } => {
                watched.iter().map(|(key, _)| one(key)).sum::<usize>()
                    + operations.iter().map(Operation::bytes).sum::<usize>()
            }
            Operation::RandomKey | Operation::Count | Operation::Clear | Operation::Expire => 0,
        }
    }
}

impl SetCondition {
    fn bytes(&self) -> usize {
        match self {
            SetCondition::Key(_) => 0,
            SetCondition::Value(comparison) => comparison.bytes(),
        }
    }
}

impl Comparison {
    fn bytes(&self) -> usize {
        match self {
            Comparison::Equal(value) | Comparison::Different(value) => value.len(),
            Comparison::DigestEqual(_) | Comparison::DigestDifferent(_) => 0,
        }
    }
}
