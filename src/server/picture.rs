//! What a node tells about itself and its cluster: one picture, drawn at the start of each turn.

use std::net::SocketAddr;
use std::sync::Arc;

use super::local::Process;
use crate::kv::WallClock;
use crate::raft::{NodeId, Standing, Status};

/// The state of things.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) me: NodeId,
    pub(super) members: Arc<[Member]>,
    pub(super) status: Status,
    pub(super) clients: usize,
    pub(super) clients_max: usize,
    pub(super) wall: WallClock,
    pub(super) is_full: bool,
}

/// A replica and where it is.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: NodeId,
    pub(super) standing: Standing,
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

    /// The leader, if one is known.
    pub(super) fn leader(&self) -> Option<&Member> {
        self.members.iter().find(|member| Some(member.id) == self.status.leader)
    }

    /// The text of INFO: the sections asked for, or all of them. They are those of Redis, as far as there is
    /// something to tell, and one of our own.
    pub(super) fn info(&self, asked: &[String]) -> String {
        const SECTIONS: [&str; 7] =
            ["server", "clients", "memory", "persistence", "replication", "cluster", "raft"];
        let is_all = asked.is_empty()
            || asked.iter().any(|name| ["all", "everything", "default"].contains(&name.as_str()));
        let process = Process::look();
        let wanted = SECTIONS.into_iter().filter(|name| is_all || asked.iter().any(|other| other == name));
        let sections: Vec<String> = wanted
            .map(|name| {
                let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
                format!("# {title}\r\n{}", self.section(name, process))
            })
            .collect();
        sections.join("\r\n")
    }

    fn section(&self, name: &str, process: Process) -> String {
        match name {
            "server" => format!(
                "redis_version:7.0.15\r\nredis_mode:standalone\r\nquorate_version:{}\r\nos:{}\r\n\
                 arch_bits:{}\r\nprocess_id:{}\r\nuptime_in_seconds:{}\r\nuptime_in_days:{}\r\n",
                env!("CARGO_PKG_VERSION"),
                std::env::consts::OS,
                usize::BITS,
                std::process::id(),
                process.uptime,
                process.uptime / 86_400,
            ),
            "clients" => format!(
                "connected_clients:{}\r\nmaxclients:{}\r\nblocked_clients:0\r\n",
                self.clients, self.clients_max
            ),
            "memory" => memory(process),
            "persistence" => {
                format!("loading:0\r\naof_enabled:1\r\nlog_is_full:{}\r\n", u8::from(self.is_full))
            }
            "replication" => self.replication(),
            "cluster" => "cluster_enabled:0\r\n".to_owned(),
            _ => self.raft(),
        }
    }

    fn replication(&self) -> String {
        let offset = self.status.commit.0;
        if self.is_leader() {
            return format!("role:master\r\nmaster_repl_offset:{offset}\r\n");
        }
        let (host, port) = self.leader().map_or((String::new(), 0), Member::host_and_port);
        let link = if self.leader().is_some() { "up" } else { "down" };
        format!(
            "role:slave\r\nmaster_host:{host}\r\nmaster_port:{port}\r\nmaster_link_status:{link}\r\n\
             slave_repl_offset:{offset}\r\n"
        )
    }

    fn raft(&self) -> String {
        let leader = self.status.leader.map_or("none".to_owned(), |leader| leader.0.to_string());
        let members: String = self
            .members
            .iter()
            .map(|member| {
                format!("member{}:address={},{}\r\n", member.id.0, member.address, member.standing())
            })
            .collect();
        format!(
            "node:{}\r\nstate:{}\r\nterm:{}\r\nleader:{leader}\r\nlast:{}\r\ncommit:{}\r\nmembers:{}\r\n\
             {members}",
            self.me.0,
            self.role(),
            self.status.term.0,
            self.status.last.index.0,
            self.status.commit.0,
            self.members.len(),
        )
    }
}

fn memory(process: Process) -> String {
    let Process { resident, peak, .. } = process;
    format!(
        "used_memory:{resident}\r\nused_memory_human:{}\r\nused_memory_rss:{resident}\r\n\
         used_memory_peak:{peak}\r\nused_memory_peak_human:{}\r\nmaxmemory:0\r\n\
         maxmemory_policy:noeviction\r\n",
        human(resident),
        human(peak),
    )
}

/// Bytes as Redis shows them to people: in mebibytes, with two places.
fn human(bytes: u64) -> String {
    format!("{}.{:02}M", bytes >> 20, ((bytes & 0xF_FFFF) * 100) >> 20)
}

impl Member {
    /// Its standing in one word.
    pub(super) fn standing(&self) -> &'static str {
        match self.standing {
            Standing::Learner => "learner",
            Standing::Voter => "voter",
            Standing::Joining => "joining",
            Standing::Leaving => "leaving",
        }
    }

    /// Its address in the form that Redis has for it, without brackets; a Unix socket has none.
    pub(super) fn host_and_port(&self) -> (String, u16) {
        let place = self.address.strip_prefix("tcp:").and_then(|place| place.parse::<SocketAddr>().ok());
        place.map_or(("127.0.0.1".to_owned(), 0), |place| (place.ip().to_string(), place.port()))
    }
}
