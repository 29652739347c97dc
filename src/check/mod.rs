//! Is there an order in which it could all have happened? A checker for linearizability.
//!
//! Clients write down what they asked, when, and what they were told: a history of [`Operation`]s. It is
//! linearizable if every operation can be given one moment between its question and its answer, such that
//! a single store, asked in the order of these moments, gives exactly these answers. [`check`] looks for
//! such an order.
//!
//! An outcome is a claim, and each claim is held to its words. *Done*: it took effect once, in its time,
//! with this answer. *Nothing*: it never took effect, so nobody may ever see it. *Unknown*: it took effect
//! once, at any moment after it was asked, or never.
//!
//! # How
//!
//! 1. `groups.rs`: a history of many keys is linearizable exactly if the histories of its keys are. An
//!    operation about several keys ties these together, and what is tied is checked together.
//! 2. `register.rs`: where every value is written once, and there are only reads and writes, the moments of
//!    reads and writes alone decide, in O(n log n) (Gibbons and Korach, 1997).
//! 3. `search.rs`: everything else is tried out (Wing and Gong, 1993), remembering what has been tried
//!    (Lowe, 2017). That can take for ever, so it is bounded, and beyond the bound the verdict is an honest
//!    [`Verdict::Undecided`].
//! 4. A tied group that took too long is checked again key by key. That is weaker: it can still find a
//!    violation, but what it does not find stays undecided.
//! 5. `explain.rs`: a violation comes with the few operations that show it.
//!
//! All of this is a function of its input: no clock, no thread, no socket. So a test, a load generator and a
//! simulator can all use it.

mod explain;
mod groups;
mod model;
mod operation;
mod register;
mod search;
#[cfg(test)]
mod tests;

pub use explain::{Section, Violation};
pub use model::State;
pub use operation::{Action, Answer, Instant, Key, Operation, Outcome, Value};

use groups::Group;
use search::Found;

/// What became of a check.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// There is an order that explains everything.
    Linearizable,
    /// There is none, and this is why.
    Violated(Box<Violation>),
    /// The budget was spent before an order was found for these keys. All others are in order.
    Undecided(Vec<Key>),
}

impl Verdict {
    /// Whether an order was found.
    pub fn is_linearizable(&self) -> bool {
        matches!(self, Verdict::Linearizable)
    }
}

/// Looks for an order that explains a history, in whatever order its operations are listed. All keys are
/// absent at first. For each group of keys it takes `steps_max` steps at most;
/// [`CHECK_STEPS_MAX`](crate::limits::CHECK_STEPS_MAX) is a good number.
pub fn check(history: &[Operation], steps_max: u64) -> Verdict {
    let mut undecided = Vec::new();
    for group in groups::partition(history) {
        match check_group(&group, steps_max) {
            Verdict::Linearizable => {}
            Verdict::Undecided(keys) => undecided.extend(keys),
            violated @ Verdict::Violated(_) => return violated,
        }
    }
    if undecided.is_empty() { Verdict::Linearizable } else { Verdict::Undecided(undecided) }
}

fn check_group(group: &Group, steps_max: u64) -> Verdict {
    if let Some(judgement) = register::judge(group) {
        return match judgement {
            Ok(()) => Verdict::Linearizable,
            Err(violation) => Verdict::Violated(Box::new(violation)),
        };
    }
    match search::search(&group.operations, steps_max) {
        Found::Order => Verdict::Linearizable,
        Found::None(dead_end) => {
            Verdict::Violated(Box::new(explain::narrow(&group.operations, dead_end, steps_max)))
        }
        Found::OutOfSteps if group.keys.len() > 1 => check_key_by_key(group, steps_max),
        Found::OutOfSteps => Verdict::Undecided(group.keys.clone()),
    }
}

/// The weaker check: whether each key alone can be explained.
fn check_key_by_key(group: &Group, steps_max: u64) -> Verdict {
    for single in group.split() {
        if let violated @ Verdict::Violated(_) = check_group(&single, steps_max) {
            return violated;
        }
    }
    Verdict::Undecided(group.keys.clone())
}
