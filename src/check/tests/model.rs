//! The measure itself.

use super::*;
use crate::check::State;

/// Carries out one action after the other and gives back the answers.
fn answers(actions: &[Action]) -> Vec<Answer> {
    let mut state = State::default();
    let mut answers = Vec::new();
    for action in actions {
        let (answer, new) = state.step(action);
        assert_ne!(new.as_ref(), Some(&state), "a new state differs from the old one");
        state = new.unwrap_or(state);
        answers.push(answer);
    }
    answers
}

#[test]
fn strings_are_set_read_and_removed() {
    let actions = [get("k"), set("k", "a"), set("k", "a"), get("k"), delete("k"), delete("k"), get("k")];
    let right = [
        Answer::Nil,
        Answer::Okay,
        Answer::Okay,
        value("a"),
        Answer::Number(1),
        Answer::Number(0),
        Answer::Nil,
    ];
    assert_eq!(answers(&actions), right);
}

#[test]
fn conditions_are_met_or_not() {
    let actions = [set_if("k", "a", "b"), set("k", "a"), set_if("k", "a", "b"), set_if("k", "a", "c")];
    assert_eq!(answers(&actions), [Answer::Nil, Answer::Okay, Answer::Okay, Answer::Nil]);
}

#[test]
fn numbers_are_added_and_what_is_no_number_is_not() {
    let actions = [add("n", 2), add("n", -3), get("n"), append("n", "x"), add("n", 1), get("n")];
    let right =
        [Answer::Number(2), Answer::Number(-1), value("-1"), Answer::Number(3), Answer::Error, value("-1x")];
    assert_eq!(answers(&actions), right);
    assert_eq!(answers(&[add("n", i64::MAX), add("n", 1)])[1], Answer::Error);
}

#[test]
fn several_actions_have_an_answer_each() {
    let both = Action::All(vec![set("a", "1"), add("b", 1), get("a")]);
    let right = Answer::All(vec![Answer::Okay, Answer::Number(1), value("1")]);
    assert_eq!(answers(std::slice::from_ref(&both)), [right]);
    let (_, state) = State::default().step(&both);
    assert_eq!(state.expect("it changed").to_string(), r#"a = "1", b = "1""#);
}
