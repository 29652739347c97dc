//! What one seed stands for: a cluster, its patience, its network, its disks, its clients and its bad luck.
//!
//! Every figure is drawn anew for each seed ("swarm testing"): a run with everything at once hides the faults
//! that only show where one kind of trouble is rare and another frequent.

use super::faults::Fault;
use super::planted::Planted;
use crate::prng::Prng;
use crate::raft::{Config, NodeId, ReadMode, Replication, Span};
use crate::wal::Options;

/// T of R6 in every run; other times are drawn relative to it.
pub(super) const ELECTION_TIMEOUT: Span = Span::milliseconds(300);

/// Cluster sizes, the usual ones more often.
const SIZES: [u16; 10] = [1, 2, 3, 3, 3, 3, 4, 5, 5, 7];

/// One run's parameters.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) nodes: u16,
    /// Equal on all nodes but for the id.
    pub(super) config: Config,
    pub(super) options: Options,
    pub(super) snapshot_bytes: u64,
    pub(super) chunk_bytes: usize,
    pub(super) read_back_bytes: usize,
    pub(super) network: Network,
    pub(super) disk: Disk,
    pub(super) clients: Clients,
    /// A node collects input for up to so long before it acts on it.
    pub(super) turn: Span,
    /// Of each node, how much of a second its clock makes of a true one, in thousandths.
    pub(super) rates: Vec<u64>,
    /// What may go wrong, repeated as often as it is likely.
    pub(super) faults: Vec<Fault>,
    /// Things go wrong on average twice in so long.
    pub(super) fault_gap: Span,
    /// Of 1,000 recoveries so many are cut short.
    pub(super) broken_recoveries: u64,
}

/// The lines between nodes; what is per mille is of messages.
#[derive(Clone, Debug)]
pub(super) struct Network {
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) late: u64,
    pub(super) damaged: u64,
    /// A message takes up to so long, beyond the least.
    pub(super) delay: Span,
    pub(super) delay_min: Span,
    pub(super) is_in_order: bool,
}

/// The disks; one step of their threads takes so long.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) sync: Span,
    pub(super) step: Span,
    /// Of 1,000 syncs so many take as long as an election, or longer.
    pub(super) stalls: u64,
}

/// The clients.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    pub(super) count: u64,
    pub(super) keys: u64,
    pub(super) gap: Span,
    pub(super) patience: Span,
    /// Of 1,000 requests so many are reads, and of the others so many have a name.
    pub(super) reads: u64,
    pub(super) named: u64,
    /// Of 1,000 requests to a follower so many are sent on to the leader by it.
    pub(super) forwarded: u64,
}

impl Settings {
    pub(super) fn draw(prng: &mut Prng, nodes: Option<u16>, planted: Option<Planted>) -> Settings {
        let drawn = pick(prng, &SIZES);
        let nodes = nodes.unwrap_or(if planted.is_some() { drawn.clamp(3, 5) } else { drawn });
        let config = draw_config(prng, nodes, planted);
        let rates = draw_rates(prng, nodes, config.reads);
        let mut settings = Settings {
            nodes,
            options: draw_options(prng),
            snapshot_bytes: pick(prng, &[600, 3_000, 20_000, 1 << 30]),
            chunk_bytes: pick(prng, &[100, 1_000, 1 << 18]),
            read_back_bytes: pick(prng, &[1, 1_000, 1 << 18]),
            network: draw_network(prng),
            disk: Disk {
                sync: Span(pick(prng, &[1, 500, 5_000, 30_000])),
                step: Span(pick(prng, &[1, 500, 5_000])),
                stalls: pick(prng, &[0, 0, 2, 20]),
            },
            clients: draw_clients(prng),
            turn: Span(pick(prng, &[1, 1, 500, 5_000])),
            rates,
            faults: draw_faults(prng),
            fault_gap: Span(pick(prng, &[100_000, 300_000, 1_000_000])),
            broken_recoveries: pick(prng, &[0, 100, 500]),
            config,
        };
        settings.favour(planted);
        settings
    }

    /// Some planted faults show only where certain things come together, and a test cannot wait for that.
    fn favour(&mut self, planted: Option<Planted>) {
        let (disk, clients) = (&mut self.disk, &mut self.clients);
        match planted {
            Some(Planted::ClocksApart) => {
                self.faults = vec![Fault::HandOver, Fault::HandOver, Fault::Isolate, Fault::Heal];
                self.fault_gap = ELECTION_TIMEOUT.times(3);
                (self.network.late, self.network.lost, self.turn) = (0, 0, Span(1));
                // A leader whose clock is slow believes in its lease for too long.
                self.rates =
                    (0..u64::from(self.nodes)).map(|node| if node == 0 { 500 } else { 1_500 }).collect();
                (clients.count, clients.reads, clients.gap) = (8, 600, Span(20_000));
                clients.patience = ELECTION_TIMEOUT.divided(6);
                self.network.delay = Span(1_000);
            }
            Some(Planted::TicketsBeginAnew) => {
                self.faults = vec![Fault::Crash, Fault::Crash, Fault::Heal];
                (clients.count, clients.forwarded, clients.gap) = (8, 1_000, Span(5_000));
                disk.sync = Span(30_000);
            }
            Some(Planted::ForgetVote) => {
                self.faults =
                    vec![Fault::Crash, Fault::CrashAll, Fault::HandOver, Fault::HandOver, Fault::Heal];
                (self.network.late, self.network.delay) = (200, Span(20_000));
                disk.sync = Span(500);
            }
            Some(Planted::KeepStore) => {
                self.faults = vec![Fault::Crash, Fault::Isolate, Fault::Heal];
                (self.snapshot_bytes, self.config.tail_bytes) = (600, 0);
                (clients.reads, clients.gap) = (100, Span(5_000));
            }
            Some(Planted::CountVoteTwice) => {
                self.faults = vec![Fault::Split, Fault::Isolate, Fault::HandOver, Fault::Heal];
                (self.network.late, self.network.lost) = (200, 100);
            }
            Some(Planted::SendTwice) => {
                (clients.forwarded, clients.named, clients.reads) = (1_000, 300, 100);
            }
            Some(Planted::ReceiptOfAnotherLife) => disk.sync = Span(30_000),
            _ => {}
        }
    }

    /// The trouble is over: nothing is lost any more and everything is quick.
    pub(super) fn calm_down(&mut self) {
        let network = &mut self.network;
        (network.lost, network.doubled, network.late, network.damaged) = (0, 0, 0, 0);
        (network.delay, network.delay_min) =
            (network.delay.min(Span(5_000)), network.delay_min.min(Span(1_000)));
        (self.disk.sync, self.disk.stalls) = (self.disk.sync.min(Span(5_000)), 0);
        self.turn = self.turn.min(Span(1_000));
        self.broken_recoveries = 0;
        self.clients.patience = ELECTION_TIMEOUT.times(2);
    }
}

fn draw_config(prng: &mut Prng, nodes: u16, planted: Option<Planted>) -> Config {
    let heartbeat = ELECTION_TIMEOUT.divided(pick(prng, &[3, 4, 10]));
    let reads = pick(prng, &[ReadMode::Leased, ReadMode::Confirmed, ReadMode::Confirmed]);
    Config {
        id: NodeId(0),
        voters: (0..nodes).map(NodeId).collect(),
        election_timeout: ELECTION_TIMEOUT,
        first_election: Span(pick(prng, &[30_000, 100_000, 300_000])),
        heartbeat,
        retry: Span(pick(prng, &[2_000, 10_000, 30_000])).min(heartbeat),
        vote_retry: Span(pick(prng, &[5_000, 40_000])),
        replication: pick(prng, &[Replication::Majority, Replication::Everyone]),
        reads: if planted == Some(Planted::ClocksApart) { ReadMode::Leased } else { reads },
        commit_notice: pick(prng, &[None, Some(Span(5_000))]),
        append_bytes_max: pick(prng, &[100, 1_000, 1 << 20]),
        inflight_max: pick(prng, &[1, 2, 16]),
        uncommitted_bytes_max: pick(prng, &[500, 1 << 20]),
        tail_bytes: pick(prng, &[0, 500, usize::MAX]),
        write_patience: ELECTION_TIMEOUT.times(2),
    }
}

/// Leases bear clocks that differ by a tenth (R20); without them any rate will do.
fn draw_rates(prng: &mut Prng, nodes: u16, reads: ReadMode) -> Vec<u64> {
    let spread = match reads {
        ReadMode::Leased => pick(prng, &[0, 40]),
        ReadMode::Confirmed => pick(prng, &[0, 0, 40, 300]),
    };
    (0..nodes).map(|_| 1_000 - spread + prng.below(2 * spread + 1)).collect()
}

fn draw_options(prng: &mut Prng) -> Options {
    Options {
        segment_bytes: pick(prng, &[1_024, 4_096, 65_536]),
        reserve_bytes: pick(prng, &[160, 400]),
        batch_bytes: pick(prng, &[200, 4_096]),
        landmark_bytes: pick(prng, &[150, 2_000]),
    }
}

fn draw_network(prng: &mut Prng) -> Network {
    Network {
        lost: pick(prng, &[0, 0, 10, 100, 300]),
        doubled: pick(prng, &[0, 10, 200]),
        late: pick(prng, &[0, 0, 20, 200]),
        damaged: pick(prng, &[0, 0, 5]),
        delay: Span(pick(prng, &[1, 1_000, 5_000, 20_000])),
        delay_min: Span(pick(prng, &[1, 200, 5_000])),
        is_in_order: chance(prng, 300),
    }
}

fn draw_clients(prng: &mut Prng) -> Clients {
    Clients {
        count: pick(prng, &[1, 3, 8]),
        keys: pick(prng, &[1, 3, 12]),
        gap: Span(pick(prng, &[5_000, 30_000, 150_000])),
        patience: ELECTION_TIMEOUT.times(pick(prng, &[1, 3, 8])),
        reads: pick(prng, &[100, 400, 800]),
        named: pick(prng, &[300, 700, 1_000]),
        forwarded: pick(prng, &[0, 500, 1_000]),
    }
}

/// Some kinds of fault, each with a weight of its own; healing always.
fn draw_faults(prng: &mut Prng) -> Vec<Fault> {
    let mut faults = vec![Fault::Heal; usize::try_from(1 + prng.below(4)).expect("few")];
    for fault in Fault::ALL {
        let weight = pick(prng, &[0, 0, 1, 1, 3]);
        faults.extend(std::iter::repeat_n(fault, weight));
    }
    faults
}

/// One of `choices`, each as likely as the others.
pub(super) fn pick<T: Clone>(prng: &mut Prng, choices: &[T]) -> T {
    choices[below(prng, choices.len())].clone()
}

/// A place in a list of `count`.
pub(super) fn below(prng: &mut Prng, count: usize) -> usize {
    usize::try_from(prng.below(count as u64)).expect("it is below a usize")
}

/// True `per_mille` times in a thousand.
pub(super) fn chance(prng: &mut Prng, per_mille: u64) -> bool {
    prng.below(1_000) < per_mille
}

/// Up to so long.
pub(super) fn up_to(prng: &mut Prng, span: Span) -> Span {
    Span(prng.below(span.0.max(1)))
}
