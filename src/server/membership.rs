//! A node follows the membership: lines to whoever it may have to speak with, and what it tells of them.

use std::sync::Arc;

use log::{info, warn};

use super::node::Node;
use super::picture::Member;
use crate::raft::{Membership, NodeId};

impl Node {
    /// Makes everything fit the membership that counts now.
    pub(super) fn follow_members(&mut self) {
        let (membership, peers) = self.replica.members();
        let listed: Arc<[Member]> = list(membership, |id, note| self.links.reach(id, note)).into();
        let lacking: Vec<NodeId> = self.links.follow(&peers, membership);
        for id in lacking {
            warn!("where node {} is nobody has said: add it to --peers", id.0);
        }
        self.full_peers.retain(|id| peers.contains(id));
        self.seat.members = listed;
        let was_removed = std::mem::replace(&mut self.is_removed, self.replica.is_removed());
        if self.is_removed && !was_removed {
            info!("node {} is no member of its cluster any more; it can be stopped", self.seat.id.0);
        }
    }
}

/// The members as they are told to people.
fn list(membership: &Membership, reach: impl Fn(NodeId, &str) -> Option<String>) -> Vec<Member> {
    let members = membership.members().iter();
    let told = members.map(|member| Member {
        id: member.id,
        standing: member.standing,
        address: reach(member.id, &member.note).unwrap_or_default(),
    });
    told.collect()
}
