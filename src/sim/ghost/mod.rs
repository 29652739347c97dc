//! The naive truth, kept beside the cluster and never shown to it.
//!
//! The ghost knows who was ever elected and who voted for whom, every entry that was ever written and what it
//! followed on, what is on every disk, what was ever committed and what that amounts to, and what every
//! client was told. Each check names the invariant that it holds the cluster to, and takes the same time
//! however long the run: entries carry a hash of everything up to them.

mod members;
mod truth;
mod view;
mod violation;

use std::collections::BTreeMap;

use super::trace::{mix, mix_bytes};
use crate::kv::{Operation, Value};
use crate::raft::{
    AppendOutcome, Entry, Envelope, HardState, Index, LogAppend, LogWrite, Membership, Message, NodeId,
    Payload, Position, Receipt, Recovered, SnapshotId, SnapshotOutcome, Status, Term,
};
use members::Members;
pub use members::voter_sets;
use truth::Truth;
use view::{Link, Pending, View};

pub(super) use truth::FLEETING;
pub(super) use violation::{Checked, fail};
pub use violation::{INVARIANTS, Violation};

/// What is known of a node.
#[derive(Default)]
struct Shadow {
    /// Its log as it has been given to the writer.
    handed: View,
    /// What a power cut would leave of it.
    image: View,
    /// What is on its way from one to the other.
    pending: Vec<Pending>,
    /// Its newest durable snapshot.
    snapshot: Option<SnapshotId>,
    /// Its figures after its last turn; `None` while it is down.
    seen: Option<Status>,
    /// Whom it took for the members after its last turn.
    membership: Membership,
    /// Where its log ended when it began to lead, while it does.
    leads_since: Option<Position>,
}

#[derive(Clone, Copy)]
struct Committed {
    link: Link,
    /// The term of the leader that committed it first.
    committer: Term,
}

pub(super) struct Ghost {
    nodes: Vec<Shadow>,
    elected: BTreeMap<Term, (usize, u64)>,
    votes: BTreeMap<(usize, Term), NodeId>,
    /// Every entry ever written, with its hash.
    chain: BTreeMap<(Index, Term), (u64, Entry)>,
    committed: Vec<Committed>,
    /// The highest index that anybody may have been told of.
    acknowledged: u64,
    /// The newest state that each client has seen.
    shown: BTreeMap<usize, u64>,
    members: Members,
    truth: Truth,
}

/// A turn of a node, as far as it matters here.
pub(super) struct Turn<'a> {
    pub(super) at: usize,
    pub(super) id: NodeId,
    pub(super) life: u64,
    pub(super) status: Status,
    pub(super) membership: &'a Membership,
    pub(super) write: Option<&'a LogWrite>,
    pub(super) digest: u64,
}

/// What a turn amounted to, for those who count.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) was_elected: bool,
    pub(super) was_cut: bool,
    pub(super) was_cut_during_a_write: bool,
    pub(super) committed_before_own_disk: bool,
    pub(super) stepped_down: bool,
    pub(super) was_joint: bool,
    pub(super) is_joint: bool,
    pub(super) lost_membership: bool,
    pub(super) was_removed: bool,
}

impl Ghost {
    pub(super) fn new(nodes: usize, founders: &[NodeId]) -> Ghost {
        Ghost {
            members: Members::new(Membership::of_founders(founders)),
            nodes: (0..nodes).map(|_| Shadow::default()).collect(),
            elected: BTreeMap::new(),
            votes: BTreeMap::new(),
            chain: BTreeMap::new(),
            committed: Vec::new(),
            acknowledged: 0,
            shown: BTreeMap::new(),
            truth: Truth::new(),
        }
    }

    /// How many entries are committed.
    pub(super) fn committed(&self) -> u64 {
        self.committed.len() as u64
    }

    fn committed_at(&self, index: Index) -> Option<Committed> {
        self.committed.get(usize::try_from(index.0.checked_sub(1)?).ok()?).copied()
    }

    /// A node has ended a turn. To be called before anything of the turn takes effect.
    pub(super) fn turn(&mut self, turn: &Turn<'_>) -> Result<Seen, Violation> {
        let Turn { at, id, status, .. } = turn;
        let before = self.nodes[*at].seen.unwrap_or_default();
        let mut seen = Seen::default();
        if let Some(write) = turn.write {
            seen.was_cut = self.writes(*at, *id, turn.life, write)?;
            seen.was_cut_during_a_write = seen.was_cut && self.nodes[*at].pending.len() > 1;
        }
        monotonic(*id, &before, status)?;
        in_order(*id, status)?;
        if self.nodes[*at].handed.last() != status.last {
            return fail("S12", format!("{id:?} keeps part of its log from the writer: {status:?}"));
        }
        let leads = status.leader == Some(*id);
        seen.was_elected = leads && before.leader != Some(*id);
        seen.stepped_down = !leads && before.leader == Some(*id);
        self.nodes[*at].seen = Some(*status);
        if seen.was_elected {
            self.nodes[*at].leads_since = Some(status.last);
        } else if !leads {
            self.nodes[*at].leads_since = None;
        }
        if leads {
            self.elects(status.term, *at, *id, turn.life)?;
            seen.committed_before_own_disk = status.commit > before.commit && status.durable < status.commit;
            self.commits(*at, *id, status, turn.write)?;
        }
        self.takes_for_committed(*at, *id, status.commit)?;
        self.goes_by_its_log(turn, &mut seen)?;
        match self.truth.digest(status.applied.0) {
            Some(digest) if digest == turn.digest => Ok(seen),
            _ => fail("S23", format!("{id:?} holds something else at {:?}", status.applied)),
        }
    }

    /// S4, S5, S14, S15: a write is handed to the log. Answers whether it cuts something off.
    fn writes(&mut self, at: usize, id: NodeId, life: u64, write: &LogWrite) -> Result<bool, Violation> {
        let mut start_hash = 0;
        if let Some(start) = write.start {
            start_hash = self.hash_of_snapshot(id, start.after)?;
            self.nodes[at].handed.begin(start, start_hash);
        }
        let links = write.entries.as_ref().map(|append| self.appends(at, id, life, append)).transpose()?;
        if let Some(hard) = write.hard_state {
            self.nodes[at].handed.hard = hard;
        }
        let last = self.nodes[at].handed.last().index;
        let cut = links.as_ref().is_some_and(|(cut, _)| *cut);
        let links = links.zip(write.entries.as_ref()).map(|((_, links), append)| (append.first, links));
        let shadow = &mut self.nodes[at];
        shadow.pending.push(Pending::new(write, start_hash, links));
        let (last_term, term) = (shadow.handed.last().term, shadow.handed.hard.term);
        if last_term > term {
            return fail("S15", format!("{id:?} writes {last:?} of {last_term:?} in {term:?}"));
        }
        Ok(cut)
    }

    /// S14: a leader has everything that was committed in its term or before, so what it has cut off was not.
    /// One of an earlier term, whose append comes late to a node that has not heard of the later one, may
    /// well have a copy cut off that this commitment does not rest on. Who told a node what is not known
    /// here, but that it led the term in which the node was before, or a later one, and that of the entry it
    /// sent.
    fn appends(
        &mut self,
        at: usize,
        id: NodeId,
        life: u64,
        append: &LogAppend,
    ) -> Result<(bool, Vec<Link>), Violation> {
        let LogAppend { first, entries } = append;
        let handed = &self.nodes[at].handed;
        let last = handed.last().index;
        if *first <= handed.start.index || *first > last.next() {
            return fail("S22", format!("{id:?} writes from {first:?} on, its log ends at {last:?}"));
        }
        if let (Some(committed), Some(held)) = (self.committed_at(*first), handed.hash_at(*first))
            && committed.link.hash == held
            && entries.first().is_some_and(|entry| committed.committer <= handed.hard.term.max(entry.term))
        {
            return fail("S14", format!("{id:?} cuts {first:?}, which is committed"));
        }
        self.nodes[at].handed.cut(*first);
        let mut links = Vec::new();
        for (number, entry) in (first.0..).zip(entries) {
            let link = self.link(at, id, life, Index(number), entry)?;
            self.nodes[at].handed.push(link);
            links.push(link);
        }
        Ok((*first <= last, links))
    }

    /// The entry at the end of a node's log. Whoever is the first to write an entry of a term led it.
    fn link(
        &mut self,
        at: usize,
        id: NodeId,
        life: u64,
        index: Index,
        entry: &Entry,
    ) -> Result<Link, Violation> {
        let handed = &self.nodes[at].handed;
        if entry.term < handed.last().term {
            return fail("S15", format!("terms fall in the log of {id:?} at {index:?}"));
        }
        let link = Link { term: entry.term, hash: hash_of(handed.last_hash(), entry) };
        if let Some((hash, _)) = self.chain.get(&(index, entry.term)) {
            if *hash != link.hash {
                return fail("S4", format!("{id:?} has another log up to {index:?} of {:?}", entry.term));
            }
            return Ok(link);
        }
        let author = *self.elected.entry(entry.term).or_insert((at, life));
        if author != (at, life) {
            return fail("S5", format!("{id:?} makes {index:?} of {:?}, which it never led", entry.term));
        }
        self.members.note(index, entry);
        self.chain.insert((index, entry.term), (link.hash, entry.clone()));
        Ok(link)
    }

    fn hash_of_snapshot(&self, id: NodeId, last: Position) -> Result<u64, Violation> {
        if last == Position::default() {
            return Ok(0);
        }
        match self.committed_at(last.index) {
            Some(committed) if committed.link.term == last.term => Ok(committed.link.hash),
            _ => fail("S21", format!("a snapshot of {id:?} stands for {last:?}, which is not committed")),
        }
    }

    /// S1, S6.
    fn elects(&mut self, term: Term, at: usize, id: NodeId, life: u64) -> Checked {
        if *self.elected.entry(term).or_insert((at, life)) != (at, life) {
            return fail("S1", format!("{id:?} is another leader of {term:?}"));
        }
        self.is_complete(at, id, term)
    }

    fn is_complete(&self, at: usize, id: NodeId, term: Term) -> Checked {
        let count = self.committed.partition_point(|committed| committed.committer < term);
        let Some(committed) = count.checked_sub(1).map(|place| self.committed[place]) else { return Ok(()) };
        if self.nodes[at].handed.holds(Index(count as u64), committed.link.hash) {
            return Ok(());
        }
        fail("S6", format!("{id:?} leads {term:?} without entry {count}"))
    }

    /// S8, and S6 for whoever takes itself for a leader meanwhile.
    fn commits(&mut self, at: usize, id: NodeId, status: &Status, write: Option<&LogWrite>) -> Checked {
        let (commit, known) = (status.commit, self.committed());
        if commit.0 <= known {
            return Ok(());
        }
        let Some((term, hash)) =
            self.nodes[at].handed.term_at(commit).zip(self.nodes[at].handed.hash_at(commit))
        else {
            return fail("S12", format!("{id:?} commits {commit:?}, which it does not have"));
        };
        if term != status.term {
            return fail(
                "S8",
                format!("{id:?} commits {commit:?} of {term:?} in {:?} by counting", status.term),
            );
        }
        let until = members::counts_until(status.last.index, write);
        let counting = self.membership_of(&self.nodes[at].handed, until);
        if !members::is_quorum(counting, |node| self.nodes[node].image.holds(commit, hash)) {
            return fail("S8", format!("{id:?} commits {commit:?} without a majority of {counting:?}"));
        }
        for index in known + 1..=commit.0 {
            let handed = &self.nodes[at].handed;
            let link = handed.term_at(Index(index)).zip(handed.hash_at(Index(index)));
            let (term, hash) = link.expect("a leader's log has no gap");
            self.committed.push(Committed { link: Link { term, hash }, committer: status.term });
            let (_, entry) = &self.chain[&(Index(index), term)];
            self.truth.commits(index, &entry.clone())?;
        }
        for other in 0..self.nodes.len() {
            let Some(seen) = self.nodes[other].seen else { continue };
            if self.elected.get(&seen.term).is_some_and(|(leader, _)| *leader == other) {
                self.is_complete(other, seen.leader.unwrap_or(id), seen.term)?;
            }
        }
        Ok(())
    }

    /// The membership that a log says counts, up to an entry.
    fn membership_of(&self, log: &View, until: Index) -> &Membership {
        self.members.of(log, until, &|index| self.committed_at(index).map(|committed| committed.link.term))
    }

    /// S18: the membership that a node goes by is that of its log. S17: of those in its log all but one are
    /// committed.
    fn goes_by_its_log(&mut self, turn: &Turn<'_>, seen: &mut Seen) -> Checked {
        let Turn { at, id, membership, .. } = turn;
        let log = &self.nodes[*at].handed;
        // A node that was taken in later knows nobody before its log does.
        let is_told = log.last() != Position::default() || self.members.is_founder(*id);
        let told = self.membership_of(log, log.last().index);
        if is_told && *membership != told && !membership.members().is_empty() {
            return fail("S18", format!("{id:?} goes by {membership:?}, its log says {told:?}"));
        }
        let open = self.members.behind(log, Index(self.committed()));
        if open > 1 {
            return fail("S17", format!("{id:?} has {open} memberships that are not committed"));
        }
        let before = std::mem::replace(&mut self.nodes[*at].membership, (*membership).clone());
        seen.was_joint = before.is_joint();
        seen.is_joint = membership.is_joint();
        seen.lost_membership = seen.was_cut && before != **membership;
        seen.was_removed = seen.stepped_down && membership.get(*id).is_none();
        Ok(())
    }

    /// S7, S13.
    fn takes_for_committed(&self, at: usize, id: NodeId, commit: Index) -> Checked {
        if commit == Index(0) {
            return Ok(());
        }
        let Some(committed) = self.committed_at(commit) else {
            return fail("S13", format!("{id:?} is ahead of every leader at {commit:?}"));
        };
        if self.nodes[at].handed.holds(commit, committed.link.hash) {
            return Ok(());
        }
        fail("S7", format!("what {id:?} takes for committed up to {commit:?} is something else"))
    }

    /// Everything up to a write is on a node's disk.
    pub(super) fn durable(&mut self, at: usize, receipt: Receipt) -> Checked {
        let Shadow { image, pending, .. } = &mut self.nodes[at];
        let count = pending.iter().take_while(|write| write.sequence <= receipt.0).count();
        for write in pending.drain(..count) {
            write.steps.iter().for_each(|step| image.apply(step));
        }
        self.stays_committed()
    }

    /// A node has a durable snapshot.
    pub(super) fn has_snapshot(&mut self, at: usize, id: NodeId, snapshot: SnapshotId) -> Checked {
        self.hash_of_snapshot(id, snapshot.last)?;
        let known = &mut self.nodes[at].snapshot;
        if known.is_none_or(|known| known.last.index < snapshot.last.index) {
            *known = Some(snapshot);
        }
        Ok(())
    }

    /// S9: one index is enough, since hashes stand for all before them.
    fn stays_committed(&self) -> Checked {
        let Some(last) = self.committed.last() else { return Ok(()) };
        let (count, hash) = (Index(self.committed()), last.link.hash);
        let everything =
            View::new(HardState::default(), Position { index: count, term: last.link.term }, hash);
        let membership = self.membership_of(&everything, count);
        let holds = |node: usize| self.nodes[node].image.holds(count, hash);
        if members::meets_every_quorum(membership, holds) {
            return Ok(());
        }
        fail("S9", format!("entry {count:?} is on too few disks of {membership:?}"))
    }

    /// S2, S16, S19, D1: a message leaves a node.
    pub(super) fn sends(&mut self, at: usize, to_at: Option<usize>, envelope: &Envelope) -> Checked {
        let Envelope { from, to, term, message } = envelope;
        let image = &self.nodes[at].image;
        if *term > image.hard.term && !matches!(message, Message::PreVote { .. }) {
            return fail("S16", format!("{from:?} speaks in {term:?} and has stored {:?}", image.hard.term));
        }
        match message {
            Message::VoteReply { granted: true, .. } => self.votes_for(at, *from, *term, *to),
            Message::Vote { .. } => self.votes_for(at, *from, *term, *from),
            Message::AppendReply { outcome: AppendOutcome::Matched(index), .. }
            | Message::SnapshotReply { outcome: SnapshotOutcome::Matched(index), .. }
                if image.hard.term == *term =>
            {
                if image.last().index < *index {
                    return fail(
                        "D1",
                        format!("{from:?} acknowledges {index:?}, its disk has {:?}", image.last()),
                    );
                }
                self.matches(at, *from, to_at, *term, *index)
            }
            _ => Ok(()),
        }
    }

    fn matches(&self, at: usize, from: NodeId, to_at: Option<usize>, term: Term, index: Index) -> Checked {
        let leader = to_at.map(|to_at| &self.nodes[to_at]);
        let Some(leader) = leader.filter(|leader| leader.seen.is_some_and(|seen| seen.term == term)) else {
            return Ok(());
        };
        match (self.nodes[at].image.hash_at(index), leader.handed.hash_at(index)) {
            (Some(own), Some(other)) if own != other => {
                fail("S19", format!("{from:?} acknowledges {index:?} of another log than its leader's"))
            }
            _ => Ok(()),
        }
    }

    fn votes_for(&mut self, at: usize, voter: NodeId, term: Term, candidate: NodeId) -> Checked {
        if *self.votes.entry((at, term)).or_insert(candidate) != candidate {
            return fail("S2", format!("{voter:?} votes twice in {term:?}"));
        }
        let HardState { term: stored, vote } = self.nodes[at].image.hard;
        if stored > term || (stored == term && vote == Some(candidate)) {
            return Ok(());
        }
        fail(
            "D1",
            format!("{voter:?} votes for {candidate:?} in {term:?} and has stored {stored:?} {vote:?}"),
        )
    }

    /// A process has ended.
    pub(super) fn crashes(&mut self, at: usize, id: NodeId) -> Checked {
        self.nodes[at].leads_since = None;
        let Some(seen) = self.nodes[at].seen.take() else { return Ok(()) };
        let stored = self.nodes[at].image.hard.term;
        let led = self.elected.get(&seen.term).is_some_and(|(leader, _)| *leader == at);
        if !led || stored >= seen.term {
            return Ok(());
        }
        fail("S16", format!("{id:?} led {:?} and its disk has never had it", seen.term))
    }

    /// D3: a process has begun with this.
    pub(super) fn recovers(
        &mut self,
        at: usize,
        id: NodeId,
        recovered: &Recovered,
        may_lack_snapshot: bool,
    ) -> Checked {
        let view = self.view_of(id, recovered)?;
        let kept = self.nodes[at].snapshot.map(|snapshot| snapshot.last.index);
        if !may_lack_snapshot && recovered.snapshot.map(|snapshot| snapshot.last.index) < kept {
            return fail("D3", format!("{id:?} has lost its snapshot up to {kept:?}"));
        }
        let joins = |candidate: &View| match recovered.snapshot {
            None => Ok(candidate.clone()),
            Some(snapshot) => {
                self.hash_of_snapshot(id, snapshot.last).map(|hash| candidate.joined(snapshot.last, hash))
            }
        };
        let mut candidate = self.nodes[at].image.clone();
        let mut is_possible = joins(&candidate)? == view;
        for step in self.nodes[at].pending.iter().flat_map(|write| &write.steps) {
            candidate.apply(step);
            is_possible = is_possible || joins(&candidate)? == view;
        }
        if !is_possible {
            let (hard, start, last) = (view.hard, view.start, view.last());
            let was = &self.nodes[at].image;
            return fail(
                "D3",
                format!(
                    "{id:?} finds {hard:?}, entries {start:?} to {last:?}; durable were {:?}, {:?} to {:?}",
                    was.hard,
                    was.start,
                    was.last()
                ),
            );
        }
        let shadow = &mut self.nodes[at];
        shadow.pending.clear();
        shadow.handed = view.clone();
        shadow.image = view;
        shadow.snapshot = recovered.snapshot;
        self.stays_committed()
    }

    fn view_of(&self, id: NodeId, recovered: &Recovered) -> Result<View, Violation> {
        let mut view =
            View::new(recovered.hard_state, recovered.start, self.hash_of_snapshot(id, recovered.start)?);
        for entry in &recovered.entries {
            view.push(Link { term: entry.term, hash: hash_of(view.last_hash(), entry) });
        }
        Ok(view)
    }

    /// What the files of a node would give back after a power cut is what the ghost takes for durable.
    pub(super) fn is_on_disk(&self, at: usize, id: NodeId, recovered: &Recovered, digest: u64) -> Checked {
        let view = self.view_of(id, recovered)?;
        let mut candidate = self.nodes[at].image.clone();
        let mut is_possible = false;
        for step in std::iter::once(None)
            .chain(self.nodes[at].pending.iter().flat_map(|write| &write.steps).map(Some))
        {
            if let Some(step) = step {
                candidate.apply(step);
            }
            let joined = match recovered.snapshot {
                Some(snapshot) => candidate.joined(snapshot.last, self.hash_of_snapshot(id, snapshot.last)?),
                None => candidate.clone(),
            };
            is_possible = is_possible || joined == view;
        }
        if !is_possible {
            return fail("D3", format!("the files of {id:?} hold something else than what was written"));
        }
        let last = recovered.snapshot.map_or(Index(0), |snapshot| snapshot.last.index);
        if self.truth.digest(last.0) != Some(digest) {
            return fail("S21", format!("the snapshot of {id:?} up to {last:?} is not the state there"));
        }
        Ok(())
    }

    /// S10: whoever wins the comparison of logs holds all that the loser knows to be committed, as far as the
    /// loser's log reaches into the term in which that came about: a follower that is being caught up, one
    /// append at a time, knows of commits whose proof it has yet to get.
    pub(super) fn order_is_right(&self) -> Checked {
        for (number, loser) in self.nodes.iter().enumerate() {
            let Some(seen) = loser.seen else { continue };
            let last = loser.handed.last();
            let proved = self.committed.partition_point(|committed| committed.committer <= last.term);
            let until = Index((proved as u64).min(seen.commit.0));
            let Some(committed) = self.committed_at(until) else { continue };
            for (other, winner) in self.nodes.iter().enumerate().filter(|(other, _)| *other != number) {
                if winner.handed.last() >= last && !winner.handed.holds(until, committed.link.hash) {
                    return fail("S10", format!("node {other} would beat node {number} without {until:?}"));
                }
            }
        }
        Ok(())
    }

    /// A client asks something.
    pub(super) fn asks(&mut self, number: u64, operations: Vec<Operation>, is_named: bool) {
        self.truth.asked(number, operations, is_named, self.acknowledged);
    }

    /// An answer leaves a node that has applied so much.
    pub(super) fn answers(&mut self, number: u64, applied: Index, values: &[Value]) -> Checked {
        self.truth.answers(number, applied.0, values)?;
        self.acknowledged = self.acknowledged.max(applied.0);
        Ok(())
    }

    /// C8: an answer reaches a client, and it is one that somebody gave.
    ///
    /// C7: and never does it show a client an older state than the one before it.
    pub(super) fn reaches(&mut self, client: usize, number: u64, values: &[Value]) -> Checked {
        let Some(shows) = self.truth.shows(number, values) else {
            return fail("C8", format!("request {number} is told {values:?}, and nobody had answered that"));
        };
        let seen = self.shown.entry(client).or_insert(0);
        if shows < *seen {
            return fail(
                "C7",
                format!("client {client} has seen the state at {seen}, and now that at {shows}"),
            );
        }
        *seen = shows;
        Ok(())
    }

    /// B2: what a leader has taken in and not committed is bounded, unless it is one large request.
    pub(super) fn is_bounded(&self, uncommitted_bytes_max: u64) -> Checked {
        for (number, node) in self.nodes.iter().enumerate() {
            let Some((from, status)) = node.leads_since.zip(node.seen) else { continue };
            let first = from.index.max(status.commit).next();
            let entries = (first.0..=status.last.index.0)
                .filter_map(|index| self.chain.get(&(Index(index), from.term)).map(|(_, entry)| entry));
            // A membership is taken whatever else waits, and there is one at most (S17).
            let commands = entries.filter(|entry| !matches!(entry.payload, Payload::Membership(_)));
            let sizes = commands.map(|entry| entry.size() as u64);
            let (count, bytes) = sizes.fold((0, 0), |(count, sum), bytes| (count + 1, sum + bytes));
            if count > 1 && bytes > uncommitted_bytes_max {
                return fail("B2", format!("node {number} holds {bytes} bytes that are not committed"));
            }
        }
        Ok(())
    }

    /// A client is told that nothing has happened and nothing will.
    pub(super) fn denies(&mut self, number: u64) -> Checked {
        self.truth.denies(number)
    }
}

/// S11.
fn monotonic(id: NodeId, before: &Status, after: &Status) -> Checked {
    let is_later = after.term >= before.term
        && after.commit >= before.commit
        && after.applied >= before.applied
        && after.snapshot >= before.snapshot;
    if is_later { Ok(()) } else { fail("S11", format!("{id:?} goes back from {before:?} to {after:?}")) }
}

/// S12.
fn in_order(id: NodeId, status: &Status) -> Checked {
    let is_sorted = [status.snapshot, status.applied, status.commit, status.last.index].is_sorted();
    let is_durable = status.applied <= status.durable && status.durable <= status.last.index;
    if is_sorted && is_durable { Ok(()) } else { fail("S12", format!("{id:?} has {status:?}")) }
}

fn hash_of(before: u64, entry: &Entry) -> u64 {
    let hash = mix(before, entry.term.0);
    match &entry.payload {
        Payload::Noop => mix(hash, 1),
        Payload::Command(bytes) => mix_bytes(hash, bytes),
        Payload::Membership(membership) => mix_bytes(mix(hash, 2), &crate::codec::encode(&**membership)),
    }
}
