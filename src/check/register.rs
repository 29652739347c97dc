//! The quick way, for a key that is only read and written, each value by one write alone.
//!
//! A value and everything that tells of it, its write and its reads, make a *cluster*: in any order that
//! explains the history they stand together. Cluster A has to come before cluster B if something of A was
//! answered before something of B was asked. So there is an order exactly if no read was answered before its
//! value's write was asked, and no two clusters have to come before each other. (A longer circle holds a
//! circle of two: the cluster with the earliest answer and the one before it.)
//!
//! With *first* for a cluster's earliest answer and *last* for its latest question, A and B clash if A's
//! first is before B's last and B's first is before A's last. Where first is before last the stretch from
//! first to last belongs to the value alone. So no two such stretches may overlap, and no other cluster may
//! lie within one, from its last to its first. Both show after sorting.

use std::collections::BTreeMap;

use super::explain::{Section, Violation};
use super::groups::Group;
use super::operation::{Action, Answer, Operation, Outcome, Value};

/// What tells of one value. The absent one was written before all others, by nobody.
#[derive(Default)]
struct Cluster<'a> {
    write: Option<&'a Operation>,
    reads: Vec<&'a Operation>,
    is_absent: bool,
}

/// The judgement, if this is the way for the group.
pub(super) fn judge(group: &Group<'_>) -> Option<Result<(), Violation>> {
    let clusters = clusters(group)?;
    for cluster in clusters.values() {
        if let Err(section) = cluster.judge(group) {
            return Some(Err(Violation { keys: group.keys.clone(), sections: section }));
        }
    }
    let seen: Vec<&Cluster<'_>> = clusters.values().filter(|cluster| cluster.is_seen()).collect();
    Some(match find_clash(&seen) {
        None => Ok(()),
        Some((one, other)) => {
            Err(Violation { keys: group.keys.clone(), sections: vec![tell_clash(one, other)] })
        }
    })
}

/// The clusters of a group; `None` if it has something else than reads and writes of unique values.
fn clusters<'a>(group: &'a Group<'_>) -> Option<BTreeMap<Option<&'a Value>, Cluster<'a>>> {
    let mut clusters: BTreeMap<Option<&Value>, Cluster<'_>> = BTreeMap::new();
    clusters.entry(None).or_default().is_absent = true;
    for operation in group.operations.iter().map(AsRef::as_ref) {
        match (&operation.action, &operation.outcome) {
            (Action::Get { .. } | Action::Set { .. }, Outcome::Nothing)
            | (Action::Get { .. }, Outcome::Unknown | Outcome::Done { answer: Answer::Any, .. }) => {}
            (Action::Get { .. }, Outcome::Done { answer, .. }) => {
                let value = match answer {
                    Answer::Bytes(value) => Some(value),
                    Answer::Nil => None,
                    _ => return None,
                };
                clusters.entry(value).or_default().reads.push(operation);
            }
            (Action::Set { value, .. }, outcome) => {
                let is_plain = match outcome {
                    Outcome::Done { answer, .. } => matches!(answer, Answer::Okay | Answer::Any),
                    _ => true,
                };
                let cluster = clusters.entry(Some(value)).or_default();
                if !is_plain || cluster.write.replace(operation).is_some() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(clusters)
}

impl<'a> Cluster<'a> {
    /// Whether it has to be anywhere at all. A write that nobody knows to have happened, and of which nobody
    /// has read, may just as well not have happened.
    fn is_seen(&self) -> bool {
        !self.reads.is_empty() || self.write.is_some_and(|write| write.returned().is_some())
    }

    fn operations(&self) -> impl Iterator<Item = &'a Operation> {
        self.write.into_iter().chain(self.reads.iter().copied())
    }

    /// The earliest answer.
    fn first(&self) -> i128 {
        let returned = self.operations().filter_map(Operation::returned).map(|at| i128::from(at.0)).min();
        let never = i128::from(u64::MAX);
        if self.is_absent { -1 } else { returned.unwrap_or(never) }
    }

    /// The latest question.
    fn last(&self) -> i128 {
        self.operations().map(|operation| i128::from(operation.invoked.0)).max().unwrap_or(-1)
    }

    fn is_stretch(&self) -> bool {
        self.first() < self.last()
    }

    /// Whether the reads can come after the write.
    fn judge(&self, group: &Group<'_>) -> Result<(), Vec<Section>> {
        let Some(earliest) = self.reads.iter().min_by_key(|read| read.returned()) else { return Ok(()) };
        match self.write {
            _ if self.is_absent => Ok(()),
            Some(write) if earliest.returned() >= Some(write.invoked) => Ok(()),
            Some(write) => {
                let title = "a value was read before anybody asked for it to be written";
                Err(vec![Section::new(title, [*earliest, write])])
            }
            None => {
                let mut sections = vec![Section::new("this was read, but nobody wrote it", [*earliest])];
                let Some(Answer::Bytes(value)) = earliest.answer() else { return Err(sections) };
                let denied = group.operations.iter().map(AsRef::as_ref).filter(
                    |other| matches!(&other.action, Action::Set { value: written, .. } if written == value),
                );
                sections.push(Section::new("only this could have, and it was not done", denied));
                Err(sections)
            }
        }
    }
}

fn clash(one: &Cluster<'_>, other: &Cluster<'_>) -> bool {
    one.first() < other.last() && other.first() < one.last()
}

fn find_clash<'c, 'a>(clusters: &[&'c Cluster<'a>]) -> Option<(&'c Cluster<'a>, &'c Cluster<'a>)> {
    let (mut stretches, others): (Vec<&Cluster<'_>>, Vec<_>) =
        clusters.iter().copied().partition(|cluster| cluster.is_stretch());
    stretches.sort_by_cached_key(|stretch| stretch.first());
    if let Some(pair) = stretches.windows(2).find(|pair| clash(pair[0], pair[1])) {
        return Some((pair[0], pair[1]));
    }
    let firsts: Vec<i128> = stretches.iter().map(|stretch| stretch.first()).collect();
    others.into_iter().find_map(|other| {
        let before = firsts.partition_point(|first| *first < other.last()).checked_sub(1)?;
        clash(stretches[before], other).then_some((stretches[before], other))
    })
}

fn tell_clash(one: &Cluster<'_>, other: &Cluster<'_>) -> Section {
    let mut told = Vec::new();
    for cluster in [one, other] {
        let first = cluster.operations().filter(|operation| operation.returned().is_some());
        let first = first.min_by_key(|operation| operation.returned()).filter(|_| !cluster.is_absent);
        let last = cluster.operations().max_by_key(|operation| operation.invoked);
        told.extend(first.into_iter().chain(last).chain(cluster.write));
    }
    Section::new("each of two values was there before the other one was gone", told)
}
