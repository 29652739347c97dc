//! From settings to a running node: the threads, and the mailboxes between them.

use std::io;
use std::sync::Arc;

use mio::{Poll, Waker};
use parking_lot::Mutex;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::acquaintances::Acquaintances;
use super::doors::Doors;
use super::links::{Identity, Links};
use super::log_seat::LogSeat;
use super::log_thread::LogThread;
use super::node::{FIRST_LINE, Node, Parts, Seat, WAKE};
use super::report::Report;
use super::snapshot_thread::SnapshotThread;
use crate::disk::Directory;
use crate::identity::{ClusterId, Incarnation};
use crate::keepers::{LogKeeper, SnapshotKeeper};
use crate::limits::{MAILBOX_BATCHES_MAX, READ_BACK_BYTES, SNAPSHOT_CHUNK_BYTES, SNAPSHOT_ORDERS_MAX};
use crate::net::Address;
use crate::raft::{Config, NodeId};
use crate::replica::Replica;
use crate::runtime::{self, Address as Mail, Clock, Placement, arbitrary_seed, mailbox};
use crate::storage::Storage;

/// Everything that a node is told.
pub struct Setup {
    /// Its cluster.
    pub cluster: ClusterId,
    /// This life of its disk.
    pub life: Incarnation,
    /// Whom it has met.
    pub acquaintances: Acquaintances,
    /// What the consensus core is told.
    pub config: Config,
    /// Its opened storage.
    pub storage: Storage<Directory>,
    /// Where members can be reached, as far as this node was told, itself included.
    pub addresses: Vec<(NodeId, Address)>,
    /// Where it listens.
    pub doors: Doors,
    /// The least number of bytes of log between two snapshots.
    pub snapshot_bytes: u64,
    /// Longest value that it takes from a client, in bytes.
    pub value_bytes_max: usize,
    /// Whether the log has a thread of its own.
    pub placement: Placement,
    /// What tells this process to end.
    pub signals: Signals,
}

/// From now on a signal to end is kept for the node, though it may not run yet: what is opened and mended
/// before that is not cut short without need.
///
/// # Errors
///
/// Whatever the operating system says.
pub fn catch_signals() -> io::Result<Signals> {
    Signals::new([SIGTERM, SIGINT])
}

/// Runs a node until it is told to end, by SIGTERM or SIGINT.
///
/// # Errors
///
/// Whatever the operating system says of the event loop, its sockets and threads.
pub fn run(setup: Setup) -> io::Result<()> {
    let Setup { cluster, life, acquaintances, config, storage, doors, .. } = setup;
    let (snapshot_bytes, value_bytes_max) = (setup.snapshot_bytes, setup.value_bytes_max);
    let (clock, seed, id) = (Clock::start(), arbitrary_seed(), config.id);
    let Storage { recovered, store, writer, snapshots, .. } = storage;
    let last_snapshot_bytes = recovered.snapshot.map_or(0, |snapshot| snapshot.bytes);
    let replica = Replica::new(config, recovered, store, clock.now(), seed);
    let poll = Poll::new()?;
    let waker = Waker::new(poll.registry(), WAKE)?;
    let (to_node, reports) = mailbox(MAILBOX_BATCHES_MAX, Some(waker));
    let (to_snapshots, for_snapshots) = mailbox(SNAPSHOT_ORDERS_MAX, None);
    let log = seat_log(setup.placement, LogKeeper::new(writer, READ_BACK_BYTES), &to_node, clock)?;
    let snapshots = SnapshotKeeper::new(snapshots, SNAPSHOT_CHUNK_BYTES);
    let snapshot_thread = SnapshotThread::new(snapshots, for_snapshots, to_node.clone(), clock);
    runtime::spawn("snapshots", move || snapshot_thread.run())?;
    listen_to_signals(setup.signals, to_node)?;
    let identity = Identity { cluster, id, life };
    let links = Links::new(identity, acquaintances, &setup.addresses, FIRST_LINE, seed);
    let parts = Parts {
        poll,
        clock,
        seat: Seat { id, members: Arc::default() },
        replica,
        links,
        doors,
        reports,
        log,
        snapshots: to_snapshots,
        value_bytes_max,
        snapshot_bytes,
        last_snapshot_bytes,
    };
    Node::new(parts)?.run()
}

fn seat_log(
    placement: Placement,
    keeper: LogKeeper<Directory>,
    node: &Mail<Report>,
    clock: Clock,
) -> io::Result<LogSeat<Directory>> {
    let keeper = Arc::new(Mutex::new(keeper));
    if placement == Placement::Fused {
        return Ok(LogSeat::new(keeper, None, clock));
    }
    let (log, for_log) = mailbox(MAILBOX_BATCHES_MAX, None);
    let thread = LogThread::new(Arc::clone(&keeper), for_log, node.clone(), clock);
    runtime::spawn("log", move || thread.run())?;
    Ok(LogSeat::new(keeper, Some(log), clock))
}

/// The first signal asks the node to end in good order; whoever sends a second one wants it at once.
fn listen_to_signals(mut signals: Signals, node: Mail<Report>) -> io::Result<()> {
    runtime::spawn("signals", move || {
        let mut forever = signals.forever();
        if forever.next().is_some() {
            // Should the node be gone, so is the process, soon.
            let _ = node.send(Report::Terminate);
        }
        if let Some(signal) = forever.next() {
            signal_hook::low_level::emulate_default_handler(signal)?;
        }
        Ok(())
    })?;
    Ok(())
}
