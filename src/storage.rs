//! What a replica finds when it starts: its log and its snapshots, made to join, and the store in them.
//!
//! Snapshots lie in a directory of their own beside the log's. The log begins at the older of the two that
//! are kept, so a damaged newer one costs time and nothing else: the older one and a longer log hold the
//! same. Only right behind a snapshot that a leader has sent there is no older one to fall back to.
//!
//! A snapshot that came from a leader may be durable while the log does not know it yet, because the process
//! ended in between; then the log is told now (R15). Every step can be cut short and repeated.
//!
//! Generic over the disk, like both of its halves, so that a simulator opens a replica as a process does.

use std::error::Error;
use std::fmt;

use crate::codec;
use crate::disk::Disk;
use crate::kv::{Restorer, Store};
use crate::raft::{
    HardState, LogStart, LogWrite, Membership, Position, Recovered, SnapshotId, WriteSequence,
};
use crate::snapshot::{SnapshotError, Snapshots};
use crate::wal::{self, Cut, Identity, OpenError, Options, WriteError, Writer};

/// An opened replica's stable storage.
pub struct Storage<D: Disk> {
    /// What the consensus core begins with.
    pub recovered: Recovered,
    /// What the state machine begins with.
    pub store: Store,
    /// The log.
    pub writer: Writer<D>,
    /// The snapshots.
    pub snapshots: Snapshots<D>,
    /// What is worth a line in the log for people.
    pub findings: Findings,
}

/// What was found and mended, for people.
#[derive(Debug, Default)]
pub struct Findings {
    /// The torn tail of the log that was cut off.
    pub cut: Option<Cut>,
    /// Snapshots that cannot be used.
    pub damaged: Vec<SnapshotError>,
}

/// Why a replica's storage cannot be used.
#[derive(Debug)]
pub enum StorageError {
    /// The log cannot be opened.
    Log(OpenError),
    /// The snapshots cannot be opened.
    Snapshots(SnapshotError),
    /// The log begins behind every snapshot that can be read.
    Gap {
        /// Where it begins.
        start: Position,
        /// What is wrong with the snapshots that are there.
        damaged: Vec<SnapshotError>,
    },
    /// The log could not be told where it begins.
    Mark(WriteError),
}

impl<D: Disk> Storage<D> {
    /// Opens a log and its snapshots, each in a directory of its own.
    ///
    /// # Errors
    ///
    /// A [`StorageError`]; what was there is still there.
    pub fn open(
        log: D,
        snapshots: D,
        identity: Identity,
        options: Options,
    ) -> Result<Storage<D>, StorageError> {
        let (found_log, mut writer) = wal::open(log, identity, options).map_err(StorageError::Log)?;
        let (mut snapshots, found) =
            Snapshots::open(snapshots, identity.cluster).map_err(StorageError::Snapshots)?;
        let mut damaged = found.damaged;
        let usable = found.snapshots.iter().filter(|id| id.last.index >= found_log.start.index);
        let mut loaded = None;
        for id in usable {
            match load(&mut snapshots, *id) {
                Ok(image) => {
                    loaded = Some((*id, image));
                    break;
                }
                Err(error @ SnapshotError::Damaged { .. }) => damaged.push(error),
                Err(error) => return Err(StorageError::Snapshots(error)),
            }
        }
        if loaded.is_none() && found_log.start != Position::default() {
            return Err(StorageError::Gap { start: found_log.start, damaged });
        }
        let (snapshot, image) = loaded.unzip();
        let Image { store, membership } = image.unwrap_or_default();
        let mut recovered = Recovered {
            membership,
            hard_state: found_log.hard_state,
            start: found_log.start,
            entries: found_log.entries,
            snapshot,
        };
        join(&mut recovered, &mut writer).map_err(StorageError::Mark)?;
        let findings = Findings { cut: found_log.cut, damaged };
        Ok(Storage { recovered, store, writer, snapshots, findings })
    }
}

/// What a snapshot holds.
#[derive(Debug, Default)]
pub struct Image {
    /// The state machine.
    pub store: Store,
    /// Who took part, if it was noted.
    pub membership: Option<Membership>,
}

/// Reads a snapshot.
///
/// # Errors
///
/// What is wrong with its file.
pub fn load<D: Disk>(snapshots: &mut Snapshots<D>, id: SnapshotId) -> Result<Image, SnapshotError> {
    let mut restorer = Restorer::new();
    let membership = snapshots.load(id, |block| restorer.take(block))?;
    let damaged = |what: String| SnapshotError::Damaged {
        file: format!("the snapshot of {:?}", id.last),
        offset: id.bytes,
        what,
    };
    let store = restorer.finish().map_err(|garbage| damaged(garbage.to_string()))?;
    let membership = match &membership[..] {
        [] => None,
        bytes => Some(codec::decode(bytes).map_err(|garbage| damaged(garbage.to_string()))?),
    };
    Ok(Image { store, membership })
}

/// Lets the log begin behind a snapshot that it does not lead up to: one of a leader's. If the term in which
/// it came was not stored any more, at least the snapshot's own is reached; in that this replica has not
/// voted.
fn join<D: Disk>(recovered: &mut Recovered, writer: &mut Writer<D>) -> Result<(), WriteError> {
    let Some(snapshot) = recovered.snapshot else { return Ok(()) };
    if position(recovered, snapshot.last) == Some(snapshot.last) {
        return Ok(());
    }
    if recovered.hard_state.term < snapshot.last.term {
        recovered.hard_state = HardState { term: snapshot.last.term, vote: None };
    }
    recovered.start = snapshot.last;
    recovered.entries.clear();
    let mark = LogWrite {
        sequence: WriteSequence::default(),
        hard_state: Some(recovered.hard_state),
        start: Some(LogStart { after: snapshot.last, keeps_tail: false }),
        entries: None,
        then_send: Vec::new(),
    };
    writer.write(&mut vec![mark]).map(drop)
}

/// What the log holds at the index of `wanted`.
fn position(recovered: &Recovered, wanted: Position) -> Option<Position> {
    let distance = wanted.index.0.checked_sub(recovered.start.index.0)?;
    let term = match distance.checked_sub(1) {
        None => recovered.start.term,
        Some(slot) => recovered.entries.get(usize::try_from(slot).ok()?)?.term,
    };
    Some(Position { index: wanted.index, term })
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StorageError::Log(error) => error.fmt(formatter),
            StorageError::Snapshots(error) => error.fmt(formatter),
            StorageError::Mark(error) => error.fmt(formatter),
            StorageError::Gap { start, damaged } => {
                write!(
                    formatter,
                    "the log begins after {start:?} and no snapshot can be read that reaches it"
                )?;
                damaged.iter().try_for_each(|error| write!(formatter, "; {error}"))
            }
        }
    }
}

impl Error for StorageError {}
