//! A broken promise, and what each of them says.

use std::fmt;

/// What became of a check.
pub(in crate::sim) type Checked = Result<(), Violation>;

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The invariant.
    pub id: &'static str,
    /// What happened.
    pub detail: String,
}

/// Ids and sentences of everything that is checked here. The core checks more of them by itself.
pub const INVARIANTS: &[(&str, &str)] = &[
    ("S1", "a term has one leader, over all time"),
    ("S2", "a node votes once a term, across crashes"),
    ("S4", "entries of equal index and term stand for equal logs"),
    ("S5", "an entry's term is one that its author led"),
    ("S6", "a leader has everything that was committed in earlier terms"),
    ("S7", "what a node takes for committed is what was committed"),
    (
        "S8",
        "a leader commits entries of its own term that a majority of disks, of old and of new voters, holds",
    ),
    ("S9", "what is committed stays on a majority of disks, for ever"),
    ("S10", "a log that wins the vote holds what the other knows to be committed"),
    ("S11", "term, commit index, applied index and snapshot never go back"),
    ("S12", "snapshot <= applied <= commit <= last, and applied <= durable"),
    ("S13", "a follower commits nothing that no leader has committed"),
    ("S14", "nothing committed is cut off"),
    ("S15", "terms in a log never fall, and none is above the stored term"),
    ("S16", "no message carries a term that its sender has not stored"),
    ("S17", "of the memberships in a log all but one are committed"),
    ("S18", "a node goes by the membership that its log says"),
    ("S19", "what a follower acknowledges is what its leader has"),
    ("S21", "a snapshot is the state at its position"),
    ("S22", "log and snapshots join, at every moment"),
    ("S23", "nodes that have applied the same hold the same"),
    ("S24", "a message of another cluster, or a damaged one, is not believed"),
    ("D1", "what an answer or a vote rests on is durable when it leaves"),
    ("D2", "a client is told OK only for what is committed"),
    ("D3", "a restart finds what was durable, and nothing that never was written"),
    ("D4", "a recovery that was cut short can be repeated"),
    ("D5", "a node whose disk has failed says nothing more"),
    ("D6", "a bit that flips on a disk is found, or never read"),
    ("B1", "no queue is longer than it may be"),
    ("B2", "messages and what is not committed yet are bounded"),
    ("B3", "a node keeps two snapshots, and those that it is sending"),
    ("B5", "an idle cluster writes nothing and keeps in touch, no more"),
    ("B6", "a turn leaves nothing to be done at once"),
    ("B7", "without faults a node catches up with two snapshots at most"),
    ("C1", "answers have an order that agrees with real time"),
    ("C2", "a request takes effect once, and a retry gets the first answer"),
    ("C3", "a request that was denied never takes effect"),
    ("C4", "a read sees everything that was acknowledged before it was asked"),
    ("C7", "no client is shown an older state than before"),
    ("C8", "an answer goes to the request that asked"),
    ("C9", "a node that ceases to lead lets no read wait"),
    ("L1", "soon after the last fault there is a leader"),
    ("L2", "soon after the last fault all nodes of the core have everything, and the same"),
    ("L3", "every request ends"),
    ("L4", "without faults there is no further election"),
    ("L6", "no change of members stays half done"),
];

pub(in crate::sim) fn fail<T>(id: &'static str, detail: String) -> Result<T, Violation> {
    Err(Violation { id, detail })
}

impl Violation {
    /// What the invariant says.
    pub fn sentence(&self) -> &'static str {
        INVARIANTS.iter().find(|(id, _)| *id == self.id).map_or("", |(_, sentence)| sentence)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}. {}", self.id, self.sentence(), self.detail)
    }
}
