//! `quorate serve`: one durable node.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use log::{info, warn};

use super::founding::{self, Founding};
use super::settings::{self, Settings, Wish};
use super::{Failure, help, large_pages, show, start_log};
use crate::disk::{Directory, LockError};
use crate::net::{Address, Listener};
use crate::raft::{Config, NodeId, ReadMode, Replication, Span};
use crate::server::{self, Acquaintances, Doors, Setup};
use crate::snapshot::SnapshotError;
use crate::storage::{Storage, StorageError};
use crate::wal;

/// Serves until it is told to end or something fails.
pub(super) fn run(words: &[String]) -> Result<(), Failure> {
    large_pages::ask();
    match settings::read(words, std::env::vars_os())? {
        Wish::Serve(settings) => serve(&settings),
        Wish::Show(text) => show(&text).map(drop),
        Wish::Help => show(&help::text(Some("serve")).expect("serve has a text")).map(drop),
    }
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    let (id, data) = (settings.id, &settings.data);
    let mut signals =
        server::catch_signals().map_err(|error| Failure::io(format!("cannot catch signals: {error}")))?;
    start_log(&id.0.to_string(), "info");
    let listen_at = |doors: &[Address]| doors.iter().map(listen).collect::<Result<Vec<_>, _>>();
    let mut doors = Doors { clients: Vec::new(), peers: Vec::new() };
    if settings.join {
        // A new node has to be found before it can be anybody.
        doors.peers = listen_at(&settings.peer)?;
    }
    let Some(founding) = founding::open(settings, &mut doors, &mut signals)? else { return Ok(()) };
    let Founding { identity, founders } = founding;
    let storage = open_storage(data, identity)?;
    if doors.peers.is_empty() {
        doors.peers = listen_at(&settings.peer)?;
    }
    doors.clients = listen_at(&settings.client)?;
    let setup = Setup {
        cluster: identity.cluster,
        life: identity.incarnation,
        acquaintances: open_acquaintances(data)?,
        config: raft_config(settings, founders),
        storage,
        addresses: settings.peers.clone(),
        doors,
        snapshot_bytes: settings.snapshot_bytes,
        value_bytes_max: settings.value_bytes_max,
        placement: settings.placement,
        signals,
    };
    server::run(setup).map_err(|error| Failure::io(format!("node {}: {error}", id.0)))?;
    for path in sockets(settings) {
        // Whoever starts next replaces what is left; nothing rests on this.
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// Opens the log and the snapshots, and tells people what was found.
fn open_storage(data: &Path, identity: wal::Identity) -> Result<Storage<Directory>, Failure> {
    let open = |name: &str| {
        let folder = data.join(name);
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::io(format!("cannot make {}: {error}", folder.display())))?;
        Directory::open(&folder).map_err(|error| busy(&error))
    };
    let storage = Storage::open(open(LOG_FOLDER)?, open(SNAPSHOT_FOLDER)?, identity, wal::Options::default())
        .map_err(unusable)?;
    if let Some(cut) = &storage.findings.cut {
        info!("cut the log's torn tail: {} from byte {}", cut.file, cut.offset);
    }
    for damage in &storage.findings.damaged {
        warn!("{damage}; an older snapshot and a longer log stand in for it");
    }
    Ok(storage)
}

/// The files of the sockets that this node listens at.
fn sockets(settings: &Settings) -> Vec<PathBuf> {
    let doors = settings.client.iter().chain(&settings.peer);
    let path = |door: &Address| match door {
        Address::Unix(path) => Some(path.clone()),
        Address::Tcp(_) => None,
    };
    doors.filter_map(path).collect()
}

/// The folder of the log below the data directory.
pub(super) const LOG_FOLDER: &str = "log";

/// The folder of the snapshots beside it.
const SNAPSHOT_FOLDER: &str = "snapshots";

/// The file of the others' lives, there too.
const PEERS_FILE: &str = "peers";

fn listen(address: &Address) -> Result<Listener, Failure> {
    address.listen().map_err(|error| Failure::io(format!("cannot listen at {address}: {error}")))
}

fn open_acquaintances(data: &Path) -> Result<Acquaintances, Failure> {
    Acquaintances::open(data.join(PEERS_FILE)).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Failure::damaged(format!("{error}; restore it from a backup")),
        _ => Failure::io(format!("cannot read whom this node has met: {error}")),
    })
}

pub(super) fn busy(error: &LockError) -> Failure {
    match error {
        LockError::Busy { .. } => Failure::usage(error.to_string()),
        LockError::Failed(_) => Failure::io(error.to_string()),
    }
}

fn unusable(error: StorageError) -> Failure {
    match error {
        StorageError::Log(error) => refused(&error),
        StorageError::Gap { .. } => Failure::damaged(error.to_string()),
        StorageError::Snapshots(SnapshotError::Foreign { .. } | SnapshotError::Newer { .. }) => {
            Failure::usage(error.to_string())
        }
        StorageError::Snapshots(_) | StorageError::Mark(_) => Failure::io(error.to_string()),
    }
}

pub(super) fn refused(error: &wal::OpenError) -> Failure {
    match error {
        wal::OpenError::Failed(_) | wal::OpenError::Full { .. } => Failure::io(error.to_string()),
        wal::OpenError::Damaged { .. } | wal::OpenError::Missing { .. } => {
            Failure::damaged(error.to_string())
        }
        _ => Failure::usage(error.to_string()),
    }
}

/// How long a follower that the present majority can do without may lack what the others have. Long enough to
/// spare it nearly all single writes where there are many, short enough to stand in for one that is late.
const PACE: Span = Span::milliseconds(5);

fn raft_config(settings: &Settings, founders: Vec<NodeId>) -> Config {
    let election_timeout = settings.election_timeout;
    let milliseconds = election_timeout.0 / 1_000;
    Config {
        id: settings.id,
        voters: founders,
        election_timeout,
        first_election: Span::milliseconds(milliseconds / 5),
        heartbeat: settings.heartbeat,
        // Lines lose nothing while they are up, and a broken one is reported.
        retry: election_timeout.min(Span::milliseconds(1_000)),
        vote_retry: Span::milliseconds((milliseconds / 20).clamp(1, 1_000)),
        replication: Replication::Everyone { pace: PACE.min(settings.heartbeat) },
        reads: if settings.leases { ReadMode::Leased } else { ReadMode::Confirmed },
        commit_notice: None,
        append_bytes_max: 1 << 20,
        inflight_max: 256,
        uncommitted_bytes_max: 64 << 20,
        tail_bytes: 8 << 20,
        write_patience: (election_timeout + election_timeout).max(Span::milliseconds(1_000)),
    }
}
