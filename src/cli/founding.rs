//! Whose data directory this is: the file `identity`, written once, when the directory is formatted.
//!
//! It holds the number that was drawn for this life of the disk, the cluster, and the founders: the voters
//! that count as long as the log says nothing of members. All three are kept because none may change with
//! what a later start is told: `--peers` may well name more nodes by then.
//!
//! A directory is formatted when the command line says so, and only then: an empty disk under an old name
//! must never pass for the old replica (R18).

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use log::info;
use signal_hook::iterator::Signals;

use super::Failure;
use super::serve::{LOG_FOLDER, busy, refused};
use super::settings::Settings;
use crate::disk::Directory;
use crate::identity::{ClusterId, Incarnation};
use crate::raft::NodeId;
use crate::runtime::{self, arbitrary_seed};
use crate::server::{self, Doors};
use crate::wal;

/// Whose directory it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Founding {
    /// What the log is marked with.
    pub(super) identity: wal::Identity,
    /// The first voters; none for a node that was taken in later.
    pub(super) founders: Vec<NodeId>,
}

/// The file's name.
const FILE: &str = "identity";

/// Reads who this is, or becomes somebody. `None`: told to end while it waited to be taken in.
pub(super) fn open(
    settings: &Settings,
    doors: &mut Doors,
    signals: &mut Signals,
) -> Result<Option<Founding>, Failure> {
    let file = settings.data.join(FILE);
    match fs::read_to_string(&file) {
        Ok(text) => {
            let founding = read(&text, settings.id).ok_or_else(|| {
                Failure::damaged(format!(
                    "{} does not say which node this is; restore it from a backup",
                    file.display()
                ))
            })?;
            refuse_other_cluster(settings, &founding)?;
            Ok(Some(founding))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::io(format!("cannot read {}: {error}", file.display())))
        }
        Err(_) if settings.bootstrap => {
            let founders: Vec<NodeId> = settings.peers.iter().map(|(id, _)| *id).collect();
            let cluster = name_of(&settings.cluster, &founders);
            format(settings, cluster, founders).map(Some)
        }
        Err(_) if settings.join => {
            info!("waits to be taken in: ask the cluster for RAFT.ADD {} ADDRESS", settings.id.0);
            let found = server::wait_to_be_taken_in(doors, settings.id, signals);
            let found =
                found.map_err(|error| Failure::io(format!("cannot wait for the cluster: {error}")))?;
            found.map(|cluster| format(settings, cluster, Vec::new())).transpose()
        }
        Err(_) => {
            let message = format!(
                "{} holds no node; if it is new, start it once with --bootstrap, or with --join to be taken \
                 into a cluster that runs",
                settings.data.display()
            );
            Err(Failure::usage_of("serve", message))
        }
    }
}

/// A name for a cluster that its founders agree on without talking: what they were told.
fn name_of(cluster: &str, founders: &[NodeId]) -> ClusterId {
    let ids: Vec<u16> = founders.iter().map(|id| id.0).collect();
    ClusterId(xxhash_rust::xxh3::xxh3_64(format!("{cluster} {ids:?}").as_bytes()))
}

fn refuse_other_cluster(settings: &Settings, founding: &Founding) -> Result<(), Failure> {
    let Founding { identity, founders } = founding;
    let is_ours = founders.is_empty() || name_of(&settings.cluster, founders) == identity.cluster;
    if is_ours {
        return Ok(());
    }
    let (data, name) = (settings.data.display(), &settings.cluster);
    Err(Failure::usage(format!("{data} belongs to another cluster than {name:?}; see --cluster")))
}

/// `life cluster founder,founder,...`, in one line.
fn read(text: &str, node: NodeId) -> Option<Founding> {
    let mut words = text.trim_end().split(' ');
    let incarnation = Incarnation(words.next()?.parse().ok()?);
    let cluster = ClusterId(words.next()?.parse().ok()?);
    let founders = match (words.next()?, words.next()) {
        ("-", None) => Vec::new(),
        (ids, None) => ids.split(',').map(|id| id.parse().map(NodeId).ok()).collect::<Option<_>>()?,
        _ => return None,
    };
    Some(Founding { identity: wal::Identity { cluster, node, incarnation }, founders })
}

fn write(founding: &Founding) -> String {
    let Founding { identity, founders } = founding;
    let ids: Vec<String> = founders.iter().map(|id| id.0.to_string()).collect();
    let ids = if ids.is_empty() { "-".to_owned() } else { ids.join(",") };
    format!("{} {} {ids}\n", identity.incarnation.0, identity.cluster.0)
}

fn format(settings: &Settings, cluster: ClusterId, founders: Vec<NodeId>) -> Result<Founding, Failure> {
    let data: &Path = &settings.data;
    let broken = |error: std::io::Error| Failure::io(format!("cannot format {}: {error}", data.display()));
    let incarnation = Incarnation(arbitrary_seed());
    let identity = wal::Identity { cluster, node: settings.id, incarnation };
    fs::create_dir_all(data.join(LOG_FOLDER)).map_err(broken)?;
    let disk = Directory::open(&data.join(LOG_FOLDER)).map_err(|error| busy(&error))?;
    drop(wal::create(disk, identity, wal::Options::default()).map_err(|error| refused(&error))?);
    let founding = Founding { identity, founders };
    // Last, so that a directory with an identity is one that was formatted to the end.
    runtime::write_file(&data.join(FILE), write(&founding).as_bytes()).map_err(broken)?;
    Ok(founding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let identity =
            wal::Identity { cluster: ClusterId(u64::MAX), node: NodeId(2), incarnation: Incarnation(7) };
        for founders in [vec![], vec![NodeId(2)], vec![NodeId(1), NodeId(2), NodeId(65535)]] {
            let founding = Founding { identity, founders };
            assert_eq!(read(&write(&founding), NodeId(2)), Some(founding));
        }
        for text in ["", "7", "7 8", "7 8 x", "7 8 1,", "7 8 - 9", "7 8 1 2"] {
            assert_eq!(read(text, NodeId(2)), None, "{text}");
        }
    }
}
