//! A whole node under crashes at every operation of its disks: log, snapshots and recovery together.
//!
//! Two scripts with tiny segments and a snapshot every few writes, so that segments end, snapshots are begun,
//! written, finished, received and installed, and the log is cut and compacted. Each is stopped in the middle
//! of every disk operation, ended in every way (killed, or power lost with none, some or all of what was not
//! durable), and opened again; some of the openings are stopped as well. Then the node must have everything
//! that it has ever acknowledged, go on, and end with the same store as a node that never crashed.
//!
//! ```text
//! cargo test --test crash_points                          every operation, some of the second crashes
//! cargo test --release --test crash_points -- --ignored   every operation and every second crash
//! ```

#[path = "crash_points/alone.rs"]
mod alone;
#[path = "crash_points/follower.rs"]
mod follower;

use quorate::disk::{SimDisk, Survival};
use quorate::identity::{ClusterId, Incarnation};
use quorate::kv::WallClock;
use quorate::raft::{Config, Instant, NodeId, ReadMode, Recovered, Replication, Span};
use quorate::replica::Now;
use quorate::sim::{Make, Node};
use quorate::storage::StorageError;
use quorate::wal::{Identity, OpenError, Options};

/// A play on one node.
trait Play {
    /// What has been acknowledged so far.
    type Acknowledged: Clone;

    /// The node as it is before its first start.
    fn node(&self) -> Node;

    /// Plays from the start until the end or the first failure of a disk.
    fn run(&self, node: &mut Node) -> Self::Acknowledged;

    /// A node has been opened again: it must have what it has acknowledged.
    fn check(&self, recovered: &Recovered, acknowledged: &Self::Acknowledged, context: &str);

    /// It goes on to the end of the play. Panics unless all is as if nothing had happened.
    fn finish(&self, node: &mut Node, acknowledged: &Self::Acknowledged, context: &str);
}

/// How a process ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Killed,
    Nothing,
    Half,
    AllButOneByte,
    Everything,
    Random(u64),
}

const ENDINGS: [Ending; 7] = [
    Ending::Killed,
    Ending::Nothing,
    Ending::Half,
    Ending::AllButOneByte,
    Ending::Everything,
    Ending::Random(1),
    Ending::Random(2),
];

/// Which of a node's two disks.
#[derive(Clone, Copy, Debug)]
enum Which {
    Log,
    Snapshots,
}

fn disk(node: &Node, which: Which) -> &SimDisk {
    match which {
        Which::Log => &node.log_disk,
        Which::Snapshots => &node.snapshot_disk,
    }
}

/// Both disks are in one machine.
fn end(node: &mut Node, ending: Ending, seed: u64) {
    node.life = None;
    for disk in [&node.log_disk, &node.snapshot_disk] {
        let pending = disk.pending_bytes();
        match ending {
            Ending::Killed => disk.restart(),
            Ending::Nothing => disk.cut_power(Survival::Nothing),
            Ending::Half => disk.cut_power(Survival::Prefix(pending / 2)),
            Ending::AllButOneByte => disk.cut_power(Survival::Prefix(pending.saturating_sub(1))),
            Ending::Everything => disk.cut_power(Survival::Prefix(pending)),
            Ending::Random(salt) => disk.cut_power(Survival::Random(seed ^ salt << 32)),
        }
    }
}

fn fork(node: &Node) -> Node {
    let mut other = Node::new(node.make.clone());
    other.log_disk = node.log_disk.fork();
    other.snapshot_disk = node.snapshot_disk.fork();
    other
}

/// So many crashes were survived.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    operations: u64,
    first: u64,
    second: u64,
}

/// Stops a play at every `step`-th operation of both disks; of the crashes during recovery every
/// `nested_step`-th.
fn crash_everywhere<P: Play>(play: &P, step: u64, nested_step: u64) -> Count {
    let mut complete = play.node();
    let all = play.run(&mut complete);
    complete.life = None;
    play.finish(&mut complete, &all, "no crash");
    let mut whole = play.node();
    play.run(&mut whole);
    let mut count = Count::default();
    for which in [Which::Log, Which::Snapshots] {
        let operations = disk(&whole, which).operations();
        count.operations += operations;
        for operation in (1..=operations).step_by(usize::try_from(step).expect("a small step")) {
            crash_at(play, which, operation, nested_step, &mut count);
        }
    }
    count
}

fn crash_at<P: Play>(play: &P, which: Which, operation: u64, nested_step: u64, count: &mut Count) {
    let mut node = play.node();
    disk(&node, which).stop_at(operation);
    let acknowledged = play.run(&mut node);
    for (number, ending) in ENDINGS.into_iter().enumerate() {
        let context = format!("{which:?} stopped at operation {operation}, {ending:?}");
        let mut crashed = fork(&node);
        end(&mut crashed, ending, operation);
        count.first += 1;
        let phase = operation * ENDINGS.len() as u64 + number as u64;
        count.second += crash_recovery(play, &crashed, &acknowledged, (phase, nested_step), &context);
        let recovered = open(&mut crashed, &context);
        play.check(&recovered, &acknowledged, &context);
        play.finish(&mut crashed, &acknowledged, &context);
    }
}

/// Stops the recovery of a node at some of its operations, and recovers again. Answers how often.
fn crash_recovery<P: Play>(
    play: &P,
    crashed: &Node,
    acknowledged: &P::Acknowledged,
    (phase, nested_step): (u64, u64),
    context: &str,
) -> u64 {
    let mut whole = fork(crashed);
    let before = [Which::Log, Which::Snapshots].map(|which| disk(&whole, which).operations());
    open(&mut whole, context);
    let mut count = 0;
    for (which, before) in [Which::Log, Which::Snapshots].into_iter().zip(before) {
        for operation in before + 1..=disk(&whole, which).operations() {
            if !(phase + operation).is_multiple_of(nested_step) {
                continue;
            }
            let context = format!("{context}, again at operation {operation} of {which:?}");
            let mut again = fork(crashed);
            disk(&again, which).stop_at(operation);
            drop(try_open(&mut again));
            end(&mut again, ENDINGS[usize::try_from(operation).unwrap() % ENDINGS.len()], operation);
            let recovered = open(&mut again, &context);
            play.check(&recovered, acknowledged, &context);
            play.finish(&mut again, acknowledged, &context);
            count += 1;
        }
    }
    count
}

/// Opens a node as an operator would: it is formatted if the crash came before there was anything.
fn try_open(node: &mut Node) -> Result<Recovered, StorageError> {
    match node.start(Instant(0), 1) {
        Err(StorageError::Log(OpenError::Absent)) => {
            node.format().map_err(StorageError::Log)?;
            node.start(Instant(0), 1)
        }
        outcome => outcome,
    }
}

fn open(node: &mut Node, context: &str) -> Recovered {
    try_open(node).unwrap_or_else(|error| panic!("{context}: {error}"))
}

/// A node of a cluster of this size.
fn make(id: u16, voters: u16) -> Make {
    let identity = Identity { cluster: ClusterId(7), node: NodeId(id), incarnation: Incarnation(9) };
    let options = Options { segment_bytes: 2_048, reserve_bytes: 160, batch_bytes: 512, landmark_bytes: 200 };
    Make {
        config: config(id, voters),
        identity,
        options,
        snapshot_bytes: 700,
        chunk_bytes: 100,
        read_back_bytes: 300,
    }
}

fn config(id: u16, voters: u16) -> Config {
    Config {
        id: NodeId(id),
        voters: (1..=voters).map(NodeId).collect(),
        election_timeout: Span::milliseconds(1_000),
        first_election: Span::milliseconds(100),
        heartbeat: Span::milliseconds(100),
        retry: Span::milliseconds(50),
        vote_retry: Span::milliseconds(50),
        replication: Replication::Everyone { pace: Span(5_000) },
        reads: ReadMode::Confirmed,
        commit_notice: None,
        append_bytes_max: 1_000,
        inflight_max: 4,
        uncommitted_bytes_max: 1 << 20,
        tail_bytes: 200,
        write_patience: Span::milliseconds(2_000),
    }
}

/// A moment; the wall shows it in seconds since an arbitrary start.
fn at(milliseconds: u64, wall: u64) -> Now {
    Now { monotonic: Instant(milliseconds * 1_000), wall: WallClock(1_000_000 + wall) }
}

#[test]
fn a_node_alone_survives_every_crash() {
    let count = crash_everywhere(&alone::Script::new(40), 1, 30);
    println!("alone: {count:?}");
    assert!(count.first + count.second > 2_000, "{count:?}");
}

#[test]
fn a_follower_survives_every_crash() {
    let count = crash_everywhere(&follower::Script::new(), 1, 30);
    println!("follower: {count:?}");
    assert!(count.first + count.second > 2_000, "{count:?}");
}

#[test]
#[ignore = "takes minutes"]
fn nodes_survive_every_crash_and_every_crash_after_it() {
    let alone = crash_everywhere(&alone::Script::new(90), 1, 1);
    let follower = crash_everywhere(&follower::Script::new(), 1, 1);
    println!("alone: {alone:?}\nfollower: {follower:?}");
    assert!(alone.first + alone.second + follower.first + follower.second > 100_000);
}
