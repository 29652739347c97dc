//! Why there is no order, in as few operations as will do.
//!
//! A history without an order has a first answer that none explains: cut off after that one, there is none;
//! cut off before, there is. What was not answered before the cut counts as unknown. That answer is found by
//! halving. It is shown with the end of the best order of what came before it, with what might have come next
//! and does not fit, and with whatever could have brought about what it tells of.

use std::borrow::Cow;
use std::fmt;

use super::operation::{Action, Answer, Instant, Key, Operation, Outcome, Value, text};
use super::search::{DeadEnd, Found, search};

/// How many operations of the best order are shown.
const ORDER_SHOWN: usize = 8;

/// How many operations are shown that claim not to have happened.
const DENIALS_SHOWN: usize = 4;

/// How many operations are shown of any other kind.
const SHOWN_MAX: usize = 16;

/// Why no order explains what was answered about some keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The keys.
    pub keys: Vec<Key>,
    /// The explanation, to be read in this order.
    pub sections: Vec<Section>,
}

/// Some operations, and what they have to do with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// What they are.
    pub title: String,
    /// The operations, each with a remark that may be empty.
    pub operations: Vec<(Operation, String)>,
}

impl Section {
    /// Operations in the order in which they were asked, each once.
    pub(super) fn new<'a>(
        title: impl Into<String>,
        operations: impl IntoIterator<Item = &'a Operation>,
    ) -> Section {
        let mut shown: Vec<&Operation> = Vec::new();
        for operation in operations {
            if !shown.contains(&operation) {
                shown.push(operation);
            }
        }
        shown.sort_by_key(|operation| operation.invoked);
        let operations = shown.into_iter().map(|operation| (operation.clone(), String::new())).collect();
        Section { title: title.into(), operations }
    }
}

/// Explains why a group has no order.
pub(super) fn narrow(group: &[Cow<'_, Operation>], dead_end: DeadEnd, steps_max: u64) -> Violation {
    let mut returns: Vec<Instant> = group.iter().filter_map(|operation| operation.returned()).collect();
    returns.sort_unstable();
    returns.dedup();
    // An order exists up to before `low`, and none up to `high`.
    let (mut low, mut high) = (0, returns.len().saturating_sub(1));
    let (mut cut, mut dead_end) = (group.to_vec(), dead_end);
    while low < high {
        let middle = low.midpoint(high);
        let prefix = cut_off(group, returns[middle]);
        match search(&prefix, steps_max) {
            Found::None(found) => (high, cut, dead_end) = (middle, prefix, found),
            // Where the steps did not suffice the explanation gets a little longer than need be.
            Found::Order | Found::OutOfSteps => low = middle + 1,
        }
    }
    let mut keys: Vec<Key> = group.iter().flat_map(|operation| operation.action.keys()).cloned().collect();
    keys.sort_unstable();
    keys.dedup();
    Violation { keys, sections: sections(group, &cut, returns.get(high), &dead_end) }
}

/// The history as it looks at a moment.
fn cut_off<'a>(group: &[Cow<'a, Operation>], at: Instant) -> Vec<Cow<'a, Operation>> {
    let asked = group.iter().filter(|operation| operation.invoked <= at);
    asked
        .map(|operation| {
            if operation.returned().is_some_and(|returned| returned > at) {
                Cow::Owned(Operation { outcome: Outcome::Unknown, ..operation.as_ref().clone() })
            } else {
                operation.clone()
            }
        })
        .collect()
}

fn sections(
    group: &[Cow<'_, Operation>],
    cut: &[Cow<'_, Operation>],
    at: Option<&Instant>,
    dead_end: &DeadEnd,
) -> Vec<Section> {
    let unexplained = |operation: &&Operation| at.is_some() && operation.returned() == at.copied();
    let culprits: Vec<&Operation> = cut.iter().map(AsRef::as_ref).filter(unexplained).collect();
    let mut sections = vec![Section::new("the first answer that no order explains", culprits.clone())];
    let count = dead_end.order.len();
    let shown = &dead_end.order[count.saturating_sub(ORDER_SHOWN)..];
    let remark = |place: &usize| (cut[*place].as_ref().clone(), String::new());
    sections.push(Section {
        title: format!("the best order found of those before it has {count}; it ends with"),
        operations: shown.iter().map(remark).collect(),
    });
    let misfit =
        |(place, right): &(usize, Answer)| (cut[*place].as_ref().clone(), format!("should be {right}"));
    sections.push(Section {
        title: format!("then the state is: {}; and none of these can come next", dead_end.state),
        operations: dead_end.misfits.iter().take(SHOWN_MAX).map(misfit).collect(),
    });
    let told: Vec<&Value> = culprits.iter().filter_map(|culprit| culprit.answer()).flat_map(values).collect();
    let is_source = |operation: &&Operation| writes_any(&operation.action, &told);
    let sources: Vec<_> = group.iter().map(AsRef::as_ref).filter(is_source).take(SHOWN_MAX).collect();
    if !sources.is_empty() {
        sections.push(Section::new("what it tells of was asked for by", sources));
    }
    let is_denial = |operation: &&Operation| {
        operation.outcome == Outcome::Nothing
            && !operation.action.is_read()
            && at.is_some_and(|at| operation.invoked <= *at)
    };
    let mut denials: Vec<_> = group.iter().map(AsRef::as_ref).filter(is_denial).collect();
    denials.sort_by_key(|denial| denial.invoked);
    if !denials.is_empty() {
        let latest = denials.split_off(denials.len().saturating_sub(DENIALS_SHOWN));
        sections.push(Section::new("these claim that they have done nothing", latest));
    }
    sections
}

/// The values that an answer tells of.
fn values(answer: &Answer) -> Vec<&Value> {
    match answer {
        Answer::Bytes(value) => vec![value],
        Answer::All(answers) => answers.iter().flat_map(values).collect(),
        _ => Vec::new(),
    }
}

/// Whether an action could have brought one of these values about, as a whole or at its end.
fn writes_any(action: &Action, told: &[&Value]) -> bool {
    match action {
        Action::Set { value, .. } | Action::SetIf { value, .. } => told.contains(&value),
        Action::Append { value, .. } => told.iter().any(|told| told.ends_with(value)),
        Action::All(actions) => actions.iter().any(|action| writes_any(action, told)),
        Action::Get { .. } | Action::Add { .. } | Action::Delete { .. } => false,
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.keys.iter().take(SHOWN_MAX).map(|key| text(key)).collect::<Vec<_>>().join(", ");
        write!(formatter, "no order explains what was answered about {keys}")?;
        for section in &self.sections {
            write!(formatter, "\n  {}:", section.title)?;
            for (operation, remark) in &section.operations {
                let gap = if remark.is_empty() { "" } else { "    " };
                write!(formatter, "\n    {operation}{gap}{remark}")?;
            }
        }
        Ok(())
    }
}
