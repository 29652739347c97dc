//! The rare situations that the runs are meant to reach, counted.
//!
//! A simulator that never installs a snapshot proves nothing about snapshots. So each situation has a counter
//! here, and the sum over a long run must not be zero.

use std::ops::AddAssign;

use super::ghost::Seen;

macro_rules! counters {
    ($($name:ident = $text:literal,)*) => {
        /// How often each situation has come about.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[allow(missing_docs, reason = "a counter is what its name says")]
        pub struct Sometimes {
            $(pub $name: u64,)*
        }

        impl AddAssign for Sometimes {
            fn add_assign(&mut self, other: Sometimes) {
                $(self.$name += other.$name;)*
            }
        }

        impl Sometimes {
            /// Every situation in words, with its count.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($text, self.$name),)*]
            }

            /// What never happened.
            pub fn missing(&self) -> Vec<&'static str> {
                self.all().into_iter().filter(|(_, count)| *count == 0).map(|(text, _)| text).collect()
            }
        }
    };
}

counters! {
    elections = "leaders elected",
    stepped_down = "leaders stepped down",
    logs_cut = "logs cut at a conflict",
    logs_cut_during_a_write = "logs cut while a write was under way",
    commits_before_own_disk = "commits before the leader's own disk had them",
    pre_votes_refused = "pre-votes refused",
    votes_refused = "votes refused",
    appends_refused = "appends refused",
    handovers = "hand-overs begun",
    changes_wanted = "changes of the members wanted",
    memberships_joint = "changes of voters begun in a log",
    memberships_left = "changes of voters ended in a log",
    memberships_cut = "memberships cut off",
    elected_while_joint = "leaders elected between old and new voters",
    leaders_removed = "leaders that were removed",
    messages_lost = "messages lost",
    messages_doubled = "messages doubled",
    messages_damaged = "messages damaged and refused",
    cuts = "lines cut",
    pauses = "pauses",
    kills = "processes killed",
    power_cuts = "power cuts",
    torn_steps = "disk steps cut in the middle",
    broken_recoveries = "recoveries cut short",
    torn_tails = "torn tails cut off",
    disk_failures = "disks failed, and the process with them",
    full_disks = "full disks noticed",
    stalls = "disks stalled",
    slow_nodes = "nodes slowed down",
    strays = "messages of another cluster refused",
    rot_found = "flipped bits found",
    rot_unread = "flipped bits that nobody reads",
    rot_torn = "flipped bits that pass for a torn write",
    nodes_lost_to_rot = "nodes that stay down with a damaged disk",
    snapshots_taken = "snapshots taken",
    snapshots_received = "snapshots received",
    tails_dropped = "logs dropped for a snapshot",
    parts_resumed = "parts of snapshots answered",
    entries_read_back = "stretches read back for followers",
    joined_at_start = "starts with a snapshot",
    requests = "requests made",
    answers = "requests answered",
    forwarded = "requests sent on by followers",
    retried = "requests retried",
    unknown = "requests without a known end",
    denied = "requests denied",
    idle = "clusters watched while idle",
    histories_checked = "histories of clients checked as a whole",
    histories_open = "histories too tangled for a verdict",
    images_checked = "disks opened beside their owner",
}

impl Sometimes {
    /// What a turn did to the membership of a node.
    pub(super) fn note_members(&mut self, seen: &Seen) {
        self.memberships_joint += u64::from(seen.is_joint && !seen.was_joint);
        self.memberships_left += u64::from(seen.was_joint && !seen.is_joint);
        self.memberships_cut += u64::from(seen.lost_membership);
        self.elected_while_joint += u64::from(seen.was_elected && seen.is_joint);
        self.leaders_removed += u64::from(seen.was_removed);
    }
}
