//! The way that always works, if there is time: trying orders out.
//!
//! From what has been put in order so far, and the state that it leads to, whatever was asked before the
//! earliest answer still missing may come next, if the model gives it the answer that it got. Where nothing
//! fits the last choice was wrong, and another one is tried. What has been tried is remembered: which
//! operations are in order, and the state; how they got there does not matter.
//!
//! Operations with an unknown outcome are what makes this slow, since each of them may come anywhere or not
//! at all. Four rules cut that down, and lose nothing: of all orders that explain a history, one with the
//! fewest unknown operations in it can be brought into the form that they ask for.
//!
//! * What cannot have changed anything, going by its answer, comes as soon as the answer fits, and nothing
//!   else is tried instead.
//! * An unknown operation that would change nothing is left out.
//! * So is one that the very next operation would cover without having looked at it.
//! * Of several unknown operations that ask the same, the one asked first comes first.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::model::State;
use super::operation::{Action, Answer, Key, Operation, Outcome};

/// What a search has found.
pub(super) enum Found {
    /// An order.
    Order,
    /// There is none, and here it went on longest.
    None(DeadEnd),
    /// Nothing, in this many steps.
    OutOfSteps,
}

/// Where nothing could come next.
#[derive(Clone, Default)]
pub(super) struct DeadEnd {
    /// The places of the operations in the order so far.
    pub(super) order: Vec<usize>,
    /// What they lead to.
    pub(super) state: State,
    /// What did not fit, and what would have been answered.
    pub(super) misfits: Vec<(usize, Answer)>,
}

/// An operation that may come next at some time.
struct Candidate<'a> {
    /// Its place in the history.
    place: usize,
    action: &'a Action,
    invoked: u64,
    /// Never, if nobody knows.
    returned: u64,
    answer: Option<&'a Answer>,
    /// The keys that it gives a value without looking at them; empty if it looks at any.
    covers: Vec<&'a Key>,
    /// Whether it changes nothing, wherever its answer is right.
    is_harmless: bool,
}

/// Which operations are in order, the state, and what the next choice depends on besides.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Configuration {
    done: Progress,
    used: Progress,
    state: State,
    /// The unknown operation that came last, if nothing came after it.
    covered: Option<usize>,
}

/// A set of numbers that grows more or less from below.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Progress {
    /// So many words before the first kept one are full.
    full: usize,
    words: Vec<u64>,
    count: usize,
}

/// A configuration on the way, and what is still to be tried from there.
struct Frame {
    configuration: Configuration,
    choices: std::vec::IntoIter<Choice>,
}

/// What comes next, and what it leads to.
struct Choice {
    number: usize,
    is_unknown: bool,
    returned: u64,
    state: State,
}

struct Search<'a> {
    /// What was answered, in the order of the questions.
    done: Vec<Candidate<'a>>,
    /// What was not, in the order of the questions.
    unknown: Vec<Candidate<'a>>,
    /// For each of these the one before it that asks the same.
    twins: Vec<Option<usize>>,
    seen: HashSet<Configuration>,
    steps: u64,
    path: Vec<usize>,
    dead_end: Option<(usize, DeadEnd)>,
}

/// Looks for an order.
pub(super) fn search(operations: &[Cow<'_, Operation>], steps_max: u64) -> Found {
    let mut search = Search::new(operations);
    let start = Configuration {
        done: Progress::default(),
        used: Progress::default(),
        state: State::default(),
        covered: None,
    };
    if search.done.is_empty() {
        return Found::Order;
    }
    let mut frames = vec![search.frame(start)];
    while let Some(frame) = frames.last_mut() {
        let Some(choice) = frame.choices.next() else {
            frames.pop();
            search.path.pop();
            continue;
        };
        let (place, next) = search.choose(&frame.configuration, choice);
        if next.done.count == search.done.len() {
            return Found::Order;
        }
        if search.steps > steps_max {
            return Found::OutOfSteps;
        }
        if search.seen.insert(next.clone()) {
            search.path.push(place);
            frames.push(search.frame(next));
        }
    }
    Found::None(search.dead_end.map(|(_, dead_end)| dead_end).unwrap_or_default())
}

impl<'a> Search<'a> {
    fn new(operations: &'a [Cow<'_, Operation>]) -> Search<'a> {
        let (mut done, mut unknown) = (Vec::new(), Vec::new());
        for (place, operation) in operations.iter().enumerate() {
            match operation.outcome {
                Outcome::Done { .. } => done.push(Candidate::new(place, operation)),
                Outcome::Unknown if !operation.action.is_read() => {
                    unknown.push(Candidate::new(place, operation));
                }
                Outcome::Unknown | Outcome::Nothing => {}
            }
        }
        done.sort_by_key(|candidate| candidate.invoked);
        unknown.sort_by_key(|candidate| candidate.invoked);
        let mut latest = HashMap::new();
        let twins =
            unknown.iter().enumerate().map(|(number, asked)| latest.insert(asked.action, number)).collect();
        Search { done, unknown, twins, seen: HashSet::new(), steps: 0, path: Vec::new(), dead_end: None }
    }

    fn choose(&self, from: &Configuration, choice: Choice) -> (usize, Configuration) {
        let Choice { number, is_unknown, state, .. } = choice;
        let (mut done, mut used) = (from.done.clone(), from.used.clone());
        if is_unknown {
            used.insert(number);
            (self.unknown[number].place, Configuration { done, used, state, covered: Some(number) })
        } else {
            done.insert(number);
            (self.done[number].place, Configuration { done, used, state, covered: None })
        }
    }

    fn frame(&mut self, configuration: Configuration) -> Frame {
        let mut misfits = Vec::new();
        let choices = self.choices(&configuration, &mut misfits);
        let depth = configuration.done.count;
        if choices.is_empty() && self.dead_end.as_ref().is_none_or(|(deepest, _)| *deepest < depth) {
            let state = configuration.state.clone();
            self.dead_end = Some((depth, DeadEnd { order: self.path.clone(), state, misfits }));
        }
        Frame { configuration, choices: choices.into_iter() }
    }

    /// What may come next, the earliest answer first.
    fn choices(&mut self, from: &Configuration, misfits: &mut Vec<(usize, Answer)>) -> Vec<Choice> {
        let mut choices = Vec::new();
        let mut earliest = u64::MAX;
        for (number, candidate) in self.done.iter().enumerate().skip(from.done.lowest_missing()) {
            if candidate.invoked > earliest {
                break;
            }
            if from.done.contains(number) {
                continue;
            }
            earliest = earliest.min(candidate.returned);
            self.steps += 1;
            let (answer, state) = from.state.step(candidate.action);
            if !candidate.answer.is_some_and(|told| told.fits(&answer)) {
                misfits.push((candidate.place, answer));
            } else if !self.is_in_vain(from, candidate) {
                let returned = candidate.returned;
                let state = state.unwrap_or_else(|| from.state.clone());
                let choice = Choice { number, is_unknown: false, returned, state };
                if candidate.is_harmless {
                    return vec![choice];
                }
                choices.push(choice);
            }
        }
        choices.sort_by_key(|choice| choice.returned);
        for (number, candidate) in self.unknown.iter().enumerate() {
            if candidate.invoked > earliest {
                break;
            }
            let is_its_turn = self.twins[number].is_none_or(|twin| from.used.contains(twin));
            if from.used.contains(number) || !is_its_turn || self.is_in_vain(from, candidate) {
                continue;
            }
            self.steps += 1;
            if let (_, Some(state)) = from.state.step(candidate.action) {
                choices.push(Choice { number, is_unknown: true, returned: u64::MAX, state });
            }
        }
        choices
    }

    /// Whether this would cover the unknown operation before it, which had better been left out then.
    fn is_in_vain(&self, from: &Configuration, candidate: &Candidate<'_>) -> bool {
        from.covered.is_some_and(|number| {
            self.unknown[number].action.keys().iter().all(|key| candidate.covers.contains(key))
        })
    }
}

impl<'a> Candidate<'a> {
    fn new(place: usize, operation: &'a Operation) -> Candidate<'a> {
        let answer = operation.answer();
        Candidate {
            place,
            action: &operation.action,
            invoked: operation.invoked.0,
            returned: operation.returned().map_or(u64::MAX, |at| at.0),
            answer,
            covers: if looks(&operation.action, answer) { Vec::new() } else { operation.action.keys() },
            is_harmless: answer.is_some_and(|answer| is_harmless(&operation.action, answer)),
        }
    }
}

/// Whether its answer, as far as it is known, or its effect depends on what was there before.
fn looks(action: &Action, answer: Option<&Answer>) -> bool {
    let is_answer_open = matches!(answer, None | Some(Answer::Any));
    match action {
        Action::Set { .. } => false,
        Action::Delete { .. } => !is_answer_open,
        Action::All(actions) => !actions.iter().all(|action| matches!(action, Action::Set { .. })),
        _ => true,
    }
}

/// Whether an action that was answered so has changed nothing.
fn is_harmless(action: &Action, answer: &Answer) -> bool {
    match (action, answer) {
        (Action::Get { .. }, _)
        | (Action::SetIf { .. }, Answer::Nil)
        | (Action::Add { .. }, Answer::Error)
        | (Action::Delete { .. }, Answer::Number(0)) => true,
        (Action::All(actions), Answer::All(answers)) => {
            actions.iter().zip(answers).all(|(action, answer)| is_harmless(action, answer))
        }
        _ => action.is_read(),
    }
}

impl Progress {
    fn insert(&mut self, number: usize) {
        let word = number / 64 - self.full;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (number % 64);
        self.count += 1;
        let full = self.words.iter().take_while(|word| **word == u64::MAX).count();
        self.words.drain(..full);
        self.full += full;
    }

    fn contains(&self, number: usize) -> bool {
        match (number / 64).checked_sub(self.full) {
            None => true,
            Some(word) => self.words.get(word).is_some_and(|word| word >> (number % 64) & 1 == 1),
        }
    }

    fn lowest_missing(&self) -> usize {
        let beyond = self.words.first().map_or(0, |word| word.trailing_ones() as usize);
        self.full * 64 + beyond
    }
}
