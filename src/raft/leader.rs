//! What only a leader has: its followers in the line of succession, the reads, the next notice.
//!
//! The line is a list sorted by answers missed in a row, and stable otherwise. A follower that fails to
//! answer goes behind all that do; one that answers again stays where it is. So the line settles on
//! followers that work. One that is far quicker may pass a slow one. Three uses share it: who is sent
//! entries at once (`pace`), who is told first what was committed, and who campaigns first when this leader
//! is gone.

use super::config::Config;
use super::message::{Beat, Reign};
use super::node::{Raft, Role};
use super::progress::Progress;
use super::quorum::Voters;
use super::reads::Reads;
use super::types::{Entry, Index, Instant, NodeId, Payload};

/// A leader's own state, gone with its term.
#[derive(Debug)]
pub(super) struct Leader {
    /// The followers in the line of succession, the heir first.
    pub(super) line: Vec<Progress>,
    pub(super) reads: Reads,
    /// The index of the entry that opened this term. Before it is committed nothing older counts as
    /// committed by number (5.4.2) and no read is answered (8).
    pub(super) opening: Index,
    /// The commit index at the election.
    pub(super) inherited: Index,
    /// When to tell the heir what has been committed.
    pub(super) notice_at: Option<Instant>,
    /// When one of them has passed another, or when the term began.
    pub(super) passed_at: Instant,
    /// To whom it hands over, and until when it tries (R14).
    pub(super) transfer: Option<Handover>,
    /// Somebody has been told to campaign, and voters will not protect this leader from it, however late it
    /// does: no lease can be relied on any more.
    pub(super) has_invited: bool,
    /// Bytes of the proposals of this term that are not committed yet.
    uncommitted_bytes: usize,
}

/// A leader that wants to go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handover {
    pub(super) to: NodeId,
    /// Given up, and forgotten, at this moment.
    pub(super) until: Instant,
    /// Whether the other has been told to campaign.
    pub(super) is_told: bool,
}

impl Leader {
    /// Something that is always taken (R11).
    pub(super) fn charge(&mut self, bytes: usize) {
        self.uncommitted_bytes += bytes;
    }

    /// Whether a proposal of so many bytes may be taken; one is always taken when nothing waits (R11).
    pub(super) fn admit(&mut self, bytes: usize, bytes_max: usize) -> bool {
        let fits = self.uncommitted_bytes == 0 || self.uncommitted_bytes + bytes <= bytes_max;
        if fits {
            self.uncommitted_bytes += bytes;
        }
        fits
    }

    /// Proposals of so many bytes have been committed.
    pub(super) fn settled(&mut self, bytes: usize) {
        assert!(bytes <= self.uncommitted_bytes, "more is committed than was proposed (B2)");
        self.uncommitted_bytes -= bytes;
    }

    /// A member, or one that was until just now.
    pub(super) fn follower(&mut self, id: NodeId) -> Option<&mut Progress> {
        self.line.iter_mut().find(|follower| follower.id == id)
    }

    /// The largest value that a majority has reached, `own` for this replica and `value` for the others.
    pub(super) fn reached<T: Ord + Copy>(
        &self,
        voters: &Voters,
        (me, own): (NodeId, T),
        value: impl Fn(&Progress) -> T,
    ) -> T {
        let of = |id| self.line.iter().find(|follower| follower.id == id).map(&value);
        voters.reached(|id| if id == me { own } else { of(id).expect("every other voter is in the line") })
    }

    /// The place in the line of a follower, if it is one.
    pub(super) fn rank_of(&self, id: NodeId) -> Option<usize> {
        self.line.iter().position(|follower| follower.id == id)
    }

    /// What a message to the follower at `rank` tells it.
    pub(super) fn reign(&self, rank: usize, now: Instant) -> Reign {
        let rank = u16::try_from(rank).expect("there are fewer followers than node ids");
        Reign { beat: Beat { round: self.reads.round(), sent: now }, rank }
    }

    /// No majority, this replica included, has been heard for T: others may lead by now (R7).
    pub(super) fn has_lost_quorum(&self, now: Instant, config: &Config, voters: &Voters) -> bool {
        self.quorum_expires(config, voters) <= now
    }

    fn quorum_expires(&self, config: &Config, voters: &Voters) -> Instant {
        let own = (config.id, Instant(u64::MAX));
        self.reached(voters, own, |follower| follower.heard_at) + config.election_timeout
    }

    /// Until when no other replica can have been elected: a majority answered a message that was sent at
    /// some moment, and refuses votes for T after it received that (R20). `None`: not answered yet.
    pub(super) fn lease_expires(&self, config: &Config, voters: &Voters) -> Option<Instant> {
        let own = (config.id, Some(Instant(u64::MAX)));
        let sent = self.reached(voters, own, |follower| follower.echoed.map(|beat| beat.sent));
        sent.map(|sent| sent + config.lease())
    }

    pub(super) fn next_event(&self, config: &Config, voters: &Voters) -> Instant {
        let wake = |follower: &Progress| {
            let beat = follower.sent_at + config.heartbeat;
            follower.retry_at.map_or(beat, |retry| retry.min(beat))
        };
        let followers = self.line.iter().map(wake).min();
        let quorum = self.quorum_expires(config, voters);
        let handover = self.transfer.map(|handover| handover.until);
        [followers, self.notice_at, handover].into_iter().flatten().fold(quorum, Instant::min)
    }

    /// Whoever owes an answer for too long goes behind all that answer; the next in line takes its place.
    pub(super) fn count_misses(&mut self, now: Instant) {
        let mut missed = false;
        for follower in &mut self.line {
            if follower.retry_at.is_some_and(|retry| retry <= now) {
                follower.miss(now);
                missed = true;
            }
        }
        if missed {
            in_succession(&mut self.line);
        }
    }
}

/// Who may lead stands before all who may not, and who answers before those who do not. The order is kept
/// otherwise.
pub(super) fn in_succession(line: &mut [Progress]) {
    line.sort_by_key(|follower| (!follower.votes, follower.misses));
}

impl Raft {
    /// Won: leads from here on, and says so by an entry of its own term, which also settles the fate of
    /// everything before it (5.4.2, 8).
    pub(super) fn become_leader(&mut self, now: Instant, commit: Index) {
        self.commit_to(commit);
        let opening = self.log.push(Entry { term: self.hard.term, payload: Payload::Noop }).index;
        let others = self.memberships.active().members().iter().filter(|member| member.id != self.config.id);
        let mut line: Vec<Progress> = others.map(|other| Progress::new(other, opening, now)).collect();
        in_succession(&mut line);
        let leader = Leader {
            line,
            reads: Reads::default(),
            opening,
            inherited: self.commit,
            notice_at: None,
            passed_at: now,
            transfer: None,
            has_invited: false,
            uncommitted_bytes: 0,
        };
        self.role = Role::Leader(Box::new(leader));
    }
}
