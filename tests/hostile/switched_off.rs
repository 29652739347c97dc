//! Nodes that are switched off: what is on their disks, and what they make of it when one of their files is
//! damaged.

use std::ops::Range;

use quorate::disk::{Disk, SimDisk};
use quorate::kv::{Command, Store};
use quorate::raft::{Payload, Recovered, SnapshotId};
use quorate::sim::Node;
use quorate::snapshot::{SnapshotError, Snapshots};
use quorate::storage::{Storage, StorageError};
use quorate::wal::OpenError;

use super::cluster::CLUSTER;
use super::log_files::{self, State};

/// A node that is switched off.
pub(crate) struct Image {
    pub(crate) node: Node,
    pub(crate) files: Vec<File>,
    /// What it has written, and what that would be without its last record.
    whole: Contents,
    shorter: Option<Contents>,
}

/// A file with something in it.
pub(crate) struct File {
    pub(crate) which: Which,
    pub(crate) name: String,
    pub(crate) bytes: usize,
    /// Where its last record is, if it is the newest segment and that is not its first: a segment has its
    /// name only when the first is durable.
    pub(crate) tail: Option<Range<usize>>,
    /// Whether nothing is written to it any more.
    pub(crate) is_complete: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Which {
    Log,
    Snapshots,
}

/// What a node amounts to.
#[derive(PartialEq, Debug)]
struct Contents {
    log: State,
    snapshot: Option<SnapshotId>,
    /// The store, once everything in the log has been carried out.
    digest: u64,
}

/// What a node made of a damaged file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Outcome {
    /// It does not start.
    Refused,
    /// It starts from an older snapshot, and nothing is missing.
    FellBack,
    /// It starts without its last record.
    Cut,
    /// Nothing was there, or not any more.
    Unharmed,
}

impl Image {
    pub(crate) fn of(node: &Node) -> Image {
        let node = copy(node);
        let files: Vec<File> =
            [Which::Log, Which::Snapshots].into_iter().flat_map(|which| files(&node, which)).collect();
        let whole = Contents::of(copy(&node).open().expect("nothing is wrong with it"));
        let shorter = without_last_record(&node, &files).map(Contents::of);
        Image { node, files, whole, shorter }
    }

    pub(crate) fn content(&self, file: &File) -> Vec<u8> {
        disk(&self.node, file.which).content(&file.name).expect("it is there")
    }

    /// The node with other bytes in one of its files.
    fn with(&self, file: &File, bytes: Vec<u8>) -> Node {
        let node = copy(&self.node);
        disk(&node, file.which).tamper(&file.name, Some(bytes));
        node
    }

    /// Starts the node with a damaged file. Panics when the damage is not detected.
    pub(crate) fn strike(&self, file: &File, place: usize, bytes: Vec<u8>) -> Outcome {
        let context =
            || format!("{:?}/{} of {:?}, byte {place}", file.which, file.name, self.node.make.identity);
        let node = self.with(file, bytes.clone());
        let storage = match node.open() {
            Ok(storage) => storage,
            Err(error) => {
                let left = disk(&node, file.which).content(&file.name);
                assert_eq!(left, Some(bytes), "{}: evidence was changed", context());
                let is_damage = match error {
                    StorageError::Log(OpenError::Damaged { .. }) | StorageError::Gap { .. } => true,
                    // That an older segment is not needed any more may be said by the last record alone.
                    StorageError::Log(OpenError::Missing { .. }) => self.shorter.is_none(),
                    _ => false,
                };
                assert!(is_damage, "{}: {error}", context());
                return Outcome::Refused;
            }
        };
        let (is_cut, is_spoilt) = (storage.findings.cut.is_some(), !storage.findings.damaged.is_empty());
        let found = Contents::of(storage);
        if is_cut && Some(&found) == self.shorter.as_ref() {
            let is_last = file.tail.as_ref().is_some_and(|tail| tail.contains(&place));
            assert!(is_last, "{}: a record was cut off that can be told from a torn one", context());
            return Outcome::Cut;
        }
        assert_eq!((&found.log, found.digest), (&self.whole.log, self.whole.digest), "{}", context());
        if is_spoilt {
            assert_eq!(file.which, Which::Snapshots, "{}", context());
            return Outcome::FellBack;
        }
        assert_eq!(found.snapshot, self.whole.snapshot, "{}", context());
        if file.which == Which::Snapshots {
            check_not_loaded(&node, &file.name, &context());
        }
        Outcome::Unharmed
    }
}

/// Another node with the same disks.
fn copy(node: &Node) -> Node {
    let mut other = Node::new(node.make.clone());
    (other.log_disk, other.snapshot_disk) = (node.log_disk.fork(), node.snapshot_disk.fork());
    other
}

/// What a node finds whose last record was never written, if that can be.
fn without_last_record(node: &Node, files: &[File]) -> Option<Storage<SimDisk>> {
    let node = copy(node);
    let (newest, tail) = files.iter().find_map(|file| Some((file, file.tail.clone()?)))?;
    let mut bytes = node.log_disk.content(&newest.name).expect("it is there");
    bytes[tail].fill(0);
    node.log_disk.tamper(&newest.name, Some(bytes));
    match node.open() {
        // It was the mark for which older segments have gone.
        Err(StorageError::Log(OpenError::Missing { .. })) => None,
        opened => Some(opened.expect("a log ends where its records end")),
    }
}

/// A snapshot that was not needed yet is not believed either when it is.
fn check_not_loaded(node: &Node, name: &str, context: &str) {
    let (mut snapshots, found) = Snapshots::open(node.snapshot_disk.clone(), CLUSTER).expect(context);
    let named =
        |id: &&SnapshotId| name == format!("{:016x}-{:016x}.snapshot", id.last.index.0, id.last.term.0);
    let Some(id) = found.snapshots.iter().find(named) else {
        // One too many, since its removal was not durable; the opening has made up for it.
        return assert_eq!(node.snapshot_disk.content(name), None, "{context}");
    };
    let loaded = snapshots.load(*id, |_| Ok::<(), String>(()));
    assert!(matches!(loaded, Err(SnapshotError::Damaged { .. })), "{context}: {loaded:?}");
}

impl Contents {
    fn of(storage: Storage<SimDisk>) -> Contents {
        let Recovered { hard_state, start, entries, snapshot, .. } = storage.recovered;
        let log = State { hard_state, start, entries };
        let digest = carried_out(storage.store, &log, snapshot);
        Contents { log, snapshot, digest }
    }
}

/// The store with all entries carried out that it lacks.
fn carried_out(mut store: Store, log: &State, snapshot: Option<SnapshotId>) -> u64 {
    let done = snapshot.map_or(0, |snapshot| snapshot.last.index.0);
    let known = usize::try_from(done - log.start.index.0).expect("few");
    for entry in log.entries.iter().skip(known) {
        if let Payload::Command(bytes) = &entry.payload {
            store.apply(Command::decode(bytes));
        }
    }
    store.digest()
}

pub(crate) fn disk(node: &Node, which: Which) -> &SimDisk {
    match which {
        Which::Log => &node.log_disk,
        Which::Snapshots => &node.snapshot_disk,
    }
}

pub(crate) fn files(node: &Node, which: Which) -> Vec<File> {
    let disk = disk(node, which);
    let mut names = disk.clone().names().expect("it does not fail");
    names.retain(|name| name.ends_with(".wal") || name.ends_with(".snapshot"));
    names.sort();
    let newest = names.last().cloned();
    let file = |name: String| {
        let content = disk.content(&name).expect("it is there");
        let is_complete = which == Which::Snapshots || Some(&name) != newest.as_ref();
        let last = log_files::records(&content).into_iter().skip(1).last();
        let tail = last.filter(|_| !is_complete).map(|(start, end)| start..end);
        File { which, name, bytes: content.len(), tail, is_complete }
    };
    names.into_iter().map(file).collect()
}
