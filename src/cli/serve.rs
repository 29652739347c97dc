//! `quorate serve`: one durable node.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use log::{info, warn};

use super::settings::{self, Settings, Wish};
use super::{Failure, help, show, start_log};
use crate::disk::{Directory, LockError};
use crate::identity::{ClusterId, Incarnation};
use crate::net::{Address, Listener};
use crate::raft::{Config, ReadMode, Replication, Span};
use crate::runtime::{self, arbitrary_seed};
use crate::server::{self, Acquaintances, Doors, Setup};
use crate::snapshot::SnapshotError;
use crate::storage::{Storage, StorageError};
use crate::wal;

/// Serves until it is told to end or something fails.
pub(super) fn run(words: &[String]) -> Result<(), Failure> {
    match settings::read(words, std::env::vars_os())? {
        Wish::Serve(settings) => serve(&settings),
        Wish::Show(text) => show(&text).map(drop),
        Wish::Help => show(&help::text(Some("serve")).expect("serve has a text")).map(drop),
    }
}

fn serve(settings: &Settings) -> Result<(), Failure> {
    let (id, data) = (settings.id, &settings.data);
    let signals =
        server::catch_signals().map_err(|error| Failure::io(format!("cannot catch signals: {error}")))?;
    start_log(&id.0.to_string(), "info");
    let identity = open_identity(data, settings)?;
    let storage = open_storage(data, identity)?;
    let listen_at = |doors: &[Address]| doors.iter().map(listen).collect::<Result<Vec<_>, _>>();
    let doors = Doors { clients: listen_at(&settings.client)?, peers: listen_at(&settings.peer)? };
    let setup = Setup {
        cluster: identity.cluster,
        life: identity.incarnation,
        acquaintances: open_acquaintances(data)?,
        config: raft_config(settings),
        storage,
        members: settings.peers.clone(),
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
const LOG_FOLDER: &str = "log";

/// The folder of the snapshots beside it.
const SNAPSHOT_FOLDER: &str = "snapshots";

/// The file of the others' lives, there too.
const PEERS_FILE: &str = "peers";

/// A name for the cluster that its founders agree on without talking: what they were told.
fn cluster_id(settings: &Settings) -> ClusterId {
    let ids: Vec<u16> = settings.peers.iter().map(|(id, _)| id.0).collect();
    ClusterId(xxhash_rust::xxh3::xxh3_64(format!("{} {ids:?}", settings.cluster).as_bytes()))
}

fn listen(address: &Address) -> Result<Listener, Failure> {
    address.listen().map_err(|error| Failure::io(format!("cannot listen at {address}: {error}")))
}

/// Whose directory this is. A new one is formatted when the command line says so, and only then: an empty
/// disk under an old name must never pass for the old replica (R18).
fn open_identity(data: &Path, settings: &Settings) -> Result<wal::Identity, Failure> {
    let (cluster, id) = (cluster_id(settings), settings.id);
    let file = data.join("identity");
    if let Ok(text) = fs::read_to_string(&file) {
        let incarnation = text.trim().parse().map(Incarnation).map_err(|_| {
            Failure::damaged(format!("{} does not hold a number; restore it from a backup", file.display()))
        })?;
        return Ok(wal::Identity { cluster, node: id, incarnation });
    }
    if !settings.bootstrap {
        let message =
            format!("{} holds no node; if it is new, start it once with --bootstrap", data.display());
        return Err(Failure::usage_of("serve", message));
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

fn open_acquaintances(data: &Path) -> Result<Acquaintances, Failure> {
    Acquaintances::open(data.join(PEERS_FILE)).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => Failure::damaged(format!("{error}; restore it from a backup")),
        _ => Failure::io(format!("cannot read whom this node has met: {error}")),
    })
}

fn busy(error: &LockError) -> Failure {
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

fn refused(error: &wal::OpenError) -> Failure {
    match error {
        wal::OpenError::Failed(_) | wal::OpenError::Full { .. } => Failure::io(error.to_string()),
        wal::OpenError::Damaged { .. } | wal::OpenError::Missing { .. } => {
            Failure::damaged(error.to_string())
        }
        _ => Failure::usage(error.to_string()),
    }
}

fn raft_config(settings: &Settings) -> Config {
    let election_timeout = settings.election_timeout;
    let milliseconds = election_timeout.0 / 1_000;
    Config {
        id: settings.id,
        voters: settings.peers.iter().map(|(id, _)| *id).collect(),
        election_timeout,
        first_election: Span::milliseconds(milliseconds / 5),
        heartbeat: settings.heartbeat,
        // Lines lose nothing while they are up, and a broken one is reported; patience costs nothing.
        retry: election_timeout.min(Span::milliseconds(1_000)),
        vote_retry: Span::milliseconds((milliseconds / 20).clamp(1, 1_000)),
        replication: Replication::Everyone,
        reads: if settings.leases { ReadMode::Leased } else { ReadMode::Confirmed },
        commit_notice: None,
        append_bytes_max: 1 << 20,
        inflight_max: 256,
        uncommitted_bytes_max: 64 << 20,
        tail_bytes: 8 << 20,
        write_patience: (election_timeout + election_timeout).max(Span::milliseconds(1_000)),
    }
}
