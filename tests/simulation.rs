//! The simulator: seeds that must be clean, planted faults that must be found, and runs that must repeat.
//!
//! ```text
//! cargo test --test simulation                                       some seeds
//! QUORATE_SEEDS=20000 cargo test --release --test simulation -- --ignored --nocapture    many more
//! QUORATE_SEED=42 cargo test --test simulation replay -- --nocapture   the end of one, line by line
//! ```

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use quorate::sim::{Lines, Order, Planted, ShrinkFailure, Summary, run, shrink};

/// Seeds of an ordinary run.
const SEEDS: u64 = 120;

/// Threads that share them.
const THREADS: usize = 2;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("the variable holds a number"))
}

/// Names the seed when a node stops itself.
struct Blame(u64);

impl Drop for Blame {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.0;
            eprintln!(
                "seed {seed} fails; QUORATE_SEED={seed} cargo test --test simulation replay -- --nocapture"
            );
        }
    }
}

/// Runs one seed, every hundredth of them twice.
fn run_clean(seed: u64) -> Summary {
    let blame = Blame(seed);
    let order = Order { seed, ..Order::default() };
    let outcome = run(&order);
    if let Some(violation) = outcome.violation {
        panic!("seed {seed}: {violation}");
    }
    if seed.is_multiple_of(100) {
        assert_eq!(run(&order).trace, outcome.trace, "seed {seed} has two traces");
    }
    drop(blame);
    outcome.summary
}

fn run_all(seeds: u64) -> Summary {
    let next = AtomicU64::new(0);
    let run_share = || {
        let mut sum = Summary::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return sum;
            }
            sum += run_clean(seed);
        }
    };
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..THREADS).map(|_| scope.spawn(run_share)).collect();
        let mut sum = Summary::default();
        for share in shares {
            sum += share.join().expect("every seed is clean");
        }
        sum
    })
}

#[test]
fn every_promise_holds_on_every_seed() {
    let sum = run_all(number("QUORATE_SEEDS").unwrap_or(SEEDS));
    println!("{sum:#?}");
}

#[test]
#[ignore = "takes as long as it is told to"]
fn every_promise_holds_on_many_seeds() {
    let sum = run_all(number("QUORATE_SEEDS").unwrap_or(5_000));
    println!("{sum:#?}");
    assert_eq!(sum.sometimes.missing(), [""; 0], "these never happened: the runs are too tame");
}

/// In how many seeds a planted fault is found, and by what; `None`: in none of them.
fn find(planted: Planted, seeds_max: u64) -> Option<(u64, String)> {
    (0..seeds_max).find_map(|seed| {
        let order = Order { seed, planted: Some(planted), ..Order::default() };
        match panic::catch_unwind(AssertUnwindSafe(|| run(&order))) {
            Ok(outcome) => outcome.violation.map(|violation| (seed + 1, violation.to_string())),
            Err(reason) => {
                let text = reason.downcast_ref::<String>().cloned();
                Some((seed + 1, text.unwrap_or_else(|| "a node stopped itself".to_owned())))
            }
        }
    })
}

/// The seed in which a fault was found is clean without it, everything else being equal.
fn is_innocent(planted: Planted, seed: u64) {
    let order = Order { seed, planted: Some(planted), is_defused: true, ..Order::default() };
    let violation = run(&order).violation;
    assert_eq!(violation, None, "seed {seed} fails without {} as well", planted.name());
}

/// Looks for each fault; answers those that were not found.
fn hunt(faults: &[Planted], seeds_max: u64) -> Vec<&'static str> {
    let next = AtomicUsize::new(0);
    let hunt_share = || {
        let mut missed = Vec::new();
        while let Some(planted) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = find(*planted, seeds_max);
            println!("{:26} {}", planted.name(), shown(found.as_ref()));
            match found {
                Some((seeds, _)) => is_innocent(*planted, seeds - 1),
                None => missed.push(planted.name()),
            }
        }
        missed
    };
    std::thread::scope(|scope| {
        let shares: Vec<_> = (0..THREADS).map(|_| scope.spawn(hunt_share)).collect();
        let shares = shares.into_iter();
        shares.flat_map(|share| share.join().expect("what was found is innocent without it")).collect()
    })
}

fn shown(found: Option<&(u64, String)>) -> String {
    found.map_or("not found".to_owned(), |(seeds, how)| {
        format!("{seeds:>4} {}", how.chars().take(120).collect::<String>())
    })
}

/// Faults that need more seeds than an ordinary run has time for.
const PATIENT: [Planted; 4] = [
    Planted::ConfirmWithAnyAnswer,
    Planted::CountLateVotes,
    Planted::ClockStopsInPause,
    Planted::TicketsBeginAnew,
];

#[test]
fn every_planted_fault_is_found() {
    let wanted = std::env::var("QUORATE_PLANTED").ok();
    let is_wanted = |planted: &&Planted| match &wanted {
        Some(name) => name == planted.name(),
        None => !PATIENT.contains(planted),
    };
    let faults: Vec<Planted> = Planted::ALL.iter().filter(is_wanted).copied().collect();
    let missed = hunt(&faults, number("QUORATE_SEEDS").unwrap_or(200));
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
#[ignore = "takes a minute in a release build"]
fn every_planted_fault_is_found_within_two_thousand_seeds() {
    assert!(Planted::ALL.len() >= 30);
    let missed = hunt(Planted::ALL, 2_000);
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn a_run_is_made_smaller() {
    let mut order = Order { planted: Some(Planted::ReadAtFollower), ..Order::default() };
    let fails = |order: &Order| {
        let outcome = run(order);
        outcome.violation.map(|violation| ShrinkFailure { id: violation.id.to_owned(), size: outcome.size })
    };
    let failure = (0..60).find_map(|seed| {
        order.seed = seed;
        fails(&order).filter(|failure| failure.size.events > 500)
    });
    let failure = failure.expect("a long run that finds it");
    let (small, smallest) = shrink((order, failure.clone()), 150, &mut |order| fails(order));
    println!("{} events, then {}: {small:?}", failure.size.events, smallest.size.events);
    assert_eq!(smallest.id, failure.id);
    assert!(smallest.size.events * 2 < failure.size.events, "{smallest:?}");
    assert_eq!(fails(&small), Some(smallest), "the smallest order fails again in the same way");
}

/// Leaving out strikes that are not there, or naming what the seed has drawn, changes nothing.
#[test]
fn an_order_that_names_what_is_drawn_gives_the_same_run() {
    for seed in [3, 14, 15] {
        let drawn = run(&Order { seed, ..Order::default() });
        let named = Order {
            seed,
            faults: Some(drawn.size.faults.clone()),
            strikes: Some((0..drawn.size.strikes).collect()),
            clients: Some(drawn.size.clients),
            operations: Some(drawn.size.operations),
            ..Order::default()
        };
        assert_eq!(run(&named).trace, drawn.trace, "seed {seed}");
    }
}

/// Does nothing unless a seed is named.
#[test]
fn replay() {
    let Some(seed) = number("QUORATE_SEED") else { return };
    let lines =
        Lines::keep(number("QUORATE_LINES").map_or(200, |lines| usize::try_from(lines).expect("few")));
    let order = Order { seed, lines: Some(lines.clone()), ..Order::default() };
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| run(&order)));
    lines.taken().iter().for_each(|line| println!("{line}"));
    match outcome {
        Ok(outcome) => println!("{:?}", outcome.violation),
        Err(reason) => panic::resume_unwind(reason),
    }
}
