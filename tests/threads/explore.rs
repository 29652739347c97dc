//! Trying every order of events, or looking for one in which something breaks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use loom::model::Builder;

/// Runs a scenario in every order in which a thread is interrupted no more often than this. Prints how many
/// those were. A thread that waits for what will never come is a panic too.
pub(crate) fn every_order(name: &str, interruptions: usize, scenario: impl Fn() + Sync + Send + 'static) {
    let orders = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&orders);
    builder(interruptions).check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    println!("{name}: {} orders of events", orders.load(Ordering::Relaxed));
}

/// Asserts that there is an order in which this breaks.
pub(crate) fn some_order_breaks(
    name: &str,
    interruptions: usize,
    scenario: impl Fn() + Sync + Send + 'static,
) {
    let broken = catch_unwind(AssertUnwindSafe(|| every_order(name, interruptions, scenario)));
    assert!(broken.is_err(), "{name}: the mistake was not found");
}

fn builder(interruptions: usize) -> Builder {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(interruptions + more_interruptions());
    builder.max_branches = 20_000;
    builder
}

/// For those who have more time.
fn more_interruptions() -> usize {
    let text = std::env::var("MORE_INTERRUPTIONS").unwrap_or_default();
    text.parse().unwrap_or(0)
}
