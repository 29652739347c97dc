//! Followers that lack what memory does not hold any more (7, R15).
//!
//! The log's older part lies in files, and the oldest is gone: a snapshot stands for it. The core holds
//! neither, so it asks its owner: [`Effects::fetches`] names what is wanted and for whom, and every fetch is
//! answered once, by [`Raft::fetched_entries`] or [`Raft::fetched_part`]. What comes back is sent at once, if
//! the follower still needs it.
//!
//! A snapshot goes in parts, the next when the last was answered, and the follower says where it goes on: so
//! a transfer that broke off is resumed by the same leader, and parts that come twice or late do no harm. The
//! owner of the receiving side stores the parts ([`Effects::parts`], [`Raft::stored_part`]), makes the whole
//! durable, makes a state machine of it, and then tells the core, in one step, that the log now begins behind
//! it ([`Raft::install`]).

use std::sync::Arc;

use super::effects::{Effects, Fetch, LogStart, SnapshotPart, Stretch, Wanted};
use super::membership::Membership;
use super::message::{Beat, Envelope, Message, SnapshotOutcome};
use super::node::{Raft, Role};
use super::progress::Stage;
use super::types::{Index, Instant, NodeId, Position, SnapshotId};

impl Raft {
    /// Asks for what the follower at `rank` needs from the files, if it can take something.
    pub(super) fn fetch(&mut self, rank: usize, effects: &mut Effects) {
        let Role::Leader(leader) = &mut self.role else { return };
        let follower = &mut leader.line[rank];
        if let Some(wanted) = follower.to_fetch() {
            follower.fetching = Some(wanted);
            effects.fetches.push(Fetch { to: follower.id, wanted });
        }
    }

    /// The answer to [`Wanted::Entries`]: what the files hold from `first` on. `None`: that part of the log
    /// is gone, and only a snapshot can help.
    pub fn fetched_entries(&mut self, now: Instant, to: NodeId, first: Index, stretch: Option<Stretch>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(rank) = leader.rank_of(to) else { return };
        let reign = leader.reign(rank, now);
        let follower = &mut leader.line[rank];
        if follower.fetching.take_if(|wanted| *wanted == Wanted::Entries(first)).is_none()
            || follower.next != first
            || follower.is_installing()
        {
            return;
        }
        let Some(Stretch { previous, entries }) = stretch else {
            let snapshot =
                self.snapshot.expect("a snapshot stands for the part of the log that is gone (S22)");
            return follower.install(snapshot);
        };
        assert!(previous.index.next() == first && !entries.is_empty(), "what was fetched fits (R3)");
        follower.appended(Index(previous.index.0 + entries.len() as u64));
        follower.ask(reign.beat, &self.config);
        follower.sent_at = now;
        let message = Message::Append { reign, previous, entries, commit: self.commit };
        self.at_once.push(Envelope { from: self.config.id, to, term: self.hard.term, message });
    }

    /// The answer to [`Wanted::Part`]. `None`: that snapshot is gone; a newer one has taken its place.
    pub fn fetched_part(
        &mut self,
        now: Instant,
        to: NodeId,
        id: SnapshotId,
        offset: u64,
        bytes: Option<Arc<[u8]>>,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(rank) = leader.rank_of(to) else { return };
        let reign = leader.reign(rank, now);
        let follower = &mut leader.line[rank];
        if follower.fetching.take_if(|wanted| *wanted == Wanted::Part(id, offset)).is_none() {
            return;
        }
        let Stage::Installing(transfer) = &mut follower.stage else { return };
        if transfer.id != id || transfer.offset != offset {
            return;
        }
        let Some(bytes) = bytes else {
            return follower.install(self.snapshot.expect("there is a newer one (S22)"));
        };
        transfer.is_unanswered = true;
        follower.ask(reign.beat, &self.config);
        follower.sent_at = now;
        let message = Message::Snapshot { reign, id, offset, bytes };
        self.at_once.push(Envelope { from: self.config.id, to, term: self.hard.term, message });
    }

    pub(super) fn on_snapshot_reply(
        &mut self,
        now: Instant,
        from: NodeId,
        beat: Beat,
        last: Position,
        outcome: SnapshotOutcome,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        // As with appends: a beat of an earlier reign confirms nothing (R9).
        if outcome == SnapshotOutcome::Deposed {
            return;
        }
        let Some(follower) = leader.follower(from) else { return };
        follower.answered(now, beat);
        match outcome {
            SnapshotOutcome::Wants(offset) => follower.part_stored(last, offset),
            SnapshotOutcome::Matched(index) => {
                assert!(index <= self.log.last().index, "{from:?} has {index:?}, which is not here (S19)");
                follower.matches(now, index, &self.config);
            }
            SnapshotOutcome::Deposed => unreachable!("returned above"),
        }
    }

    /// A follower's side: the part goes to the owner, unless nothing of the snapshot is needed.
    pub(super) fn on_snapshot(&mut self, from: NodeId, beat: Beat, part: SnapshotPart) {
        if part.id.last.index <= self.commit {
            return self.answer_snapshot(from, beat, part.id.last, SnapshotOutcome::Matched(self.commit));
        }
        self.receiving = Some((from, beat));
        if !self.is_storing {
            self.is_storing = true;
            self.parts.push(part);
        }
    }

    /// The answer to [`Effects::parts`]: of this snapshot everything up to `offset` has been stored.
    pub fn stored_part(&mut self, id: SnapshotId, offset: u64) {
        self.is_storing = false;
        if let Some((to, beat)) = self.receiving.take() {
            self.answer_snapshot(to, beat, id.last, SnapshotOutcome::Wants(offset));
        }
    }

    fn answer_snapshot(&mut self, to: NodeId, beat: Beat, last: Position, outcome: SnapshotOutcome) {
        self.answer(to, Message::SnapshotReply { beat, last, outcome });
    }

    /// A snapshot of another replica is durable here, and the state machine is made of it: everything up to
    /// it counts as committed and applied, and so does the membership in it, if there is one (as in
    /// [`Recovered`](super::Recovered)). Answers whether that is news; if not, nothing changes.
    pub fn install(&mut self, id: SnapshotId, membership: Option<Membership>) -> bool {
        self.is_storing = false;
        // A leader has all of it in its own log (S6), and will soon know that it is committed.
        let is_news = id.last.index > self.commit && !self.is_leader();
        if is_news {
            assert!(id.last.term <= self.hard.term, "nothing is committed in a later term (S15)");
            let keeps_tail = self.log.replace(id.last);
            let membership = membership.unwrap_or_else(|| self.config.founders());
            self.memberships.replace(id.last.index, membership, keeps_tail);
            self.start = Some(LogStart { after: id.last, keeps_tail });
            self.snapshot = Some(id);
            self.commit = id.last.index;
            self.applied = id.last.index;
        }
        if let Some((to, beat)) = self.receiving.take() {
            // It waits for the log's new beginning to be durable, as every answer waits for what it rests on.
            self.answer_snapshot(to, beat, id.last, SnapshotOutcome::Matched(self.commit));
        }
        is_news
    }

    /// This replica's own snapshot is durable. The files need hold no more of the log than what follows on
    /// `keep_after`: an older snapshot, so that a damaged newer one is no loss.
    pub fn took_snapshot(&mut self, id: SnapshotId, keep_after: Option<Position>) {
        assert!(id.last.index <= self.applied(), "a snapshot is of what was applied (S12)");
        if self.snapshot.is_some_and(|known| known.last.index >= id.last.index) {
            return;
        }
        self.snapshot = Some(id);
        if let Some(after) = keep_after {
            assert!(after.index <= id.last.index, "a snapshot stands for what is purged (S22)");
            self.start = Some(LogStart { after, keeps_tail: true });
        }
    }
}
