//! What clients asked and what they were told, for a second opinion.
//!
//! The ghost knows the order in which everything was committed and holds each answer against it. That order
//! is its own, though. So at the end the checker for histories ([`check`](mod@crate::check)) looks at the
//! same answers and knows nothing but when they were asked for and given.

use std::sync::Arc;

use super::ghost::{Checked, FLEETING, fail};
use crate::check::{self, Action, Answer, Instant, Outcome, Verdict};
use crate::kv::{Key, Operation, Value};

/// Steps for each group of keys; beyond that the verdict is open.
const STEPS_MAX: u64 = 3_000;

/// What has been written down.
#[derive(Default)]
pub(super) struct History {
    operations: Vec<check::Operation>,
}

impl History {
    /// A client's request has ended: with these values, with the certainty that nothing happened, or without
    /// a known end. Moments are counts of events, so no two are equal.
    pub(super) fn add(
        &mut self,
        client: usize,
        operations: &[Operation],
        (invoked, returned): (u64, u64),
        end: &End<'_>,
    ) {
        let Some(action) = all(operations.iter().map(action).collect()) else { return };
        let outcome = match end {
            End::Done(values) => {
                let answers: Vec<Answer> = values.iter().map(answer).collect();
                let answer = if answers.len() == 1 { answers[0].clone() } else { Answer::All(answers) };
                Outcome::Done { returned: Instant(returned), answer }
            }
            End::Nothing => Outcome::Nothing,
            End::Unknown => Outcome::Unknown,
        };
        let client = client as u64;
        self.operations.push(check::Operation { client, invoked: Instant(invoked), action, outcome });
    }

    /// C1. Answers whether the checker came to a verdict.
    pub(super) fn is_linearizable(&self) -> Result<bool, super::Violation> {
        match check::check(&self.operations, STEPS_MAX) {
            Verdict::Linearizable => Ok(true),
            Verdict::Undecided(_) => Ok(false),
            Verdict::Violated(violation) => violated(&violation).map(|()| false),
        }
    }
}

fn violated(violation: &check::Violation) -> Checked {
    fail("C1", format!("the history of the clients has no order: {violation}"))
}

/// How a request ended.
pub(super) enum End<'a> {
    Done(&'a [Value]),
    Nothing,
    Unknown,
}

/// Several actions at one moment; `None` if one of them is not to be checked.
fn all(actions: Vec<Option<Action>>) -> Option<Action> {
    let mut actions: Vec<Action> = actions.into_iter().collect::<Option<_>>()?;
    if actions.len() == 1 { actions.pop() } else { Some(Action::All(actions)) }
}

/// `None` for keys with a lifetime: the checker knows no clock.
fn action(operation: &Operation) -> Option<Action> {
    let key = |key: &Key| -> Option<check::Key> {
        let bytes = key.as_bytes();
        (bytes.first() != Some(&FLEETING)).then(|| Arc::from(bytes))
    };
    Some(match operation {
        Operation::Get { key: name } => Action::Get { key: key(name)? },
        Operation::GetMany { keys } => {
            Action::All(keys.iter().map(|name| Some(Action::Get { key: key(name)? })).collect::<Option<_>>()?)
        }
        Operation::Set { key: name, value, .. } => {
            Action::Set { key: key(name)?, value: Arc::from(&value[..]) }
        }
        Operation::Append { key: name, value } => {
            Action::Append { key: key(name)?, value: Arc::from(&value[..]) }
        }
        Operation::Add { key: name, delta } => Action::Add { key: key(name)?, delta: *delta },
        Operation::Transaction { operations, .. } => {
            Action::All(operations.iter().map(action).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn answer(value: &Value) -> Answer {
    match value {
        Value::Okay => Answer::Okay,
        Value::Nil => Answer::Nil,
        Value::Integer(number) => Answer::Number(*number),
        Value::Bytes(bytes) => Answer::Bytes(Arc::from(&bytes[..])),
        Value::Array(values) => Answer::All(values.iter().map(answer).collect()),
        _ => Answer::Error,
    }
}
