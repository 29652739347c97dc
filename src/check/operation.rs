//! What a history is made of, and how it reads.

use std::fmt;
use std::sync::Arc;

/// A key.
pub type Key = Arc<[u8]>;

/// A value.
pub type Value = Arc<[u8]>;

/// A moment on a clock that all clients share. The unit does not matter to the check; texts take it for
/// nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instant(pub u64);

/// One thing that one client asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// Who; only texts use it.
    pub client: u64,
    /// When it was asked: a moment before the question left.
    pub invoked: Instant,
    /// What.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
}

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "a field is what its name and type say")]
pub enum Action {
    /// Answers the value, or [`Answer::Nil`].
    Get { key: Key },
    /// Answers [`Answer::Okay`].
    Set { key: Key, value: Value },
    /// Sets the value if the key holds another one now: [`Answer::Okay`], or [`Answer::Nil`] if it does not.
    SetIf { key: Key, expected: Value, value: Value },
    /// Answers the sum as a number. An absent key counts as 0; what is no number is an [`Answer::Error`].
    Add { key: Key, delta: i64 },
    /// Answers the length of the new value as a number.
    Append { key: Key, value: Value },
    /// Answers 1 as a number, or 0 if the key was absent.
    Delete { key: Key },
    /// All of these at one moment, in this order. An answer that sums several up (that of a `DEL` with
    /// several keys) cannot be taken apart: [`Answer::Any`] for each.
    All(Vec<Action>),
}

/// What a client was told.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// Done.
    Okay,
    /// Absent, or not done because of a condition.
    Nil,
    /// A value.
    Bytes(Value),
    /// A number.
    Number(i64),
    /// Refused because of what the key holds; nothing changed.
    Error,
    /// Those of [`Action::All`].
    All(Vec<Answer>),
    /// It was done; what it answered is not known.
    Any,
}

/// How it ended.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "a field is what its name and type say")]
pub enum Outcome {
    /// It took effect, and this was the answer: a moment after that arrived.
    Done { returned: Instant, answer: Answer },
    /// It did not take effect and never will.
    Nothing,
    /// It took effect at some moment after it was asked, or will, or never will.
    Unknown,
}

impl Action {
    /// The keys that it is about; one may come twice.
    pub fn keys(&self) -> Vec<&Key> {
        match self {
            Action::Get { key }
            | Action::Set { key, .. }
            | Action::SetIf { key, .. }
            | Action::Add { key, .. }
            | Action::Append { key, .. }
            | Action::Delete { key } => vec![key],
            Action::All(actions) => actions.iter().flat_map(Action::keys).collect(),
        }
    }

    /// Whether it only looks.
    pub fn is_read(&self) -> bool {
        match self {
            Action::Get { .. } => true,
            Action::All(actions) => actions.iter().all(Action::is_read),
            _ => false,
        }
    }
}

impl Answer {
    /// Whether what was told agrees with what a store would have told.
    pub fn fits(&self, right: &Answer) -> bool {
        match (self, right) {
            (Answer::Any, _) => true,
            (Answer::All(told), Answer::All(right)) => {
                told.len() == right.len() && told.iter().zip(right).all(|(told, right)| told.fits(right))
            }
            _ => self == right,
        }
    }
}

impl Operation {
    /// When it was answered, if it was.
    pub fn returned(&self) -> Option<Instant> {
        match &self.outcome {
            Outcome::Done { returned, .. } => Some(*returned),
            Outcome::Nothing | Outcome::Unknown => None,
        }
    }

    /// What was answered, if it was.
    pub fn answer(&self) -> Option<&Answer> {
        match &self.outcome {
            Outcome::Done { answer, .. } => Some(answer),
            Outcome::Nothing | Outcome::Unknown => None,
        }
    }
}

/// Bytes as text; what is no plain letter is escaped, what is long is cut.
pub(super) fn text(bytes: &[u8]) -> String {
    const BYTES_MAX: usize = 120;
    let cut = &bytes[bytes.len().saturating_sub(BYTES_MAX)..];
    format!("{}{}", if cut.len() < bytes.len() { "..." } else { "" }, cut.escape_ascii())
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Get { key } => write!(formatter, "GET {}", text(key)),
            Action::Set { key, value } => write!(formatter, "SET {} {}", text(key), text(value)),
            Action::SetIf { key, expected, value } => {
                write!(formatter, "SET {} {} IFEQ {}", text(key), text(value), text(expected))
            }
            Action::Add { key, delta } => write!(formatter, "INCRBY {} {delta}", text(key)),
            Action::Append { key, value } => write!(formatter, "APPEND {} {}", text(key), text(value)),
            Action::Delete { key } => write!(formatter, "DEL {}", text(key)),
            Action::All(actions) => write!(formatter, "[{}]", joined(actions)),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Okay => formatter.write_str("OK"),
            Answer::Nil => formatter.write_str("nil"),
            Answer::Bytes(bytes) => write!(formatter, "\"{}\"", text(bytes)),
            Answer::Number(number) => write!(formatter, "{number}"),
            Answer::Error => formatter.write_str("an error"),
            Answer::All(answers) => write!(formatter, "[{}]", joined(answers)),
            Answer::Any => formatter.write_str("done"),
        }
    }
}

fn joined(parts: &[impl fmt::Display]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = self.0 / 1_000;
        write!(formatter, "{:>4}.{:06}", microseconds / 1_000_000, microseconds % 1_000_000)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Operation { client, invoked, action, outcome } = self;
        match outcome {
            Outcome::Done { returned, answer } => {
                write!(formatter, "client {client:<3} {invoked} to {returned}  {action} -> {answer}")
            }
            Outcome::Nothing => {
                write!(formatter, "client {client:<3} {invoked} to     nothing  {action} -> not done")
            }
            Outcome::Unknown => {
                write!(formatter, "client {client:<3} {invoked} to     unknown  {action} -> ?")
            }
        }
    }
}
