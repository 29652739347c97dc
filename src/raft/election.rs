//! How a leader comes about (5.2, thesis 9.6): patience, a question that disturbs nobody, a vote.
//!
//! Three guards work together, and each alone leaves a known outage (R6): a *pre-vote* raises no term
//! unless it could win; a follower that *hears a leader* helps nobody to depose it; and a leader that hears
//! no majority *steps down* by itself (in `leader`). Refusals carry the refuser's term and the asker takes
//! a higher one over, so terms spread even where nobody can win.
//!
//! Who campaigns first is no accident. The time between T and 2 T is cut into slots, one for each follower,
//! in the line of succession that the last leader kept; the draw is made inside the slot. So the follower
//! that knows most is asked first, and split votes are rare. Whoever has campaigned in vain draws from all
//! of it, which keeps the paper's guarantee against repeated splits.
//!
//! Voters also tell what they know to be committed. The winner has all of that in its log (leader
//! completeness, 5.4.3), so it counts as committed from the first moment of its reign, and whatever the last
//! leader is known to have committed, and so has answered, need not be answered again.

use std::collections::BTreeMap;

use super::message::{Envelope, Message};
use super::node::{Raft, Role};
use super::quorum::Voters;
use super::types::{Index, Instant, NodeId, Position, Span, Term};

/// Votes or pre-votes being collected.
#[derive(Debug)]
pub(super) struct Campaign {
    /// Names this campaign in pre-votes.
    number: u64,
    answers: BTreeMap<NodeId, Answer>,
    /// The highest commit index that anybody has told in this campaign.
    commit: Index,
    /// When to repeat the question, and how long to wait after that.
    ask_at: Instant,
    ask_span: Span,
    /// Whether the last leader asked for it (R14).
    transfer: bool,
    /// When to give up and start anew.
    pub(super) deadline: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Granted,
    Refused,
}

impl Campaign {
    pub(super) fn next_event(&self) -> Instant {
        self.ask_at.min(self.deadline)
    }

    fn is_won(&self, voters: &Voters) -> bool {
        voters.agree(|id| self.answers.get(&id) == Some(&Answer::Granted))
    }

    /// A grant is a promise and stands; a refusal may give way to it.
    fn record(&mut self, from: NodeId, granted: bool, commit: Index) {
        self.commit = self.commit.max(commit);
        let answer = if granted { Answer::Granted } else { Answer::Refused };
        let known = self.answers.entry(from).or_insert(answer);
        if granted {
            *known = answer;
        }
    }
}

impl Raft {
    /// How long a follower waits for a word from a leader, drawn anew at each reset.
    pub(super) fn patience(&mut self) -> Span {
        let timeout = self.config.election_timeout;
        let slots = self.memberships.voters().needed_others().max(1) as u64 * 2;
        let rank = self.rank.min(self.memberships.voters().count()) as u64;
        if self.contact.is_none() && self.hard.term == Term(0) {
            // Nobody has ever led: there is nobody to depose and nothing to guess.
            return self.config.first_election + self.config.first_election.times(rank).divided(slots);
        }
        let slot = timeout.divided(slots);
        timeout + slot.times(rank.min(slots - 1)) + Span(self.prng.below(slot.0.max(1)))
    }

    pub(super) fn become_pre_candidate(&mut self, now: Instant) {
        if self.is_writing_late(now) || !self.may_lead() {
            // Whoever cannot store anything would be no use as a leader (R8), and a learner, or one that is
            // no member any more, only waits (R13).
            return self.become_follower(now, None);
        }
        let campaign = self.campaign(now, self.commit, false);
        self.role = Role::PreCandidate(campaign);
        self.ask(now);
        self.win_if_won(now);
    }

    /// Whether this replica votes. Whoever was a voter until an entry that is not known to be committed may
    /// be the only one that has this entry, and so the only one whom a majority would elect (thesis 4.2.2).
    pub(super) fn may_lead(&self) -> bool {
        let me = self.config.id;
        let is_settled = self.memberships.index() <= self.commit;
        self.memberships.voters().contains(me) || (!is_settled && self.memberships.any_has_voter(me))
    }

    pub(super) fn become_candidate(&mut self, now: Instant, commit: Index, transfer: bool) {
        self.hard.term = self.hard.term.next();
        self.hard.vote = Some(self.config.id);
        self.receiving = None;
        let campaign = self.campaign(now, commit, transfer);
        self.role = Role::Candidate(campaign);
        self.ask(now);
        self.win_if_won(now);
    }

    fn campaign(&mut self, now: Instant, commit: Index, transfer: bool) -> Campaign {
        let timeout = self.config.election_timeout;
        let deadline = now + timeout + Span(self.prng.below(timeout.0));
        Campaign {
            number: self.prng.next_u64(),
            answers: BTreeMap::from([(self.config.id, Answer::Granted)]),
            commit,
            ask_at: now,
            ask_span: self.config.vote_retry,
            transfer,
            deadline,
        }
    }

    pub(super) fn repeat_questions(&mut self, now: Instant) {
        if let Role::PreCandidate(campaign) | Role::Candidate(campaign) = &self.role
            && campaign.ask_at <= now
        {
            self.ask(now);
        }
    }

    /// Asks everybody whose answer can still change: a refused vote stays refused in its term, a refused
    /// pre-vote does not, since the leader that the refuser heard may fall silent.
    fn ask(&mut self, now: Instant) {
        let (last, term) = (self.log.last(), self.hard.term);
        let (campaign, is_vote) = match &mut self.role {
            Role::PreCandidate(campaign) => (campaign, false),
            Role::Candidate(campaign) => (campaign, true),
            _ => unreachable!("only a campaign asks"),
        };
        campaign.ask_at = now + campaign.ask_span;
        campaign.ask_span = campaign.ask_span.times(2);
        let transfer = campaign.transfer;
        for to in self.memberships.voters().others(self.config.id) {
            let message = match campaign.answers.get(&to) {
                Some(Answer::Granted) => continue,
                Some(Answer::Refused) if is_vote => continue,
                _ if is_vote => Message::Vote { last, transfer },
                _ => Message::PreVote { last, campaign: campaign.number },
            };
            let envelope = Envelope { from: self.config.id, to, term, message };
            // The own vote counts in what is asked, so it must be durable first (R2).
            if is_vote { self.after_write.push(envelope) } else { self.at_once.push(envelope) }
        }
    }

    /// The own vote counts when it is stored, as everybody's does (R2): with others this is so before they
    /// are asked, but a lone voter with a learner would speak to it in a term that it may forget.
    pub(super) fn win_if_won(&mut self, now: Instant) {
        match &self.role {
            Role::PreCandidate(campaign) if campaign.is_won(self.memberships.voters()) => {
                self.become_candidate(now, campaign.commit, false);
            }
            Role::Candidate(campaign)
                if campaign.is_won(self.memberships.voters()) && self.is_vote_stored() =>
            {
                if self.is_writing_late(now) {
                    // The vote is stored, what came after it hangs: as above (R8).
                    return self.become_follower(now, None);
                }
                self.become_leader(now, campaign.commit);
            }
            _ => {}
        }
    }

    /// Whether a majority may still rely on a leader: it has been heard within T, or it is this replica
    /// and hears a majority (R6, R20).
    pub(super) fn is_leader_fresh(&self, now: Instant) -> bool {
        match &self.role {
            Role::Leader(leader) => !leader.has_lost_quorum(now, &self.config, self.memberships.voters()),
            _ => self.contact.is_some_and(|contact| now - contact < self.config.election_timeout),
        }
    }

    pub(super) fn on_pre_vote(
        &mut self,
        now: Instant,
        from: NodeId,
        term: Term,
        last: Position,
        campaign: u64,
    ) {
        let granted = term >= self.hard.term && last >= self.log.last() && !self.is_leader_fresh(now);
        self.answer(from, Message::PreVoteReply { campaign, granted, commit: self.commit });
    }

    pub(super) fn on_pre_vote_reply(
        &mut self,
        now: Instant,
        from: NodeId,
        term: Term,
        number: u64,
        granted: bool,
        commit: Index,
    ) {
        if term > self.hard.term {
            return self.enter_term(now, term);
        }
        if let Role::PreCandidate(campaign) = &mut self.role
            && campaign.number == number
        {
            campaign.record(from, granted, commit);
            self.win_if_won(now);
        }
    }

    pub(super) fn on_vote(&mut self, now: Instant, from: NodeId, last: Position) {
        let free = self.hard.vote.is_none_or(|vote| vote == from);
        let granted = free && last >= self.log.last();
        if granted {
            assert!(!matches!(self.role, Role::Candidate(_) | Role::Leader(_)), "one vote a term (S2)");
            self.hard.vote = Some(from);
            self.become_follower(now, None);
        }
        self.answer(from, Message::VoteReply { granted, commit: self.commit });
    }

    pub(super) fn on_vote_reply(&mut self, now: Instant, from: NodeId, granted: bool, commit: Index) {
        if let Role::Candidate(campaign) = &mut self.role {
            campaign.record(from, granted, commit);
            self.win_if_won(now);
        }
    }
}
