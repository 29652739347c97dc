//! Histories whose verdict is known, histories small enough to try all orders, and a large one.

mod brute_force;
mod known;
mod large;
mod model;

use super::{Action, Answer, Instant, Key, Operation, Outcome, Verdict, check};
use crate::limits::CHECK_STEPS_MAX;

fn bytes(text: &str) -> Key {
    text.as_bytes().into()
}

fn get(key: &str) -> Action {
    Action::Get { key: bytes(key) }
}

fn set(key: &str, value: &str) -> Action {
    Action::Set { key: bytes(key), value: bytes(value) }
}

fn set_if(key: &str, expected: &str, value: &str) -> Action {
    Action::SetIf { key: bytes(key), expected: bytes(expected), value: bytes(value) }
}

fn add(key: &str, delta: i64) -> Action {
    Action::Add { key: bytes(key), delta }
}

fn append(key: &str, value: &str) -> Action {
    Action::Append { key: bytes(key), value: bytes(value) }
}

fn delete(key: &str) -> Action {
    Action::Delete { key: bytes(key) }
}

fn value(text: &str) -> Answer {
    Answer::Bytes(bytes(text))
}

/// An operation that was answered.
fn done(invoked: u64, returned: u64, action: Action, answer: Answer) -> Operation {
    let outcome = Outcome::Done { returned: Instant(returned), answer };
    Operation { client: 0, invoked: Instant(invoked), action, outcome }
}

/// One that was not.
fn open(invoked: u64, action: Action, outcome: Outcome) -> Operation {
    Operation { client: 0, invoked: Instant(invoked), action, outcome }
}

fn verdict(history: &[Operation]) -> Verdict {
    check(history, CHECK_STEPS_MAX)
}

#[track_caller]
fn assert_good(history: &[Operation]) {
    match verdict(history) {
        Verdict::Linearizable => {}
        Verdict::Violated(violation) => panic!("{violation}"),
        Verdict::Undecided(keys) => panic!("undecided: {keys:?}"),
    }
}

/// Asserts that there is no order, and gives back why.
#[track_caller]
fn assert_bad(history: &[Operation]) -> String {
    match verdict(history) {
        Verdict::Violated(violation) => violation.to_string(),
        other => panic!("{other:?}"),
    }
}
