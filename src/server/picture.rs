//! What a node tells about itself and its cluster: one picture, drawn at the start of each turn.

use crate::kv::WallClock;
use crate::raft::{NodeId, Status};

/// The state of things.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) me: NodeId,
    pub(super) members: Vec<Member>,
    pub(super) status: Status,
    pub(super) clients: usize,
    pub(super) wall: WallClock,
    pub(super) is_full: bool,
}

/// A replica and where it is.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) address: String,
}

impl Picture {
    pub(super) fn is_leader(&self) -> bool {
        self.status.leader == Some(self.me)
    }

    pub(super) fn role(&self) -> &'static str {
        match self.status.leader {
            Some(leader) if leader == self.me => "leader",
            Some(_) => "follower",
            None => "candidate",
        }
    }

    /// The text of INFO, sections as Redis has them, and one of our own.
    pub(super) fn info(&self) -> String {
        let redis_role = if self.is_leader() { "master" } else { "slave" };
        let leader = self.status.leader.map_or("none".to_owned(), |leader| leader.0.to_string());
        let members: String = self
            .members
            .iter()
            .map(|member| format!("member{}:address={}\r\n", member.id.0, member.address))
            .collect();
        format!(
            "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nquorate_version:{version}\r\n\
             process_id:{process}\r\n\r\n\
             # Clients\r\nconnected_clients:{clients}\r\n\r\n\
             # Persistence\r\nloading:0\r\naof_enabled:1\r\nlog_is_full:{full}\r\n\r\n\
             # Replication\r\nrole:{redis_role}\r\n\r\n\
             # Raft\r\nnode:{me}\r\nstate:{state}\r\nterm:{term}\r\nleader:{leader}\r\nlast:{last}\r\n\
             commit:{commit}\r\nmembers:{count}\r\n{members}",
            version = env!("CARGO_PKG_VERSION"),
            process = std::process::id(),
            clients = self.clients,
            full = u8::from(self.is_full),
            me = self.me.0,
            state = self.role(),
            term = self.status.term.0,
            last = self.status.last.index.0,
            commit = self.status.commit.0,
            count = self.members.len(),
        )
    }
}
