//! Against a checker that tries all orders, on histories with few operations.

use proptest::prelude::*;

use super::*;
use crate::check::State;

/// Whether some order of some of these explains the answers: all that were answered, and any of the unknown.
fn has_order(state: &State, left: &[&Operation]) -> bool {
    if left.iter().all(|operation| operation.outcome == Outcome::Unknown) {
        return true;
    }
    let earliest = left.iter().filter_map(|operation| operation.returned()).min();
    left.iter().enumerate().any(|(place, operation)| {
        let (answer, new) = state.step(&operation.action);
        let may_come = earliest.is_none_or(|earliest| operation.invoked <= earliest);
        let rest = [&left[..place], &left[place + 1..]].concat();
        may_come
            && operation.answer().is_none_or(|told| told.fits(&answer))
            && has_order(new.as_ref().unwrap_or(state), &rest)
    })
}

fn by_brute_force(history: &[Operation]) -> bool {
    let left: Vec<_> = history.iter().filter(|operation| operation.outcome != Outcome::Nothing).collect();
    has_order(&State::default(), &left)
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        2 => Just(Answer::Okay),
        3 => Just(Answer::Nil),
        6 => prop_oneof![Just("a"), Just("b"), Just("1"), Just("2"), Just("ab")].prop_map(value),
        4 => (0..4i64).prop_map(Answer::Number),
        1 => Just(Answer::Any),
    ]
}

fn any_action(key: &'static str) -> impl Strategy<Value = Action> {
    let letter = || prop_oneof![Just("a"), Just("b"), Just("1")];
    prop_oneof![
        4 => Just(get(key)),
        3 => letter().prop_map(move |value| set(key, value)),
        2 => (letter(), letter()).prop_map(move |(old, new)| set_if(key, old, new)),
        2 => Just(add(key, 1)),
        2 => letter().prop_map(move |value| append(key, value)),
        2 => Just(delete(key)),
    ]
}

/// An answer that the action might get, more often than not, so that some histories are in order.
fn plausible(action: Action) -> BoxedStrategy<(Action, Answer)> {
    let right = match &action {
        Action::Set { .. } => Just(Answer::Okay).boxed(),
        Action::SetIf { .. } => prop_oneof![Just(Answer::Okay), Just(Answer::Nil)].boxed(),
        Action::Delete { .. } => (0..2i64).prop_map(Answer::Number).boxed(),
        Action::Add { .. } | Action::Append { .. } => (1..3i64).prop_map(Answer::Number).boxed(),
        Action::Get { .. } => {
            prop_oneof![Just(Answer::Nil), Just(value("a")), Just(value("b")), Just(value("1"))].boxed()
        }
        Action::All(actions) => {
            let parts: Vec<_> = actions.iter().cloned().map(plausible).collect();
            let answers = |parts: Vec<(Action, Answer)>| {
                Answer::All(parts.into_iter().map(|(_, answer)| answer).collect())
            };
            return parts.prop_map(answers).prop_map(move |answer| (action.clone(), answer)).boxed();
        }
    };
    prop_oneof![9 => right, 1 => any_answer()].prop_map(move |answer| (action.clone(), answer)).boxed()
}

fn any_operation(action: impl Strategy<Value = Action>) -> impl Strategy<Value = Operation> {
    let times = (0..12u64, 0..8u64);
    (action.prop_flat_map(plausible), times, 0..8u8).prop_map(|((action, answer), (from, took), luck)| {
        match luck {
            0 => open(from, action, Outcome::Nothing),
            1 | 2 => open(from, action, Outcome::Unknown),
            _ => done(from, from + took, action, answer),
        }
    })
}

/// Reads, and writes of which each has a value of its own.
fn register_history() -> impl Strategy<Value = Vec<Operation>> {
    let read = (0..4usize, 0..12u64, 0..8u64).prop_map(|(seen, from, took)| {
        let answer = seen.checked_sub(1).map_or(Answer::Nil, |place| value(&place.to_string()));
        done(from, from + took, get("k"), answer)
    });
    let write = (0..12u64, 0..8u64, 0..6u8).prop_map(|(from, took, luck)| match luck {
        0 => open(from, set("k", ""), Outcome::Nothing),
        1 => open(from, set("k", ""), Outcome::Unknown),
        _ => done(from, from + took, set("k", ""), Answer::Okay),
    });
    (prop::collection::vec(write, 0..4), prop::collection::vec(read, 0..5)).prop_map(|(mut writes, reads)| {
        for (number, write) in writes.iter_mut().enumerate() {
            write.action = set("k", &number.to_string());
        }
        writes.extend(reads);
        writes
    })
}

fn agrees(history: &[Operation]) -> Result<(), TestCaseError> {
    let verdict = verdict(history);
    prop_assert!(!matches!(verdict, Verdict::Undecided(_)));
    prop_assert_eq!(verdict.is_linearizable(), by_brute_force(history), "{:?}", verdict);
    if let Verdict::Violated(violation) = verdict {
        prop_assert!(!violation.to_string().is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn one_key(history in prop::collection::vec(any_operation(any_action("k")), 0..7)) {
        agrees(&history)?;
    }

    #[test]
    fn one_key_few_kinds(
        history in prop::collection::vec(
            any_operation(prop_oneof![
                Just(get("k")),
                Just(set("k", "a")),
                Just(set("k", "b")),
                Just(delete("k")),
            ]),
            0..7,
        ),
    ) {
        agrees(&history)?;
    }

    #[test]
    fn a_register(history in register_history()) {
        agrees(&history)?;
    }

    #[test]
    fn two_keys_tied(
        history in prop::collection::vec(
            any_operation(prop_oneof![
                any_action("k"),
                any_action("l"),
                (any_action("k"), any_action("l")).prop_map(|(one, other)| Action::All(vec![one, other])),
                (any_action("k"), any_action("k")).prop_map(|(one, other)| Action::All(vec![one, other])),
            ]),
            0..6,
        ),
    ) {
        agrees(&history)?;
    }
}
