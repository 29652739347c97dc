//! What the pure parts cost: one line per measurement, with what the machine could do at best beside it.
//!
//! `cargo bench` runs it. Each figure is the best of several rounds, since whatever else the machine does
//! only ever adds to it; compare figures of one run with each other, never with those of another machine.

use std::hint::black_box;
use std::time::Instant as RealTime;

use quorate::course::{self, Desk};
use quorate::kv::{ClientId, Command, Operation, RequestId, SetOptions, Token, WallClock};
use quorate::raft::{
    Config, Effects, Envelope, Instant, NodeId, Payload, Proposal, Raft, Receipt, Recovered,
};
use quorate::{codec, raft};

const ROUNDS: usize = 7;

fn main() {
    let command = put().encode();
    let copy = nanos(100_000, || {
        black_box(black_box(&command).to_vec());
    });
    line("copy a put command's bytes (the floor)", copy, copy);
    line("encode a put command", nanos(100_000, || drop(black_box(put().encode()))), copy);
    line("decode a put command", nanos(100_000, || drop(black_box(Command::decode(&command)))), copy);
    for replicas in [1, 3, 5] {
        for batch in [1, 64] {
            let nanos = commit(replicas, batch, &command);
            line(&format!("commit a put in {replicas} replicas' cores, {batch} a turn"), nanos, copy);
        }
    }
    let mut desk = Desk::new(NodeId(0));
    let request = br#"{"src":"0015","dst":"0000","leader":"0000","type":"put","MID":"ABCDEFGHIJKLMNOP",
        "key":"ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP","value":"0123456789abcdef0123456789abcdef"}"#;
    line("read a put from its JSON envelope", nanos(50_000, || drop(black_box(desk.read(request)))), copy);
    let append = append_envelope(&command);
    line("encode an append of one put", nanos(50_000, || drop(black_box(codec::encode(&append)))), copy);
    let bytes = codec::encode(&append);
    let decode = || drop(black_box(codec::decode::<Envelope>(&bytes)));
    line("decode an append of one put", nanos(50_000, decode), copy);
}

fn line(what: &str, nanos: f64, floor: f64) {
    println!("{what:<52} {nanos:>9.0} ns  {:>7.1} x the floor", nanos / floor);
}

/// Nanoseconds a call, in the best round.
fn nanos(calls: u32, mut call: impl FnMut()) -> f64 {
    let round = |call: &mut dyn FnMut()| {
        let start = RealTime::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    (0..ROUNDS).map(|_| round(&mut call)).fold(f64::INFINITY, f64::min)
}

fn put() -> Command {
    let once = Some(RequestId { client: ClientId(21), token: Token("ABCDEFGHIJKLMNOP".into()) });
    let key = "ABCDEFGHIJKLMNOPABCDEFGHIJKLMNOP".into();
    let value = b"0123456789abcdef0123456789abcdef"[..].into();
    let operations = vec![Operation::Set { key, value, options: SetOptions::default() }];
    Command { stamp: WallClock(0), once, operations }
}

fn append_envelope(command: &std::sync::Arc<[u8]>) -> Envelope {
    let entry = raft::Entry { term: raft::Term(3), payload: Payload::Command(command.clone()) };
    let reign = raft::Reign { beat: raft::Beat::default(), rank: 0 };
    let previous = raft::Position::default();
    let message = raft::Message::Append { reign, previous, entries: vec![entry], commit: raft::Index(0) };
    Envelope { from: NodeId(0), to: NodeId(1), term: raft::Term(3), message }
}

/// Nanoseconds a committed put, all replicas' cores together, messages handed over without encoding.
fn commit(replicas: u16, batch: u32, command: &std::sync::Arc<[u8]>) -> f64 {
    let mut cluster = Cluster::elected(replicas);
    let turns = 2_000 / batch.min(8);
    nanos(turns, || {
        for _ in 0..batch {
            let proposal = cluster.cores[0].propose(Payload::Command(command.clone()));
            assert!(matches!(proposal, Proposal::Appended(_)));
        }
        cluster.settle();
    }) / f64::from(batch)
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
