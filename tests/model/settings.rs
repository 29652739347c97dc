//! What one seed stands for: a cluster, its patience, its network, its disks and its bad luck.
//!
//! Every figure is drawn anew for each seed ("swarm testing"): a schedule with everything at once hides
//! the faults that only show where one kind of trouble is rare and another frequent.

use quorate::prng::Prng;
use quorate::raft::{Config, NodeId, ReadMode, Replication, Span};

/// T of R6 in every run; all other times are drawn relative to it.
pub(crate) const ELECTION_TIMEOUT: Span = Span::milliseconds(300);

/// Cluster sizes, the usual ones more often.
const SIZES: [u16; 12] = [1, 2, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7];

/// One run's parameters.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Founders, and others who wait to be taken in.
    pub(crate) nodes: u16,
    /// An administrator acts on average twice in so long, if at all.
    pub(crate) change_gap: Option<Span>,
    /// The same for all nodes but for the id.
    pub(crate) config: Config,
    /// Of 1,000 messages so many are lost, so many come twice, and so many take very long.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) late: u64,
    /// A message takes up to so long.
    pub(crate) delay: Span,
    /// A write takes up to so long.
    pub(crate) disk: Span,
    /// A node collects input for up to so long before it acts on it.
    pub(crate) turn: Span,
    /// Clients act, and things break, on average twice in so long.
    pub(crate) request_gap: Span,
    pub(crate) fault_gap: Span,
}

impl Settings {
    pub(crate) fn draw(prng: &mut Prng) -> Settings {
        let nodes = prng.pick(&SIZES);
        let change_gap =
            prng.pick(&[None, None, Some(Span(20_000)), Some(Span(100_000)), Some(Span(400_000))]);
        let fewest = if change_gap.is_none() { nodes } else { nodes.div_ceil(2) };
        let founders = fewest + u16::try_from(prng.below(u64::from(nodes - fewest + 1))).expect("few");
        Settings {
            nodes,
            change_gap,
            config: draw_config(prng, founders),
            lost: prng.pick(&[0, 10, 100, 300]),
            doubled: prng.pick(&[0, 10, 200]),
            late: prng.pick(&[0, 0, 20, 200]),
            delay: Span(prng.pick(&[1, 1_000, 5_000, 20_000])),
            disk: Span(prng.pick(&[1, 1, 2_000, 10_000, 60_000])),
            turn: Span(prng.pick(&[1, 1, 500, 5_000])),
            request_gap: Span(prng.pick(&[10_000, 40_000, 150_000])),
            fault_gap: Span(prng.pick(&[100_000, 300_000, 1_000_000])),
        }
    }

    /// The trouble is over: nothing is lost any more and everything is quick.
    pub(crate) fn calm_down(&mut self) {
        (self.lost, self.doubled, self.late) = (0, 0, 0);
        self.delay = self.delay.min(Span(5_000));
        self.disk = self.disk.min(Span(5_000));
        self.turn = self.turn.min(Span(1_000));
    }
}

fn draw_config(prng: &mut Prng, founders: u16) -> Config {
    let heartbeat = ELECTION_TIMEOUT.divided(prng.pick(&[3, 4, 10]));
    Config {
        id: NodeId(0),
        voters: (0..founders).map(NodeId).collect(),
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
        reads: prng.pick(&[ReadMode::Leased, ReadMode::Confirmed]),
        commit_notice: prng.pick(&[None, Some(Span(5_000))]),
        append_bytes_max: prng.pick(&[1, 100, 4_096]),
        inflight_max: prng.pick(&[1, 2, 16]),
        uncommitted_bytes_max: prng.pick(&[200, 1 << 20]),
        tail_bytes: prng.pick(&[0, 100, usize::MAX]),
        write_patience: ELECTION_TIMEOUT.times(2),
    }
}
