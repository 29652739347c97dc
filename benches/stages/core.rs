//! The consensus cores of a whole cluster, from a proposal to its commit, messages handed over as they are.
//! The limit is to copy the command once for each replica.

use std::hint::black_box;
use std::sync::Arc;

use quorate::course;
use quorate::raft::{Config, Effects, Instant, NodeId, Payload, Proposal, Raft, Receipt, Recovered};

use crate::harness::{compare, timed};
use crate::samples;

/// Commands in a round.
const COUNT: usize = 512;

pub(crate) fn run() {
    let command = samples::command();
    for replicas in [1, 3, 5] {
        for batch in [1, 64] {
            let what = format!("core: commit a SET in {replicas} replicas, {batch} a turn");
            let copy = || {
                timed(COUNT, || {
                    for _ in 0..COUNT * usize::from(replicas) {
                        black_box(black_box(&command).to_vec());
                    }
                })
            };
            compare(&what, || commit(replicas, batch, &command), "copy its bytes for each", copy);
        }
    }
}

/// Nanoseconds for each committed command, all replicas' cores together.
fn commit(replicas: u16, batch: usize, command: &Arc<[u8]>) -> f64 {
    let mut cluster = Cluster::elected(replicas);
    timed(COUNT, || {
        for _ in 0..COUNT / batch {
            for _ in 0..batch {
                let proposal = cluster.cores[0].propose(Payload::Command(command.clone()));
                assert!(matches!(proposal, Proposal::Appended(_)));
            }
            cluster.settle();
        }
    })
}

/// Cores with a perfect network and a perfect disk.
struct Cluster {
    cores: Vec<Raft>,
    now: Instant,
    effects: Effects,
}

impl Cluster {
    /// A cluster whose replica 0 leads.
    fn elected(replicas: u16) -> Cluster {
        let ids: Vec<NodeId> = (0..replicas).map(NodeId).collect();
        let core = |id: &NodeId| {
            let config = Config { append_bytes_max: 1 << 20, ..course::raft_config(*id, &ids) };
            Raft::new(config, Recovered::default(), Instant(0), 1)
        };
        let mut cluster =
            Cluster { cores: ids.iter().map(core).collect(), now: Instant(0), effects: Effects::default() };
        while !cluster.cores[0].is_leader() {
            cluster.now = Instant(cluster.now.0 + 10_000);
            cluster.settle();
        }
        cluster
    }

    /// Flushes and delivers until nothing moves.
    fn settle(&mut self) {
        let mut moved = true;
        while moved {
            moved = false;
            for place in 0..self.cores.len() {
                self.cores[place].flush(self.now, &mut self.effects);
                let mut messages = std::mem::take(&mut self.effects.send);
                if let Some(mut write) = self.effects.write.take() {
                    messages.append(&mut write.then_send);
                    self.cores[place].durable(Receipt(write.sequence));
                    moved = true;
                }
                for envelope in messages.drain(..) {
                    moved = true;
                    self.cores[usize::from(envelope.to.0)].receive(self.now, envelope);
                }
            }
        }
    }
}
