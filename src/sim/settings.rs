//! What one seed stands for: a cluster, its patience, its network, its disks, its clients and its bad luck.
//!
//! Every figure is drawn anew for each seed ("swarm testing"): a run with everything at once hides the faults
//! that only show where one kind of trouble is rare and another frequent.

use super::faults::Fault;
use super::planted::Planted;
use super::run::Order;
use crate::prng::Prng;
use crate::raft::{Config, NodeId, ReadMode, Replication, Span};
use crate::wal::Options;

/// T of R6 in every run; other times are drawn relative to it.
pub(super) const ELECTION_TIMEOUT: Span = Span::milliseconds(300);

/// How strong a condition is that an order names and the seed has not drawn, per mille.
const MILDLY: u64 = 20;

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
    /// What may strike, repeated as often as it is likely.
    pub(super) strikes: Vec<Fault>,
    /// How likely it is beside these that all lines are healed.
    pub(super) heals: usize,
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
    /// Beside so many comes one of another cluster.
    pub(super) stray: u64,
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
    /// What a seed has drawn, and what the order makes of it.
    pub(super) fn draw(prng: &mut Prng, order: &Order) -> Settings {
        let (nodes, planted) = (order.nodes, order.planted);
        let drawn = prng.pick(&SIZES);
        let drawn = match planted {
            None => drawn,
            // Where more nodes answer, more of them can answer too late.
            Some(Planted::ConfirmWithAnyAnswer) => 5,
            Some(_) => drawn.clamp(3, 5),
        };
        let nodes = nodes.unwrap_or(drawn);
        let config = draw_config(prng, nodes, planted);
        let rates = draw_rates(prng, nodes, config.reads);
        let mut settings = Settings {
            nodes,
            options: draw_options(prng),
            snapshot_bytes: prng.pick(&[600, 3_000, 20_000, 1 << 30]),
            chunk_bytes: prng.pick(&[100, 1_000, 1 << 18]),
            read_back_bytes: prng.pick(&[1, 1_000, 1 << 18]),
            network: draw_network(prng),
            disk: Disk {
                sync: Span(prng.pick(&[1, 500, 5_000, 30_000])),
                step: Span(prng.pick(&[1, 500, 5_000])),
                stalls: prng.pick(&[0, 0, 2, 20]),
            },
            clients: draw_clients(prng),
            turn: Span(prng.pick(&[1, 1, 500, 5_000])),
            rates,
            heals: 1 + prng.place(4),
            strikes: draw_strikes(prng),
            fault_gap: Span(prng.pick(&[100_000, 300_000, 1_000_000])),
            broken_recoveries: prng.pick(&[0, 100, 500]),
            config,
        };
        settings.favour(planted);
        settings.favour_late_reads(planted, order.is_defused);
        settings.clients.count = order.clients.unwrap_or(settings.clients.count);
        if let Some(faults) = &order.faults {
            settings.limit_to(faults);
        }
        settings.choose_founders(prng);
        settings
    }

    /// Whether members come and go.
    pub(super) fn changes_members(&self) -> bool {
        self.strikes.contains(&Fault::ChangeMembers)
    }

    /// Where members come and go, some nodes wait to be taken in. Then no disk rots: what a minority of all
    /// nodes may lose could be the majority of those who are left.
    fn choose_founders(&mut self, prng: &mut Prng) {
        let spare = prng.below(u64::from(self.nodes / 2) + 1);
        if self.changes_members() {
            self.strikes.retain(|fault| *fault != Fault::Rot);
            let founders = self.nodes - u16::try_from(spare).expect("few nodes");
            self.config.voters = (0..founders).map(NodeId).collect();
        }
    }

    /// The kinds of trouble that there are.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let is_on = |fault: &Fault| self.strikes.contains(fault) || self.strength(*fault) > 0;
        Fault::ALL.iter().copied().filter(is_on).collect()
    }

    /// How strong a condition is.
    fn strength(&self, fault: Fault) -> u64 {
        match fault {
            Fault::Lose => self.network.lost,
            Fault::Double => self.network.doubled,
            Fault::Late => self.network.late,
            Fault::Damage => self.network.damaged,
            Fault::Stray => self.network.stray,
            Fault::Skew => u64::from(self.rates.iter().any(|rate| *rate != 1_000)),
            Fault::Stall => self.disk.stalls,
            Fault::BreakRecovery => self.broken_recoveries,
            _ => 0,
        }
    }

    /// Leaves these kinds of trouble and takes away all others. Those that the seed has not drawn come in
    /// mildly.
    fn limit_to(&mut self, faults: &[Fault]) {
        self.strikes.retain(|fault| faults.contains(fault));
        let drawn = self.strikes.clone();
        self.strikes.extend(faults.iter().filter(|fault| fault.strikes() && !drawn.contains(fault)));
        if !faults.contains(&Fault::Skew) {
            self.rates.fill(1_000);
        } else if self.strength(Fault::Skew) == 0 {
            (980..).step_by(10).zip(&mut self.rates).for_each(|(rate, own)| *own = rate);
        }
        let Settings { network, disk, broken_recoveries, .. } = self;
        for (fault, strength) in [
            (Fault::Lose, &mut network.lost),
            (Fault::Double, &mut network.doubled),
            (Fault::Late, &mut network.late),
            (Fault::Damage, &mut network.damaged),
            (Fault::Stray, &mut network.stray),
            (Fault::Stall, &mut disk.stalls),
            (Fault::BreakRecovery, broken_recoveries),
        ] {
            if !faults.contains(&fault) {
                *strength = 0;
            } else if *strength == 0 {
                *strength = MILDLY;
            }
        }
    }

    /// Some planted faults show only where certain things come together, and a test cannot wait for that.
    fn favour(&mut self, planted: Option<Planted>) {
        let (disk, clients) = (&mut self.disk, &mut self.clients);
        match planted {
            Some(Planted::TicketsBeginAnew) => {
                (self.strikes, self.heals) = (vec![Fault::Crash, Fault::Crash], 1);
                (clients.count, clients.forwarded, clients.gap) = (8, 1_000, Span(5_000));
                disk.sync = Span(30_000);
            }
            Some(Planted::ForgetVote) => {
                self.strikes = vec![Fault::Crash, Fault::CrashAll, Fault::HandOver, Fault::HandOver];
                self.heals = 1;
                (self.network.late, self.network.delay) = (200, Span(20_000));
                disk.sync = Span(500);
            }
            Some(Planted::KeepStore) => {
                (self.strikes, self.heals) = (vec![Fault::Crash, Fault::Isolate], 1);
                (self.snapshot_bytes, self.config.tail_bytes) = (600, 0);
                (clients.reads, clients.gap) = (100, Span(5_000));
            }
            Some(Planted::CountVoteTwice) => {
                (self.strikes, self.heals) = (vec![Fault::Split, Fault::Isolate, Fault::HandOver], 1);
                (self.network.late, self.network.lost) = (200, 100);
            }
            Some(Planted::SendTwice) => {
                (clients.forwarded, clients.named, clients.reads) = (1_000, 300, 100);
            }
            Some(Planted::ReceiptOfAnotherLife | Planted::SwapWrites | Planted::BlessLaterWrites) => {
                disk.sync = Span(30_000);
            }
            Some(Planted::SwapAnswers) => (clients.count, clients.forwarded) = (8, 1_000),
            Some(Planted::BelieveOtherCluster) => self.network.stray = 10,
            Some(Planted::BelieveDamaged) => self.network.damaged = 10,
            Some(Planted::RetrySync) => self.strikes = vec![Fault::FailDisk],
            Some(Planted::SwallowFull) => self.strikes = vec![Fault::FillDisk, Fault::Crash],
            Some(Planted::SkipSyncInRecovery) => self.strikes = vec![Fault::Crash],
            Some(Planted::SkipSnapshotSync | Planted::SkipDirectorySync | Planted::WipeDisk) => {
                (self.strikes, self.snapshot_bytes) = (vec![Fault::Crash], 600);
            }
            Some(Planted::CountLateVotes) => {
                self.strikes = vec![Fault::Split, Fault::Isolate, Fault::HandOver];
                (self.network.late, self.network.lost) = (300, 100);
            }
            Some(Planted::DenyAtStepDown | Planted::ForgetReads) => {
                self.strikes = vec![Fault::Isolate, Fault::Split];
                (clients.count, clients.gap) = (8, Span(5_000));
                clients.patience = ELECTION_TIMEOUT.times(8);
            }
            _ => {}
        }
    }

    /// The same for those that show in reads at a leader which is none any more, and does not know.
    fn favour_late_reads(&mut self, planted: Option<Planted>, is_defused: bool) {
        let (disk, clients) = (&mut self.disk, &mut self.clients);
        match planted {
            Some(Planted::ClocksApart) => {
                (self.strikes, self.heals) = (vec![Fault::HandOver, Fault::HandOver, Fault::Isolate], 1);
                self.fault_gap = ELECTION_TIMEOUT.times(3);
                (self.network.late, self.network.lost, self.turn) = (0, 0, Span(1));
                // A leader whose clock is slow believes in its lease for too long.
                let rate = |node| if is_defused { 1_000 } else { 500 + 1_000 * u64::from(node > 0) };
                self.rates = (0..self.nodes).map(rate).collect();
                (clients.count, clients.reads, clients.gap) = (8, 600, Span(20_000));
                clients.patience = ELECTION_TIMEOUT.divided(6);
                self.network.delay = Span(1_000);
            }
            Some(Planted::ClockStopsInPause) => {
                (self.strikes, self.heals) = (vec![Fault::Pause], 1);
                self.fault_gap = ELECTION_TIMEOUT.times(4);
                (self.network.late, self.network.lost, self.turn) = (0, 0, Span(1));
                self.network.delay = Span(1_000);
                (clients.count, clients.reads, clients.gap) = (8, 600, Span(20_000));
                clients.patience = ELECTION_TIMEOUT.divided(6);
                self.rates.fill(1_000);
            }
            Some(Planted::ConfirmWithAnyAnswer) => {
                // Answers to a leader that nobody hears any more come in when another leads already.
                (self.strikes, self.heals) = (vec![Fault::Isolate], 1);
                (self.fault_gap, self.turn) = (ELECTION_TIMEOUT.times(3), Span(1));
                (self.network.late, self.network.lost, self.network.delay) = (500, 0, Span(1_000));
                (clients.count, clients.reads, disk.sync) = (8, 500, Span(500));
                (clients.gap, clients.patience) = (Span(10_000), ELECTION_TIMEOUT.divided(3));
                self.config.heartbeat = ELECTION_TIMEOUT.divided(10);
                self.config.retry = self.config.retry.min(self.config.heartbeat);
                // Whoever is asked in every turn has more answers under way.
                self.config.replication = Replication::Everyone { pace: Span(0) };
            }
            _ => {}
        }
    }

    /// The trouble is over: nothing is lost any more and everything is quick.
    pub(super) fn calm_down(&mut self) {
        let network = &mut self.network;
        (network.lost, network.doubled, network.late, network.damaged, network.stray) = (0, 0, 0, 0, 0);
        (network.delay, network.delay_min) =
            (network.delay.min(Span(5_000)), network.delay_min.min(Span(1_000)));
        (self.disk.sync, self.disk.stalls) = (self.disk.sync.min(Span(5_000)), 0);
        self.turn = self.turn.min(Span(1_000));
        self.broken_recoveries = 0;
        self.clients.patience = ELECTION_TIMEOUT.times(2);
    }
}

fn draw_config(prng: &mut Prng, nodes: u16, planted: Option<Planted>) -> Config {
    let heartbeat = ELECTION_TIMEOUT.divided(prng.pick(&[3, 4, 10]));
    let reads = prng.pick(&[ReadMode::Leased, ReadMode::Confirmed, ReadMode::Confirmed]);
    Config {
        id: NodeId(0),
        voters: (0..nodes).map(NodeId).collect(),
        election_timeout: ELECTION_TIMEOUT,
        first_election: Span(prng.pick(&[30_000, 100_000, 300_000])),
        heartbeat,
        retry: Span(prng.pick(&[2_000, 10_000, 30_000])).min(heartbeat),
        vote_retry: Span(prng.pick(&[5_000, 40_000])),
        replication: prng.pick(&[
            Replication::Majority,
            Replication::Everyone { pace: Span(0) },
            Replication::Everyone { pace: Span(4_000) },
        ]),
        reads: match planted {
            Some(Planted::ClocksApart | Planted::ClockStopsInPause) => ReadMode::Leased,
            Some(Planted::ConfirmWithAnyAnswer) => ReadMode::Confirmed,
            _ => reads,
        },
        commit_notice: prng.pick(&[None, Some(Span(5_000))]),
        append_bytes_max: prng.pick(&[100, 1_000, 1 << 20]),
        inflight_max: prng.pick(&[1, 2, 16]),
        uncommitted_bytes_max: prng.pick(&[500, 1 << 20]),
        tail_bytes: prng.pick(&[0, 500, usize::MAX]),
        write_patience: ELECTION_TIMEOUT.times(2),
    }
}

/// Leases bear clocks that differ by a tenth (R20); without them any rate will do.
fn draw_rates(prng: &mut Prng, nodes: u16, reads: ReadMode) -> Vec<u64> {
    let spread = match reads {
        ReadMode::Leased => prng.pick(&[0, 40]),
        ReadMode::Confirmed => prng.pick(&[0, 0, 40, 300]),
    };
    (0..nodes).map(|_| 1_000 - spread + prng.below(2 * spread + 1)).collect()
}

fn draw_options(prng: &mut Prng) -> Options {
    Options {
        segment_bytes: prng.pick(&[1_024, 4_096, 65_536]),
        reserve_bytes: prng.pick(&[160, 400]),
        batch_bytes: prng.pick(&[200, 4_096]),
        landmark_bytes: prng.pick(&[150, 2_000]),
    }
}

fn draw_network(prng: &mut Prng) -> Network {
    Network {
        lost: prng.pick(&[0, 0, 10, 100, 300]),
        doubled: prng.pick(&[0, 10, 200]),
        late: prng.pick(&[0, 0, 20, 200]),
        damaged: prng.pick(&[0, 0, 5]),
        stray: prng.pick(&[0, 0, 5]),
        delay: Span(prng.pick(&[1, 1_000, 5_000, 20_000])),
        delay_min: Span(prng.pick(&[1, 200, 5_000])),
        is_in_order: prng.chance(300),
    }
}

fn draw_clients(prng: &mut Prng) -> Clients {
    Clients {
        count: prng.pick(&[1, 3, 8]),
        keys: prng.pick(&[1, 3, 12]),
        gap: Span(prng.pick(&[5_000, 30_000, 150_000])),
        patience: ELECTION_TIMEOUT.times(prng.pick(&[1, 3, 8])),
        reads: prng.pick(&[100, 400, 800]),
        named: prng.pick(&[300, 700, 1_000]),
        forwarded: prng.pick(&[0, 500, 1_000]),
    }
}

/// Some kinds of trouble that strike, each with a weight of its own. Rot is rare: who has met it is lost.
fn draw_strikes(prng: &mut Prng) -> Vec<Fault> {
    let mut strikes = Vec::new();
    for fault in Fault::ALL.iter().filter(|fault| fault.strikes()) {
        let weight = prng.pick(if *fault == Fault::Rot { &[0, 0, 0, 1] } else { &[0, 0, 1, 1, 3] });
        strikes.extend(std::iter::repeat_n(*fault, weight));
    }
    strikes
}

/// Up to so long.
pub(super) fn up_to(prng: &mut Prng, span: Span) -> Span {
    Span(prng.below(span.0.max(1)))
}
