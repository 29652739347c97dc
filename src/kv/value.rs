//! Answers, as the store gives them and before any protocol has dressed them.

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;

/// The answer to one operation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Value {
    /// It is done, and that is all there is to say.
    Okay,
    /// There is nothing: no such key, or a condition was not met.
    Nil,
    /// A number.
    Integer(i64),
    /// What a key holds, or a text of ours that Redis answers as bytes.
    Bytes(Bytes),
    /// One word without line ends, such as the name of a type.
    Text(#[serde(deserialize_with = "crate::bounded::text")] Box<str>),
    /// Several answers.
    Array(#[serde(deserialize_with = "crate::bounded::list")] Vec<Value>),
    /// It was not done, and why: Redis' prefix, a blank, Redis' words; ready for an error line.
    Error(#[serde(deserialize_with = "crate::bounded::text")] Box<str>),
}

const _: () = assert!(size_of::<Value>() <= 40);

impl Value {
    /// An error with the prefix that Redis uses for all that has no better one.
    pub fn error(text: &str) -> Value {
        Value::Error(format!("ERR {text}").into())
    }

    /// 1 for yes, 0 for no: how Redis answers such questions.
    pub(super) fn flag(yes: bool) -> Value {
        Value::Integer(i64::from(yes))
    }

    /// How many there are.
    pub(super) fn count(number: usize) -> Value {
        Value::Integer(i64::try_from(number).expect("nothing is counted that does not fit memory"))
    }

    /// A copy of what a key holds.
    pub(super) fn bytes(bytes: &[u8]) -> Value {
        Value::Bytes(bytes.into())
    }

    /// Roughly what this answer costs in memory, in bytes.
    pub fn size(&self) -> usize {
        let beyond = match self {
            Value::Okay | Value::Nil | Value::Integer(_) => 0,
            Value::Bytes(bytes) => bytes.len(),
            Value::Text(text) | Value::Error(text) => text.len(),
            Value::Array(values) => values.iter().map(Value::size).sum(),
        };
        size_of::<Value>() + beyond
    }
}

/// The error texts that more than one place needs, word for word Redis'.
pub(super) mod errors {
    use super::Value;

    /// Options that make no sense, or not together.
    pub(in crate::kv) fn syntax() -> Value {
        Value::error("syntax error")
    }

    /// An argument or a value that should be a number of 64 bits.
    pub(in crate::kv) fn not_an_integer() -> Value {
        Value::error("value is not an integer or out of range")
    }

    /// An argument or a value that should be a decimal number.
    pub(in crate::kv) fn not_a_float() -> Value {
        Value::error("value is not a valid float")
    }

    /// RENAME of nothing.
    pub(in crate::kv) fn no_such_key() -> Value {
        Value::error("no such key")
    }

    /// More than one answer may hold.
    pub(in crate::kv) fn too_much() -> Value {
        Value::error("answer exceeds maximum allowed size")
    }

    /// A value beyond the limit.
    pub(in crate::kv) fn too_long() -> Value {
        Value::error("string exceeds maximum allowed size (proto-max-bulk-len)")
    }
}
