//! The rare situations that the schedules are meant to reach, counted.
//!
//! A model that never cuts a log or never loses a lease proves nothing about either. So each has a counter
//! here, and the sum over all seeds of a run must not be zero.

use std::ops::AddAssign;

use quorate::raft::{AppendOutcome, Effects, Envelope, Message, Status};

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Copy, Debug, Default)]
        pub(crate) struct Sometimes {
            $(pub(crate) $name: u64,)*
        }

        impl AddAssign for Sometimes {
            fn add_assign(&mut self, other: Sometimes) {
                $(self.$name += other.$name;)*
            }
        }

        impl Sometimes {
            /// What never happened.
            pub(crate) fn missing(&self) -> Vec<&'static str> {
                [$((stringify!($name), self.$name)),*].iter().filter(|(_, count)| *count == 0)
                    .map(|(name, _)| *name).collect()
            }
        }
    };
}

counters!(
    turns,
    elections_won,
    leaders_stepped_down,
    logs_cut,
    logs_cut_during_a_write,
    commits_before_own_disk,
    reads_ready,
    reads_ready_at_once,
    reads_failed,
    pre_votes_refused,
    votes_refused,
    appends_refused,
    deposed_leaders_told,
    proposals_refused,
    entries_read_back,
    changes_begun,
    changes_refused,
    memberships_joint,
    memberships_left,
    memberships_cut,
    leaders_of_joint_memberships_elected,
    leaders_removed,
    leaderships_handed_over,
);

impl Sometimes {
    pub(crate) fn note_turn(&mut self, before: &Status, after: &Status, disk_busy: bool, effects: &Effects) {
        self.turns += 1;
        let changed = before.leader != after.leader;
        self.elections_won += u64::from(changed && before.leader.is_none() && after.leader.is_some());
        self.reads_ready += effects.reads_ready.len() as u64;
        self.reads_failed += effects.reads_failed.len() as u64;
        self.leaders_stepped_down += u64::from(before.leader.is_some() && after.leader.is_none());
        let first =
            effects.write.as_ref().and_then(|write| write.entries.as_ref()).map(|append| append.first);
        let cut = first.is_some_and(|first| first <= before.last.index);
        self.logs_cut += u64::from(cut);
        self.logs_cut_during_a_write += u64::from(cut && disk_busy);
        let handed_out = effects.committed.last().map(|committed| committed.index);
        let lags = after.commit > before.commit && handed_out != Some(after.commit);
        self.commits_before_own_disk += u64::from(lags);
        self.reads_ready_at_once +=
            u64::from(!effects.reads_ready.is_empty() && effects.send.is_empty() && effects.write.is_none());
        let waiting = effects.write.iter().flat_map(|write| &write.then_send);
        effects.send.iter().chain(waiting).for_each(|envelope| self.note_message(envelope));
    }

    fn note_message(&mut self, envelope: &Envelope) {
        match &envelope.message {
            Message::PreVoteReply { granted: false, .. } => self.pre_votes_refused += 1,
            Message::VoteReply { granted: false, .. } => self.votes_refused += 1,
            Message::AppendReply { outcome: AppendOutcome::Missing { .. }, .. } => self.appends_refused += 1,
            Message::AppendReply { outcome: AppendOutcome::Deposed, .. } => self.deposed_leaders_told += 1,
            _ => {}
        }
    }
}
