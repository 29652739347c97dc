//! One follower as its leader sees it.
//!
//! Two questions, kept apart: *where is its log* (probing until a first append is accepted, streaming from
//! then on, R3; or so far behind that it gets a snapshot) and *does it answer* (what it owes, since when,
//! how often in a row it failed to).

use std::collections::VecDeque;

use super::config::Config;
use super::effects::Wanted;
use super::membership::{Member, Standing};
use super::message::Beat;
use super::types::{Index, Instant, NodeId, Position, SnapshotId, Span};

/// Answers are given this many times the usual delay before they count as missing.
const RETRY_FACTOR: u64 = 3;

/// So many answers missing in a row are put down to a lossy line; after that every further one doubles the
/// wait, since nobody may be there.
const LOSSES_EXPECTED: u32 = 2;

/// One follower.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) id: NodeId,
    /// The entry that made it a member: another one of the same name is another follower (R18).
    pub(super) since: Index,
    /// Whether it may lead after this leader.
    pub(super) votes: bool,
    /// Set when it is no member any more.
    pub(super) departure: Option<Departure>,
    /// Up to here its log is known to equal the leader's, on its stable storage. Never falls.
    pub(super) matched: Index,
    /// The first entry it has not been sent. Always above `matched`.
    pub(super) next: Index,
    /// The last index of each append it has not acknowledged, oldest first.
    pub(super) inflight: VecDeque<Index>,
    pub(super) stage: Stage,
    /// What has been asked from the files for it and has not come yet. One thing at a time.
    pub(super) fetching: Option<Wanted>,
    /// The highest commit index it was told.
    pub(super) told: Index,
    /// The last message that it was asked to answer.
    pub(super) asked: Beat,
    /// The latest of the leader's messages that it has answered, if any in this term.
    pub(super) echoed: Option<Beat>,
    /// When it was last sent anything.
    pub(super) sent_at: Instant,
    /// When it last answered; at first the moment of the election (R7).
    pub(super) heard_at: Instant,
    /// When the line to it broke or came up last in this term.
    cut_off_at: Option<Instant>,
    /// When the answer that it owes counts as missing. `None`: it owes none.
    pub(super) retry_at: Option<Instant>,
    /// Answers missing in a row.
    pub(super) misses: u32,
    /// When it was last given up what was under way. A refusal of something sent before that is no news, and
    /// to act on each of them would send the same entries again and again (R3).
    restarted_at: Instant,
    /// How long its answers take, smoothed over about eight of them.
    delay: Span,
    /// How long it takes to store entries, smoothed the same way. `None`: it has not stored any.
    pub(super) storing: Option<Span>,
}

/// A follower that is no member any more is served until it knows that, but not for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Departure {
    /// The entry without it.
    pub(super) index: Index,
    pub(super) until: Instant,
}

/// How far a leader is with a follower.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It is still to be found out where its log meets the leader's: one append at a time.
    Probing,
    /// Appends follow on each other without waiting for answers.
    Streaming,
    /// It gets a snapshot.
    Installing(Transfer),
}

/// A snapshot on its way to a follower, one part at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Transfer {
    pub(super) id: SnapshotId,
    /// Where the next part begins.
    pub(super) offset: u64,
    /// Whether a part is unanswered.
    pub(super) is_unanswered: bool,
}

/// Entries that were read back for a follower take at most so many appends at a time: they are large.
const READ_BACK_INFLIGHT_MAX: usize = 4;

impl Progress {
    /// A follower of which nothing is known, at the moment of an election or of its joining.
    pub(super) fn new(member: &Member, next: Index, now: Instant) -> Progress {
        Progress {
            id: member.id,
            since: member.since,
            votes: member.standing != Standing::Learner,
            departure: None,
            matched: Index(0),
            next,
            inflight: VecDeque::new(),
            stage: Stage::Probing,
            fetching: None,
            told: Index(0),
            asked: Beat::default(),
            echoed: None,
            sent_at: now,
            heard_at: now,
            cut_off_at: None,
            retry_at: None,
            misses: 0,
            restarted_at: now,
            delay: Span(0),
            storing: None,
        }
    }

    /// Whether it is still to be served.
    pub(super) fn is_served(&self, now: Instant) -> bool {
        self.departure.is_none_or(|departure| self.told < departure.index && now < departure.until)
    }

    /// Whether entries may be sent without waiting for an answer first.
    pub(super) fn has_room(&self, inflight_max: usize) -> bool {
        match self.stage {
            Stage::Probing => self.inflight.is_empty(),
            Stage::Streaming => self.inflight.len() < inflight_max,
            Stage::Installing(_) => false,
        }
    }

    pub(super) fn is_installing(&self) -> bool {
        matches!(self.stage, Stage::Installing(_))
    }

    /// What is to be fetched from the files now, if anything: nothing in memory helps this follower.
    pub(super) fn to_fetch(&self) -> Option<Wanted> {
        if self.fetching.is_some() {
            return None;
        }
        match self.stage {
            Stage::Installing(transfer) => {
                (!transfer.is_unanswered).then_some(Wanted::Part(transfer.id, transfer.offset))
            }
            _ => self.has_room(READ_BACK_INFLIGHT_MAX).then_some(Wanted::Entries(self.next)),
        }
    }

    /// No log reaches back far enough: from now on it gets this snapshot.
    pub(super) fn install(&mut self, id: SnapshotId) {
        self.rewind();
        self.stage = Stage::Installing(Transfer { id, offset: 0, is_unanswered: false });
    }

    /// An append up to `last` is leaving.
    pub(super) fn appended(&mut self, last: Index) {
        self.inflight.push_back(last);
        if self.stage == Stage::Streaming {
            self.next = last.next();
        }
    }

    /// Something that wants an answer is leaving.
    pub(super) fn ask(&mut self, beat: Beat, config: &Config) {
        self.asked = beat;
        self.retry_at.get_or_insert(beat.sent + self.patience(config));
    }

    /// How long to wait for an answer: some multiple of what it usually takes, growing with every answer
    /// missing in a row. Never so long that there is no time left to ask another: a leader that has not heard
    /// a majority for an election timeout steps down (R7).
    fn patience(&self, config: &Config) -> Span {
        let usual = self.delay.times(RETRY_FACTOR).max(config.retry);
        let longest = config.election_timeout.divided(3);
        usual.times(1 << self.misses.saturating_sub(LOSSES_EXPECTED).min(16)).min(longest)
    }

    /// Any answer to any message of this term came in.
    pub(super) fn answered(&mut self, now: Instant, beat: Beat) {
        self.heard_at = now;
        self.misses = 0;
        let delay = now - beat.sent;
        self.delay = match self.delay {
            Span(0) => delay,
            usual => smooth(usual, delay),
        };
        let latest = self.echoed.unwrap_or_default();
        // Both only grow at the leader, so the later of two answered messages is later in both.
        self.echoed = Some(Beat { round: latest.round.max(beat.round), sent: latest.sent.max(beat.sent) });
        self.settle();
    }

    /// Its log equals the leader's up to `index`.
    pub(super) fn matches(&mut self, now: Instant, index: Index, config: &Config) {
        self.matched = self.matched.max(index);
        self.next = self.next.max(self.matched.next());
        if !matches!(self.stage, Stage::Installing(transfer) if index < transfer.id.last.index) {
            self.stage = Stage::Streaming;
        }
        while self.inflight.pop_front_if(|last| *last <= index).is_some() {}
        self.retry_at = self.retry_at.map(|_| now + self.patience(config));
        self.settle();
    }

    /// It took so long to store what it was sent.
    pub(super) fn stored_in(&mut self, delay: Span) {
        self.storing = Some(self.storing.map_or(delay, |usual| smooth(usual, delay)));
    }

    /// Whether a refusal of what was sent at that moment says anything new.
    pub(super) fn is_news(&self, refused: Beat) -> bool {
        refused.sent >= self.restarted_at
    }

    /// The follower lacks the entry before `next`, and the logs can first meet at `meeting`.
    pub(super) fn step_back(&mut self, now: Instant, meeting: Index) {
        self.restarted_at = now;
        self.rewind();
        self.next = meeting.next().max(self.matched.next());
    }

    /// A part of a snapshot has been stored; the next begins at `offset`.
    pub(super) fn part_stored(&mut self, last: Position, offset: u64) {
        if let Stage::Installing(transfer) = &mut self.stage
            && transfer.id.last == last
        {
            transfer.offset = offset.min(transfer.id.bytes);
            transfer.is_unanswered = false;
            self.settle();
        }
    }

    /// The answer it owes did not come: what was under way counts as lost.
    pub(super) fn miss(&mut self, now: Instant) {
        self.restarted_at = now;
        self.misses = self.misses.saturating_add(1);
        self.forget_inflight();
    }

    /// The line to it has broken or has come up anew: what it said before is no sign that it answers now.
    pub(super) fn cut_off(&mut self, now: Instant) {
        self.cut_off_at = Some(now);
        self.forget_inflight();
    }

    /// Whether it has answered on this line, in this term, and owes no answer for too long.
    pub(super) fn is_connected(&self) -> bool {
        let is_later = |beat: Beat| self.cut_off_at.is_none_or(|at| beat.sent > at);
        self.misses == 0 && self.echoed.is_some_and(is_later)
    }

    /// Whether it can be counted on to answer what it is sent now.
    pub(super) fn answers(&self, now: Instant, config: &Config) -> bool {
        // Whoever is well answers every other heartbeat at least.
        self.is_connected() && now - self.heard_at < config.heartbeat.times(3)
    }

    /// What was under way is lost.
    fn forget_inflight(&mut self) {
        if let Stage::Installing(transfer) = &mut self.stage {
            transfer.is_unanswered = false;
            self.retry_at = None;
            return;
        }
        let next = self.next;
        self.rewind();
        // Nothing has matched yet: the guess was not refuted, only not answered.
        self.next = if self.matched == Index(0) { next } else { self.matched.next() };
    }

    fn rewind(&mut self) {
        self.inflight.clear();
        self.stage = Stage::Probing;
        self.retry_at = None;
    }

    /// A debt is paid when the latest question has its answer and every append is acknowledged.
    fn settle(&mut self) {
        let answered = self.echoed.is_some_and(|beat| beat.sent >= self.asked.sent);
        // A heartbeat's answer, sent later, says nothing about a part of a snapshot that got lost.
        let owes_part = matches!(self.stage, Stage::Installing(transfer) if transfer.is_unanswered);
        if self.inflight.is_empty() && answered && !owes_part {
            self.retry_at = None;
        }
    }

    /// Asserts what always holds (S20).
    pub(super) fn assert_sound(&self) {
        assert!(self.matched < self.next, "match < next (S20): {self:?}");
        assert!(self.inflight.is_empty() || self.retry_at.is_some(), "an append wants an answer: {self:?}");
    }
}

/// The mean of about the last eight.
fn smooth(usual: Span, now: Span) -> Span {
    Span((usual.0 * 7 + now.0) / 8)
}
