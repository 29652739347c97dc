//! Who takes part, and how that changes while everything goes on (6, thesis 4.3, R12, R13).
//!
//! A membership is an entry of the log, and counts as soon as it is *appended*; if it is cut off again, the
//! one before it counts. Voters change by joint consensus: between the old set and the new one lies a
//! membership in which every decision needs a majority of both, each counted alone. One code path serves a
//! voter more, a voter less and a replacement, and there is no moment at which two disjoint majorities exist.
//! The leader leaves the joint membership by itself, as soon as it is committed (`change`).
//!
//! A member that only listens, a learner, receives everything and counts nowhere. It becomes a voter when it
//! has nearly everything, so a new voter never holds up the others.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::quorum::Voters;
use super::types::{Index, NodeId};

/// All members, in the order of their ids.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Membership {
    #[serde(deserialize_with = "crate::bounded::list")]
    members: Vec<Member>,
}

/// One member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its name.
    pub id: NodeId,
    /// The entry that made it a member; 0 for founders. Whoever is removed and added again is another
    /// member, whatever its name: what the first had confirmed says nothing of the second (R18).
    pub since: Index,
    /// Where it stands.
    pub standing: Standing,
    /// What its owner wants to be known of it, such as where it can be reached. Opaque here.
    #[serde(deserialize_with = "crate::bounded::text")]
    pub note: Box<str>,
}

/// Where a member stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Standing {
    /// Receives everything, is counted nowhere.
    Learner,
    /// Counts.
    Voter,
    /// Counts in the new set of a joint membership.
    Joining,
    /// Counts in the old set of a joint membership.
    Leaving,
}

/// What is to become of the membership.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Change {
    /// Somebody listens from now on.
    Add {
        /// Its name.
        id: NodeId,
        /// See [`Member::note`].
        #[serde(deserialize_with = "crate::bounded::text")]
        note: Box<str>,
    },
    /// Learners become voters, others go, in one step.
    Swap {
        /// Learners that become voters.
        #[serde(deserialize_with = "crate::bounded::list")]
        promote: Vec<NodeId>,
        /// Members that go.
        #[serde(deserialize_with = "crate::bounded::list")]
        remove: Vec<NodeId>,
    },
}

/// Why a change was refused. Nothing has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// An earlier change, or the leader's first entry, is not committed yet.
    Busy,
    /// It is a member already.
    Present(NodeId),
    /// It is no member.
    Absent(NodeId),
    /// It is no learner, so it cannot become a voter.
    NoLearner(NodeId),
    /// It lacks too much yet, or does not answer.
    Behind(NodeId),
    /// Nobody would vote any more.
    NoVoters,
    /// There would be more members than there may be.
    TooMany,
    /// Of those who would vote too few answer: the change, or what comes after it, could not be committed.
    NoQuorum,
}

/// The most members that a change may lead to, learners included, and the most of them that vote.
const MEMBERS_MAX: usize = 16;
const VOTERS_MAX: usize = 7;

impl Membership {
    /// Voters from the very beginning, without notes.
    pub fn of_founders(ids: &[NodeId]) -> Membership {
        let founder =
            |id: &NodeId| Member { id: *id, since: Index(0), standing: Standing::Voter, note: "".into() };
        Membership::new(ids.iter().map(founder).collect())
    }

    fn new(mut members: Vec<Member>) -> Membership {
        members.sort_by_key(|member| member.id);
        members.dedup_by_key(|member| member.id);
        Membership { members }
    }

    /// All members, in the order of their ids.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// A member by its name.
    pub fn get(&self, id: NodeId) -> Option<&Member> {
        self.members.binary_search_by_key(&id, |member| member.id).ok().map(|place| &self.members[place])
    }

    /// Whether a change of voters is under way.
    pub fn is_joint(&self) -> bool {
        self.members.iter().any(|member| matches!(member.standing, Standing::Joining | Standing::Leaving))
    }

    /// Whether it votes now and will go on to.
    pub fn keeps(&self, id: NodeId) -> bool {
        self.get(id).is_some_and(|member| matches!(member.standing, Standing::Voter | Standing::Joining))
    }

    /// The sets of which each needs a majority.
    pub(super) fn voters(&self) -> Voters {
        let new = self.standing([Standing::Voter, Standing::Joining]);
        let old = self.is_joint().then(|| self.standing([Standing::Voter, Standing::Leaving]));
        Voters::new(new, old)
    }

    fn standing(&self, wanted: [Standing; 2]) -> Vec<NodeId> {
        let found = self.members.iter().filter(|member| wanted.contains(&member.standing));
        found.map(|member| member.id).collect()
    }

    /// Why a change does not fit this membership, whoever answers at the moment; `None`: it does.
    pub(super) fn refusal(&self, change: &Change) -> Option<Refusal> {
        match change {
            Change::Add { id, .. } if self.get(*id).is_some() => Some(Refusal::Present(*id)),
            Change::Add { .. } => (self.members.len() >= MEMBERS_MAX).then_some(Refusal::TooMany),
            Change::Swap { promote, remove } => {
                let all = || promote.iter().chain(remove);
                if let Some(absent) = all().find(|id| self.get(**id).is_none()) {
                    return Some(Refusal::Absent(*absent));
                }
                let is_learner =
                    |id: &NodeId| self.get(*id).is_some_and(|member| member.standing == Standing::Learner);
                if let Some(other) = promote.iter().find(|id| !is_learner(id) || remove.contains(id)) {
                    return Some(Refusal::NoLearner(*other));
                }
                let voters = self.changed(change, Index(0)).left().voters().count();
                match voters {
                    0 => Some(Refusal::NoVoters),
                    _ => (voters > VOTERS_MAX && !promote.is_empty()).then_some(Refusal::TooMany),
                }
            }
        }
    }

    /// This membership with a change that fits it begun, by the entry at `index`. Joint, where voters change.
    pub(super) fn changed(&self, change: &Change, index: Index) -> Membership {
        let mut members = self.members.clone();
        match change {
            Change::Add { id, note } => {
                let (id, note) = (*id, note.clone());
                members.push(Member { id, since: index, standing: Standing::Learner, note });
            }
            Change::Swap { promote, remove } => {
                members.retain(|member| member.standing != Standing::Learner || !remove.contains(&member.id));
                for member in &mut members {
                    if promote.contains(&member.id) {
                        member.standing = Standing::Joining;
                    } else if remove.contains(&member.id) {
                        member.standing = Standing::Leaving;
                    }
                }
            }
        }
        Membership::new(members)
    }

    /// What a joint membership is left for.
    pub(super) fn left(&self) -> Membership {
        let stays = self.members.iter().filter(|member| member.standing != Standing::Leaving);
        let settled = stays.map(|member| match member.standing {
            Standing::Joining => Member { standing: Standing::Voter, ..member.clone() },
            _ => member.clone(),
        });
        Membership { members: settled.collect() }
    }

    /// Roughly what it costs on the wire and in memory, in bytes.
    pub(super) fn size(&self) -> usize {
        const MEMBER: usize = 24;
        self.members.iter().map(|member| MEMBER + member.note.len()).sum()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Busy => formatter.write_str("an earlier change is not through yet, ask again"),
            Refusal::Present(id) => write!(formatter, "node {} is a member already", id.0),
            Refusal::Absent(id) => write!(formatter, "node {} is no member", id.0),
            Refusal::NoLearner(id) => {
                write!(formatter, "node {} is no learner; only a learner can become a voter", id.0)
            }
            Refusal::Behind(id) => {
                write!(formatter, "node {} does not answer or lacks too much of the log yet, ask again", id.0)
            }
            Refusal::NoVoters => formatter.write_str("no voter would be left"),
            Refusal::TooMany => {
                write!(formatter, "there may be {MEMBERS_MAX} members, of which {VOTERS_MAX} vote")
            }
            Refusal::NoQuorum => {
                formatter.write_str("too few of the voters answer; the cluster could be stuck for ever")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(membership: &Membership, standing: Standing) -> Vec<u16> {
        membership.standing([standing; 2]).iter().map(|id| id.0).collect()
    }

    fn founders() -> Membership {
        Membership::of_founders(&[NodeId(3), NodeId(1), NodeId(2)])
    }

    fn swap(promote: &[u16], remove: &[u16]) -> Change {
        let ids = |ids: &[u16]| ids.iter().map(|id| NodeId(*id)).collect();
        Change::Swap { promote: ids(promote), remove: ids(remove) }
    }

    #[test]
    fn a_dead_voter_is_replaced_in_one_joint_step() {
        let add = Change::Add { id: NodeId(4), note: "here".into() };
        let four = founders().changed(&add, Index(9));
        assert_eq!(ids(&four, Standing::Learner), [4]);
        assert_eq!(four.get(NodeId(4)).map(|member| member.since), Some(Index(9)));
        assert!(!four.is_joint() && !four.voters().contains(NodeId(4)));
        assert_eq!(four.refusal(&swap(&[4], &[3])), None);
        let joint = four.changed(&swap(&[4], &[3]), Index(10));
        assert!(joint.is_joint() && joint.keeps(NodeId(4)) && !joint.keeps(NodeId(3)));
        assert_eq!((ids(&joint, Standing::Joining), ids(&joint, Standing::Leaving)), (vec![4], vec![3]));
        assert_eq!(ids(&joint.left(), Standing::Voter), [1, 2, 4]);
        assert_eq!(joint.left().members().len(), 3);
    }

    #[test]
    fn a_learner_goes_without_a_joint_step() {
        let add = Change::Add { id: NodeId(4), note: "".into() };
        let four = founders().changed(&add, Index(9));
        assert_eq!(four.changed(&swap(&[], &[4]), Index(10)), founders());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = |change| founders().refusal(&change);
        let add = |id| Change::Add { id: NodeId(id), note: "".into() };
        assert_eq!(refusal(add(3)), Some(Refusal::Present(NodeId(3))));
        assert_eq!(refusal(add(4)), None);
        assert_eq!(refusal(swap(&[2], &[])), Some(Refusal::NoLearner(NodeId(2))));
        assert_eq!(refusal(swap(&[9], &[])), Some(Refusal::Absent(NodeId(9))));
        assert_eq!(refusal(swap(&[], &[9])), Some(Refusal::Absent(NodeId(9))));
        assert_eq!(refusal(swap(&[], &[1, 2, 3])), Some(Refusal::NoVoters));
    }
}
