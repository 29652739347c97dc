//! What a run is made of, from the environment.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

/// The parameters of a run.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) nodes: u64,
    /// Clients that begin at each node.
    pub(crate) clients: u64,
    /// Nodes to be killed, one after the other or several at once.
    pub(crate) kills: u64,
    pub(crate) leases: bool,
    /// After how many bytes of log a node takes a snapshot.
    pub(crate) snapshot_bytes: u64,
    /// Whether a node that is asked to end has to do so with exit code 0.
    pub(crate) is_graceful: bool,
    pub(crate) pause_ms_max: u64,
    pub(crate) is_long: bool,
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, which makes no sense")))
}

impl Settings {
    pub(crate) fn from_environment(kills: u64, is_long: bool) -> Settings {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later");
        Settings {
            seed: variable("KILLS_SEED").unwrap_or(u64::from(since_1970.subsec_nanos())),
            nodes: variable("KILLS_NODES").unwrap_or(3),
            clients: variable("KILLS_CLIENTS").unwrap_or(4),
            kills: variable("KILLS_COUNT").unwrap_or(kills),
            leases: variable("KILLS_LEASES") == Some(1),
            snapshot_bytes: variable("KILLS_SNAPSHOT_BYTES").unwrap_or(256 << 10),
            is_graceful: variable("KILLS_GRACEFUL") != Some(0),
            pause_ms_max: if is_long { 3_000 } else { 1_500 },
            is_long,
        }
    }

    pub(crate) fn clients_total(&self) -> u64 {
        self.nodes * self.clients
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { seed, nodes, clients, kills, .. } = self;
        write!(formatter, "KILLS_SEED={seed}: {nodes} nodes with {clients} clients each, {kills} kills")
    }
}
