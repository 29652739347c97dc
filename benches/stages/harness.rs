//! Measures something and its limit by turns, and prints a line about both.

use std::time::Instant;

/// Rounds of a measurement. They are many and short, so that most of them are not interrupted even on a busy
/// machine. The first is thrown away: it fills caches and finds its files.
const ROUNDS: usize = 51;

/// The heading of all lines.
pub(crate) fn head() {
    println!(
        "{:<52}{:>13}{:>15}   {:<40}{:>11}{:>8}",
        "what", "ns each", "a second", "limit", "ns each", "ratio"
    );
}

/// Prints a line about `ours`, whose limit is `limit`. Each is a round: it does its work and answers how many
/// nanoseconds a piece of it took.
pub(crate) fn compare(
    what: &str,
    mut ours: impl FnMut() -> f64,
    limit_name: &str,
    mut limit: impl FnMut() -> f64,
) {
    let rounds: Vec<(f64, f64)> = (0..=ROUNDS).map(|_| (ours(), limit())).skip(1).collect();
    let cost = median(rounds.iter().map(|(ours, _)| *ours));
    let bound = median(rounds.iter().map(|(_, limit)| *limit));
    let ratio = median(rounds.iter().map(|(ours, limit)| ours / limit));
    println!("{what:<52}{cost:>13.1}{:>15.0}   {limit_name:<40}{bound:>11.1}{ratio:>8.2}", 1e9 / cost);
}

/// Nanoseconds that each of `pieces` takes if `work` does all of them.
pub(crate) fn timed(pieces: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    let nanoseconds = start.elapsed().as_secs_f64() * 1e9;
    nanoseconds / f64::from(u32::try_from(pieces).expect("a round is short"))
}

/// A round of so many calls of `call`.
pub(crate) fn calls(count: usize, mut call: impl FnMut()) -> f64 {
    timed(count, || (0..count).for_each(|_| call()))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
