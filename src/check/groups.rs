//! Which keys have to be checked together: those that one operation names, and so on from key to key.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::operation::{Action, Answer, Key, Operation, Outcome};

/// Some keys, and everything that was asked about them.
#[derive(Default)]
pub(super) struct Group<'a> {
    /// In their order.
    pub(super) keys: Vec<Key>,
    /// In the order of the history.
    pub(super) operations: Vec<Cow<'a, Operation>>,
}

/// Takes a history apart. Groups come in the order of their first keys.
pub(super) fn partition(history: &[Operation]) -> Vec<Group<'_>> {
    let mut ties = Ties::default();
    for operation in history {
        let mut keys = operation.action.keys().into_iter();
        if let Some(first) = keys.next() {
            let first = ties.number(first);
            keys.for_each(|key| ties.tie(first, key));
        }
    }
    let mut groups: BTreeMap<usize, Group<'_>> = BTreeMap::new();
    for (key, number) in ties.numbers.clone() {
        groups.entry(ties.root(number)).or_default().keys.push(key.clone());
    }
    for operation in history {
        if let Some(key) = operation.action.keys().first() {
            let root = ties.root(ties.numbers[*key]);
            groups.entry(root).or_default().operations.push(Cow::Borrowed(operation));
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by(|one, other| one.keys.cmp(&other.keys));
    groups
}

impl Group<'_> {
    /// Each key for itself, with its part of every operation.
    pub(super) fn split(&self) -> Vec<Group<'static>> {
        let part = |key: &Key| Group {
            keys: vec![key.clone()],
            operations: self.operations.iter().filter_map(|whole| part_of(whole, key)).collect(),
        };
        self.keys.iter().map(part).collect()
    }
}

/// What an operation does to one key.
fn part_of(operation: &Operation, key: &Key) -> Option<Cow<'static, Operation>> {
    let pairs = flatten(&operation.action, operation.answer());
    let (actions, answers): (Vec<Action>, Vec<Answer>) =
        pairs.into_iter().filter(|(action, _)| action.keys() == [key]).unzip();
    let outcome = match operation.outcome.clone() {
        Outcome::Done { returned, .. } => Outcome::Done { returned, answer: Answer::All(answers) },
        other => other,
    };
    let Operation { client, invoked, .. } = *operation;
    let action = Action::All(actions);
    (!action.keys().is_empty()).then_some(Cow::Owned(Operation { client, invoked, action, outcome }))
}

/// An action's parts, each with its answer.
fn flatten(action: &Action, answer: Option<&Answer>) -> Vec<(Action, Answer)> {
    let Action::All(actions) = action else {
        return vec![(action.clone(), answer.cloned().unwrap_or(Answer::Any))];
    };
    let answer_of = |place: usize| match answer {
        Some(Answer::All(answers)) => answers.get(place),
        _ => None,
    };
    actions.iter().enumerate().flat_map(|(place, part)| flatten(part, answer_of(place))).collect()
}

/// Sets of keys that only ever grow together.
#[derive(Default)]
struct Ties<'a> {
    numbers: BTreeMap<&'a Key, usize>,
    /// The next towards the root; a root is its own.
    parents: Vec<usize>,
}

impl<'a> Ties<'a> {
    fn number(&mut self, key: &'a Key) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    fn tie(&mut self, first: usize, key: &'a Key) {
        let number = self.number(key);
        let (one, other) = (self.root(first), self.root(number));
        self.parents[one.max(other)] = one.min(other);
    }
}
