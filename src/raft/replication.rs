//! Entries on their way: the leader's appends and heartbeats, the followers' answers, the commit rule (5.3).
//!
//! Few messages are the aim. A follower is sent something when it lacks entries that it should have now
//! (`pace`), or when it would otherwise not hear from its leader for a heartbeat's time; never for the sake
//! of a commit index, which rides on whatever goes next. Who does not answer is asked once a heartbeat, no
//! more.

use super::config::ReadMode;
use super::effects::Effects;
use super::log::Spliced;
use super::message::{AppendOutcome, Beat, Envelope, Message};
use super::node::{Raft, Role};
use super::progress::{Progress, Stage};
use super::types::{Entry, Index, Instant, NodeId, Position};

impl Raft {
    /// An index is committed when a majority holds it durably *and* it is of the leader's own term;
    /// everything before it is committed with it (5.4.2, Figure 8).
    pub(super) fn advance_commit(&mut self, now: Instant) {
        let durable = self.log.durable();
        let Role::Leader(leader) = &mut self.role else { return };
        let own = (self.config.id, durable);
        let reached = leader.reached(self.memberships.voters(), own, |follower| follower.matched);
        if reached <= self.commit || reached < leader.opening {
            return;
        }
        leader.settled(self.log.bytes(self.commit.max(leader.opening), reached));
        leader.notice_at = self.config.commit_notice.map(|delay| now + delay);
        self.commit_to(reached);
    }

    /// The leader's part of a flush: reads, then what each follower is to be sent.
    pub(super) fn lead(&mut self, now: Instant, effects: &mut Effects) {
        self.settle_reads(now, effects);
        let Role::Leader(leader) = &mut self.role else { return };
        leader.line.retain(|follower| follower.is_served(now));
        for rank in 0..leader.line.len() {
            self.serve(now, rank, self.is_due(now, rank), effects);
        }
        self.notify_heir(now, effects);
        self.hand_over(now);
    }

    fn settle_reads(&mut self, now: Instant, effects: &mut Effects) {
        let applied = self.applied();
        let Role::Leader(leader) = &mut self.role else { return };
        if self.commit < leader.opening {
            return;
        }
        let leased = self.config.reads == ReadMode::Leased
            && !leader.has_invited
            && leader
                .lease_expires(&self.config, self.memberships.voters())
                .is_some_and(|expiry| now < expiry);
        if leased {
            leader.reads.prove_all(self.commit);
        }
        for _ in 0..2 {
            // A single voter confirms the round that it opens by itself, hence the second time round.
            let own = (self.config.id, Some(leader.reads.round()));
            let echoed = |follower: &Progress| follower.echoed.map(|beat| beat.round);
            if let Some(round) = leader.reached(self.memberships.voters(), own, echoed) {
                leader.reads.prove(round);
            }
            leader.reads.open_round(self.commit);
        }
        leader.reads.release(applied, &mut effects.reads_ready);
    }

    /// Sends one follower what it needs now, if anything.
    fn serve(&mut self, now: Instant, rank: usize, is_due: bool, effects: &mut Effects) {
        let Role::Leader(leader) = &self.role else { return };
        let wanted = leader.reads.wanted();
        let follower = &leader.line[rank];
        let last = self.log.last().index;
        let is_in_memory = follower.next > self.log.start().index && !follower.is_installing();
        let beat_due = follower.sent_at + self.config.heartbeat <= now;
        let lacks = follower.next <= last && (follower.has_room(self.config.inflight_max) || beat_due);
        let unconfirmed = wanted.is_some_and(|round| follower.asked.round < round);
        let silent = follower.retry_at.is_none() && now - follower.heard_at >= self.config.silence();
        let confirms = is_due && (unconfirmed || silent);
        let streams = lacks && !is_due && self.is_far_behind(rank);
        if lacks && is_in_memory && (is_due || beat_due || streams) {
            return self.send_append(now, rank, effects);
        }
        if confirms || beat_due {
            self.send_heartbeat(now, rank, is_due, effects);
        }
        if !is_in_memory {
            self.fetch(rank, effects);
        }
    }

    /// A follower outside the majority that lacks more than one append holds is not made to wait between any
    /// two. Less than that can wait, or it would chase the end of the log for ever.
    fn is_far_behind(&self, rank: usize) -> bool {
        let Role::Leader(leader) = &self.role else { return false };
        let follower = &leader.line[rank];
        if follower.misses > 0 || follower.matched == Index(0) || follower.next <= self.log.start().index {
            return false;
        }
        !self.log.ends_in_one_run(follower.next, self.config.append_bytes_max)
    }

    fn send_append(&mut self, now: Instant, rank: usize, effects: &mut Effects) {
        let Role::Leader(leader) = &mut self.role else { return };
        let reign = leader.reign(rank, now);
        let follower = &mut leader.line[rank];
        let previous = self.log.position(follower.next.previous()).expect("next follows an own entry (S20)");
        let entries = self.log.run(follower.next, self.config.append_bytes_max);
        follower.appended(Index(previous.index.0 + entries.len() as u64));
        follower.ask(reign.beat, &self.config);
        follower.told = follower.told.max(self.commit);
        follower.sent_at = now;
        let message = Message::Append { reign, previous, entries, commit: self.commit };
        effects.send.push(Envelope { from: self.config.id, to: follower.id, term: self.hard.term, message });
    }

    fn send_heartbeat(&mut self, now: Instant, rank: usize, reply: bool, effects: &mut Effects) {
        let Role::Leader(leader) = &mut self.role else { return };
        let reign = leader.reign(rank, now);
        let follower = &mut leader.line[rank];
        // Never more than the follower is known to have: its log may differ after that.
        let commit = self.commit.min(follower.matched);
        follower.told = follower.told.max(commit);
        follower.sent_at = now;
        if reply {
            follower.ask(reign.beat, &self.config);
        }
        let message = Message::Heartbeat { reign, commit, reply };
        effects.send.push(Envelope { from: self.config.id, to: follower.id, term: self.hard.term, message });
    }

    /// One message shortly after a commit makes the heir sure of it. If this leader dies now, the heir need
    /// not answer once more what has been answered; without it, it could not know.
    fn notify_heir(&mut self, now: Instant, effects: &mut Effects) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.notice_at.is_none_or(|at| now < at) {
            return;
        }
        leader.notice_at = None;
        let heir = leader.line.iter().position(|follower| follower.matched >= self.commit);
        if let Some(rank) = heir
            && leader.line[rank].told < self.commit
        {
            self.send_heartbeat(now, rank, false, effects);
        }
    }

    pub(super) fn on_append_reply(&mut self, now: Instant, from: NodeId, beat: Beat, outcome: AppendOutcome) {
        let Role::Leader(leader) = &mut self.role else { return };
        // What it echoes was said in an earlier reign, perhaps of this replica: it confirms nothing (R9).
        if outcome == AppendOutcome::Deposed {
            return;
        }
        let Some(follower) = leader.follower(from) else { return };
        follower.answered(now, beat);
        match outcome {
            AppendOutcome::Matched(index) => {
                assert!(
                    index <= self.log.last().index,
                    "{from:?} matches {index:?}, which is not here (S19)"
                );
                let is_news = index > follower.matched;
                follower.matches(now, index, &self.config);
                if is_news {
                    follower.stored_in(now - beat.sent);
                    self.let_pass(now, from);
                }
            }
            AppendOutcome::Missing { previous, hint } => {
                // Late refusals of what has been settled since are of no interest (R3).
                let is_current = match follower.stage {
                    Stage::Probing => previous.next() == follower.next,
                    Stage::Streaming => true,
                    Stage::Installing(_) => false,
                };
                if is_current && follower.is_news(beat) && previous > follower.matched {
                    // What is not held any more cannot be compared here; the files can say.
                    let unknown = self.log.start().index.min(hint.index);
                    let known = self.log.last_not_above(hint.index, hint.term);
                    let meeting = known.map_or(unknown, |position| position.index);
                    follower.step_back(now, meeting.min(previous.previous()));
                }
            }
            AppendOutcome::Deposed => unreachable!("returned above"),
        }
    }

    pub(super) fn on_heartbeat_reply(&mut self, now: Instant, from: NodeId, beat: Beat) {
        if let Role::Leader(leader) = &mut self.role
            && let Some(follower) = leader.follower(from)
        {
            follower.answered(now, beat);
        }
    }

    pub(super) fn on_append(
        &mut self,
        from: NodeId,
        beat: Beat,
        previous: Position,
        entries: Vec<Entry>,
        commit: Index,
    ) {
        let outcome = if previous.index < self.log.start().index {
            // Committed, so equal to the leader's, and known to nobody here any more (R4).
            AppendOutcome::Matched(self.commit)
        } else if self.log.position(previous.index) == Some(previous) {
            let Spliced { equal_to, changed_from } = self.log.splice(previous.index, entries, self.commit);
            if let Some(first) = changed_from {
                self.follow_memberships(first);
            }
            // Beyond what this append has verified the own log may still be another leader's (S13).
            self.commit_to(self.commit.max(commit.min(equal_to)));
            AppendOutcome::Matched(equal_to)
        } else {
            assert!(previous.index > self.commit, "{previous:?} is committed and differs (S6)");
            // What was forgotten is committed, so a leader has it too and the logs meet there at the latest.
            let hint = self.log.last_not_above(previous.index, previous.term);
            AppendOutcome::Missing { previous: previous.index, hint: hint.unwrap_or(self.log.start()) }
        };
        self.drop_superseded_answers(from, outcome);
        self.answer(from, Message::AppendReply { beat, outcome });
    }

    /// Of several appends taken in one turn the last answer says it all: what matched stays matched.
    fn drop_superseded_answers(&mut self, to: NodeId, outcome: AppendOutcome) {
        let AppendOutcome::Matched(index) = outcome else { return };
        let term = self.hard.term;
        self.after_write.retain(|envelope| match &envelope.message {
            Message::AppendReply { outcome: AppendOutcome::Matched(earlier), .. } => {
                envelope.to != to || envelope.term != term || *earlier > index
            }
            _ => true,
        });
    }

    pub(super) fn on_heartbeat(&mut self, from: NodeId, beat: Beat, commit: Index, reply: bool) {
        // A leader tells no more than it has seen here. If this log is shorter it was lost on the way, and
        // what is left of it proves nothing: leave the commit index alone (R4).
        if commit <= self.log.last().index {
            self.commit_to(commit);
        }
        if reply {
            self.answer(from, Message::HeartbeatReply { beat });
        }
    }
}
