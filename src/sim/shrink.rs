//! Makes a failing run smaller: the less there is in a trace, the sooner somebody sees what matters.
//!
//! One dimension after the other is tried with less: kinds of trouble, single strikes of it, nodes, clients,
//! operations, the length of the trouble. A smaller order is kept if it breaks the same promise in no more
//! events than the first. Fewer nodes or clients make another run of the same seed, so a few neighbouring
//! seeds are tried with these as well. Everything follows from the order, and the number of attempts is
//! bounded.
//!
//! Whoever calls this runs the orders: a node that stops itself ends the process that it runs in, so that may
//! have to be another one.

use super::faults::Fault;
use super::run::{Order, Size};

/// How a run failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The broken promise.
    pub id: String,
    /// How large the run had become.
    pub size: Size,
}

/// An order, and how it fails.
pub type Failing = (Order, Failure);

/// Seeds that are tried with fewer nodes or clients.
const SEEDS: u64 = 6;

/// The search.
struct Shrinking<'a> {
    best: Failing,
    events_max: u64,
    attempts_left: u64,
    run: &'a mut dyn FnMut(&Order) -> Option<Failure>,
}

/// Looks for a smaller order that fails in the same way, with so many attempts at most. `run` carries an
/// order out and answers how it failed.
pub fn shrink(failing: Failing, attempts: u64, run: &mut dyn FnMut(&Order) -> Option<Failure>) -> Failing {
    let mut start = failing;
    // What the seed has drawn is made explicit, so that it can be taken away piece by piece.
    start.0.faults.get_or_insert_with(|| start.1.size.faults.clone());
    let strikes = start.1.size.strikes;
    start.0.strikes.get_or_insert_with(|| (0..strikes).collect());
    let events_max = start.1.size.events;
    let mut search = Shrinking { best: start, events_max, attempts_left: attempts, run };
    loop {
        let before = search.best.clone();
        search.fewer_strikes();
        search.fewer_faults();
        search.fewer_nodes();
        search.fewer_clients();
        search.fewer_operations();
        search.shorter_trouble();
        if search.best == before || search.attempts_left == 0 {
            return search.best;
        }
    }
}

impl Shrinking<'_> {
    /// Tries an order; keeps it if it fails in the same way.
    fn attempt(&mut self, change: impl FnOnce(&mut Order)) -> bool {
        let mut order = self.best.0.clone();
        change(&mut order);
        if self.attempts_left == 0 || order == self.best.0 {
            return false;
        }
        self.attempts_left -= 1;
        let Some(failure) = (self.run)(&order) else { return false };
        let is_kept = failure.id == self.best.1.id && failure.size.events <= self.events_max;
        if is_kept {
            self.best = (order, failure);
        }
        is_kept
    }

    /// The same with neighbouring seeds, whose strikes are others.
    fn attempt_seeds(&mut self, change: impl Fn(&mut Order)) -> bool {
        let first = self.best.0.seed;
        self.attempt(&change)
            || (1..SEEDS).any(|step| {
                self.attempt(|order| {
                    change(order);
                    order.seed = first + step;
                })
            })
    }

    fn fewer_faults(&mut self) {
        let list = |order: &Order| order.faults.clone().unwrap_or_default();
        self.fewer(list, |order, faults: Vec<Fault>| order.faults = Some(faults));
    }

    fn fewer_strikes(&mut self) {
        let list = |order: &Order| order.strikes.clone().unwrap_or_default();
        self.fewer(list, |order, strikes: Vec<u64>| order.strikes = Some(strikes));
    }

    /// Leaves out all of a list, then halves of it, then quarters, and at last single members.
    fn fewer<T: Clone>(&mut self, list: impl Fn(&Order) -> Vec<T>, set: impl Fn(&mut Order, Vec<T>)) {
        let mut length = list(&self.best.0).len();
        while length > 0 {
            let mut from = 0;
            while from < list(&self.best.0).len() {
                let mut rest = list(&self.best.0);
                rest.drain(from..(from + length).min(rest.len()));
                if !self.attempt(|order| set(order, rest)) {
                    from += length;
                }
            }
            length /= 2;
        }
    }

    fn fewer_nodes(&mut self) {
        let nodes = self.best.1.size.nodes;
        let _ = (1..nodes).any(|fewer| self.attempt_seeds(|order| order.nodes = Some(fewer)));
    }

    fn fewer_clients(&mut self) {
        let clients = self.best.1.size.clients;
        let _ = (1..clients).any(|fewer| self.attempt_seeds(|order| order.clients = Some(fewer)));
    }

    fn fewer_operations(&mut self) {
        let mut step = self.best.1.size.operations.div_ceil(2);
        while step > 0 {
            let fewer = self.best.1.size.operations.saturating_sub(step);
            if !self.attempt(|order| order.operations = Some(fewer)) {
                step /= 2;
            }
        }
    }

    fn shorter_trouble(&mut self) {
        let mut step = self.best.1.size.events.div_ceil(2);
        while step > 50 {
            let fewer = self.best.0.events.unwrap_or(self.best.1.size.events).saturating_sub(step);
            if !self.attempt(|order| order.events = Some(fewer)) {
                step /= 2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when its strikes hold 3 and 17 and there are at least two nodes.
    fn run(order: &Order) -> Option<Failure> {
        let strikes = order.strikes.as_ref()?;
        let is_enough = strikes.contains(&3) && strikes.contains(&17) && order.nodes.unwrap_or(5) >= 2;
        is_enough.then(|| Failure { id: "S1".to_owned(), size: size(order) })
    }

    fn size(order: &Order) -> Size {
        Size {
            nodes: order.nodes.unwrap_or(5),
            clients: order.clients.unwrap_or(8),
            operations: order.operations.unwrap_or(100),
            events: order.events.unwrap_or(10_000),
            faults: order.faults.clone().unwrap_or_else(|| vec![Fault::Crash, Fault::Split]),
            strikes: 40,
        }
    }

    #[test]
    fn what_is_not_needed_is_left_out() {
        let order = Order { seed: 7, ..Order::default() };
        let failure = Failure { id: "S1".to_owned(), size: size(&order) };
        let (small, failure) = shrink((order, failure), 1_000, &mut run);
        assert_eq!(small.strikes, Some(vec![3, 17]));
        assert_eq!((small.nodes, small.clients, small.operations), (Some(2), Some(1), Some(0)));
        assert_eq!(small.faults, Some(Vec::new()));
        assert!(failure.size.events <= 100, "{failure:?}");
    }

    #[test]
    fn attempts_are_bounded_and_another_failure_does_not_count() {
        let order = Order::default();
        let failure = Failure { id: "S1".to_owned(), size: size(&order) };
        let mut attempts = 0;
        let (_, kept) = shrink((order, failure.clone()), 25, &mut |order| {
            attempts += 1;
            Some(Failure { id: "S2".to_owned(), size: size(order) })
        });
        assert_eq!((attempts, kept), (25, failure));
    }
}
