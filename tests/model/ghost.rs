//! The naive truth, kept beside the cluster and never shown to it.
//!
//! It knows who was ever elected, who voted for whom, which entry was ever written where and after which,
//! and what was ever committed. Each check names the invariant that it holds the cluster to.

use std::collections::BTreeMap;

use quorate::raft::{
    AppendOutcome, Committed, Entry, Envelope, Index, LogAppend, Membership, Message, NodeId, ReadId, Term,
};

use super::disk::{Disk, place};
use super::members::is_quorum;

/// An accepted read: who has it, and the least state that may answer it.
struct Read {
    node: NodeId,
    floor: Index,
}

#[derive(Default)]
pub(crate) struct Ghost {
    elected: BTreeMap<Term, NodeId>,
    votes: BTreeMap<(NodeId, Term), NodeId>,
    /// Every entry ever written, by index and term, with the term of the entry before it.
    chain: BTreeMap<(u64, Term), (Term, Entry)>,
    /// What is committed, for ever, and in which leader's term it came to be.
    pub(crate) committed: Vec<(Entry, Term)>,
    /// The highest index that any client may have been told of.
    pub(crate) acknowledged: Index,
    reads: BTreeMap<ReadId, Read>,
}

impl Ghost {
    /// S1: one leader a term, over all time.
    pub(crate) fn elects(&mut self, term: Term, node: NodeId, log: &[Entry]) {
        let first = *self.elected.entry(term).or_insert(node);
        assert_eq!(first, node, "two leaders in {term:?} (S1)");
        self.assert_complete(term, node, log);
    }

    /// S6: what was committed in an earlier term is in the log of every later leader.
    pub(crate) fn assert_complete(&self, term: Term, node: NodeId, log: &[Entry]) {
        for (at, (entry, committer)) in self.committed.iter().enumerate() {
            let held = log.get(at) == Some(entry);
            assert!(held || *committer >= term, "{node:?} leads {term:?} without entry {} (S6)", at + 1);
        }
    }

    /// S4, S5, S14, S15: before a node replaces the tail of its log. Whoever is the first to write an entry
    /// of a term led it, if only for a moment inside one turn.
    pub(crate) fn writes(&mut self, node: NodeId, log: &[Entry], append: &LogAppend) {
        let kept = place(append.first.0);
        for (at, entry) in log.iter().enumerate().skip(kept) {
            let committed = self.committed.get(at).is_some_and(|(committed, _)| committed == entry);
            assert!(!committed, "{node:?} cuts entry {}, which is committed (S14)", at + 1);
        }
        let mut before = kept.checked_sub(1).map_or(Term(0), |at| log[at].term);
        for (index, entry) in (append.first.0..).zip(&append.entries) {
            assert!(entry.term >= before, "terms fall in the log of {node:?} at {index} (S15)");
            let link = (before, entry.clone());
            let elected = &mut self.elected;
            let known = self.chain.entry((index, entry.term)).or_insert_with(|| {
                let author = *elected.entry(entry.term).or_insert(node);
                assert_eq!(author, node, "{node:?} made an entry of {:?} that it never led (S5)", entry.term);
                link.clone()
            });
            assert_eq!(*known, link, "{node:?} has another entry {index} of {:?} (S4)", entry.term);
            before = entry.term;
        }
    }

    /// S8: a leader advances its commit index: entry of its own term, on a majority of the disks of old and
    /// of new voters.
    pub(crate) fn commits(
        &mut self,
        term: Term,
        commit: Index,
        log: &[Entry],
        membership: &Membership,
        disks: &[&Disk],
    ) {
        let known = self.committed.len();
        let until = usize::try_from(commit.0).expect("logs of tests are short");
        if until <= known {
            return;
        }
        let last = &log[until - 1];
        assert_eq!(last.term, term, "an entry of an earlier term is committed by counting (S8)");
        let holds = |id: NodeId| disks[usize::from(id.0)].entries.get(until - 1) == Some(last);
        assert!(is_quorum(membership, &holds), "{commit:?} is committed without a majority (S8)");
        self.committed.extend(log[known..until].iter().map(|entry| (entry.clone(), term)));
    }

    /// S7, S13: what a node takes for committed is what was committed.
    pub(crate) fn assert_committed(&self, node: NodeId, commit: Index, log: &[Entry]) {
        let until = usize::try_from(commit.0).expect("logs of tests are short");
        assert!(until <= self.committed.len(), "{node:?} is ahead of every leader at {commit:?} (S13)");
        let equal = self.committed[..until].iter().zip(log).all(|((entry, _), own)| entry == own);
        assert!(equal && log.len() >= until, "the committed part of {node:?}'s log is another (S7)");
    }

    /// S7: entries are handed out in order, once, and the same everywhere.
    pub(crate) fn applies(&mut self, node: NodeId, applied: &mut Index, handed: &[Committed], leads: bool) {
        for committed in handed {
            *applied = applied.next();
            assert_eq!(committed.index, *applied, "{node:?} skips or repeats an entry (S7)");
            let (entry, _) = &self.committed[place(applied.0)];
            assert_eq!(committed.entry, *entry, "{node:?} applies another entry {applied:?} (S7)");
        }
        if leads {
            self.acknowledged = self.acknowledged.max(*applied);
        }
    }

    /// S2, S16, D1: a message leaves, with the sender's disk as it is now.
    pub(crate) fn sends(&mut self, envelope: &Envelope, disk: &Disk) {
        let Envelope { from, to, term, message } = envelope;
        match message {
            Message::VoteReply { granted: true, .. } => self.votes_for(*from, *term, *to, disk),
            Message::Vote { .. } => self.votes_for(*from, *term, *from, disk),
            Message::AppendReply { outcome: AppendOutcome::Matched(index), .. }
                if disk.hard.term == *term =>
            {
                let held = disk.entries.len() as u64 >= index.0;
                assert!(held, "{from:?} acknowledges {index:?}, which is not on its disk (D1)");
            }
            _ => {}
        }
        let speculative = matches!(message, Message::PreVote { .. });
        assert!(speculative || *term <= disk.hard.term, "{from:?} speaks in an unstored term (S16)");
    }

    fn votes_for(&mut self, voter: NodeId, term: Term, candidate: NodeId, disk: &Disk) {
        let first = *self.votes.entry((voter, term)).or_insert(candidate);
        assert_eq!(first, candidate, "{voter:?} votes twice in {term:?} (S2)");
        let stored = disk.hard.term > term || (disk.hard.term == term && disk.hard.vote == Some(candidate));
        assert!(stored, "{voter:?} votes before its vote is on its disk (D1)");
    }

    /// S10: whoever wins the comparison of logs holds all that the loser knows to be committed, as far as
    /// the loser's log reaches into the term in which that came about. Without this limit it would be
    /// wrong: a follower that is being caught up, one append at a time, knows of commits whose proof it has
    /// yet to get.
    pub(crate) fn assert_order_is_right(&self, logs: &[(&[Entry], Index)]) {
        let last_term = |log: &[Entry]| log.last().map_or(Term(0), |entry| entry.term);
        let key = |log: &[Entry]| (last_term(log), log.len());
        for (loser, commit) in logs {
            let known = usize::try_from(commit.0).expect("logs of tests are short");
            let proved = |(_, committer): &&(Entry, Term)| *committer <= last_term(loser);
            let until = self.committed.iter().take(known).take_while(proved).count();
            for (winner, _) in logs {
                let agree = key(winner) < key(loser) || winner.get(..until) == loser.get(..until);
                assert!(agree, "a log that wins the vote lacks what is committed (S10)");
            }
        }
    }

    /// C4: from here on the read must see all that has been acknowledged to anyone.
    pub(crate) fn reads(&mut self, read: ReadId, node: NodeId) {
        self.reads.insert(read, Read { node, floor: self.acknowledged });
    }

    pub(crate) fn answers_read(&mut self, read: ReadId, node: NodeId, applied: Index) {
        let accepted = self.reads.remove(&read).expect("a read is answered once");
        assert_eq!(accepted.node, node, "a read is answered where it was asked (C8)");
        assert!(applied >= accepted.floor, "a read at {applied:?} misses {:?} (C4)", accepted.floor);
    }

    pub(crate) fn fails_read(&mut self, read: ReadId) {
        self.reads.remove(&read).expect("a read fails once");
    }

    /// D1: what a leader tells its clients rests on a term that its disk has.
    pub(crate) fn assert_reign_is_stored(&self, node: NodeId, term: Term, disk: &Disk) {
        let stored = disk.hard.term >= term;
        assert!(stored, "{node:?} answers as the leader of {term:?}, which is not on its disk (D1)");
    }

    /// A node is down, and led this term until then; its disk is what the crash left of it. Its clients get
    /// no answer. Whoever led has stored its vote first (S16).
    pub(crate) fn crashes(&mut self, node: NodeId, led: Option<Term>, disk: &Disk) {
        self.reads.retain(|_, read| read.node != node);
        let is_stored = led.is_none_or(|term| disk.hard.term >= term);
        assert!(is_stored, "{node:?} led {led:?} and its disk has never had it (S16)");
    }

    pub(crate) fn waiting_reads(&self) -> usize {
        self.reads.len()
    }
}
