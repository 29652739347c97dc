//! A real cluster under real trouble: processes that are killed, paused and ended while clients work, and
//! afterwards the question whether every answer was true.
//!
//! Some nodes of `quorate serve` listen at Unix sockets; at each of them a few clients set, read, count,
//! append and compare, and write down what they asked and what they were told. Meanwhile a nemesis kills
//! nodes (any one, the leader, a majority, all at once), pauses them, and starts them again. At the end all
//! nodes are up, and:
//!
//! * they agree on one leader, and on the value of every key;
//! * counters count what was acknowledged, and no more than what may have happened; those whose increments
//!   carry a token count each token exactly once;
//! * the history of all operations is linearizable: see [`quorate::check`];
//! * no node ended by itself, and no answer was outside of the contract.
//!
//! ```text
//! cargo test --test kills                                               some twenty kills
//! cargo test --release --test kills -- --ignored --nocapture            200 kills, with progress
//! ```
//!
//! `KILLS_SEED` repeats the choices of a run, though not its timing. `KILLS_COUNT`, `KILLS_NODES`,
//! `KILLS_CLIENTS` (for each node), `KILLS_LEASES=1`, `KILLS_SNAPSHOT_BYTES` and
//! `KILLS_GRACEFUL` (1: SIGTERM has to end with exit code 0; 0: it is another kill) change what is tried.

#[path = "kills/client.rs"]
mod client;
#[path = "kills/former_life.rs"]
mod former_life;
#[path = "kills/judge.rs"]
mod judge;
#[path = "kills/load.rs"]
mod load;
#[path = "kills/nemesis.rs"]
mod nemesis;
#[path = "kills/node.rs"]
mod node;
#[path = "kills/resp.rs"]
mod resp;
#[path = "kills/settings.rs"]
mod settings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use load::{Notes, Shared};
use nemesis::Nemesis;
use node::Cluster;
use settings::Settings;

/// How long clients go on when the trouble is over.
const AFTERMATH: Duration = Duration::from_millis(1_500);

/// Ends the clients' work when it is dropped, whatever happens to the nemesis.
struct EndOfWork<'a>(&'a AtomicBool);

impl Drop for EndOfWork<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One run: trouble and load, then the judgement.
fn run(settings: &Settings) {
    println!("{settings}");
    let start = Instant::now();
    let cluster = Cluster::start(settings);
    let is_over = AtomicBool::new(false);
    let shared = Shared::new(start, &cluster, settings, &is_over);
    let (damage, mut notes) = thread::scope(|scope| {
        let clients: Vec<_> = (0..settings.clients_total())
            .map(|number| {
                let shared = &shared;
                scope.spawn(move || load::run(shared, number))
            })
            .collect();
        let end = EndOfWork(&is_over);
        let damage = Nemesis::new(settings, &cluster, &shared).run();
        thread::sleep(AFTERMATH);
        drop(end);
        let mut notes = Notes::default();
        for client in clients {
            notes += client.join().expect("a client does not panic");
        }
        (damage, notes)
    });
    println!("{damage}\n{notes} in {:.1} s", start.elapsed().as_secs_f64());
    notes.faults.extend(damage.faults.iter().cloned());
    judge::judge(&shared, &cluster, &damage, &mut notes);
    judge::conclude(settings, &cluster, &notes);
}

#[test]
fn every_answer_is_true_across_a_few_kills() {
    run(&Settings::from_environment(20, false));
}

#[test]
#[ignore = "takes minutes; see the head of the file"]
fn every_answer_is_true_across_many_kills() {
    run(&Settings::from_environment(200, true));
}
