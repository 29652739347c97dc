//! The core against naive truth: random schedules, and after every step the paper's promises.
//!
//! A seed draws a cluster of one to seven nodes, a network that delays, reorders, loses and doubles
//! messages, disks that take their time, crashes that leave what is durable and nothing else, partitions of
//! every shape, and clients that write and read anywhere. Beside the cluster stands a ghost that knows what
//! no node knows. It checks election safety (S1), votes (S2), log matching (S4), authorship (S5), leader
//! completeness (S6), state machine safety (S7), the commit rule on disks (S8), the order of logs (S10),
//! monotony (S11), follower commits (S13), truncation (S14), terms (S15, S16), durability before answers
//! (D1) and linearizable reads (C4). In many runs the membership changes all the time (R12 to R14): then it
//! counts majorities of old and new voters, and compares what a node takes for the membership with what its
//! log says (S17, S18). Then the faults stop, and it must come to rest: a leader within ten
//! election timeouts (L1), equal logs (L2), every read answered (L3), no further election (L4), no change of
//! the membership left half way (L6).
//!
//! ```text
//! cargo test --test model                                    some hundred seeds
//! MODEL_SEEDS=20000 cargo test --release --test model        more of them
//! MODEL_SEED=42 cargo test --test model replay -- --nocapture   one, step by step
//! ```
//!
//! All nodes share one clock, since leases need bounded drift (R20).

#[path = "model/disk.rs"]
mod disk;
#[path = "model/ghost.rs"]
mod ghost;
#[path = "model/members.rs"]
mod members;
#[path = "model/settings.rs"]
mod settings;
#[path = "model/sometimes.rs"]
mod sometimes;
#[path = "model/world.rs"]
mod world;

use settings::ELECTION_TIMEOUT;
use sometimes::Sometimes;
use world::World;

/// Seeds of an ordinary run.
const SEEDS: u64 = 600;

/// Threads that share them.
const THREADS: u64 = 2;

/// Names the seed when a check fails, whichever it is.
struct Blame(u64);

impl Drop for Blame {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {0} fails; MODEL_SEED={0} cargo test --test model replay -- --nocapture", self.0);
        }
    }
}

fn run(seed: u64, trace: bool) -> Sometimes {
    let blame = Blame(seed);
    let mut world = World::new(seed, trace);
    world.run(ELECTION_TIMEOUT.times(16));
    world.calm_down();
    world.run(ELECTION_TIMEOUT.times(10));
    let leader = world.assert_one_leader();
    let before = world.acknowledged();
    world.propose(leader);
    world.read(leader);
    world.run(ELECTION_TIMEOUT.times(10));
    assert!(world.acknowledged() > before, "a proposal commits when nothing goes wrong (L2)");
    world.catch_up();
    world.assert_converged();
    // A leader that was about to go has gone by now.
    let leader = world.assert_one_leader();
    let term = world.term(leader);
    world.run(ELECTION_TIMEOUT.times(5));
    assert_eq!(
        (world.assert_one_leader(), world.term(leader)),
        (leader, term),
        "an election without need (L4)"
    );
    drop(blame);
    world.sometimes
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("the variable holds a number"))
}

#[test]
fn promises_hold_on_every_schedule() {
    let seeds = number("MODEL_SEEDS").unwrap_or(SEEDS);
    let run_share = |share| {
        let mut sum = Sometimes::default();
        (share..seeds)
            .step_by(usize::try_from(THREADS).expect("a few"))
            .for_each(|seed| sum += run(seed, false));
        sum
    };
    let mut sum = Sometimes::default();
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..THREADS).map(|share| scope.spawn(move || run_share(share))).collect();
        for share in shares {
            sum += share.join().expect("every promise holds");
        }
    });
    println!("{seeds} seeds: {sum:?}");
    assert_eq!(sum.missing(), [""; 0], "these never happened: the schedules are too tame");
}

/// Does nothing unless a seed is named.
#[test]
fn replay() {
    if let Some(seed) = number("MODEL_SEED") {
        run(seed, true);
    }
}
