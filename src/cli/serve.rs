//! `quorate serve`: one durable node.

use std::fs;
use std::path::{Path, PathBuf};

use log::info;
use mio::{Poll, Token, Waker};

use super::{Failure, start_log};
use crate::disk::{Directory, LockError};
use crate::identity::{ClusterId, Incarnation};
use crate::kv::Store;
use crate::limits::{MAILBOX_BATCHES_MAX, REPLICAS_MAX};
use crate::net::{Address, Listener};
use crate::raft::{Config, NodeId, ReadMode, Recovered, Replication, Span};
use crate::replica::Replica;
use crate::runtime::{self, Clock, arbitrary_seed, mailbox};
use crate::server::{Doors, FIRST_LINE, Identity, Links, LogThread, Node, Parts, Seat, WAKE};
use crate::wal;

/// What the command line says.
#[derive(Debug, Default)]
struct Settings {
    id: Option<NodeId>,
    data: Option<PathBuf>,
    clients: Vec<Address>,
    peer: Option<Address>,
    members: Vec<(NodeId, Address)>,
    cluster: Option<String>,
    bootstrap: bool,
    leases: bool,
}

/// Serves until it is killed or something fails.
pub(super) fn run(words: &[String]) -> Result<(), Failure> {
    let settings = Settings::parse(words)?;
    let id = settings.id.ok_or_else(|| Failure::usage("serve needs --id"))?;
    let data = settings.data.clone().ok_or_else(|| Failure::usage("serve needs --data"))?;
    let peer = settings.peer.clone().ok_or_else(|| Failure::usage("serve needs --peer"))?;
    if !settings.members.iter().any(|(member, _)| *member == id) {
        return Err(Failure::usage(format!("--members does not name node {}", id.0)));
    }
    start_log(&id.0.to_string(), "info");
    let clock = Clock::start();
    let identity = open_identity(&data, &settings, id)?;
    let disk = Directory::open(&data.join(LOG_FOLDER)).map_err(|error| busy(&error))?;
    let (recovered, writer) =
        wal::open(disk, identity, wal::Options::default()).map_err(|error| refused(&error))?;
    if let Some(cut) = &recovered.cut {
        info!("cut the log's torn tail: {} from byte {}", cut.file, cut.offset);
    }
    let seed = arbitrary_seed();
    let config = raft_config(id, &settings);
    let replica = Replica::new(
        config,
        Recovered {
            hard_state: recovered.hard_state,
            start: recovered.start,
            entries: recovered.entries,
            snapshot: None,
        },
        Store::default(),
        clock.now(),
        seed,
    );
    let doors = Doors {
        clients: settings.clients.iter().map(listen).collect::<Result<_, _>>()?,
        peers: vec![listen(&peer)?],
    };
    let failed = |error| Failure::io(format!("node {}: {error}", id.0));
    let poll = Poll::new().map_err(failed)?;
    let waker = Waker::new(poll.registry(), WAKE).map_err(failed)?;
    let (log, for_log) = mailbox(MAILBOX_BATCHES_MAX, None);
    let (to_node, reports) = mailbox(MAILBOX_BATCHES_MAX, Some(waker));
    let thread = LogThread::new(writer, for_log, to_node, clock);
    runtime::spawn("log", move || thread.run()).map_err(failed)?;
    let links = Links::new(Identity { cluster: identity.cluster, id }, lines(id, &settings), seed);
    let members = settings.members.iter().map(|(id, address)| (*id, address.to_string())).collect();
    let seat = Seat { id, members };
    let node = Node::new(Parts { poll, clock, seat, replica, links, doors, reports, log }).map_err(failed)?;
    node.run().map_err(failed)
}

/// The folder of the log below the data directory.
const LOG_FOLDER: &str = "log";

impl Settings {
    fn parse(words: &[String]) -> Result<Settings, Failure> {
        use lexopt::prelude::{Long, ValueExt};
        let wrong = |error: lexopt::Error| Failure::usage(error.to_string());
        let mut settings = Settings::default();
        let mut parser = lexopt::Parser::from_args(words);
        while let Some(argument) = parser.next().map_err(wrong)? {
            let Long(flag) = argument else { return Err(wrong(argument.unexpected())) };
            let flag = flag.to_owned();
            let mut value = || parser.value().and_then(ValueExt::string).map_err(wrong);
            match flag.as_str() {
                "id" => settings.id = Some(node_id(&value()?)?),
                "data" => settings.data = Some(value()?.into()),
                "client" => settings.clients.push(address(&value()?)?),
                "peer" => settings.peer = Some(address(&value()?)?),
                "members" => settings.members = members(&value()?)?,
                "cluster" => settings.cluster = Some(value()?),
                "bootstrap" => settings.bootstrap = true,
                "leases" => settings.leases = true,
                other => return Err(Failure::usage(format!("serve has no option --{other}"))),
            }
        }
        Ok(settings)
    }

    /// A name for the cluster that its founders agree on without talking: what they were told.
    fn cluster_id(&self) -> ClusterId {
        let mut ids: Vec<u16> = self.members.iter().map(|(id, _)| id.0).collect();
        ids.sort_unstable();
        let name = self.cluster.as_deref().unwrap_or("quorate");
        ClusterId(xxhash_rust::xxh3::xxh3_64(format!("{name} {ids:?}").as_bytes()))
    }
}

fn node_id(text: &str) -> Result<NodeId, Failure> {
    let wrong = || Failure::usage(format!("{text:?} is not a node id: a number from 0 to 65534"));
    text.parse().ok().filter(|id| *id < u16::MAX).map(NodeId).ok_or_else(wrong)
}

fn address(text: &str) -> Result<Address, Failure> {
    text.parse().map_err(|error: String| Failure::usage(error))
}

/// `1=ADDRESS,2=ADDRESS,...`
fn members(text: &str) -> Result<Vec<(NodeId, Address)>, Failure> {
    let member = |part: &str| {
        let wrong = || Failure::usage(format!("{part:?} in --members is not ID=ADDRESS"));
        let (id, place) = part.split_once('=').ok_or_else(wrong)?;
        Ok((node_id(id)?, address(place)?))
    };
    let mut members = text.split(',').map(member).collect::<Result<Vec<_>, Failure>>()?;
    members.sort_by_key(|(id, _)| *id);
    if let Some(twice) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Failure::usage(format!("--members names node {} twice", twice[0].0.0)));
    }
    if members.len() > REPLICAS_MAX {
        return Err(Failure::usage(format!("{} members are more than {REPLICAS_MAX}", members.len())));
    }
    Ok(members)
}

fn listen(address: &Address) -> Result<Listener, Failure> {
    address.listen().map_err(|error| Failure::io(format!("cannot listen at {address}: {error}")))
}

/// The lines to all other members, each with its token.
fn lines(id: NodeId, settings: &Settings) -> Vec<(NodeId, Address, Token)> {
    let others = settings.members.iter().filter(|(member, _)| *member != id);
    others
        .enumerate()
        .map(|(place, (id, address))| (*id, address.clone(), Token(FIRST_LINE + place)))
        .collect()
}

/// Whose directory this is. A new one is formatted when the command line says so, and only then: an empty
/// disk under an old name must never pass for the old replica (R18).
fn open_identity(data: &Path, settings: &Settings, id: NodeId) -> Result<wal::Identity, Failure> {
    let cluster = settings.cluster_id();
    let file = data.join("identity");
    if let Ok(text) = fs::read_to_string(&file) {
        let incarnation = text.trim().parse().map(Incarnation).map_err(|_| {
            Failure::damaged(format!("{} does not hold a number; restore it from a backup", file.display()))
        })?;
        return Ok(wal::Identity { cluster, node: id, incarnation });
    }
    if !settings.bootstrap {
        return Err(Failure::usage(format!(
            "{} holds no replica; if it is new, start it once with --bootstrap",
            data.display()
        )));
    }
    let broken = |error: std::io::Error| Failure::io(format!("cannot format {}: {error}", data.display()));
    let incarnation = Incarnation(arbitrary_seed());
    let identity = wal::Identity { cluster, node: id, incarnation };
    fs::create_dir_all(data.join(LOG_FOLDER)).map_err(broken)?;
    let disk = Directory::open(&data.join(LOG_FOLDER)).map_err(|error| busy(&error))?;
    drop(wal::create(disk, identity, wal::Options::default()).map_err(|error| refused(&error))?);
    // Last, so that a directory with an identity is one that was formatted to the end.
    runtime::write_file(&file, incarnation.0.to_string().as_bytes()).map_err(broken)?;
    Ok(identity)
}

fn busy(error: &LockError) -> Failure {
    match error {
        LockError::Busy { .. } => Failure::usage(error.to_string()),
        LockError::Failed(_) => Failure::io(error.to_string()),
    }
}

fn refused(error: &wal::OpenError) -> Failure {
    match error {
        wal::OpenError::Failed(_) | wal::OpenError::Full { .. } => Failure::io(error.to_string()),
        wal::OpenError::Damaged { .. } | wal::OpenError::Missing { .. } => {
            Failure::damaged(error.to_string())
        }
        _ => Failure::usage(error.to_string()),
    }
}

fn raft_config(id: NodeId, settings: &Settings) -> Config {
    Config {
        id,
        voters: settings.members.iter().map(|(id, _)| *id).collect(),
        election_timeout: Span::milliseconds(1_000),
        first_election: Span::milliseconds(200),
        heartbeat: Span::milliseconds(100),
        // Lines lose nothing while they are up, and a broken one is reported; patience costs nothing.
        retry: Span::milliseconds(1_000),
        vote_retry: Span::milliseconds(50),
        replication: Replication::Everyone,
        reads: if settings.leases { ReadMode::Leased } else { ReadMode::Confirmed },
        commit_notice: None,
        append_bytes_max: 1 << 20,
        inflight_max: 256,
        uncommitted_bytes_max: 64 << 20,
        tail_bytes: 8 << 20,
        write_patience: Span::milliseconds(2_000),
    }
}
