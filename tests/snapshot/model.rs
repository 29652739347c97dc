//! Snapshots to make and to send, and what there may be of them after a crash.

use std::convert::Infallible;

use quorate::disk::{Disk, SimDisk};
use quorate::identity::ClusterId;
use quorate::raft::{Index, Position, SnapshotId, Term};
use quorate::snapshot::{Found, Received, SnapshotError, Snapshots};

pub(crate) const CLUSTER: ClusterId = ClusterId(0xc1);

/// What a snapshot says.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Content {
    pub(crate) last: Position,
    pub(crate) membership: Vec<u8>,
    pub(crate) blocks: Vec<Vec<u8>>,
}

/// One whose content follows from its index.
pub(crate) fn content(index: u64) -> Content {
    let fill = index.to_le_bytes()[0];
    let block = |place: u8| vec![fill.wrapping_mul(7).wrapping_add(place); 40 * usize::from(place)];
    Content {
        last: Position { index: Index(index), term: Term(index / 10 + 1) },
        membership: vec![fill; usize::from(fill % 5)],
        blocks: (0..4).map(block).collect(),
    }
}

pub(crate) fn open(disk: &SimDisk) -> Result<(Snapshots<SimDisk>, Found), SnapshotError> {
    Snapshots::open(disk.clone(), CLUSTER)
}

pub(crate) fn build<D: Disk>(
    snapshots: &mut Snapshots<D>,
    content: &Content,
) -> Result<SnapshotId, SnapshotError> {
    snapshots.begin(content.last, &content.membership)?;
    for block in &content.blocks {
        snapshots.block(block)?;
    }
    snapshots.finish()
}

pub(crate) fn load<D: Disk>(snapshots: &mut Snapshots<D>, id: SnapshotId) -> Result<Content, SnapshotError> {
    let mut blocks = Vec::new();
    let membership = snapshots.load(id, |block| {
        blocks.push(block.to_vec());
        Ok::<(), Infallible>(())
    })?;
    Ok(Content { last: id.last, membership, blocks })
}

/// The file of a snapshot, as another replica made it, and what it is called.
pub(crate) fn file_of(content: &Content) -> (SnapshotId, Vec<u8>) {
    let (mut snapshots, _) = open(&SimDisk::new()).unwrap();
    let id = build(&mut snapshots, content).unwrap();
    let bytes = snapshots.read_chunk(id, 0, usize::MAX).unwrap().unwrap();
    assert_eq!(bytes.len() as u64, id.bytes);
    (id, bytes)
}

pub(crate) fn name_of(id: SnapshotId) -> String {
    format!("{:016x}-{:016x}.snapshot", id.last.index.0, id.last.term.0)
}

pub(crate) fn receive<D: Disk>(
    snapshots: &mut Snapshots<D>,
    (id, bytes): &(SnapshotId, Vec<u8>),
    chunk_bytes: usize,
) -> Result<SnapshotId, SnapshotError> {
    let mut offset = 0;
    loop {
        let end = bytes.len().min(offset + chunk_bytes);
        match snapshots.receive(*id, offset as u64, &bytes[offset..end])? {
            Received::Partly { next_offset } => offset = usize::try_from(next_offset).unwrap(),
            Received::Whole { id } => return Ok(id),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Build(u64),
    /// Begun and given up.
    Abandon(u64),
    Receive(u64),
    /// One is sent in part while another is made.
    Both(u64, u64),
}

/// Everything that happens to a directory of snapshots.
pub(crate) const SCRIPT: &[Step] = &[
    Step::Build(5),
    Step::Abandon(7),
    Step::Receive(12),
    Step::Both(20, 23),
    Step::Receive(31),
    Step::Receive(20),
    Step::Build(31),
    Step::Build(40),
];

/// Does the steps. Answers the snapshots that were confirmed, and the errors.
pub(crate) fn run(disk: &SimDisk, script: &[Step]) -> (Vec<SnapshotId>, Vec<SnapshotError>) {
    let (mut confirmed, mut errors) = (Vec::new(), Vec::new());
    let Ok((mut snapshots, _)) = open(disk) else { return (confirmed, errors) };
    for step in script {
        let result = match *step {
            Step::Build(index) => build(&mut snapshots, &content(index)),
            Step::Receive(index) => receive(&mut snapshots, &file_of(&content(index)), 100),
            Step::Abandon(index) => {
                let begun = snapshots.begin(content(index).last, b"");
                snapshots.abandon();
                let Err(error) = begun else { continue };
                Err(error)
            }
            Step::Both(sent, made) => {
                let (id, bytes) = file_of(&content(sent));
                errors.extend(snapshots.receive(id, 0, &bytes[..50]).err());
                let built = build(&mut snapshots, &content(made));
                errors.extend(snapshots.receive(id, 50, &bytes[50..90]).err());
                built
            }
        };
        assert!(!snapshots.is_building());
        match result {
            Ok(id) => confirmed.push(id),
            Err(error) => errors.push(error),
        }
    }
    (confirmed, errors)
}
