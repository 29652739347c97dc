//! What a store does that is asked one thing after the other: the measure for all others.

use std::fmt;
use std::sync::Arc;

use super::operation::{Action, Answer, Key, Value, text};

/// The values of a few keys, in the order of the keys. An absent key has no place here.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct State(Vec<(Key, Value)>);

impl State {
    /// What a key holds.
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    /// Carries an action out: the answer, and the new state if it differs from this one.
    pub fn step(&self, action: &Action) -> (Answer, Option<State>) {
        match action {
            Action::Get { key } => (self.get(key).map_or(Answer::Nil, |v| Answer::Bytes(v.clone())), None),
            Action::Set { key, value } => (Answer::Okay, self.with(key, value)),
            Action::SetIf { key, expected, value } if self.get(key) == Some(expected) => {
                (Answer::Okay, self.with(key, value))
            }
            Action::SetIf { .. } => (Answer::Nil, None),
            Action::Add { key, delta } => self.add(key, *delta),
            Action::Append { key, value } => {
                let new = [self.get(key).map_or(&[][..], |old| old), value].concat();
                let length = i64::try_from(new.len()).unwrap_or(i64::MAX);
                (Answer::Number(length), self.with(key, &new.into()))
            }
            Action::Delete { key } => match self.place(key) {
                Ok(place) => {
                    let mut new = self.clone();
                    new.0.remove(place);
                    (Answer::Number(1), Some(new))
                }
                Err(_) => (Answer::Number(0), None),
            },
            Action::All(actions) => self.all(actions),
        }
    }

    fn add(&self, key: &Key, delta: i64) -> (Answer, Option<State>) {
        let number = match self.get(key) {
            None => Some(0),
            Some(value) => std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok()),
        };
        match number.and_then(|number| number.checked_add(delta)) {
            Some(sum) => {
                let value: Value = Arc::from(sum.to_string().into_bytes());
                (Answer::Number(sum), self.with(key, &value))
            }
            None => (Answer::Error, None),
        }
    }

    fn all(&self, actions: &[Action]) -> (Answer, Option<State>) {
        let mut state = self.clone();
        let mut answers = Vec::with_capacity(actions.len());
        for action in actions {
            let (answer, new) = state.step(action);
            answers.push(answer);
            state = new.unwrap_or(state);
        }
        (Answer::All(answers), (state != *self).then_some(state))
    }

    fn with(&self, key: &Key, value: &Value) -> Option<State> {
        if self.get(key) == Some(value) {
            return None;
        }
        let mut new = self.clone();
        match new.place(key) {
            Ok(place) => new.0[place].1 = value.clone(),
            Err(place) => new.0.insert(place, (key.clone(), value.clone())),
        }
        Some(new)
    }

    fn place(&self, key: &Key) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(key))
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return formatter.write_str("nothing");
        }
        for (place, (key, value)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(formatter, "{comma}{} = \"{}\"", text(key), text(value))?;
        }
        Ok(())
    }
}
